//! Notices: the events that a provider sends by itself, in webhooks with a verified signature.
//!
//! | command | commit |
//! |---|---|
//! | [`ReceiveWebhook`] | an event: applied, known already, parked, stored or put aside |
//! | [`ReceiveWebhooks`] | the events of one delivery |
//! | [`QuarantineWebhook`] | bytes with a right signature that are no event |
//! | [`ApplyParked`] | events that arrived before their cause, which is there now |
//! | [`BuryParked`] | events whose cause did not come in time: dead letters |
//! | [`ForgetBytes`] | the bytes of events that are done with, removed by the retention |

mod apply;
mod codes;
mod dead;
mod delivered;
mod fetch;
mod http;
mod inbox;
mod parked;
mod quarantine;
mod receive;
mod receiver;
mod retention;
mod schemes;
pub mod show;

pub use dead::BuryParked;
pub use inbox::reprocess_event;
pub use parked::{ApplyParked, ParkedEvent, ParkedWebhooks};
pub use quarantine::QuarantineWebhook;
pub use receive::{ReceiveWebhook, ReceiveWebhooks};
pub use receiver::{Receiver, Receivers, RefusalWarnings};
pub use retention::{ForgetBytes, InboxPolicy, InboxWalk};
pub use schemes::SIGNATURES;

use edge::Capability;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: |r| {
        http::routes(r);
        inbox::routes(r);
    },
    codes: codes::ALL,
};

/// The outcome of a webhook. A later one in this list matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebhookOutcome {
    /// The event was known already.
    Duplicate,
    /// The type of the event is unknown here.
    Stored,
    /// The event took effect.
    Applied,
    /// The event arrived before its cause.
    Parked,
    /// The event cannot be right, and is stored for a person to read.
    Quarantined,
}
