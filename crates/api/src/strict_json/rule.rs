//! Rules of the domain that a text may break, as the edge tells them.

use std::fmt::Display;

/// A rule that a text breaks. It says in words what must be so, and never repeats the text.
pub trait BrokenRule: Display {
    /// The rule's name; it never changes.
    fn code(&self) -> &'static str;
}

impl BrokenRule for text::TextError {
    fn code(&self) -> &'static str {
        self.code()
    }
}

impl BrokenRule for ledger::AccountCodeError {
    fn code(&self) -> &'static str {
        self.code()
    }
}

impl BrokenRule for ledger::MetadataError {
    fn code(&self) -> &'static str {
        self.code()
    }
}
