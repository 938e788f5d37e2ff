//! Rules of the domain that a text may break, as the edge tells them.

use std::fmt::Display;

use text::TextError;

/// A rule that a text breaks. It says in words what must be so, and never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// The rule's name; it never changes.
    pub code: &'static str,
    /// The rule in words.
    pub detail: String,
}

impl BrokenRule {
    /// A rule of this name, in its own words.
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

/// A guarded text of the crate `text`: it has at least one character, and so many at most.
pub trait Guarded: Sized {
    /// The most characters.
    const MAX_LENGTH: usize;

    /// Takes a text that keeps the rules.
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
