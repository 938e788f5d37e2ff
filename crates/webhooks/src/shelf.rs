//! What one batch holds of the inbox in memory.

use std::collections::BTreeMap;

use crate::{Event, Status};

/// The events that a batch names, as they were locked, and what it has done to them.
#[derive(Debug, Default)]
pub struct Shelf {
    held: BTreeMap<(String, String), Held>,
    quarantined: BTreeMap<(String, String, [u8; 32]), Quarantined>,
}

#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) body_hash: [u8; 32],
    pub(crate) status: Status,
    pub(crate) event: Event,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Loaded { status: Status },
    New,
}

#[derive(Debug)]
pub(crate) struct Quarantined {
    pub(crate) event: Event,
    pub(crate) reason: &'static str,
    pub(crate) known: bool,
}

/// What is known of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It was never received.
    New,
    /// It was received and has had its effect.
    Done,
    /// It was received and waits for its cause.
    Parked,
    /// It was received with other bytes.
    Changed,
}

impl Shelf {
    /// What is known of this event.
    #[must_use]
    pub fn look(&self, event: &Event) -> Look {
        match self.held.get(&event.name()) {
            None => Look::New,
            Some(held) if held.body_hash != event.body_hash() => Look::Changed,
            Some(held) => match held.status {
                Status::Applied | Status::Stored => Look::Done,
                Status::Parked => Look::Parked,
            },
        }
    }

    /// Remembers what became of an event.
    pub fn keep(&mut self, event: &Event, status: Status) {
        match self.held.get_mut(&event.name()) {
            Some(held) => held.status = status,
            None => {
                let held = Held {
                    body_hash: event.body_hash(),
                    status,
                    event: event.clone(),
                    origin: Origin::New,
                };
                self.held.insert(event.name(), held);
            }
        }
    }

    /// Keeps bytes that were rightly signed and cannot be right, once. Returns whether they are new.
    pub fn quarantine(&mut self, event: &Event, reason: &'static str) -> bool {
        let (provider, id) = event.name();
        let slot = self.quarantined.entry((provider, id, event.body_hash()));
        let mut fresh = false;
        slot.or_insert_with(|| {
            fresh = true;
            Quarantined {
                event: event.clone(),
                reason,
                known: false,
            }
        });
        fresh
    }

    /// Events that wait for their cause.
    #[must_use]
    pub fn parked(&self) -> Vec<Event> {
        let parked = self
            .held
            .values()
            .filter(|held| held.status == Status::Parked);
        parked.map(|held| held.event.clone()).collect()
    }

    pub(crate) fn put_loaded(&mut self, event: Event, body_hash: [u8; 32], status: Status) {
        let origin = Origin::Loaded { status };
        self.held.insert(
            event.name(),
            Held {
                body_hash,
                status,
                event,
                origin,
            },
        );
    }

    pub(crate) fn put_quarantined(&mut self, event: Event, body_hash: [u8; 32]) {
        let (provider, id) = event.name();
        let known = Quarantined {
            event,
            reason: "",
            known: true,
        };
        self.quarantined.insert((provider, id, body_hash), known);
    }

    pub(crate) fn received(&self) -> impl Iterator<Item = &Held> {
        self.held.values().filter(|held| held.origin == Origin::New)
    }

    pub(crate) fn moved(&self) -> impl Iterator<Item = &Held> {
        self.held.values().filter(|held| match held.origin {
            Origin::Loaded { status } => status != held.status,
            Origin::New => false,
        })
    }

    pub(crate) fn newly_quarantined(&self) -> impl Iterator<Item = &Quarantined> {
        self.quarantined.values().filter(|kept| !kept.known)
    }
}
