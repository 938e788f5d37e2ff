//! The inbox of received webhooks: each event has one effect, however often and in whatever order
//! it is delivered.
//!
//! An event is identified by its provider and the provider's own id for it. The inbox stores its bytes, how it was
//! delivered, and a hash of what it says. The same id that says something else is never applied, but stored for a person
//! to read ([`Shelf::quarantine`]). An event that arrives before its cause is parked; if the cause does not come in time,
//! it becomes a dead letter.
//!
//! An answer of a provider that cannot be right is stored in the same place, under a name that the caller
//! makes.
//!
//! This crate does not know what an event means, and never verifies a signature: it gets events that
//! `webhook-signatures` has accepted.
//!
//! Invariant: one effect per (tenant, provider, event) (W1, the primary key).

pub mod check;
mod listed;
mod recorded;
mod schema;
mod shelf;
pub mod tables;

pub use listed::{Filter, Listed, Standing, list, one};
pub use shelf::{EventState, Shelf};

use sha2::{Digest, Sha256};
use store::Timestamp;

/// The status of a received event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The event took effect, or repeated a known fact.
    Applied,
    /// The cause of the event has not arrived yet.
    Parked,
    /// The event has no effect: its type is unknown here, or it cannot be right.
    Stored,
    /// A dead letter: the event was parked, and its cause did not come in time. A person can have it tried again.
    Dead,
}

impl Status {
    /// The name, as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Parked => "parked",
            Self::Stored => "stored",
            Self::Dead => "dead",
        }
    }

    /// The status with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Parked, Self::Stored, Self::Dead];
}

store::typed_id!(
    /// Our id of an event that was received.
    EventId,
    "whe"
);

/// An event as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Name of the provider that sent the event.
    pub provider: String,
    /// The provider's own id for the event.
    pub id: String,
    /// The provider's name for the type of the event.
    pub kind: String,
    /// The thing that the event is about: the reference that we have given to the provider.
    pub reference: Option<String>,
    /// A hash of what the event says, if it is known what is in it. A provider may change other parts of a body when
    /// it sends an event again.
    pub meaning: Option<[u8; 32]>,
    /// The bytes that were signed.
    pub body: Vec<u8>,
    /// The headers and the verdict on the signature, as JSON; `None` for what was no request to us.
    pub delivery: Option<String>,
    /// Time of arrival.
    pub received_at: Timestamp,
}

impl Event {
    /// SHA-256 of the bytes.
    #[must_use]
    pub fn body_hash(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }

    /// The key of the event in the inbox.
    #[must_use]
    pub fn name(&self) -> (String, String) {
        (self.provider.clone(), self.id.clone())
    }
}

/// The family's part of the check.
pub const FAMILY: engine::check::Family = engine::check::Family {
    guards: &check::GUARDS,
    invariants: &[],
    recorder: || Box::new(recorded::RecordedIds::default()),
};
