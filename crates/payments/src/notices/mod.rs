//! Notices: the events that a provider sends by itself, in webhooks with a verified signature.
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
pub use parked::{ApplyParked, ParkedEvent, ParkedWebhooks};
pub use quarantine::QuarantineWebhook;
pub use receive::ReceiveWebhook;

use edge::Capability;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// The outcome of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// The event took effect.
    Applied,
    /// The event was known already.
    Duplicate,
    /// The event arrived before its cause.
    Parked,
    /// The type of the event is unknown here.
    Stored,
    /// The event cannot be right, and is stored for a person to read.
    Quarantined,
}
