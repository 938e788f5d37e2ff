//! The reading of an event of Stripe.
//!
//! Most types of events say nothing that matters here: they are stored, and that is all. The same is true of events
//! about objects that other programs have made in the same account: their metadata names no operation.

use serde_json::Value;
use store::Timestamp;

use super::fields;
use super::intent::{Intent, Meaning, Status};
use super::transfer::Transfer;
use crate::Fact;
use crate::disputes::{DisputeFact, DisputeNews};
use crate::json;
use crate::providers::{About, MalformedEvent, Object, ProviderEvent, WrongField, meaning};

/// Time until the next inquiry about a payment that waits for the payer, in seconds.
const PATIENCE_SECONDS: i64 = 60;
/// The place of the object in an event.
const PLACE: &str = "/data/object";

/// A fact, and the operation that it is about.
type Told = Option<(About, Fact)>;

/// Reads the bytes of an event.
pub(super) fn read(body: &[u8]) -> Result<ProviderEvent, MalformedEvent> {
    let value = json::parse(body)?;
    let event = Object::of(&value, "")?;
    let id = event.text("id")?;
    let kind = event.text("type")?;
    let fact = match kind.as_str() {
        "payment_intent.succeeded" => intent(&event, &Status::Succeeded)?,
        "payment_intent.payment_failed" => intent(&event, &Status::RequiresPaymentMethod)?,
        "payment_intent.canceled" => intent(&event, &Status::Canceled)?,
        "payment_intent.requires_action" => intent(&event, &Status::RequiresAction)?,
        "payment_intent.amount_capturable_updated" => intent(&event, &Status::RequiresCapture)?,
        "refund.updated" | "refund.failed" | "charge.refund.updated" => transfer(object(&event)?)?,
        "charge.refunded" => {
            // Only old versions of the API list the refunds here. The newest comes first.
            let newest = object(&event)?.pointer("/refunds/data/0");
            newest.map_or(Ok(None), transfer)?
        }
        "payout.paid" | "payout.failed" | "payout.canceled" => transfer(object(&event)?)?,
        "charge.dispute.created" | "charge.dispute.updated" => dispute(&event, None)?,
        "charge.dispute.closed" => dispute(&event, Some(decision))?,
        "charge.dispute.funds_withdrawn" => {
            dispute(&event, Some(|_| Some(DisputeNews::Withdrawn)))?
        }
        "charge.dispute.funds_reinstated" => {
            dispute(&event, Some(|_| Some(DisputeNews::Reinstated)))?
        }
        _ => None,
    };
    Ok(ProviderEvent {
        id: id.to_string(),
        meaning: meaning(kind.as_str(), &value),
        kind: kind.to_string(),
        fact,
    })
}

/// The object of an event.
fn object<'a>(event: &Object<'a>) -> Result<&'a Value, WrongField> {
    event.object("data", "/data")?.required("object")
}

/// Reads an event about a PaymentIntent in this state.
fn intent(event: &Object<'_>, expected: &Status) -> Result<Told, WrongField> {
    let value = object(event)?;
    let intent = Intent::read(value, PLACE)?;
    let Some(key) = intent.operation.clone() else {
        return Ok(None);
    };
    if intent.status != *expected {
        let detail = "The status must be the one that the event's type says.";
        return Err(Object::of(value, PLACE)?.wrong("status", "contradiction", detail));
    }
    let is_of_step = match expected {
        // A capture has no name here. Its answer and the inquiries tell it.
        Status::Succeeded => intent.is_manual == Some(true),
        // It was authorized before: this is a void, or the end of the authorization.
        Status::Canceled => intent.has_charge,
        // So was one with captures and increments, and its amounts are not those of the authorization.
        Status::RequiresCapture => intent.has_steps(),
        Status::RequiresPaymentMethod
        | Status::RequiresConfirmation
        | Status::RequiresAction
        | Status::Processing
        | Status::Other(_) => false,
    };
    if is_of_step {
        return Ok(None);
    }
    let fact = match intent.about_itself() {
        Meaning::Fact(fact) => Some(fact),
        Meaning::Waits(Some((url, record))) => {
            let created = event.required("created")?.as_i64();
            let detail = "This must be a time in seconds since 1970.";
            let created =
                created.ok_or_else(|| event.wrong("created", "expected_integer", detail))?;
            let retry_at = Timestamp::from_micros(created.saturating_mul(1_000_000));
            let retry_at = retry_at.plus_seconds(PATIENCE_SECONDS).clamped();
            Some(Fact::ActionRequired {
                url,
                record,
                retry_at,
            })
        }
        Meaning::Waits(None) | Meaning::Unknown | Meaning::Nothing(_) | Meaning::Wrong(_) => None,
    };
    Ok(fact.map(|fact| (About::Key(key), fact)))
}

/// Reads a refund or a payout.
fn transfer(value: &Value) -> Result<Told, WrongField> {
    let transfer = Transfer::read(value, PLACE)?;
    let told = transfer.operation.clone().zip(transfer.news());
    Ok(told.map(|(key, fact)| (About::Key(key), fact)))
}

/// Reads a dispute. `news` tells the news from its status; without it, the dispute is open.
fn dispute(
    event: &Object<'_>,
    news: Option<fn(&str) -> Option<DisputeNews>>,
) -> Result<Told, WrongField> {
    let object = Object::of(object(event)?, PLACE)?;
    let status = object.text("status")?.to_string();
    // A question of the payer's bank moves no money. A dispute may follow, with events of its own.
    if status.starts_with("warning_") {
        return Ok(None);
    }
    let Some(intent) = fields::id_of(&object, "payment_intent")? else {
        return Ok(None);
    };
    let news = match news {
        None => DisputeNews::Opened,
        Some(news) => {
            let detail = "A closed dispute is won or lost.";
            news(&status).ok_or_else(|| object.wrong("status", "unknown_status", detail))?
        }
    };
    let fact = DisputeFact {
        news,
        reference: object.text("id")?.to_string(),
        money: fields::money(&object, "amount")?,
        reason: object.text("reason")?.to_string(),
        due_by: match object.optional("evidence_details") {
            None => None,
            Some(_) => {
                let details = object.object("evidence_details", "/data/object/evidence_details")?;
                details.optional_second("due_by")?
            }
        },
    };
    Ok(Some((About::Record(intent), Fact::Disputed(fact))))
}

/// The decision in the status of a closed dispute.
fn decision(status: &str) -> Option<DisputeNews> {
    match status {
        "won" => Some(DisputeNews::Won),
        "lost" => Some(DisputeNews::Lost),
        _ => None,
    }
}
