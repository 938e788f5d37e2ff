//! The provider as its callers see it: over HTTP, with a receiver that accepts only valid signatures.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod actions;
mod chains;
mod charges;
mod disputes;
mod faults;
mod payouts;
mod receiver;
mod refunds;
mod restarts;
mod scripts;
mod stage;
mod steps;
mod webhooks;
