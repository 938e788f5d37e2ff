//! The retention of the inbox: after a time, the bytes and headers of events that are done with are removed. Their rows
//! stay, so that a repetition is known for as long as the books are.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use engine::errand::{Search, WorkFuture, tenants};
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Engine, LaneError, Request, set};
use store::{TenantId, Timestamp};
use webhooks::tables::{Place, with_bytes};

/// Time from the beginning of a walk over all inboxes to that of the next one, in seconds: a day.
const PAUSE_SECONDS: i64 = 86_400;

/// The times after which something happens to an event that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxPolicy {
    /// Seconds after which an event whose cause did not come is a dead letter.
    pub wait_seconds: i64,
    /// Seconds after which the bytes of an event that is done with are removed; `None`: never.
    pub keep_seconds: Option<i64>,
}

/// Removes the bytes of events.
#[derive(Debug, Clone)]
pub struct ForgetBytes {
    /// The events, by [`webhooks::Event::name`].
    pub events: Vec<(String, String)>,
}

impl Command for ForgetBytes {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            needs.events.extend_from_slice(&self.events);
        }
    }

    fn weight(&self) -> usize {
        self.events.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let inbox = book.shelf_mut::<webhooks::Shelf>().0;
        let forgotten = self.events.iter().filter(|name| inbox.forget_bytes(name));
        let forgotten = forgotten.count();
        if forgotten > 0 {
            let (name, number) = (book.tenant().name.clone(), forgotten.to_string());
            let delta = [set("events", &number)];
            let event = AuditEvent::done("webhook.bytes_removed", ("tenant", &name), &delta);
            book.record(&event);
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "webhook.remove_bytes",
            kind: "tenant",
            id: String::new(),
        }
    }
}

/// The walk over all inboxes, a step at a time.
pub struct InboxWalk {
    engine: Engine,
    keep_seconds: i64,
    place: Mutex<Walked>,
}

#[derive(Clone, Copy, Default)]
struct Walked {
    /// The last row that was read.
    after: Option<Place>,
    /// Time at which this walk has begun; between two walks, the time at which the last one had begun.
    began: Option<Timestamp>,
}

impl InboxWalk {
    /// The walk over the inboxes of a lane. Bytes are kept for so many seconds.
    #[must_use]
    pub fn new(engine: Engine, keep_seconds: i64) -> Self {
        Self {
            engine,
            keep_seconds,
            place: Mutex::default(),
        }
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Walked> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Search for InboxWalk {
    fn look(&self) -> WorkFuture<'_> {
        Box::pin(async move {
            let clock = self.engine.clock().clone();
            let latest = clock.latest_now();
            let place = *self.place();
            let began = match place {
                Walked {
                    after: Some(_),
                    began: Some(began),
                } => began,
                Walked {
                    began: Some(last), ..
                } if last.plus_seconds(PAUSE_SECONDS) > latest => {
                    return Ok(());
                }
                Walked { .. } => latest,
            };
            let keep = self.keep_seconds.saturating_neg();
            let found = self.engine.read(move |connection| {
                let (events, after) = with_bytes(connection, place.after)?;
                let is_over =
                    |tenant: TenantId, at: Timestamp| at < clock.now_of(tenant).plus_seconds(keep);
                let mut of: BTreeMap<TenantId, Vec<(String, String)>> = BTreeMap::new();
                for (tenant, name, at) in events {
                    if is_over(tenant, at) {
                        of.entry(tenant).or_default().push(name);
                    }
                }
                let ids: Vec<TenantId> = of.keys().copied().collect();
                let owners = match ids.is_empty() {
                    true => Vec::new(),
                    false => tenants(connection, &ids)?,
                };
                Ok((of, owners, after))
            });
            let (mut of, owners, after) =
                found.await.map_err(|_unavailable| LaneError::Unavailable)?;
            for owner in owners {
                let events = of.remove(&owner.id).unwrap_or_default();
                let request = Request::of_system(owner, "sweeper", ForgetBytes { events });
                self.engine.submit(request).await?;
            }
            *self.place() = Walked {
                after,
                began: Some(began),
            };
            Ok(())
        })
    }
}
