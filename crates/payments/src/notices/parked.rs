//! The command that applies events that arrived before their cause.

use std::convert::Infallible;

use engine::{Asks, Attempt, Book, Command, Decision};
use store::{AnyConnection, Error, TenantId};
use webhooks::{Event, EventState};

use super::apply::apply;
use crate::charging::ShowPayment;
use crate::{Fact, ProviderEvent, Shelf};

/// Number of references that are read at a time.
const PAGE: i64 = 100;

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
            // Another process may have applied it meanwhile.
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

/// Reads parked events whose cause has arrived: about [`PAGE`] of them.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn arrived(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Vec<ParkedEvent>, Error> {
    let mut arrived = Vec::new();
    let mut after = String::new();
    loop {
        let awaited = webhooks::tables::awaited(connection, tenant, &after, PAGE)?;
        let Some(last) = awaited.last() else { break };
        after.clone_from(last);
        arrived.extend(crate::known_provider_keys(connection, tenant, &awaited)?);
        if arrived.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) {
            break;
        }
    }
    let events = webhooks::tables::parked(connection, tenant, &arrived)?;
    let parked = events.into_iter().filter_map(|event| {
        // A parked event was read before, so it can be read again.
        let (provider_key, fact) = ProviderEvent::read(&event.body).ok()?.fact?;
        Some(ParkedEvent {
            event,
            provider_key,
            fact,
        })
    });
    Ok(parked.collect())
}
