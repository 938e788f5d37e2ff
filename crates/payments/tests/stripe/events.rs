//! The events.

use super::*;
use payments::providers::{About, MalformedEvent};

fn event(kind: &str, object: Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "api_version": "2025-09-30.clover", "created": MADE_AT,
        "livemode": false, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
        "type": kind, "data": {"object": object},
    })
}

/// What the event says, in a few words; `None` if nothing that matters.
fn heard(kind: &str, object: Value) -> Option<String> {
    let event = event(kind, object);
    let read = stripe().event(event.to_string().as_bytes());
    let read = read.unwrap_or_else(|error| panic!("{event}: {error}"));
    assert_eq!((read.id.as_str(), read.kind.as_str()), ("evt_1", kind));
    let (about, fact) = read.fact?;
    let about = match about {
        About::Key(key) => {
            assert_eq!(key, KEY);
            "key"
        }
        About::Record(reference) => {
            assert_eq!(reference, "pi_1");
            "record"
        }
    };
    let said = told(&leased(OperationKind::Charge), &fact);
    Some(format!("{about}: {said}"))
}

fn wrong(kind: &str, object: Value) -> String {
    let event = event(kind, object);
    match stripe().event(event.to_string().as_bytes()) {
        Err(MalformedEvent::Field(field)) => field.pointer,
        other => panic!("{event}: {other:?}"),
    }
}

#[test]
fn events_about_a_payment_intent_tell_the_charge_or_the_authorization() {
    let failing = with(
        intent("requires_payment_method", "automatic", 0),
        "/last_payment_error",
        json!({"type": "card_error", "code": "card_declined", "decline_code": "stolen_card"}),
    );
    let redirect =
        json!({"type": "redirect_to_url", "redirect_to_url": {"url": "https://x.example/"}});
    let waiting = with(
        intent("requires_action", "automatic", 0),
        "/next_action",
        redirect,
    );
    let asked_at = MADE_AT + 60;
    for (word, object, expected) in [
        (
            "succeeded",
            intent("succeeded", "automatic", 1_000),
            "key: succeeded pi_1 charge EUR 10.00".to_owned(),
        ),
        (
            "amount_capturable_updated",
            intent("requires_capture", "manual", 0),
            "key: succeeded pi_1 authorize EUR 10.00".to_owned(),
        ),
        (
            "payment_failed",
            failing,
            "key: failed stolen_card pi_1 charge EUR 10.00".to_owned(),
        ),
        (
            "canceled",
            intent("canceled", "automatic", 0),
            "key: failed canceled pi_1 charge EUR 10.00".to_owned(),
        ),
        (
            "requires_action",
            waiting,
            format!("key: action https://x.example/ {asked_at} pi_1 charge EUR 10.00"),
        ),
    ] {
        let kind = format!("payment_intent.{word}");
        assert_eq!(heard(&kind, object), Some(expected));
    }
}

#[test]
fn events_about_steps_and_about_the_objects_of_others_say_nothing() {
    let step = with(
        intent("requires_capture", "manual", 0),
        &format!("/metadata/{KEY}"),
        json!("250"),
    );
    let charged = |value: Value| with(value, "/latest_charge", json!("ch_1"));
    for (kind, object) in [
        // A capture, a void, and an increment. Their answers tell them.
        (
            "payment_intent.succeeded",
            intent("succeeded", "manual", 1_000),
        ),
        (
            "payment_intent.canceled",
            charged(intent("canceled", "manual", 0)),
        ),
        ("payment_intent.amount_capturable_updated", step),
        // The payer can go nowhere.
        (
            "payment_intent.requires_action",
            intent("requires_action", "automatic", 0),
        ),
        // Not final.
        ("refund.updated", refund("pending")),
        ("payout.paid", with(payout("paid"), "/metadata", json!({}))),
        (
            "refund.failed",
            with(refund("failed"), "/metadata", json!({})),
        ),
        (
            "payment_intent.succeeded",
            with(
                intent("succeeded", "automatic", 1_000),
                "/metadata",
                json!({}),
            ),
        ),
        (
            "charge.refunded",
            json!({"id": "ch_1", "object": "charge", "refunded": true}),
        ),
        ("customer.created", json!({"id": "cus_1"})),
        ("payment_intent.processing", json!(7)),
    ] {
        assert_eq!(heard(kind, object.clone()), None, "{kind} {object}");
    }
}

