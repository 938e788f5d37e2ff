//! The decoding of a query into names and values: strict percent-encoding, UTF-8, and no U+0000. Nothing is
//! corrected: a parameter that cannot be read is refused by its name.

use text::contains_card_number;

use crate::strict_json::FieldError;

/// Greatest number of characters of a name that an answer repeats.
const MAX_SHOWN_LENGTH: usize = 64;

/// The parameters of a query, in their order. A name may occur twice. A `+` means a space.
///
/// # Errors
/// `malformed_encoding` and `nul_character`, each at the parameter's name.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, FieldError> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let read = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        // A name that cannot be decoded is shown as it was sent.
        let read_name = decoded(name).map_err(|rule| at(name, rule))?;
        let value = decoded(value).map_err(|rule| at(&read_name, rule))?;
        Ok((read_name, value))
    };
    parts.map(read).collect()
}

/// The error of a parameter. A name that is a card number is not repeated.
pub(super) fn at(name: &str, (code, detail): (&'static str, impl Into<String>)) -> FieldError {
    let mut error = FieldError::here(code, detail);
    error.pointer = if contains_card_number(name) {
        "[card number]".to_owned()
    } else {
        name.chars().take(MAX_SHOWN_LENGTH).collect()
    };
    error
}

fn decoded(text: &str) -> Result<String, (&'static str, &'static str)> {
    const MALFORMED: (&str, &str) = (
        "malformed_encoding",
        "it is UTF-8 in percent-encoding: a % is followed by two hexadecimal digits",
    );
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest.next().and_then(hexadecimal).ok_or(MALFORMED)?;
                let low = rest.next().and_then(hexadecimal).ok_or(MALFORMED)?;
                high << 4 | low
            }
            other => other,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_not_utf8| MALFORMED)?;
    if text.contains('\0') {
        return Err(("nul_character", "it must not hold the character U+0000"));
    }
    Ok(text)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_to_the_letter() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs(""), Ok(Vec::new()));
        assert_eq!(
            pairs("a=1&b=x+y&&c&d=%C3%a9%2B&a=&e=f=g&%66=%EF%BF%BD"),
            Ok(vec![
                pair("a", "1"),
                pair("b", "x y"),
                pair("c", ""),
                pair("d", "\u{e9}+"),
                pair("a", ""),
                pair("e", "f=g"),
                pair("f", "\u{fffd}"),
            ])
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_the_parameters_name() {
        for (query, pointer, code) in [
            ("a=1&b=%", "b", "malformed_encoding"),
            ("b=%4", "b", "malformed_encoding"),
            ("b=%zz", "b", "malformed_encoding"),
            ("b=%+1", "b", "malformed_encoding"),
            ("b=%ff", "b", "malformed_encoding"),
            ("b=%c3", "b", "malformed_encoding"),
            ("b=%ed%a0%80", "b", "malformed_encoding"),
            ("b=a%00", "b", "nul_character"),
            ("%62=%00", "b", "nul_character"),
            ("b%00=1", "b%00", "nul_character"),
            ("%ff=1", "%ff", "malformed_encoding"),
            (
                "4242424242424242=%ff",
                "[card number]",
                "malformed_encoding",
            ),
        ] {
            let refused = pairs(query).map_err(|error| (error.pointer, error.code));
            assert_eq!(refused, Err((pointer.to_owned(), code)), "{query}");
        }
    }
}
