//! The parts of problems that several capabilities have.

use edge::Problem;

use crate::Operation;
use crate::charging::codes;

/// The problem of an operation that the provider has refused.
pub(crate) fn declined(operation: &Operation) -> Problem {
    let reason = operation.decline_code.clone().unwrap_or_default();
    Problem::new(codes::DECLINED).with_reason("decline_code", reason)
}

/// A rule as a sentence: with a capital and a full stop.
pub(crate) fn sentence(rule: &str) -> String {
    let mut letters = rule.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
