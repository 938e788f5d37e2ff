//! The reading of a record of the sandbox provider. A record is read in the same way in a reply to a request, in
//! an answer to an inquiry, and in a webhook.

use serde_json::Value;

use crate::disputes::{DisputeFact, DisputeNews};
use crate::json::{self, JsonError};
use crate::providers::{Object, WrongField};
use crate::{Fact, OperationKind, Record};

/// Why an answer of the provider is no fact about an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MalformedAnswer {
    /// The answer is not JSON, or a key occurs twice in an object.
    #[error("the answer cannot be read: {0}")]
    Json(#[from] JsonError),
    /// A field is missing or wrong.
    #[error("the answer is no record: {0}")]
    Field(#[from] WrongField),
    /// The record has a status that is not known here.
    #[error("the record is not final")]
    NotFinal,
}

/// An answer of the provider, with the provider key of the operation that it is about.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) provider_key: String,
    pub(super) meaning: Meaning,
}

/// The meaning of an answer.
#[derive(Debug)]
pub(super) enum Meaning {
    /// The final outcome.
    Fact(Fact),
    /// The outcome comes later. With an address, the provider waits for the payer.
    Waits(Option<(String, Record)>),
}

/// The last word about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Succeeded,
    Authorized,
    Failed,
    Returned,
}

impl Ending {
    /// The status of a record with this ending.
    const fn status(self) -> &'static str {
        match self {
            Self::Succeeded | Self::Returned => "succeeded",
            Self::Authorized => "authorized",
            Self::Failed => "failed",
        }
    }
}

/// Reads the answer to a request or an inquiry.
///
/// # Errors
/// [`MalformedAnswer`] names the first fault.
pub(super) fn read_answer(bytes: &[u8]) -> Result<Answer, MalformedAnswer> {
    let value = json::parse(bytes)?;
    let object = Object::of(&value, "")?;
    let ending = match object.text("status")?.as_str() {
        "succeeded" => Ending::Succeeded,
        "authorized" => Ending::Authorized,
        "failed" => Ending::Failed,
        "pending" => {
            return Ok(Answer {
                provider_key: object.text("idempotency_key")?.to_string(),
                meaning: Meaning::Waits(None),
            });
        }
        "requires_action" => {
            let record = record(&object, kind(&object, None)?)?;
            let url = object.text("action_url")?.to_string();
            return Ok(Answer {
                provider_key: object.text("idempotency_key")?.to_string(),
                meaning: Meaning::Waits(Some((url, record))),
            });
        }
        _ => return Err(MalformedAnswer::NotFinal),
    };
    let (provider_key, fact) = read(&object, None, ending)?;
    Ok(Answer {
        provider_key,
        meaning: Meaning::Fact(fact),
    })
}

/// The error of a request that comes after the end of what it is about.
pub(super) const FINISHED: &str = "already_finished";

/// True if a refusal says that the request comes after the end: it will be refused for ever.
pub(super) fn says_it_is_finished(answer: &[u8]) -> bool {
    let answer = json::parse(answer).unwrap_or_default();
    answer.get("error").and_then(Value::as_str) == Some(FINISHED)
}

/// Reads the answer to evidence, or to an inquiry about it: the dispute, with the key under which the evidence was
/// taken.
///
/// # Errors
/// [`MalformedAnswer`] names the first fault.
pub(super) fn read_evidence(bytes: &[u8]) -> Result<Answer, MalformedAnswer> {
    let value = json::parse(bytes)?;
    let object = Object::of(&value, "")?;
    if object.text("object")?.as_str() != "dispute" {
        let detail = "This must be dispute.";
        return Err(object.wrong("object", "unknown_object", detail).into());
    }
    let record = Record {
        reference: object.text("id")?,
        kind: Some(OperationKind::Evidence),
        money: object.money()?,
        payment: None,
        payment_method: None,
    };
    Ok(Answer {
        provider_key: object.text("idempotency_key")?.to_string(),
        meaning: Meaning::Fact(Fact::Succeeded { record }),
    })
}

