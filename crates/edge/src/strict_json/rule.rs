//! Rules of the domain that a text may break.

use std::fmt::Display;

use text::TextError;

/// A rule that a text breaks. Its detail states the rule, and never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// The rule's name; it never changes.
    pub code: &'static str,
    /// The rule in words.
    pub detail: String,
}

impl BrokenRule {
    /// A broken rule with this code and its own text.
    #[must_use]
    pub fn new(code: &'static str, rule: &impl Display) -> Self {
        Self {
            code,
            detail: rule.to_string(),
        }
    }
}

impl From<TextError> for BrokenRule {
    fn from(rule: TextError) -> Self {
        Self::new(rule.code(), &rule)
    }
}

/// A guarded text of the crate `text`. It has at least one character.
pub trait Guarded: Sized {
    /// Greatest number of characters.
    const MAX_LENGTH: usize;

    /// Checks a text.
    ///
    /// # Errors
    /// The first broken rule.
    fn guarded(text: String) -> Result<Self, TextError>;
}

macro_rules! guarded {
    ($($kind:ident)+) => {$(
        impl<const MAX: usize> Guarded for text::$kind<MAX> {
            const MAX_LENGTH: usize = MAX;

            fn guarded(text: String) -> Result<Self, TextError> {
                Self::parse(text)
            }
        }
    )+};
}

guarded!(Text Token Identifier);
