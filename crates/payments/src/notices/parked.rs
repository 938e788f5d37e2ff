//! The command that applies events that arrived before their cause, and the work that submits it.

use std::convert::Infallible;

use engine::errand::{DueErrand, Work, WorkFuture, tenants};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, LaneError, Request, Tenant};
use store::{AnyConnection, Error, TenantId};
use webhooks::tables::tenants_with_parked;
use webhooks::{Event, EventState};

use super::apply::apply;
use crate::charging::ShowPayment;
use crate::charging::show::reply;
use crate::providers::Dialects;
use crate::{Fact, Shelf};

/// Number of references that are read at a time.
const PAGE: i64 = 100;
/// Number of tenants that are read at a time.
const TENANTS: i64 = 100;

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
    /// Makes the replies to the requests that wait for the payments.
    pub show: ShowPayment,
}

impl Command for ApplyParked {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            let names = self.parked.iter().map(|parked| parked.event.name());
            needs.events.extend(names);
        }
        if let Some(needs) = asks.of::<Shelf>() {
            for parked in &self.parked {
                needs.provider_keys.push(parked.provider_key.clone());
                needs.add_charge(&parked.fact);
            }
        }
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
                let fact = (provider_key.clone(), fact.clone());
                apply(book, event, Some(&fact), self.show);
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

/// Reads parked events whose cause has arrived: about [`PAGE`] of them. Events of a provider without a dialect
/// stay parked.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn arrived(
    connection: &mut AnyConnection,
    tenant: TenantId,
    dialects: &Dialects,
) -> Result<Vec<ParkedEvent>, Error> {
    let mut arrived = Vec::new();
    let mut after = String::new();
    loop {
        let awaited = webhooks::tables::awaited(connection, tenant, &after, PAGE)?;
        let Some(last) = awaited.last() else { break };
        after.clone_from(last);
        let known = crate::known_provider_keys(connection, tenant, &awaited)?;
        let events = webhooks::tables::parked(connection, tenant, &known)?;
        arrived.extend(events.into_iter().filter_map(|event| read(event, dialects)));
        if arrived.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(arrived)
}

/// Reads the body of a parked event again. It was read once before it was parked, so this succeeds.
fn read(event: Event, dialects: &Dialects) -> Option<ParkedEvent> {
    let dialect = dialects.get(&event.provider)?;
    let (provider_key, fact) = dialect.event(&event.body).ok()?.fact?;
    Some(ParkedEvent {
        event,
        provider_key,
        fact,
    })
}

/// The work that applies parked webhooks whose cause has arrived.
pub struct ParkedWebhooks {
    /// The lane.
    pub engine: Engine,
    /// The dialect of each provider, for its events.
    pub dialects: Dialects,
}

impl Work for ParkedWebhooks {
    fn kind(&self) -> &'static str {
        "parked webhook"
    }

    fn take(&self, _tenant: Tenant, _due: Vec<DueErrand>) -> WorkFuture<'_> {
        Box::pin(async { Ok(()) })
    }

    fn look(&self) -> WorkFuture<'_> {
        Box::pin(async move {
            let dialects = self.dialects.clone();
            let found = self.engine.read(move |connection| {
                let (mut found, mut after) = (Vec::new(), TenantId(0));
                loop {
                    let ids = tenants_with_parked(connection, after, TENANTS)?;
                    let Some(last) = ids.last() else {
                        return Ok(found);
                    };
                    after = *last;
                    for tenant in tenants(connection, &ids)? {
                        let parked = arrived(connection, tenant.id, &dialects)?;
                        found.push((tenant, parked));
                    }
                }
            });
            let found = found.await.map_err(|_unavailable| LaneError::Unavailable)?;
            for (tenant, parked) in found {
                if !parked.is_empty() {
                    let command = ApplyParked {
                        parked,
                        show: reply,
                    };
                    let request = Request::of_system(tenant, "sweeper", command);
                    self.engine.submit(request).await?;
                }
            }
            Ok(())
        })
    }
}