/// Reads a record that ended in this way. `named` is the word for the kind of record in the type of an event.
pub(super) fn read(
    object: &Object<'_>,
    named: Option<&str>,
    ending: Ending,
) -> Result<(String, Fact), WrongField> {
    let kind = kind(object, named)?.or(match (named, ending) {
        (None | Some("charge"), Ending::Succeeded) => Some(OperationKind::Charge),
        (_, Ending::Authorized) => Some(OperationKind::Authorize),
        (_, Ending::Succeeded | Ending::Failed | Ending::Returned) => None,
    });
    let record = record(object, kind)?;
    let provider_key = object.text("idempotency_key")?;
    let status = object.optional_text("status")?;
    let decline_code = object.optional_text("decline_code")?;
    let fact = match ending {
        Ending::Succeeded | Ending::Authorized | Ending::Returned if decline_code.is_some() => {
            let detail = "What succeeded has no decline code.";
            return Err(object.wrong("decline_code", "contradiction", detail));
        }
        Ending::Succeeded | Ending::Authorized => Fact::Succeeded { record },
        Ending::Returned => Fact::Returned { record },
        Ending::Failed => Fact::Failed {
            decline_code: decline_code.unwrap_or_else(|| "declined".to_owned()),
            record: Some(record),
        },
    };
    if status.is_some_and(|status| status != ending.status()) {
        let detail = "The status must be the one that the event's type says.";
        return Err(object.wrong("status", "contradiction", detail));
    }
    Ok((provider_key.to_string(), fact))
}

/// Reads a dispute. Returns the provider key of the charge, and the fact.
pub(super) fn dispute(
    object: &Object<'_>,
    news: DisputeNews,
) -> Result<(String, Fact), WrongField> {
    let fact = DisputeFact {
        news,
        reference: object.text("id")?.to_string(),
        money: object.money()?,
        reason: object.text("reason")?.to_string(),
        due_by: object.optional_second("evidence_due_by")?,
    };
    let charge = object.text("charge_key")?;
    Ok((charge.to_string(), Fact::Disputed(fact)))
}

/// The kind of operation that a record is about, if it tells it: by `object`, and for a charge by `capture`.
fn kind(object: &Object<'_>, named: Option<&str>) -> Result<Option<OperationKind>, WrongField> {
    let word = object.optional_text("object")?;
    if let (Some(word), Some(named)) = (&word, named)
        && word != named
    {
        let detail = "The kind of record must be the one that the event's type says.";
        return Err(object.wrong("object", "contradiction", detail));
    }
    let captures = match object.optional("capture") {
        None => None,
        Some(Value::Bool(captures)) => Some(*captures),
        Some(_) => {
            let detail = "This must be true or false.";
            return Err(object.wrong("capture", "expected_boolean", detail));
        }
    };
    Ok(match (word.as_deref().or(named), captures) {
        (None | Some("charge"), Some(true)) => Some(OperationKind::Charge),
        (None | Some("charge"), Some(false)) => Some(OperationKind::Authorize),
        (None | Some("charge"), None) => None,
        (Some("capture"), _) => Some(OperationKind::Capture),
        (Some("void"), _) => Some(OperationKind::Void),
        (Some("increment"), _) => Some(OperationKind::Increment),
        (Some("refund"), _) => Some(OperationKind::Refund),
        (Some("payout"), _) => Some(OperationKind::Payout),
        (Some(_), _) => {
            let detail = "This must be charge, capture, void, increment, refund or payout.";
            return Err(object.wrong("object", "unknown_object", detail));
        }
    })
}

fn record(object: &Object<'_>, kind: Option<OperationKind>) -> Result<Record, WrongField> {
    Ok(Record {
        reference: object.text("id")?,
        kind,
        money: object.money()?,
        payment: object.optional_text("reference")?,
        payment_method: match object.optional_text("payment_method")? {
            Some(method) => Some(method),
            None => object.optional_text("destination")?,
        },
    })
}
