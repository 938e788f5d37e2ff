//! The characters that every bank of SEPA takes: letters, digits, `/ - ? : ( ) . , ' +` and blanks.
//!
//! A letter with marks becomes the letter alone, and other letters of Latin become one or two. A letter of another
//! script is refused: only its owner knows how it is written in Latin letters. Nothing becomes a blank, so no word is
//! ever cut in two.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// True if every bank takes the character.
pub(crate) const fn is_taken(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(
            character,
            '/' | '-' | '?' | ':' | '(' | ')' | '.' | ',' | '\'' | '+' | ' '
        )
}

/// The text in characters that every bank takes, without white space around it; the error is the first character that
/// has none.
pub(crate) fn taken(text: &str) -> Result<String, char> {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        write(character, &mut written).ok_or(character)?;
    }
    Ok(written.trim().to_owned())
}

fn write(character: char, to: &mut String) -> Option<()> {
    if is_taken(character) {
        to.push(character);
        return Some(());
    }
    if let Some(known) = replacement(character) {
        to.push_str(known);
        return Some(());
    }
    let start = to.len();
    for part in std::iter::once(character).nfkd() {
        match replacement(part) {
            // A mark without a letter is decomposed into a blank and the mark.
            _ if is_combining_mark(part) || part == ' ' && !character.is_whitespace() => {}
            _ if is_taken(part) => to.push(part),
            Some(known) => to.push_str(known),
            None => return None,
        }
    }
    // A mark of its own belongs to the letter in front of it.
    (to.len() > start || is_combining_mark(character)).then_some(())
}

/// Letters that are not a letter with marks, and signs.
fn replacement(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'ẞ' => "SS",
        'Æ' => "AE",
        'æ' => "ae",
        'Œ' => "OE",
        'œ' => "oe",
        'Ø' => "O",
        'ø' => "o",
        'Ł' => "L",
        'ł' => "l",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Ħ' => "H",
        'ħ' => "h",
        'ı' => "i",
        'ĸ' => "k",
        'Ŋ' => "N",
        'ŋ' => "n",
        'Þ' => "TH",
        'þ' => "th",
        'Ŧ' => "T",
        'ŧ' => "t",
        'Ə' => "A",
        'ə' => "a",
        '€' => "EUR",
        '&' => "+",
        '@' => "(at)",
        '_' | '~' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' => "-",
        '"' | '`' | '´' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›' => "'",
        '[' | '{' | '<' => "(",
        ']' | '}' | '>' => ")",
        '\\' | '|' => "/",
        ';' => ",",
        '!' | '#' | '$' | '%' | '*' | '=' | '^' => ".",
        '\t' | '\n' | '\r' => " ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_and_signs_become_those_that_every_bank_takes() {
        for (text, written) in [
            ("Straße", "Strasse"),
            ("Łódź", "Lodz"),
            ("Øresund Đakovo", "Oresund Dakovo"),
            ("Ærø Œuvre", "AEro OEuvre"),
            ("50 €", "50 EUR"),
            ("Müller & Söhne", "Muller + Sohne"),
            ("Mu\u{308}ller", "Muller"),
            ("İstanbul, Iğdır", "Istanbul, Igdir"),
            ("Nº 5", "No 5"),
            ("O\u{2019}Neill", "O'Neill"),
            ("ﬁn", "fin"),
            ("Ａ１", "A1"),
            ("a\u{a0}b", "a b"),
            (" /-?:().,'+ ", "/-?:().,'+"),
        ] {
            assert_eq!(taken(text), Ok(written.to_owned()), "{text}");
        }
        for text in ["¨", "Жук", "Ελλάς", "日本", "a\u{0}", "a\u{1f600}"] {
            assert_eq!(
                taken(text),
                Err(text.chars().find(|c| !is_taken(*c)).unwrap())
            );
        }
    }

    proptest! {
        #[test]
        fn no_word_is_cut_in_two(text in "\\PC{0,40}") {
            if let Ok(written) = taken(&text) {
                prop_assert!(written.chars().all(is_taken));
                if !text.contains(char::is_whitespace) {
                    prop_assert!(!written.contains(' '), "{text:?} {written:?}");
                }
            }
        }
    }
}