#[test]
fn a_failure_of_a_refund_or_a_payout_may_follow_a_success() {
    let reason = |value: Value, key: &str| with(value, &format!("/{key}"), json!("because"));
    for (kind, object, expected) in [
        (
            "refund.updated",
            refund("succeeded"),
            "succeeded re_1 refund EUR 10.00",
        ),
        (
            "charge.refund.updated",
            refund("succeeded"),
            "succeeded re_1 refund EUR 10.00",
        ),
        (
            "refund.failed",
            reason(refund("failed"), "failure_reason"),
            "undone because re_1 refund EUR 10.00",
        ),
        (
            "refund.updated",
            refund("canceled"),
            "undone canceled re_1 refund EUR 10.00",
        ),
        (
            "payout.paid",
            payout("paid"),
            "succeeded po_1 payout EUR 10.00 of no payment",
        ),
        (
            "payout.failed",
            reason(payout("failed"), "failure_code"),
            "undone because po_1 payout EUR 10.00 of no payment",
        ),
        (
            "payout.canceled",
            payout("canceled"),
            "undone canceled po_1 payout EUR 10.00 of no payment",
        ),
    ] {
        let expected = format!("key: {expected}");
        assert_eq!(heard(kind, object), Some(expected), "{kind}");
    }
    let charge =
        json!({"id": "ch_1", "object": "charge", "refunds": {"data": [refund("succeeded")]}});
    let expected = "key: succeeded re_1 refund EUR 10.00".to_owned();
    assert_eq!(heard("charge.refunded", charge), Some(expected));
}

fn dispute(status: &str) -> Value {
    json!({
        "id": "du_1", "object": "dispute", "amount": 500, "charge": "ch_1", "currency": "eur",
        "metadata": {}, "payment_intent": "pi_1", "reason": "fraudulent", "status": status,
        "evidence_details": {"due_by": 1_790_000_000, "has_evidence": false},
    })
}

#[test]
fn a_dispute_names_the_record_of_the_charge() {
    for (word, status, news) in [
        ("created", "needs_response", Some("Opened")),
        ("updated", "under_review", Some("Opened")),
        ("closed", "won", Some("Won")),
        ("closed", "lost", Some("Lost")),
        ("funds_withdrawn", "needs_response", Some("Withdrawn")),
        ("funds_reinstated", "won", Some("Reinstated")),
        // A question is no dispute.
        ("created", "warning_needs_response", None),
        ("updated", "warning_under_review", None),
        ("closed", "warning_closed", None),
    ] {
        let kind = format!("charge.dispute.{word}");
        let expected = news.map(|news| format!("record: {news} du_1 EUR 5.00 fraudulent"));
        assert_eq!(heard(&kind, dispute(status)), expected, "{kind}");
    }
    let of_charge = with(dispute("won"), "/payment_intent", Value::Null);
    assert_eq!(heard("charge.dispute.closed", of_charge), None);
    let expanded = json!({"id": "pi_1", "object": "payment_intent"});
    let expanded = with(dispute("won"), "/payment_intent", expanded);
    assert!(heard("charge.dispute.closed", expanded).is_some());
    let until = |due_by: Value| {
        let details = json!({"due_by": due_by, "has_evidence": false});
        with(dispute("needs_response"), "/evidence_details", details)
    };
    let place = wrong("charge.dispute.created", until(json!("tomorrow")));
    assert_eq!(place, "/data/object/evidence_details/due_by");
    for due_by in [json!(null), json!(1_800_000_000)] {
        assert!(heard("charge.dispute.created", until(due_by)).is_some());
    }
    // A person has to look at an end that is not known here.
    let place = wrong("charge.dispute.closed", dispute("prevented"));
    assert_eq!(place, "/data/object/status");
}

#[test]
fn a_field_that_is_wrong_is_named() {
    let good = || intent("succeeded", "automatic", 1_000);
    for (pointer, value) in [
        ("/amount", json!("1000")),
        ("/currency", json!("EUR")),
        ("/object", json!("charge")),
        ("/status", json!("processing")),
        ("/id", json!(null)),
    ] {
        let object = with(good(), pointer, value);
        let place = wrong("payment_intent.succeeded", object);
        assert_eq!(place, format!("/data/object{pointer}"));
    }
    assert_eq!(
        wrong("payout.paid", with(payout("paid"), "/amount", json!(-5))),
        "/data/object/amount"
    );
}
