//! The inbox of received webhooks: each event has one effect, however often and in whatever order
//! it is delivered.
//!
//! An event is known by its provider and the provider's own id for it. The inbox remembers the bytes
//! it came with: the same id with other bytes is never applied, only kept for a person to look at
//! ([`Shelf::quarantine`]). An event that arrives before its cause is parked.
//!
//! What a provider answered to a request and cannot be right is kept in the same place, under a name that
//! its caller makes.
//!
//! This crate never knows what an event means, and never verifies a signature: it is handed events
//! that `webhook-signatures` has accepted.
//!
//! Invariant: one effect per (tenant, provider, event) (W1, the primary key).

pub mod check;
mod recorded;
mod schema;
mod shelf;
pub mod tables;

pub use shelf::{EventState, Shelf};

use sha2::{Digest, Sha256};
use store::Timestamp;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It took effect, or said what was known already.
    Applied,
    /// Its cause is not here yet.
    Parked,
    /// It is of a type that means nothing to us.
    Stored,
}

impl Status {
    /// As it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Parked => "parked",
            Self::Stored => "stored",
        }
    }

    /// From its stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Applied, Self::Parked, Self::Stored]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// An event as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who sent it.
    pub provider: String,
    /// The provider's own id for it.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// What it is about, as the provider knows it from us.
    pub reference: Option<String>,
    /// The bytes that were signed.
    pub body: Vec<u8>,
    /// When it arrived.
    pub received_at: Timestamp,
}

impl Event {
    /// SHA-256 of the bytes.
    #[must_use]
    pub fn body_hash(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }

    /// What the inbox finds it by.
    #[must_use]
    pub fn name(&self) -> (String, String) {
        (self.provider.clone(), self.id.clone())
    }
}

/// What this family brings to `check`.
pub const FAMILY: engine::check::Family = engine::check::Family {
    guards: &check::GUARDS,
    invariants: &[],
    recorder: || Box::new(recorded::RecordedIds::default()),
};
