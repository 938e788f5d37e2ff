//! Refunds and payouts: objects of their own, with the provider key in their metadata.

use serde_json::Value;

use super::fields::{self, OPERATION, REFERENCE};
use super::intent::Meaning;
use crate::providers::{Object, WrongField};
use crate::{Fact, OperationKind, Record};

/// What a refund or a payout says, as far as it matters here.
#[derive(Debug)]
pub(super) struct Transfer {
    status: String,
    /// The provider key of the operation that made it.
    pub(super) operation: Option<String>,
    /// The PaymentIntent of a refund.
    pub(super) intent: Option<String>,
    record: Record,
    reason: Option<String>,
}

impl Transfer {
    /// Reads a refund or a payout; `place` is its JSON pointer.
    pub(super) fn read(value: &Value, place: &'static str) -> Result<Self, WrongField> {
        let object = Object::of(value, place)?;
        let (kind, intent, destination, reason) = match object.text("object")?.as_str() {
            "refund" => {
                let intent = fields::id_of(&object, "payment_intent")?;
                (OperationKind::Refund, intent, None, "failure_reason")
            }
            "payout" => {
                let destination = fields::id_of(&object, "destination")?;
                (OperationKind::Payout, None, destination, "failure_code")
            }
            _ => {
                let detail = "This must be refund or payout.";
                return Err(object.wrong("object", "unknown_object", detail));
            }
        };
        Ok(Self {
            status: object.text("status")?.to_string(),
            operation: fields::noted(&object, OPERATION)?,
            intent,
            record: Record {
                reference: object.text("id")?,
                kind: Some(kind),
                money: fields::money(&object, "amount")?,
                payment: fields::noted(&object, REFERENCE)?,
                payment_method: destination,
            },
            reason: object.optional_text(reason)?,
        })
    }

    /// The reason of a failure.
    fn reason(&self, otherwise: &str) -> String {
        self.reason.clone().unwrap_or_else(|| otherwise.to_owned())
    }

    /// What an answer says about the operation that made it.
    pub(super) fn about_itself(&self) -> Meaning {
        match self.status.as_str() {
            "succeeded" | "paid" => Meaning::Fact(Fact::Succeeded {
                record: self.record.clone(),
            }),
            "failed" | "canceled" => Meaning::Fact(Fact::Failed {
                decline_code: self.reason(&self.status),
                record: Some(self.record.clone()),
            }),
            "pending" | "in_transit" | "requires_action" => Meaning::Waits(None),
            other => Meaning::Nothing(format!("its status is {other}")),
        }
    }

    /// What an event says about the operation; `None` if nothing is final. A failure may follow a success.
    pub(super) fn news(&self) -> Option<Fact> {
        match self.status.as_str() {
            "succeeded" | "paid" => Some(Fact::Succeeded {
                record: self.record.clone(),
            }),
            "failed" | "canceled" => Some(Fact::Undone {
                decline_code: self.reason(&self.status),
                record: self.record.clone(),
            }),
            _ => None,
        }
    }
}
