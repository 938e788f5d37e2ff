//! The rule for the idempotency key.

/// The rule of a route for the idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// The route moves money.
    Required,
    /// The route changes something, and twice is no more than once.
    Optional,
    /// The route changes nothing, or has another way to know a request again.
    None,
}
