//! Notices: what a provider says of its own accord, in webhooks whose signature was verified.
//!
//! | command | commit |
//! |---|---|
//! | [`ReceiveWebhook`] | an event: applied, known already, parked, stored or put aside |
//! | [`QuarantineWebhook`] | bytes with a right signature that are no event |
//! | [`ApplyParked`] | events that arrived before their cause, which is there now |

mod apply;
mod http;
mod parked;
mod quarantine;
mod receive;
pub mod show;

pub use http::{Receiver, Receivers, SIGNATURES};
pub use parked::{ApplyParked, ParkedEvent, ParkedWebhooks, arrived};
pub use quarantine::QuarantineWebhook;
pub use receive::ReceiveWebhook;

use edge::Capability;

/// What the edge gets of it.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// It took effect.
    Applied,
    /// It was known.
    Duplicate,
    /// It arrived before its cause.
    Parked,
    /// Its type means nothing to us.
    Stored,
    /// It cannot be right: kept for a person.
    Quarantined,
}
