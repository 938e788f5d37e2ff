//! Refusals of a body that cannot be parsed.

use super::{MAX_DEPTH, pointer};

/// The refusal of a body: the broken rule and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule} (at \"{pointer}\")")]
pub struct Refusal {
    /// RFC 6901 pointer to the wrong value. The empty pointer means the whole body.
    pub pointer: String,
    /// The broken rule.
    pub rule: Rule,
}

/// A rule about the form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The body has more bytes than the route allows.
    #[error("The body is larger than a body here may be.")]
    TooLarge,
    /// The bytes are not UTF-8.
    #[error("The body is not UTF-8.")]
    NotUtf8,
    /// The text is not JSON by the grammar of RFC 8259.
    #[error("The body is not JSON: unexpected character or end at byte {offset}.")]
    Malformed {
        /// The byte at which reading stopped, counted from zero.
        offset: usize,
    },
    /// The top level is an array, text, a number, a boolean or null.
    #[error("The body must be a JSON object.")]
    NotAnObject,
    /// A key occurs twice in one object.
    #[error("This key stands more than once in its object.")]
    DuplicateKey,
    /// The nesting is deeper than [`MAX_DEPTH`].
    #[error("The body is nested deeper than {MAX_DEPTH} levels.")]
    TooDeep,
    /// U+0000, raw or escaped, in a string or a key.
    #[error("Text must not hold the character U+0000.")]
    NulCharacter,
    /// Half of a surrogate pair, which is no character.
    #[error("Text must not hold half of a surrogate pair.")]
    LoneSurrogate,
    /// An integer does not fit into 64 bits with a sign.
    #[error("The integer does not fit 64 bits.")]
    IntegerOutOfRange,
    /// A number has a fraction or an exponent, even if its value is whole.
    #[error("Numbers must be integers, written without fraction or exponent.")]
    FractionOrExponent,
    /// `-0`.
    #[error("Negative zero is not a number here.")]
    NegativeZero,
}

impl Rule {
    /// The stable code of the broken rule.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Rule::TooLarge => "payload_too_large",
            Rule::NotUtf8 => "not_utf8",
            Rule::Malformed { .. } => "malformed_json",
            Rule::NotAnObject => "expected_object",
            Rule::DuplicateKey => "duplicate_key",
            Rule::TooDeep => "too_deep",
            Rule::NulCharacter => "nul_character",
            Rule::LoneSurrogate => "lone_surrogate",
            Rule::IntegerOutOfRange => "integer_out_of_range",
            Rule::FractionOrExponent => "fraction_or_exponent",
            Rule::NegativeZero => "negative_zero",
        }
    }
}

/// A broken rule and the steps that lead to it, innermost first.
pub(super) struct Fault {
    pub(super) rule: Rule,
    pub(super) steps: Vec<String>,
}

impl Fault {
    pub(super) fn new(rule: Rule) -> Fault {
        Fault {
            rule,
            steps: Vec::new(),
        }
    }

    pub(super) fn below(mut self, key: &str) -> Fault {
        self.steps.push(pointer::step(key));
        self
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        let pointer = fault.steps.into_iter().rev().collect();
        Refusal {
            pointer,
            rule: fault.rule,
        }
    }
}
