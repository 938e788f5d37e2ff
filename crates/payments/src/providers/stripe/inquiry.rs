//! Inquiries: how the object of an operation is found, and that it is not there (`docs/adr/0036`).
//!
//! An object whose id is known is read. Any other one is looked for in the newest page of a list, by the provider key
//! in its metadata. Lists are up to date at once. If the page ends before the operation was made, refunds and payouts
//! are looked for on the next page, and PaymentIntents with a search. A search may be late by a minute, so the same
//! request is sent again only under the same idempotency key, which Stripe keeps for a day at least.

use serde_json::Value;

use super::fields::OPERATION;
use super::form::Form;
use super::get;
use crate::providers::{ProviderRequest, segment};
use crate::{LeasedOperation, OperationKind};

/// Number of objects on a page. Stripe has no longer ones.
const PAGE: &str = "100";
/// Greatest difference between the clock of Stripe and ours, in seconds.
const CLOCKS_SECONDS: i64 = 600;

/// The first request of an inquiry.
pub(super) fn first(leased: &LeasedOperation) -> ProviderRequest {
    let operation = &leased.operation;
    match (operation.kind, &operation.charge_ref) {
        (OperationKind::Charge | OperationKind::Authorize, _) => {
            page("/v1/payment_intents", Form::default(), None)
        }
        (OperationKind::Payout | OperationKind::PayoutReturn, _) => {
            page("/v1/payouts", Form::default(), None)
        }
        (OperationKind::Refund | OperationKind::RefundReturn, intent) => {
            let intent = intent.clone().unwrap_or_default();
            let of_intent = Form::default().with("payment_intent", intent);
            page("/v1/refunds", of_intent, None)
        }
        (OperationKind::Capture | OperationKind::Void | OperationKind::Increment, intent) => {
            let intent = segment(intent.as_deref().unwrap_or_default());
            get(format!("/v1/payment_intents/{intent}"))
        }
        (OperationKind::Evidence, reference) => {
            get(dispute(reference.as_deref().unwrap_or_default()))
        }
    }
}

/// The path of a dispute.
pub(super) fn dispute(reference: &str) -> String {
    format!("/v1/disputes/{}", segment(reference))
}

/// The request after a page that leaves the question open.
pub(super) fn next(leased: &LeasedOperation, answer: &Value) -> Option<ProviderRequest> {
    if is_search(answer) || !matches!(find(leased, answer), Found::Open) {
        return None;
    }
    let operation = &leased.operation;
    let last = rows(answer).last()?.get("id")?.as_str()?;
    match operation.kind {
        OperationKind::Charge | OperationKind::Authorize => {
            let key = &operation.provider_key;
            let query = format!("metadata['{OPERATION}']:'{key}'");
            let search = Form::default().with("query", query).encoded();
            Some(get(format!("/v1/payment_intents/search?{search}")))
        }
        OperationKind::Refund | OperationKind::RefundReturn => {
            let intent = operation.charge_ref.clone().unwrap_or_default();
            let of_intent = Form::default().with("payment_intent", intent);
            Some(page("/v1/refunds", of_intent, Some(last)))
        }
        OperationKind::Payout | OperationKind::PayoutReturn => {
            Some(page("/v1/payouts", Form::default(), Some(last)))
        }
        OperationKind::Capture
        | OperationKind::Void
        | OperationKind::Increment
        | OperationKind::Evidence => None,
    }
}

/// What a list says about the object of an operation.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    /// The object.
    Here(&'a Value),
    /// Stripe does not have it.
    Nowhere,
    /// It may be on another page.
    Open,
}

/// Looks for the object of an operation in a list or in the result of a search.
pub(super) fn find<'a>(leased: &LeasedOperation, answer: &'a Value) -> Found<'a> {
    let operation = &leased.operation;
    let own = rows(answer).iter().find(|row| {
        let metadata = row.get("metadata");
        let key = metadata.and_then(|noted| noted.get(OPERATION)?.as_str());
        key == Some(operation.provider_key.as_str())
    });
    if let Some(own) = own {
        return Found::Here(own);
    }
    let has_more = answer.get("has_more").and_then(Value::as_bool);
    // The newest come first, so the last one of a page is its oldest.
    let oldest = rows(answer).last();
    let oldest = oldest.and_then(|row| row.get("created")?.as_i64());
    let begin = operation.created_at.unix_seconds();
    let begin = begin.saturating_sub(CLOCKS_SECONDS);
    let is_older = oldest.is_some_and(|created| created < begin);
    if has_more == Some(false) || is_older {
        Found::Nowhere
    } else {
        Found::Open
    }
}

/// True if the answer is a list, or the result of a search.
pub(super) fn is_list(answer: &Value) -> bool {
    is_search(answer) || answer.get("object").and_then(Value::as_str) == Some("list")
}

fn is_search(answer: &Value) -> bool {
    answer.get("object").and_then(Value::as_str) == Some("search_result")
}

fn rows(answer: &Value) -> &[Value] {
    let rows = answer.get("data").and_then(Value::as_array);
    rows.map_or(&[], Vec::as_slice)
}

/// A page of a list, after the object with this id.
fn page(path: &str, form: Form, after: Option<&str>) -> ProviderRequest {
    let form = form.with("limit", PAGE);
    let form = match after {
        Some(after) => form.with("starting_after", after),
        None => form,
    };
    get(format!("{path}?{}", form.encoded()))
}
