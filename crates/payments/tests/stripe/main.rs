//! Tests of the dialect of Stripe on shapes as Stripe documents them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod answers;
mod events;
mod inquiries;
mod requests;

use std::sync::Arc;

use money::{Amount, Currency, Money};
use serde_json::{Value, json};
use store::Timestamp;

use payments::providers::{Dialect, ProviderAnswer, STRIPE, dialect};
use payments::{Fact, LeasedOperation, Operation, OperationId, OperationKind, OperationState};

/// Time at which every operation here was made, in seconds.
const MADE_AT: i64 = 1_790_000_000;
const KEY: &str = "op_00000000000000000000000000000001";

/// A lease of an operation of this kind, with 10.00 euros of an authorization of 10.00 euros.
fn leased(kind: OperationKind) -> LeasedOperation {
    let begins = kind.begins_attempt();
    let is_evidence = kind == OperationKind::Evidence;
    let about = if is_evidence { "du_1" } else { "pi_1" };
    let on_charge = (!begins && !kind.is_of_payout()).then(|| about.to_owned());
    let reserved = matches!(kind, OperationKind::Capture | OperationKind::Void);
    LeasedOperation {
        operation: Operation {
            id: OperationId::from_bytes([1; 16]),
            subject: [2; 16],
            ordinal: 1,
            attempt: 1,
            kind,
            source: None,
            money: euros(1_000),
            reserved: if reserved { 1_000 } else { 0 },
            fee: 0,
            terms: None,
            delay: None,
            available_on: None,
            unreleased: 0,
            made_available: 0,
            from_pending: 0,
            unallocated: 0,
            allocated: 0,
            given_back: 0,
            gives_back: None,
            state: OperationState::Submitted,
            provider: "stripe".to_owned(),
            provider_key: KEY.to_owned(),
            provider_ref: None,
            charge_ref: on_charge,
            decline_code: None,
            payment_method: if kind.is_of_payout() { "ba_1" } else { "pm_1" }.to_owned(),
            reason: None,
            description: None,
            metadata: None,
            idempotency_key: String::new(),
            version: 1,
            created_at: Timestamp::from_micros(MADE_AT * 1_000_000),
        },
        epoch: 1,
        authorized: if begins { 0 } else { 1_000 },
        captured: 0,
        evidence: None,
    }
}

/// A capture of `amount` with this part reserved, of 10.00 euros of which `captured` was captured.
fn capture(amount: i64, reserved: i64, captured: i64) -> LeasedOperation {
    let mut leased = leased(OperationKind::Capture);
    leased.operation.money = euros(amount);
    leased.operation.reserved = reserved;
    leased.captured = captured;
    leased
}

/// The dialect, without a return address.
fn stripe() -> Arc<dyn Dialect> {
    dialect(STRIPE, None).unwrap()
}

fn euros(amount: i64) -> Money {
    Money {
        amount: Amount::new(amount).unwrap(),
        currency: Currency::from_code("EUR").unwrap(),
    }
}

/// A PaymentIntent of 10.00 euros in this status, with the fields that the version of the API has.
fn intent(status: &str, capture_method: &str, received: i64) -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1_000, "amount_capturable": 0,
        "amount_received": received, "capture_method": capture_method, "created": MADE_AT,
        "currency": "eur", "last_payment_error": null, "latest_charge": null, "livemode": false,
        "metadata": {"florin_operation": KEY, "florin_reference": reference()},
        "next_action": null, "payment_method": "pm_of_stripe", "status": status,
    })
}

/// A refund of 10.00 euros in this status.
fn refund(status: &str) -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 1_000, "charge": "ch_1", "created": MADE_AT,
        "currency": "eur", "payment_intent": "pi_1", "status": status,
        "metadata": {"florin_operation": KEY, "florin_reference": reference()},
    })
}

/// A payout of 10.00 euros in this status.
fn payout(status: &str) -> Value {
    json!({
        "id": "po_1", "object": "payout", "amount": 1_000, "created": MADE_AT, "currency": "eur",
        "destination": "ba_1", "failure_code": null, "status": status,
        "metadata": {"florin_operation": KEY},
    })
}

fn reference() -> String {
    leased(OperationKind::Charge).operation.reference()
}

/// The value with another one at this place.
fn with(mut value: Value, pointer: &str, other: Value) -> Value {
    let (above, key) = pointer.rsplit_once('/').unwrap();
    let object = value.pointer_mut(above).unwrap().as_object_mut().unwrap();
    object.insert(key.to_owned(), other);
    value
}

/// The value without the field at this place.
fn without(mut value: Value, key: &str) -> Value {
    value.as_object_mut().unwrap().remove(key);
    value
}

fn answered(leased: &LeasedOperation, status: u16, answer: &Value) -> String {
    let answer = answer.to_string().into_bytes();
    said(leased, &stripe().answered(leased, status, answer))
}

fn inquired(leased: &LeasedOperation, answer: &Value) -> String {
    let answer = answer.to_string().into_bytes();
    said(leased, &stripe().inquired(leased, 200, answer))
}

/// The answer in a few words: the outcome, the record, the kind, and the amount.
fn said(leased: &LeasedOperation, answer: &ProviderAnswer) -> String {
    match answer {
        ProviderAnswer::Done { fact, .. } => told(leased, fact),
        ProviderAnswer::Waits { action: None } => "waits".to_owned(),
        ProviderAnswer::Waits {
            action: Some((url, record)),
        } => format!("waits at {url} {}", record.reference),
        ProviderAnswer::Unknown => "unknown".to_owned(),
        ProviderAnswer::Nothing(_) => "nothing".to_owned(),
        ProviderAnswer::Wrong { cause, answer } => {
            assert!(!answer.is_empty(), "the quarantine keeps the answer");
            format!("wrong: {cause}")
        }
    }
}

/// A fact in a few words.
fn told(leased: &LeasedOperation, fact: &Fact) -> String {
    let record = fact.record().map(|record| {
        let kind = record.kind.map_or("?", OperationKind::name);
        let of = match &record.payment {
            Some(payment) if *payment == leased.operation.reference() => "",
            Some(_) => " of another payment",
            None => " of no payment",
        };
        format!(" {} {kind} {}{of}", record.reference, record.money)
    });
    let record = record.unwrap_or_default();
    match fact {
        Fact::Succeeded { .. } => format!("succeeded{record}"),
        Fact::Failed { decline_code, .. } => format!("failed {decline_code}{record}"),
        Fact::Undone { decline_code, .. } => format!("undone {decline_code}{record}"),
        Fact::Returned { .. } => format!("returned{record}"),
        Fact::ActionRequired { url, retry_at, .. } => {
            format!("action {url} {}{record}", retry_at.unix_seconds())
        }
        Fact::Disputed(dispute) => format!(
            "{:?} {} {} {}",
            dispute.news, dispute.reference, dispute.money, dispute.reason
        ),
        Fact::Unknown { .. } => panic!("no provider says so"),
    }
}
