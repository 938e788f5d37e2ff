//! Rehearsals of webhooks.
mod chance;
mod order;
pub mod plan;
mod schedule;
mod signer;

pub use order::{Event, Order, TemplateError, Templates};
pub use schedule::Schedule;
pub use signer::{SANDBOX_SECRET, Signer, SignerError};
