//! The command that applies events that arrived before their cause, and the work that submits it.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use crash_points::{Point, here};
use engine::errand::{Search, WorkFuture, tenants};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, LaneError, Request};
use store::{AnyConnection, Clock, Error, TenantId};
use webhooks::tables::next_with_parked;
use webhooks::{Event, EventState};

use super::BuryParked;
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
/// The names of parked events whose cause did not come in time, by tenant.
type Overdue = Vec<(TenantId, Vec<(String, String)>)>;

/// Reads the parked events whose cause has arrived, of at most [`PAGES`] pages, and the place where the walk ended.
/// Events of a provider without a dialect stay parked.
fn arrived(
    connection: &mut AnyConnection,
    mut place: Place,
    dialects: &Dialects,
    (clock, wait_seconds): (&Clock, i64),
) -> Result<(Arrived, Overdue, Place), Error> {
    let (mut found, mut overdue) = (Vec::new(), Vec::new());
    for _ in 0..PAGES {
        if place.after.is_empty() {
            let Some(next) = next_with_parked(connection, place.tenant)? else {
                return Ok((found, overdue, Place::START));
            };
            place.tenant = next;
        }
        let awaited = webhooks::tables::awaited(connection, place.tenant, &place.after, PAGE)?;
        // After the last page the walk goes on with the next tenant.
        place.after = awaited.last().cloned().unwrap_or_default();
        let known = crate::known_provider_keys(connection, place.tenant, &awaited)?;
        let latest = clock
            .now_of(place.tenant)
            .plus_seconds(wait_seconds.saturating_neg());
        let absent: Vec<String> = awaited
            .into_iter()
            .filter(|key| !known.contains(key))
            .collect();
        let late = webhooks::tables::parked_before(connection, place.tenant, &absent, latest)?;
        if !late.is_empty() {
            overdue.push((place.tenant, late));
        }
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
    Ok((found, overdue, place))
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
    /// Seconds after which a parked event is a dead letter.
    wait_seconds: i64,
    /// The place where the next look begins.
    place: Mutex<Place>,
}

impl ParkedWebhooks {
    /// The work over a lane, with the dialect of each provider. A parked event waits so many seconds.
    #[must_use]
    pub const fn new(engine: Engine, dialects: Dialects, wait_seconds: i64) -> Self {
        Self {
            engine,
            dialects,
            wait_seconds,
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
            let (clock, wait) = (self.engine.clock().clone(), self.wait_seconds);
            let found = self.engine.read(move |connection| {
                let (found, overdue, place) =
                    arrived(connection, place, &dialects, (&clock, wait))?;
                let ids = found.iter().map(|(tenant, _)| *tenant);
                let ids: Vec<TenantId> = ids
                    .chain(overdue.iter().map(|(tenant, _)| *tenant))
                    .collect();
                Ok((found, overdue, tenants(connection, &ids)?, place))
            });
            let (found, overdue, tenants, place) =
                found.await.map_err(|_unavailable| LaneError::Unavailable)?;
            *self.place() = place;
            let mut outcome = Ok(());
            for (id, events) in overdue {
                if let Some(tenant) = tenants.iter().find(|tenant| tenant.id == id) {
                    let request =
                        Request::of_system(tenant.clone(), "sweeper", BuryParked { events });
                    let buried = self.engine.submit(request).await;
                    outcome = outcome.and(buried.map(drop));
                }
            }
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
