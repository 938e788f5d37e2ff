//! The effect of an event.

use engine::{AuditEvent, Book};
use webhooks::{Event, EventState, Status};

use super::WebhookOutcome;
use crate::charging::believe;
use crate::providers::About;
use crate::{Fact, OperationId, OperationState, Shelf, disputes};

/// Applies an event, or parks it if its cause is not known yet.
pub(super) fn apply(
    book: &mut Book,
    event: &Event,
    fact: Option<&(About, Fact)>,
) -> WebhookOutcome {
    let Some((about, fact)) = fact else {
        return keep(book, event, Status::Stored, WebhookOutcome::Stored);
    };
    let payments = book.shelf::<Shelf>();
    let (id, event) = match about {
        About::Key(provider_key) => match cause(payments, provider_key, fact) {
            Some(id) => (id, event.clone()),
            None if book.shelf::<webhooks::Shelf>().look(event) == EventState::Parked => {
                return WebhookOutcome::Parked;
            }
            None => return keep(book, event, Status::Parked, WebhookOutcome::Parked),
        },
        About::Record(reference) => {
            let id = payments.record_of(&event.provider, reference);
            // Another program may use the same account of the provider. Its records are not ours.
            let Some(known) = id.and_then(|id| payments.operation(&id)) else {
                return keep(book, event, Status::Stored, WebhookOutcome::Stored);
            };
            let mut event = event.clone();
            event.reference = Some(known.provider_key.clone());
            (known.id, event)
        }
    };
    let event = &event;
    // A provider may only report on its own operations.
    let payments = book.shelf::<Shelf>();
    let provider = payments.operation(&id).map(|known| known.provider.clone());
    if provider.as_deref() != Some(event.provider.as_str()) {
        set(book, event, Status::Stored);
        return put_aside(book, event, "about another provider's operation");
    }
    match believe(book, id, fact) {
        Ok(_) => keep(book, event, Status::Applied, WebhookOutcome::Applied),
        Err(error) => {
            tracing::error!(operation = %id, event = %event.id, %error, "a webhook cannot be right");
            set(book, event, Status::Stored);
            put_aside(book, event, error.rule())
        }
    }
}

/// The operation that a fact is about, if it is far enough for the fact: a dispute may be reported before the charge that
/// it is about, or before a capture of it, and must wait until their outcomes are known.
fn cause(payments: &Shelf, provider_key: &str, fact: &Fact) -> Option<OperationId> {
    let id = payments.by_provider_key(provider_key)?;
    let operation = payments.operation(&id)?;
    if let Fact::Disputed(dispute) = fact
        && disputes::is_too_early(payments, operation, dispute)
    {
        return None;
    }
    let has_ended = match operation.state {
        OperationState::Succeeded | OperationState::Failed | OperationState::Canceled => true,
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => false,
    };
    (has_ended || !fact.waits_for_the_end()).then_some(id)
}

fn keep(
    book: &mut Book,
    event: &Event,
    status: Status,
    received: WebhookOutcome,
) -> WebhookOutcome {
    set(book, event, status);
    note(book, event, status.name(), None);
    received
}

fn set(book: &mut Book, event: &Event, status: Status) {
    let (inbox, ids) = book.shelf_mut::<webhooks::Shelf>();
    inbox.keep(event, status, ids);
}

/// Puts an event into the quarantine, once.
pub(super) fn put_aside(book: &mut Book, event: &Event, reason: &'static str) -> WebhookOutcome {
    let (inbox, ids) = book.shelf_mut::<webhooks::Shelf>();
    if inbox.quarantine(event, reason, ids) {
        tracing::error!(provider = %event.provider, event = %event.id, reason, "webhook quarantined");
        metrics::counter!("florin_webhooks_quarantined_total").increment(1);
        note(book, event, "quarantined", Some(reason));
    }
    WebhookOutcome::Quarantined
}

/// Adds the audit record of an event.
pub(super) fn note(book: &mut Book, event: &Event, outcome: &str, reason: Option<&str>) {
    let name = format!("{}/{}", event.provider, event.id);
    book.record(&AuditEvent {
        action: "webhook.received",
        subject: ("webhook_event", &name),
        outcome,
        reason,
        delta: &[],
        cause: event.reference.as_deref(),
    });
}
