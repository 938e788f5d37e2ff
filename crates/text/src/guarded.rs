//! The three kinds of text, and the checks behind them.

use std::fmt;
use std::ops::{Deref, RangeInclusive};

use crate::scan::{contains_card_number, is_card_number};

/// Why a text is refused: the first broken rule, in the order of the variants. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text has too few characters.
    #[error("must have at least {least} character{}", if *least == 1 { "" } else { "s" })]
    TooShort {
        /// Least number of characters.
        least: usize,
    },
    /// The text has too many characters.
    #[error("must have at most {most} characters")]
    TooLong {
        /// Greatest number of characters.
        most: usize,
    },
    /// The text has U+0000 in it.
    #[error("must not hold the character U+0000")]
    NulCharacter,
    /// The text has a control character in it, such as a line end.
    #[error("must not hold control characters")]
    ControlCharacter,
    /// The text is or has a card number, or something that must be treated as one.
    #[error("must not be or hold a card number")]
    CardNumber,
}

impl TextError {
    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::NulCharacter => "nul_character",
            Self::ControlCharacter => "control_character",
            Self::CardNumber => "card_number_refused",
        }
    }
}

/// Checks prose: its length in characters, and that it has no card number anywhere.
///
/// # Errors
/// [`TextError`] names the first broken rule.
pub fn prose(text: &str, length: RangeInclusive<usize>) -> Result<(), TextError> {
    bounded(text, length)?;
    if contains_card_number(text) {
        return Err(TextError::CardNumber);
    }
    Ok(())
}

/// Checks an identifier: its length in characters, and that it is not a card number as a whole. An identifier with
/// white space in it is checked as prose.
///
/// # Errors
/// [`TextError`] names the first broken rule.
pub fn identifier(text: &str, length: RangeInclusive<usize>) -> Result<(), TextError> {
    if text.contains(char::is_whitespace) {
        return prose(text, length);
    }
    bounded(text, length)?;
    if is_card_number(text) {
        return Err(TextError::CardNumber);
    }
    Ok(())
}

/// Checks prose that is sent to others and comes back from them: it must not have a control character either.
///
/// # Errors
/// [`TextError`] names the first broken rule.
pub fn token(text: &str, length: RangeInclusive<usize>) -> Result<(), TextError> {
    bounded(text, length)?;
    printable(text)?;
    if contains_card_number(text) {
        return Err(TextError::CardNumber);
    }
    Ok(())
}

/// Checks that no character of a text is a control character.
///
/// # Errors
/// [`TextError::ControlCharacter`].
pub fn printable(text: &str) -> Result<(), TextError> {
    if text.contains(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(())
}

fn bounded(text: &str, length: RangeInclusive<usize>) -> Result<(), TextError> {
    let (least, most) = length.into_inner();
    let characters = text.chars().count();
    if characters < least {
        return Err(TextError::TooShort { least });
    }
    if characters > most {
        return Err(TextError::TooLong { most });
    }
    if text.contains('\0') {
        return Err(TextError::NulCharacter);
    }
    Ok(())
}

macro_rules! guarded_text {
    ($(#[$doc:meta])* $name:ident, $guard:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<const MAX: usize>(String);

        impl<const MAX: usize> $name<MAX> {
            /// A value from a text, if it keeps the rules.
            ///
            /// # Errors
            /// [`TextError`] names the first broken rule.
            pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                $guard(&text, 1..=MAX)?;
                Ok(Self(text))
            }

            /// A value from a text that was accepted before and stored, or that Florin itself made. Nothing is
            /// checked: texts that were accepted under older rules stay readable.
            #[must_use]
            pub fn trusted(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The value as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<const MAX: usize> Deref for $name<MAX> {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl<const MAX: usize> From<$name<MAX>> for String {
            fn from(text: $name<MAX>) -> Self {
                text.0
            }
        }

        impl<const MAX: usize> fmt::Display for $name<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

guarded_text!(
    /// Prose of 1 to `MAX` characters, with no card number in it.
    Text,
    prose
);
guarded_text!(
    /// Prose of 1 to `MAX` characters, with no card number and no control character in it.
    Token,
    token
);
guarded_text!(
    /// A reference of 1 to `MAX` characters that is not a card number.
    Identifier,
    identifier
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_measured_in_characters() {
        assert_eq!(Text::<3>::parse(""), Err(TextError::TooShort { least: 1 }));
        assert!(Text::<3>::parse("\u{e9}\u{e9}\u{e9}").is_ok());
        assert_eq!(
            Text::<3>::parse("\u{e9}\u{e9}\u{e9}\u{e9}"),
            Err(TextError::TooLong { most: 3 })
        );
        assert_eq!(prose("", 0..=3), Ok(()));
        assert_eq!(
            prose("\u{e9}", 2..=3),
            Err(TextError::TooShort { least: 2 })
        );
    }

    #[test]
    fn the_first_broken_rule_is_named() {
        let card = "4242424242424242";
        for (text, expected) in [
            ("a\0b", TextError::NulCharacter),
            (card, TextError::CardNumber),
            ("\0 4242424242424242", TextError::NulCharacter),
            (
                "4242424242424242 and far too long a text",
                TextError::TooLong { most: 30 },
            ),
        ] {
            assert_eq!(Text::<30>::parse(text), Err(expected), "{text:?}");
            assert_eq!(Identifier::<30>::parse(text), Err(expected), "{text:?}");
        }
        assert_eq!(Text::<30>::trusted(card).as_str(), card);
        for text in ["a\nb", "a\u{7}", "\u{85}", "4242424242424242\n"] {
            let refused = Err(TextError::ControlCharacter);
            assert_eq!(Token::<30>::parse(text), refused, "{text:?}");
        }
        assert_eq!(Token::<30>::parse(card), Err(TextError::CardNumber));
        assert!(Token::<30>::parse("tok \u{e9}").is_ok());
    }

    #[test]
    fn an_identifier_may_resemble_a_card_number_and_prose_may_not() {
        for text in [
            "order-4242424242424242",
            "a/4242-4242-4242-4242",
            "4242424242424242:12",
        ] {
            assert!(Identifier::<255>::parse(text).is_ok(), "{text}");
            assert_eq!(
                Text::<255>::parse(text),
                Err(TextError::CardNumber),
                "{text}"
            );
        }
        let prose = "my card is 4242424242424242!";
        assert_eq!(Identifier::<255>::parse(prose), Err(TextError::CardNumber));
    }
}
