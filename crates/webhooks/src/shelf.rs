//! The events of the inbox that one batch holds in memory.

use engine::Loading;
use store::bulk::Writes;
use store::id::Ids;
use store::rows::Rows;
use store::{Error, TenantId};

use crate::{Event, EventId, Status, tables};

/// The events that a batch names, as they were locked, with the changes of the batch.
#[derive(Debug, Default)]
pub struct Shelf {
    held: Rows<(String, String), ShelfRow>,
    quarantined: Rows<(String, String, [u8; 32]), QuarantinedEvent>,
}

store::savepoint!(Shelf { held, quarantined });

#[derive(Debug, Clone)]
pub(crate) struct ShelfRow {
    pub(crate) id: EventId,
    pub(crate) body_hash: [u8; 32],
    pub(crate) status: Status,
    pub(crate) event: Event,
    pub(crate) origin: Origin,
    /// True if this batch removes the bytes.
    pub(crate) forgotten: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Loaded { status: Status },
    New,
}

#[derive(Debug, Clone)]
pub(crate) struct QuarantinedEvent {
    pub(crate) id: EventId,
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
    /// The event was received and waits for its cause, or has waited in vain.
    Parked,
    /// The event was received, and said something else.
    Changed,
}

impl ShelfRow {
    /// True if an event with the same id says the same.
    fn says_the_same_as(&self, event: &Event) -> bool {
        self.body_hash == event.body_hash()
            || (event.meaning.is_some() && event.meaning == self.event.meaning)
    }
}

impl Shelf {
    /// The state of this event.
    #[must_use]
    pub fn look(&self, event: &Event) -> EventState {
        match self.held.get(&event.name()) {
            None => EventState::New,
            Some(held) if !held.says_the_same_as(event) => EventState::Changed,
            Some(held) => match held.status {
                Status::Applied | Status::Stored => EventState::Done,
                Status::Parked | Status::Dead => EventState::Parked,
            },
        }
    }

    /// The status of an event that has arrived.
    #[must_use]
    pub fn status(&self, event: &Event) -> Option<Status> {
        self.held.get(&event.name()).map(|held| held.status)
    }

    /// Buries an event that is parked: it becomes a dead letter. Returns it, if it was parked.
    pub fn bury(&mut self, name: &(String, String)) -> Option<Event> {
        let held = self.held.get_mut(name)?;
        (held.status == Status::Parked).then(|| {
            held.status = Status::Dead;
            held.event.clone()
        })
    }

    /// Removes the bytes and the headers of an event that is done with. Returns false if it still waits, or if they are
    /// gone already.
    pub fn forget_bytes(&mut self, name: &(String, String)) -> bool {
        let Some(held) = self.held.get_mut(name) else {
            return false;
        };
        let is_done = match held.status {
            Status::Applied | Status::Stored | Status::Dead => true,
            Status::Parked => false,
        };
        let has_bytes = !held.event.body.is_empty() || held.event.delivery.is_some();
        held.forgotten |= is_done && has_bytes;
        held.forgotten
    }

    /// Stores the status of an event.
    pub fn keep(&mut self, event: &Event, status: Status, ids: &mut Ids) {
        match self.held.get_mut(&event.name()) {
            Some(held) => held.status = status,
            None => {
                let held = ShelfRow {
                    id: EventId::from_bytes(ids.next(event.received_at)),
                    body_hash: event.body_hash(),
                    status,
                    event: event.clone(),
                    origin: Origin::New,
                    forgotten: false,
                };
                self.held.put(event.name(), held);
            }
        }
    }

    /// Stores once an event that has a valid signature and cannot be right. Returns whether it is new.
    pub fn quarantine(&mut self, event: &Event, reason: &'static str, ids: &mut Ids) -> bool {
        let (provider, id) = event.name();
        let name = (provider, id, event.body_hash());
        if self.quarantined.contains(&name) {
            return false;
        }
        // An event that is in the inbox as well has one id in both.
        let held = self.held.get(&event.name());
        let held = held.filter(|held| held.body_hash == event.body_hash());
        let kept = QuarantinedEvent {
            id: held.map_or_else(
                || EventId::from_bytes(ids.next(event.received_at)),
                |held| held.id,
            ),
            event: event.clone(),
            reason,
            known: false,
        };
        self.quarantined.put(name, kept);
        true
    }

    pub(crate) fn put_loaded(
        &mut self,
        (id, event): (EventId, Event),
        body_hash: [u8; 32],
        status: Status,
    ) {
        let origin = Origin::Loaded { status };
        self.held.put(
            event.name(),
            ShelfRow {
                id,
                body_hash,
                status,
                event,
                origin,
                forgotten: false,
            },
        );
    }

    pub(crate) fn put_quarantined(&mut self, event: Event, body_hash: [u8; 32]) {
        let (provider, id) = event.name();
        let known = QuarantinedEvent {
            id: EventId::from_bytes([0; 16]),
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

    pub(crate) fn forgotten(&self) -> impl Iterator<Item = &ShelfRow> {
        self.held.values().filter(|held| held.forgotten)
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
