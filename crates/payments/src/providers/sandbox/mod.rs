//! The dialect of the sandbox provider: its requests, replies and events.

mod charge;
mod event;

use charge::{MalformedAnswer, read_answer};

use super::{Dialect, MalformedEvent, ProviderAnswer, ProviderEvent, ProviderRequest, wrong};
use crate::{Fact, JsonError, Operation};

/// The dialect of the sandbox provider.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sandbox;

impl Dialect for Sandbox {
    fn charge(&self, operation: &Operation) -> ProviderRequest {
        let body = serde_json::json!({
            "amount": operation.money.amount.get(),
            "currency": operation.money.currency.code(),
            "payment_method": operation.payment_method,
            "reference": operation.payment.to_string(),
        });
        ProviderRequest {
            method: "POST",
            path: "/v1/charges".to_owned(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("idempotency-key", operation.provider_key.clone()),
            ],
            body: Some(body.to_string().into_bytes()),
        }
    }

    fn charged(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
        match status {
            200 | 402 => match read(operation, answer) {
                // The HTTP status must agree with the fact.
                ProviderAnswer::Done {
                    fact: Fact::Succeeded { .. },
                    answer,
                } if status == 402 => wrong("402 with a charge that succeeded", answer),
                ProviderAnswer::Done {
                    fact: Fact::Failed { .. },
                    answer,
                } if status == 200 => wrong("200 with a charge that failed", answer),
                heard @ (ProviderAnswer::Done { .. }
                | ProviderAnswer::Unknown
                | ProviderAnswer::Nothing(_)
                | ProviderAnswer::Wrong { .. }) => heard,
            },
            400 | 422 => ProviderAnswer::Done {
                fact: Fact::Failed {
                    decline_code: "refused_by_provider".to_owned(),
                    charge: None,
                },
                answer: Vec::new(),
            },
            status => ProviderAnswer::Nothing(format!("the provider answered {status}")),
        }
    }

    fn inquiry(&self, operation: &Operation) -> ProviderRequest {
        ProviderRequest {
            method: "GET",
            path: format!("/v1/charges?idempotency_key={}", operation.provider_key),
            headers: Vec::new(),
            body: None,
        }
    }

    fn inquired(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
        match status {
            200 => read(operation, answer),
            404 => ProviderAnswer::Unknown,
            status => ProviderAnswer::Nothing(format!("the provider answered {status}")),
        }
    }

    fn event(&self, body: &[u8]) -> Result<ProviderEvent, MalformedEvent> {
        event::read(body)
    }
}

/// Reads an answer. It counts only if it is complete and names the requested operation. [`crate::record_outcome`]
/// then compares it with the operation and with the known facts.
fn read(operation: &Operation, answer: Vec<u8>) -> ProviderAnswer {
    match read_answer(&answer) {
        Ok((provider_key, _)) if provider_key != operation.provider_key => {
            wrong("the provider's answer is about something else", answer)
        }
        Ok((_, fact)) => ProviderAnswer::Done { fact, answer },
        Err(
            error @ (MalformedAnswer::NotFinal | MalformedAnswer::Json(JsonError::Malformed(_))),
        ) => ProviderAnswer::Nothing(error.to_string()),
        Err(
            error @ (MalformedAnswer::Field(_)
            | MalformedAnswer::Json(JsonError::DuplicateKey { .. })),
        ) => wrong(&error.to_string(), answer),
    }
}
