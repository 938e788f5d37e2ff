//! The events of the inbox that one batch holds in memory.

use engine::Loading;
use store::bulk::Writes;
use store::rows::Rows;
use store::{Error, TenantId};

use crate::{Event, Status, tables};

/// The events that a batch names, as they were locked, with the changes of the batch.
#[derive(Debug, Default)]
pub struct Shelf {
    held: Rows<(String, String), ShelfRow>,
    quarantined: Rows<(String, String, [u8; 32]), QuarantinedEvent>,
}

store::savepoint!(Shelf { held, quarantined });

#[derive(Debug, Clone)]
pub(crate) struct ShelfRow {
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

#[derive(Debug, Clone)]
pub(crate) struct QuarantinedEvent {
    pub(crate) event: Event,
    pub(crate) reason: &'static str,
    pub(crate) known: bool,
}

/// The state of an event that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// The event was never received.
    New,
    /// The event was received and has had its effect.
    Done,
    /// The event was received and waits for its cause.
    Parked,
    /// The event was received with other bytes.
    Changed,
}

impl Shelf {
    /// The state of this event.
    #[must_use]
    pub fn look(&self, event: &Event) -> EventState {
        match self.held.get(&event.name()) {
            None => EventState::New,
            Some(held) if held.body_hash != event.body_hash() => EventState::Changed,
            Some(held) => match held.status {
                Status::Applied | Status::Stored => EventState::Done,
                Status::Parked => EventState::Parked,
            },
        }
    }

    /// Stores the status of an event.
    pub fn keep(&mut self, event: &Event, status: Status) {
        match self.held.get_mut(&event.name()) {
            Some(held) => held.status = status,
            None => {
                let held = ShelfRow {
                    body_hash: event.body_hash(),
                    status,
                    event: event.clone(),
                    origin: Origin::New,
                };
                self.held.put(event.name(), held);
            }
        }
    }

    /// Stores once an event that has a valid signature and cannot be right. Returns whether it is new.
    pub fn quarantine(&mut self, event: &Event, reason: &'static str) -> bool {
        let (provider, id) = event.name();
        let name = (provider, id, event.body_hash());
        if self.quarantined.contains(&name) {
            return false;
        }
        let kept = QuarantinedEvent {
            event: event.clone(),
            reason,
            known: false,
        };
        self.quarantined.put(name, kept);
        true
    }

    pub(crate) fn put_loaded(&mut self, event: Event, body_hash: [u8; 32], status: Status) {
        let origin = Origin::Loaded { status };
        self.held.put(
            event.name(),
            ShelfRow {
                body_hash,
                status,
                event,
                origin,
            },
        );
    }

    pub(crate) fn put_quarantined(&mut self, event: Event, body_hash: [u8; 32]) {
        let (provider, id) = event.name();
        let known = QuarantinedEvent {
            event,
            reason: "",
            known: true,
        };
        self.quarantined.put((provider, id, body_hash), known);
    }

    pub(crate) fn received(&self) -> impl Iterator<Item = &ShelfRow> {
        self.held.values().filter(|held| held.origin == Origin::New)
    }

    pub(crate) fn moved(&self) -> impl Iterator<Item = &ShelfRow> {
        self.held.values().filter(|held| match held.origin {
            Origin::Loaded { status } => status != held.status,
            Origin::New => false,
        })
    }

    pub(crate) fn newly_quarantined(&self) -> impl Iterator<Item = &QuarantinedEvent> {
        self.quarantined.values().filter(|kept| !kept.known)
    }
}

impl engine::Shelf for Shelf {
    type Asks = tables::Needs;
    type Memory = ();

    fn must_lock(asks: &tables::Needs) -> bool {
        !asks.is_empty()
    }

    fn is_nothing(asks: &tables::Needs) -> bool {
        asks.is_empty()
    }

    fn load(&mut self, from: &mut Loading<'_>, asks: tables::Needs) -> Result<(), Error> {
        *self = tables::load(from.connection, from.tenant, &asks)?;
        Ok(())
    }

    fn save(&self, tenant: TenantId, writes: &mut Writes) {
        tables::save(writes, tenant, self);
    }
}
