//! Scripted faults: which calls and webhooks they hit, and what is done nevertheless.

use std::time::{Duration, Instant};

use faults::{Calls, Effect, Fault, Operation, Part, When};
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use webhook_signatures::Scheme;

use crate::receiver::Receiver;
use crate::stage::{Stage, order, read};

const AFTER: When = When::After;
const BEFORE: When = When::Before;

fn set(stage: &Stage, operation: Operation, calls: Calls, effect: Effect) {
    let fault = Fault::new(operation, calls, effect).unwrap();
    stage.sandbox.faults().set("acme", fault).unwrap();
}

/// A charge of a tenant; `None` if the connection was closed.
async fn charge_of(stage: &Stage, tenant: &str, key: &str) -> Option<Response> {
    let request = stage
        .client
        .post(stage.url("/v1/charges"))
        .header("Idempotency-Key", key)
        .header("Sandbox-Tenant", tenant)
        .body(order("pm_succeeds").to_string());
    match request.send().await {
        Ok(response) => Some(response),
        Err(error) => {
            assert!(!error.is_timeout(), "{error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_comes_before_or_after_the_thing_is_done() {
    let stage = Stage::set(None).await;
    for (key, status, when, is_done) in [
        ("before", 503, BEFORE, false),
        ("after", 429, AFTER, true),
        ("refused", 400, BEFORE, false),
    ] {
        let effect = Effect::Status {
            status,
            retry_after: Some(7),
            when,
        };
        set(&stage, Operation::Charge, Calls::Next(1), effect);
        // Another tenant, and a caller without one, meet no fault.
        let other = charge_of(&stage, "other", &format!("{key}-other")).await;
        assert_eq!(other.unwrap().status(), StatusCode::OK);
        let (status_of_nobody, _) = stage.charge(&format!("{key}-nobody"), "pm_succeeds").await;
        assert_eq!(status_of_nobody, StatusCode::OK);

        let answer = charge_of(&stage, "acme", key).await.unwrap();
        assert_eq!(answer.headers()[RETRY_AFTER], "7");
        let (hit, body) = read(answer).await;
        assert_eq!(
            (hit.as_u16(), &body["error"]),
            (status, &Value::from("scripted_fault"))
        );
        let found = stage.inquire(key).await.0;
        assert_eq!(found == StatusCode::OK, is_done, "{key}: {found}");

        // The same key again has its one effect.
        let again = charge_of(&stage, "acme", key).await.unwrap();
        assert_eq!(again.status(), StatusCode::OK);
        assert_eq!(stage.counts(key).await.0, 1);
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_answer_closes_the_connection_and_the_thing_is_done_or_not() {
    let stage = Stage::set(None).await;
    for (key, when, is_done) in [("after", AFTER, true), ("before", BEFORE, false)] {
        set(
            &stage,
            Operation::Any,
            Calls::Next(1),
            Effect::Drop { when },
        );
        assert!(charge_of(&stage, "acme", key).await.is_none());
        let found = stage.inquire(key).await.0;
        assert_eq!(found == StatusCode::OK, is_done, "{key}: {found}");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_in_the_right_answer_and_the_thing_is_done_even_for_a_caller_that_has_gone() {
    let stage = Stage::set(None).await;
    let latency = |millis, when| Effect::Latency { millis, when };
    set(
        &stage,
        Operation::Charge,
        Calls::Next(1),
        latency(300, AFTER),
    );
    let begun = Instant::now();
    let answer = charge_of(&stage, "acme", "slow").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(begun.elapsed() >= Duration::from_millis(300));

    set(
        &stage,
        Operation::Charge,
        Calls::Next(1),
        latency(500, BEFORE),
    );
    let request = stage
        .client
        .post(stage.url("/v1/charges"))
        .header("Idempotency-Key", "gone")
        .header("Sandbox-Tenant", "acme")
        .timeout(Duration::from_millis(100))
        .body(order("pm_succeeds").to_string());
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(stage.inquire("gone").await.0, StatusCode::NOT_FOUND);
    let until = Instant::now() + Duration::from_secs(20);
    while stage.inquire("gone").await.0 == StatusCode::NOT_FOUND {
        assert!(Instant::now() < until, "it is never done");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_and_calls_have_the_same_faults() {
    let stage = Stage::set(None).await;
    let hits = async |seed: u64| {
        stage.sandbox.faults().clear("acme");
        let calls = Calls::Chance {
            per_mille: 400,
            seed,
        };
        let effect = Effect::Status {
            status: 500,
            retry_after: None,
            when: BEFORE,
        };
        set(&stage, Operation::Charge, calls, effect);
        let mut statuses = Vec::new();
        for number in 0..20 {
            let key = format!("k-{number}");
            let answer = charge_of(&stage, "acme", &key).await.unwrap();
            statuses.push(answer.status().as_u16());
        }
        statuses
    };
    let first = hits(7).await;
    assert!(first.contains(&500) && first.contains(&200), "{first:?}");
    assert_eq!(hits(7).await, first);
    assert_ne!(hits(8).await, first);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_can_be_hit() {
    let stage = Stage::set(None).await;
    let effect = |when| Effect::Status {
        status: 500,
        retry_after: None,
        when,
    };
    let held = stage.authorize("a", "pm_succeeds").await;
    let paid = stage.charge("c", "pm_succeeds").await.1;
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    let dispute = stage
        .client
        .post(stage.url(&format!("/v1/charges/{}/disputes", id(&paid))));
    let dispute = read(dispute.body(r#"{"amount": 5}"#).send().await.unwrap()).await;
    let (charge, dispute) = (format!("/v1/charges/{}", id(&held)), id(&dispute.1));
    let payout = r#"{"amount": 5, "currency": "EUR", "destination": "ba_succeeds"}"#;
    for (operation, path, body) in [
        (
            Operation::Increment,
            format!("{charge}/increments"),
            r#"{"amount": 5}"#,
        ),
        (
            Operation::Capture,
            format!("{charge}/captures"),
            r#"{"amount": 5, "final": false}"#,
        ),
        (
            Operation::Refund,
            format!("{charge}/refunds"),
            r#"{"amount": 5}"#,
        ),
        (
            Operation::Void,
            format!("{charge}/voids"),
            r#"{"amount": 1000}"#,
        ),
        (Operation::Payout, "/v1/payouts".to_owned(), payout),
        (
            Operation::Evidence,
            format!("/v1/disputes/{dispute}/evidence"),
            r#"{"note": "x"}"#,
        ),
    ] {
        for when in [BEFORE, AFTER] {
            set(&stage, operation, Calls::Next(1), effect(when));
            let request = stage.client.post(stage.url(&path));
            let request = request.header("Idempotency-Key", operation.name());
            let request = request.header("Sandbox-Tenant", "acme").body(body);
            let (status, answer) = read(request.send().await.unwrap()).await;
            assert_eq!(
                status,
                StatusCode::INTERNAL_SERVER_ERROR,
                "{path}: {answer}"
            );
            let name = operation.name();
            let records = match operation == Operation::Evidence {
                true => name.to_owned(),
                false => format!("{name}s"),
            };
            let found = stage.inquire_at(&records, operation.name()).await.0;
            assert_eq!(found == StatusCode::OK, when == AFTER, "{path}: {found}");
            stage.sandbox.faults().clear("acme");
        }
    }
    for path in ["/v1/charges", "/v1/evidence"] {
        set(&stage, Operation::Inquiry, Calls::Next(1), effect(BEFORE));
        let url = stage.url(&format!("{path}?idempotency_key=c"));
        let request = stage.client.get(url).header("Sandbox-Tenant", "acme");
        let status = request.send().await.unwrap().status();
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
    for wrong in ["", "a b", &"x".repeat(65)] {
        let request = stage.client.get(stage.url("/v1/charges?idempotency_key=c"));
        let (status, answer) = read(
            request
                .header("Sandbox-Tenant", wrong)
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(
            (status, &answer["error"]),
            (StatusCode::BAD_REQUEST, &Value::from("invalid_tenant"))
        );
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_lost_doubled_and_sent_in_another_order() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let webhook = Operation::Webhook;
    let about = |webhook: &Value| webhook["data"]["object"]["idempotency_key"].clone();

    set(
        &stage,
        webhook,
        Calls::Next(1),
        Effect::Drop { when: AFTER },
    );
    set(
        &stage,
        webhook,
        Calls::Nth(2),
        Effect::Duplicate { copies: 3 },
    );
    charge_of(&stage, "acme", "lost").await.unwrap();
    charge_of(&stage, "acme", "thrice").await.unwrap();
    let first = receiver.next().await;
    assert_eq!(about(&first.event), "thrice");
    for _ in 0..2 {
        assert_eq!(receiver.next().await.event, first.event);
    }

    stage.sandbox.faults().clear("acme");
    set(&stage, webhook, Calls::Next(3), Effect::Reorder { hold: 3 });
    for key in ["one", "two", "three", "four"] {
        charge_of(&stage, "acme", key).await.unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(about(&receiver.next().await.event));
    }
    // The fourth is not held, so it may come at any time.
    order.retain(|key| key != "four");
    assert_eq!(order, ["three", "two", "one"]);

    // A group that is never whole does not wait for ever, and all its webhooks are sent.
    stage.sandbox.faults().clear("acme");
    set(&stage, webhook, Calls::Next(9), Effect::Reorder { hold: 9 });
    for key in ["five", "six"] {
        charge_of(&stage, "acme", key).await.unwrap();
    }
    assert_eq!(stage.sandbox.deliveries()(), 2);
    assert_eq!(about(&receiver.next().await.event), "six");
    assert_eq!(about(&receiver.next().await.event), "five");
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupted_webhook_cannot_be_verified_and_its_next_try_can() {
    for part in [Part::Body, Part::Signature] {
        let mut receiver = Receiver::start(Scheme::StandardWebhooks);
        let stage = Stage::set(Some(receiver.target())).await;
        set(
            &stage,
            Operation::Webhook,
            Calls::Next(1),
            Effect::Corrupt { part },
        );
        charge_of(&stage, "acme", "k").await.unwrap();
        let refused = receiver.next_refused().await;
        assert!(!refused.contains("misdirected"), "{refused}");
        let right = receiver.next().await;
        assert_eq!(right.event["data"]["object"]["amount"], 1099);
        stage.strike().await;
        receiver.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_disputes_and_of_older_records_belong_to_the_tenant_of_the_charge() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(None).await;
    charge_of(&stage, "acme", "k").await.unwrap();
    // The journal knows the tenant; the faults are gone with the process.
    let stage = stage.restarted(|_| {}).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    let charge = stage.inquire("k").await.1;
    set(
        &stage,
        Operation::Webhook,
        Calls::Next(1),
        Effect::Duplicate { copies: 2 },
    );
    let url = stage.url(&format!(
        "/v1/charges/{}/disputes",
        charge["id"].as_str().unwrap()
    ));
    let opened = stage
        .client
        .post(url)
        .body(r#"{"amount": 5}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(opened.status(), StatusCode::OK);
    let first = receiver.next().await;
    assert_eq!(first.event["type"], "dispute.opened");
    assert_eq!(receiver.next().await.event, first.event);
    stage.strike().await;
    receiver.stop().await;
}
