//! What a received webhook does, once its signature was verified.

use payments::{Fact, ProviderEvent};
use webhooks::{Event, Look, Status};

use crate::book::Book;
use crate::command::{Answer, Origin, WebhookAnswer};
use crate::execute::Rules;
use crate::outcome;
use crate::records::Said;

/// An event with a right signature.
pub(crate) fn receive(
    book: &mut Book<'_>,
    event: &Event,
    fact: Option<&(String, Fact)>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    match book.inbox.look(event) {
        Look::Done => Answer::Webhook(WebhookAnswer::Duplicate),
        Look::Changed => keep_aside(book, event, "other content under a known id", origin),
        Look::New | Look::Parked => apply(book, event, fact, origin, rules),
    }
}

/// Bytes with a right signature that are no event.
pub(crate) fn quarantine(book: &mut Book<'_>, event: &Event, origin: &Origin) -> Answer {
    keep_aside(book, event, "malformed", origin)
}

/// Tries again what arrived before its cause.
pub(crate) fn apply_parked(book: &mut Book<'_>, origin: &Origin, rules: &Rules) -> Answer {
    for event in book.inbox.parked() {
        // What was parked was read before, so it can be read again.
        if let Ok(ProviderEvent {
            fact: Some((provider_key, fact)),
            ..
        }) = ProviderEvent::read(&event.body)
            && book.payments.by_provider_key(&provider_key).is_some()
        {
            apply(book, &event, Some(&(provider_key, fact)), origin, rules);
        }
    }
    Answer::Done
}

fn apply(
    book: &mut Book<'_>,
    event: &Event,
    fact: Option<&(String, Fact)>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let Some((provider_key, fact)) = fact else {
        return keep(book, event, Status::Stored, WebhookAnswer::Stored, origin);
    };
    let Some(id) = book.payments.by_provider_key(provider_key) else {
        if book.inbox.look(event) == Look::Parked {
            return Answer::Webhook(WebhookAnswer::Parked);
        }
        return keep(book, event, Status::Parked, WebhookAnswer::Parked, origin);
    };
    // A provider speaks for its own operations only.
    let asked = book
        .payments
        .operation(&id)
        .map(|known| known.provider.clone());
    if asked.as_deref() != Some(event.provider.as_str()) {
        book.inbox.keep(event, Status::Stored);
        return keep_aside(book, event, "about another provider's operation", origin);
    }
    match outcome::record(book, id, None, fact, origin, rules) {
        Ok(_) => keep(book, event, Status::Applied, WebhookAnswer::Applied, origin),
        Err(error) => {
            tracing::error!(operation = %id, event = %event.id, %error, "a webhook cannot be right");
            book.inbox.keep(event, Status::Stored);
            keep_aside(book, event, error.rule(), origin)
        }
    }
}

fn keep(
    book: &mut Book<'_>,
    event: &Event,
    status: Status,
    answer: WebhookAnswer,
    origin: &Origin,
) -> Answer {
    book.inbox.keep(event, status);
    note(book, event, status.name(), None, origin);
    Answer::Webhook(answer)
}

fn keep_aside(book: &mut Book<'_>, event: &Event, reason: &'static str, origin: &Origin) -> Answer {
    if book.inbox.quarantine(event, reason) {
        tracing::error!(provider = %event.provider, event = %event.id, reason, "webhook quarantined");
        metrics::counter!("florin_webhooks_quarantined_total").increment(1);
        note(book, event, "quarantined", Some(reason), origin);
    }
    Answer::Webhook(WebhookAnswer::Quarantined)
}

fn note(book: &mut Book<'_>, event: &Event, outcome: &str, reason: Option<&str>, origin: &Origin) {
    book.record(
        origin,
        &Said {
            action: "webhook.received",
            subject: ("webhook_event", &format!("{}/{}", event.provider, event.id)),
            outcome,
            reason,
            delta: &[],
            cause: event.reference.as_deref(),
        },
    );
}
