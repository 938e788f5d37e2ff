//! Scripted faults of a pretend provider: which calls and webhooks they hit, and what happens to these.
//!
//! A [`Fault`] names an [`Operation`], the [`Calls`] that it hits, and the [`Effect`]. A [`Desk`] keeps the faults of
//! each tenant and counts the calls: the provider asks it once for each call and for each webhook. What is hit depends
//! on the fault and on the number of the call only, so the same faults and the same calls give the same result.
//!
//! It never does any of it: it has no network, no clock and no source of chance.
//!
//! Invariants:
//! - A call counts at each fault of its tenant that is about its operation, and at no fault of another tenant.
//! - A tenant has at most [`MAX_OF_TENANT`] faults, and a desk at most [`MAX_FAULTS`].

mod chance;
mod desk;
mod script;

pub use desk::{CallFaults, Desk, Full, Group, Scripted, WebhookFaults};
pub use script::{Answer, Calls, Effect, Fault, Misfit, Operation, Part, When};

/// Greatest number of faults of a tenant.
pub const MAX_OF_TENANT: usize = 100;
/// Greatest number of faults of all tenants.
pub const MAX_FAULTS: usize = 10_000;
/// Longest time by which the answer to a call, or a webhook, comes later, in milliseconds. It is also the longest time
/// of all faults of one call together.
pub const MAX_LATENCY_MILLIS: u32 = 60_000;
