//! The provider as its callers see it: over HTTP, with a receiver that accepts only valid signatures.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod charges;
mod receiver;
mod restarts;
mod stage;
mod webhooks;
