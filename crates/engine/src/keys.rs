//! The end of idempotency keys. A key counts for a time that a setting tells. After it, an answered key counts no more
//! (see [`idempotency::Shelf::look`]), whether its row is still there or not. This module deletes the rows.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use idempotency::{Key, tables};
use store::{TenantId, Timestamp};

use crate::audit::{AuditEvent, set};
use crate::book::Book;
use crate::command::{Attempt, Command, Decision, Request};
use crate::errand::{Search, WorkFuture, tenants};
use crate::lane::{Engine, LaneError};
use crate::shelf::Asks;

/// The least time for which a key counts, in seconds: a day.
pub const LEAST_LIFE_SECONDS: i64 = 86_400;
/// Number of walks over all keys within the life of a key.
const WALKS: i64 = 720;

/// Forgets keys whose life is over.
#[derive(Debug, Clone)]
pub struct ForgetKeys {
    /// The keys.
    pub keys: Vec<Key>,
}

impl Command for ForgetKeys {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(keys) = asks.of::<idempotency::Shelf>() {
            keys.waiting.extend(self.keys.iter().cloned());
        }
        asks.lock();
    }

    fn weight(&self) -> usize {
        self.keys.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let oldest = book.oldest_key();
        let forgotten = book.keys_mut().map_or(0, |shelf| {
            let over = self.keys.iter().filter(|key| shelf.forget(key, oldest));
            over.count()
        });
        if forgotten > 0 {
            let (name, number) = (book.tenant().name.clone(), forgotten.to_string());
            let delta = [set("keys", &number)];
            let event = AuditEvent::done("idempotency.forgotten", ("tenant", &name), &delta);
            book.record(&event);
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "idempotency.forget",
            kind: "tenant",
            id: String::new(),
        }
    }
}

/// The walk over all keys, a step at a time.
pub struct KeyWalk {
    engine: Engine,
    place: Mutex<Place>,
}

#[derive(Clone, Default)]
struct Place {
    /// The last key that was read.
    after: Option<tables::KeyPlace>,
    /// Time of the clock that is ahead of all others when this walk began; `None` between two walks.
    began: Option<Timestamp>,
    /// Time at which the next walk begins.
    next: Option<Timestamp>,
}

impl KeyWalk {
    /// The walk over the keys of a lane.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            place: Mutex::default(),
        }
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Search for KeyWalk {
    fn look(&self) -> WorkFuture<'_> {
        Box::pin(async move {
            let life = self.engine.settings.key_life_seconds;
            let clock = self.engine.clock().clone();
            let mut place = self.place().clone();
            let latest = clock.latest_now();
            if place.began.is_none() && place.next.is_some_and(|next| next > latest) {
                return Ok(());
            }
            let began = *place.began.get_or_insert(latest);
            let after = place.after.clone();
            let found = self.engine.read(move |connection| {
                let (old, after) = tables::old(connection, after.as_ref())?;
                let is_over = |(tenant, _, at): &(TenantId, String, Timestamp)| {
                    *at < clock.now_of(*tenant).plus_seconds(life.saturating_neg())
                };
                let old: Vec<_> = old.into_iter().filter(is_over).collect();
                let ids: Vec<TenantId> = old.iter().map(|(tenant, _, _)| *tenant).collect();
                let owners = match ids.is_empty() {
                    true => Vec::new(),
                    false => tenants(connection, &ids)?,
                };
                Ok((old, owners, after))
            });
            let (old, owners, after) =
                found.await.map_err(|_unavailable| LaneError::Unavailable)?;
            let mut of: BTreeMap<TenantId, Vec<Key>> = BTreeMap::new();
            for (tenant, key, _) in old {
                of.entry(tenant).or_default().extend(Key::stored(key).ok());
            }
            for owner in owners {
                let keys = of.remove(&owner.id).unwrap_or_default();
                let request = Request::of_system(owner, "sweeper", ForgetKeys { keys });
                self.engine.submit(request).await?;
            }
            place.after = after;
            if place.after.is_none() {
                place.began = None;
                place.next = Some(began.plus_seconds(life.div_euclid(WALKS)));
            }
            *self.place() = place;
            Ok(())
        })
    }
}
