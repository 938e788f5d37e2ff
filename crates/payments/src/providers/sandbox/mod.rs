//! The dialect of the sandbox provider: its requests, replies and events.

mod event;
mod record;

use record::{Answer, MalformedAnswer, Meaning, read_answer};
use serde_json::{Map, Value, json};

use super::{
    Dialect, MalformedEvent, ProviderAnswer, ProviderEvent, ProviderRequest, Unsendable, segment,
    wrong,
};
use crate::disputes::evidence::Evidence;
use crate::{Fact, JsonError, LeasedOperation, Operation, OperationKind};

/// The dialect of the sandbox provider.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sandbox;

impl Dialect for Sandbox {
    fn request(&self, leased: &LeasedOperation) -> Result<ProviderRequest, Unsendable> {
        let operation = &leased.operation;
        let amount = operation.money.amount.get();
        let body = match operation.kind {
            OperationKind::Charge | OperationKind::Authorize => json!({
                "amount": amount,
                "currency": operation.money.currency.code(),
                "payment_method": operation.payment_method,
                "reference": operation.reference(),
                "capture": operation.kind == OperationKind::Charge,
            }),
            OperationKind::Capture => {
                json!({"amount": amount, "final": operation.releases() > 0})
            }
            OperationKind::Payout | OperationKind::PayoutReturn => json!({
                "amount": amount,
                "currency": operation.money.currency.code(),
                "destination": operation.payment_method,
                "reference": operation.reference(),
            }),
            OperationKind::Void
            | OperationKind::Increment
            | OperationKind::Refund
            | OperationKind::RefundReturn => json!({"amount": amount}),
            OperationKind::Evidence => evidence(leased),
        };
        let path = match &operation.charge_ref {
            Some(dispute) if operation.kind == OperationKind::Evidence => {
                format!("/v1/disputes/{}/evidence", segment(dispute))
            }
            None => format!("/v1/{}", collection(operation)),
            Some(charge) => format!("/v1/charges/{}/{}", segment(charge), collection(operation)),
        };
        Ok(ProviderRequest {
            method: "POST",
            path,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("idempotency-key", operation.provider_key.clone()),
            ],
            body: Some(body.to_string().into_bytes()),
        })
    }

    fn answered(&self, leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
        let operation = &leased.operation;
        match status {
            200 | 402 => match read(operation, answer) {
                // The HTTP status must agree with the fact.
                ProviderAnswer::Done {
                    fact: Fact::Succeeded { .. },
                    answer,
                } if status == 402 => wrong("402 with a record that succeeded", answer),
                ProviderAnswer::Done {
                    fact: Fact::Failed { .. },
                    answer,
                } if status == 200 => wrong("200 with a record that failed", answer),
                heard @ (ProviderAnswer::Done { .. }
                | ProviderAnswer::Waits { .. }
                | ProviderAnswer::Unknown
                | ProviderAnswer::Nothing(_)
                | ProviderAnswer::Wrong { .. }) => heard,
            },
            400 | 422 => refused("refused_by_provider"),
            409 if record::says_it_is_finished(&answer) => refused(record::FINISHED),
            status => ProviderAnswer::Nothing(format!("the provider answered {status}")),
        }
    }

    fn inquiry(&self, leased: &LeasedOperation) -> ProviderRequest {
        let operation = &leased.operation;
        let (collection, key) = (collection(operation), &operation.provider_key);
        ProviderRequest {
            method: "GET",
            path: format!("/v1/{collection}?idempotency_key={key}"),
            headers: Vec::new(),
            body: None,
        }
    }

    fn inquired(&self, leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
        match status {
            200 => read(&leased.operation, answer),
            404 => ProviderAnswer::Unknown,
            status => ProviderAnswer::Nothing(format!("the provider answered {status}")),
        }
    }

    fn event(&self, body: &[u8]) -> Result<ProviderEvent, MalformedEvent> {
        event::read(body)
    }
}

/// The name of the provider's records of this kind of operation, in a path.
const fn collection(operation: &Operation) -> &'static str {
    match operation.kind {
        OperationKind::Charge | OperationKind::Authorize => "charges",
        OperationKind::Capture => "captures",
        OperationKind::Void => "voids",
        OperationKind::Increment => "increments",
        OperationKind::Refund | OperationKind::RefundReturn => "refunds",
        OperationKind::Payout | OperationKind::PayoutReturn => "payouts",
        OperationKind::Evidence => "evidence",
    }
}

/// The body that gives evidence: its texts by name.
fn evidence(leased: &LeasedOperation) -> Value {
    let evidence = leased.evidence.iter();
    let texts = evidence.flat_map(Evidence::texts);
    texts
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .collect::<Map<String, Value>>()
        .into()
}

/// The provider has refused a request without making a record.
fn refused(reason: &str) -> ProviderAnswer {
    ProviderAnswer::Done {
        fact: Fact::Failed {
            decline_code: reason.to_owned(),
            record: None,
        },
        answer: Vec::new(),
    }
}

/// Reads an answer. It counts only if it is complete and names the requested operation. [`crate::record_outcome`]
/// then compares it with the operation and with the known facts.
fn read(operation: &Operation, answer: Vec<u8>) -> ProviderAnswer {
    let said = match operation.kind {
        OperationKind::Evidence => record::read_evidence(&answer),
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Capture
        | OperationKind::Void
        | OperationKind::Increment
        | OperationKind::Refund
        | OperationKind::RefundReturn
        | OperationKind::Payout
        | OperationKind::PayoutReturn => read_answer(&answer),
    };
    match said {
        Ok(Answer { provider_key, .. }) if provider_key != operation.provider_key => {
            wrong("the provider's answer is about something else", answer)
        }
        Ok(Answer { meaning, .. }) => match meaning {
            Meaning::Fact(fact) => ProviderAnswer::Done { fact, answer },
            Meaning::Waits(action) => ProviderAnswer::Waits {
                action: action.map(|(url, record)| (url, Box::new(record))),
            },
        },
        Err(
            error @ (MalformedAnswer::NotFinal | MalformedAnswer::Json(JsonError::Malformed(_))),
        ) => ProviderAnswer::Nothing(error.to_string()),
        Err(
            error @ (MalformedAnswer::Field(_)
            | MalformedAnswer::Json(JsonError::DuplicateKey { .. })),
        ) => wrong(&error.to_string(), answer),
    }
}
