//! What a bank says of one transfer, as an event of a form of our own. A line of a bank's file becomes such an event, so
//! that it has the same way as a webhook.

use money::Money;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::Timestamp;
use webhooks::Event;

use super::{Ordered, end_to_end_id};
use crate::providers::{About, MalformedEvent, Object, ProviderEvent, WrongField, meaning};
use crate::{Fact, OperationKind, ProviderText, Record, json};

/// The bank has paid.
const DONE: &str = "transfer.done";
/// The bank has refused the transfer.
const REJECTED: &str = "transfer.rejected";
/// The money has come back.
const RETURNED: &str = "transfer.returned";
/// Anything else that a bank says on the way.
const NEWS: &str = "transfer.news";

/// The reason or the status of a bank, if it is none that can be kept.
const OTHER: &str = "other";

/// The news of a bank about a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// The bank has paid.
    Done,
    /// The bank has refused the transfer, for this reason.
    Rejected(String),
    /// The money has come back.
    Returned,
    /// The transfer is on its way, with this status.
    News(String),
}

/// The news about one transfer: the event, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The event.
    pub event: Event,
    /// The meaning; `None` if it is only news.
    pub fact: Option<(About, Fact)>,
}

/// Makes the event of a line. `line` says which line of which file it is; the id of the event is the hash of it, because
/// a bank's texts and numbers of accounts stand in no log. `money` is the money in the line.
///
/// # Errors
/// [`MalformedEvent`] if the event cannot be read again.
pub(crate) fn told(
    provider: &str,
    line: &[&str],
    (transfer, money): (&Ordered, Money),
    said: &Said,
    now: Timestamp,
) -> Result<Told, MalformedEvent> {
    let (kind, reason) = match said {
        Said::Done => (DONE, None),
        Said::Rejected(reason) => (REJECTED, Some(reason)),
        Said::Returned => (RETURNED, None),
        Said::News(status) => (NEWS, Some(status)),
    };
    // A bank's own code may be anything.
    let is_kept = |reason: &&String| ProviderText::parse(reason).is_ok();
    let reason = reason.map(|reason| Some(reason).filter(is_kept).map_or(OTHER, |text| text));
    let name = end_to_end_id(transfer.operation);
    let mut id = Sha256::new();
    for part in line.iter().chain([&name.as_str()]) {
        id.update(part.len().to_be_bytes());
        id.update(part);
    }
    let body = json!({
        "id": hex::encode(id.finalize()),
        "type": kind,
        "transfer": name,
        "operation": transfer.provider_key,
        "amount": money.amount.get(),
        "currency": money.currency.code(),
        "reason": reason,
    });
    let body = body.to_string().into_bytes();
    let read = read(&body)?;
    Ok(Told {
        event: Event {
            provider: provider.to_owned(),
            id: read.id,
            kind: read.kind,
            reference: Some(transfer.provider_key.clone()),
            meaning: Some(read.meaning),
            body,
            delivery: None,
            received_at: now,
        },
        fact: read.fact,
    })
}

/// Reads an event of this form.
///
/// # Errors
/// [`MalformedEvent`] names the first fault.
pub(crate) fn read(body: &[u8]) -> Result<ProviderEvent, MalformedEvent> {
    let value = json::parse(body)?;
    let event = Object::of(&value, "")?;
    let (id, kind) = (event.text("id")?, event.text("type")?);
    let fact = match kind.as_str() {
        DONE => Some(Fact::Succeeded {
            record: record(&event)?,
        }),
        RETURNED => Some(Fact::Returned {
            record: record(&event)?,
        }),
        REJECTED => Some(Fact::Failed {
            decline_code: event.text("reason")?.to_string(),
            record: Some(record(&event)?),
        }),
        _ => None,
    };
    let about = match fact {
        Some(fact) => Some((About::Key(event.text("operation")?.to_string()), fact)),
        None => None,
    };
    Ok(ProviderEvent {
        id: id.to_string(),
        meaning: meaning(kind.as_str(), &value),
        kind: kind.to_string(),
        fact: about,
    })
}

/// The record of a transfer. A bank has no reference of its own in all of its files, so ours is the reference.
fn record(event: &Object<'_>) -> Result<Record, WrongField> {
    Ok(Record {
        reference: event.text("transfer")?,
        kind: Some(OperationKind::Payout),
        money: event.money()?,
        payment: None,
        payment_method: None,
    })
}
