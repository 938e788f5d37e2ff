//! The command that applies events that arrived before their cause, and the work that submits it.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use crash_points::{Point, here};
use engine::errand::{Search, WorkFuture, tenants};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, LaneError, Request};
use store::{AnyConnection, Error, TenantId};
use webhooks::tables::next_with_parked;
use webhooks::{Event, EventState};

use super::apply::apply;
use crate::providers::{About, Dialects};
use crate::read::ended_provider_keys;
use crate::tables::ask_fact;
use crate::{Fact, Shelf};

/// Number of references that are read at a time.
const PAGE: i64 = 100;
/// Greatest number of pages that one look reads. The next look continues where this one has ended.
const PAGES: usize = 20;

/// A parked event whose cause has arrived.
#[derive(Debug, Clone)]
pub struct ParkedEvent {
    event: Event,
    provider_key: String,
    fact: Fact,
}

/// Applies events that were parked.
#[derive(Debug, Clone)]
pub struct ApplyParked {
    /// The events.
    pub parked: Vec<ParkedEvent>,
}

impl Command for ApplyParked {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            let names = self.parked.iter().map(|parked| parked.event.name());
            needs.events.extend(names);
        }
        for parked in &self.parked {
            let about = About::Key(parked.provider_key.clone());
            ask_fact(asks, &about, &parked.fact);
        }
    }

    fn weight(&self) -> usize {
        self.parked.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        for ParkedEvent {
            event,
            provider_key,
            fact,
        } in &self.parked
        {
            // Another process may have applied the event meanwhile.
            let is_parked = book.shelf::<webhooks::Shelf>().look(event) == EventState::Parked;
            if is_parked
                && book
                    .shelf::<Shelf>()
                    .by_provider_key(provider_key)
                    .is_some()
            {
                let fact = (About::Key(provider_key.clone()), fact.clone());
                apply(book, event, Some(&fact));
            }
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "webhook.apply_parked",
            kind: "webhook_event",
            id: String::new(),
        }
    }
}

/// The place of the walk through all parked events: the tenant, and the reference after which the walk goes on.
#[derive(Debug, Clone)]
struct Place {
    tenant: TenantId,
    /// Empty: the walk goes on with the next tenant.
    after: String,
}

impl Place {
    const START: Self = Self {
        tenant: TenantId(0),
        after: String::new(),
    };
}

/// Parked events whose cause has arrived, by tenant.
type Arrived = Vec<(TenantId, Vec<ParkedEvent>)>;

/// Reads the parked events whose cause has arrived, of at most [`PAGES`] pages, and the place where the walk ended.
/// Events of a provider without a dialect stay parked.
fn arrived(
    connection: &mut AnyConnection,
    mut place: Place,
    dialects: &Dialects,
) -> Result<(Arrived, Place), Error> {
    let mut found = Vec::new();
    for _ in 0..PAGES {
        if place.after.is_empty() {
            let Some(next) = next_with_parked(connection, place.tenant)? else {
                return Ok((found, Place::START));
            };
            place.tenant = next;
        }
        let awaited = webhooks::tables::awaited(connection, place.tenant, &place.after, PAGE)?;
        // After the last page the walk goes on with the next tenant.
        place.after = awaited.last().cloned().unwrap_or_default();
        let known = crate::known_provider_keys(connection, place.tenant, &awaited)?;
        let events = webhooks::tables::parked(connection, place.tenant, &known)?;
        let mut parked: Vec<ParkedEvent> = events
            .into_iter()
            .filter_map(|event| read(event, dialects))
            .collect();
        if parked.iter().any(|one| one.fact.waits_for_the_end()) {
            let ended = ended_provider_keys(connection, place.tenant, &known)?;
            let may_go = |one: &ParkedEvent| {
                !one.fact.waits_for_the_end() || ended.contains(&one.provider_key)
            };
            parked.retain(may_go);
        }
        if !parked.is_empty() {
            found.push((place.tenant, parked));
        }
    }
    Ok((found, place))
}

/// Reads the body of a parked event again. It was read once before it was parked, so this succeeds.
fn read(event: Event, dialects: &Dialects) -> Option<ParkedEvent> {
    let dialect = dialects.get(&event.provider)?;
    match dialect.event(&event.body).ok()?.fact? {
        (About::Key(provider_key), fact) => Some(ParkedEvent {
            event,
            provider_key,
            fact,
        }),
        // What is about a record is never parked.
        (About::Record(_), _) => None,
    }
}

/// The work that applies parked webhooks whose cause has arrived.
pub struct ParkedWebhooks {
    engine: Engine,
    /// The dialect of each provider, for its events.
    dialects: Dialects,
    /// The place where the next look begins.
    place: Mutex<Place>,
}

impl ParkedWebhooks {
    /// The work over a lane, with the dialect of each provider.
    #[must_use]
    pub const fn new(engine: Engine, dialects: Dialects) -> Self {
        Self {
            engine,
            dialects,
            place: Mutex::new(Place::START),
        }
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Search for ParkedWebhooks {
    fn look(&self) -> WorkFuture<'_> {
        Box::pin(async move {
            let (dialects, place) = (self.dialects.clone(), self.place().clone());
            let found = self.engine.read(move |connection| {
                let (found, place) = arrived(connection, place, &dialects)?;
                let ids: Vec<TenantId> = found.iter().map(|(tenant, _)| *tenant).collect();
                Ok((found, tenants(connection, &ids)?, place))
            });
            let (found, tenants, place) =
                found.await.map_err(|_unavailable| LaneError::Unavailable)?;
            *self.place() = place;
            let mut outcome = Ok(());
            for (id, parked) in found {
                let Some(tenant) = tenants.iter().find(|tenant| tenant.id == id) else {
                    continue;
                };
                let command = ApplyParked { parked };
                let request = Request::of_system(tenant.clone(), "sweeper", command);
                // A failure for one tenant, whose line may be full, does not stop the events of the others.
                here(Point::ParkedBefore);
                let applied = self.engine.submit(request).await;
                here(Point::ParkedAfter);
                outcome = outcome.and(applied.map(drop));
            }
            outcome
        })
    }
}
