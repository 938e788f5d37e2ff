//! Decimal digits of every script, because a card number in full-width digits is a card number too.

/// The digit zero of each script, in order: the Unicode characters of category Nd whose value is 0 (Unicode 17,
/// `DerivedNumericType.txt`). The nine characters after each zero are the other digits of the script.
const ZEROS: [u32; 77] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6,
    0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80,
    0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450,
    0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50,
    0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950,
    0x1fbf0,
];

/// The value of a decimal digit, 0 to 9; `None` for any other character.
pub(crate) fn digit(character: char) -> Option<u8> {
    if character.is_ascii() {
        return character
            .to_digit(10)
            .and_then(|value| value.try_into().ok());
    }
    let code = u32::from(character);
    let after = ZEROS.partition_point(|zero| *zero <= code);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    let value = code.checked_sub(*zero)?;
    u8::try_from(value).ok().filter(|value| *value < 10)
}

/// Whether the text has at least `least` digits. It costs one pass over the bytes of an ASCII text.
pub(crate) fn has_digits(text: &str, least: usize) -> bool {
    // A character outside ASCII begins with a byte of 0xC0 or more, and may be a digit.
    let may_be = |byte: &u8| byte.is_ascii_digit() || *byte >= 0xc0;
    if text.bytes().filter(|byte| may_be(byte)).count() < least {
        return false;
    }
    text.is_ascii()
        || text
            .chars()
            .filter_map(digit)
            .nth(least.saturating_sub(1))
            .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_has_its_value_in_every_script() {
        for (character, value) in [
            ('0', Some(0)),
            ('9', Some(9)),
            ('\u{661}', Some(1)),
            ('\u{ff10}', Some(0)),
            ('\u{ff19}', Some(9)),
            ('\u{ff1a}', None),
            ('\u{1d7ff}', Some(9)),
            ('\u{1d800}', None),
            ('a', None),
            ('/', None),
            (':', None),
            ('\u{e9}', None),
            ('\u{b2}', None),
        ] {
            assert_eq!(digit(character), value, "{character:?}");
        }
        assert!(ZEROS.is_sorted());
        // The standard library counts more characters as numbers than digits; every digit is one of them.
        for zero in ZEROS {
            let known = char::from_u32(zero).map(char::is_numeric);
            assert_eq!(known, Some(true), "{zero:x}");
        }
    }

    #[test]
    fn digits_are_counted_in_any_script() {
        assert!(has_digits("1234", 4));
        assert!(!has_digits("1234", 5));
        assert!(has_digits("\u{ff11}\u{661}a1", 3));
        assert!(!has_digits("\u{e9}\u{e9}\u{e9}\u{e9}", 1));
    }
}
