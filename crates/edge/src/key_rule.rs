//! The rule for the idempotency key.

/// The rule of a route for the idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// The route moves money, so a key is required.
    Required,
    /// The route changes something, and the same change made twice has no further effect. A key is optional.
    Optional,
    /// The route takes no key: it changes nothing, or recognises a repeated request in another way.
    None,
}
