//! The payment methods that script one step: that step behaves so, everything else succeeds.

use std::time::Duration;

use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::Receiver;
use crate::stage::{Stage, read};
use crate::steps::{STEPS, body};
use crate::webhooks::assert_tells_of;

/// A charge of 1000 that allows this step of 1000.
async fn ready_for(stage: &Stage, records: &str, method: &str) -> Value {
    let charge = stage.authorize(method, method).await;
    assert_eq!(charge["status"], "authorized", "{method}");
    if records == "refunds" {
        let key = format!("{method}-c");
        let captured = stage
            .step(&key, &charge, "captures", body("captures", 1000))
            .await;
        assert_eq!(captured.0, 200);
    }
    charge
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_step_declines_and_moves_nothing() {
    let stage = Stage::set(None).await;
    for (records, object, _) in STEPS {
        let charge = ready_for(&stage, records, &format!("pm_{object}_declines")).await;
        let before = stage.totals().await;
        let declined = stage
            .step(object, &charge, records, body(records, 1000))
            .await;
        assert_eq!(declined.0, 402);
        assert_eq!(declined.1["status"], "failed");
        assert_eq!(declined.1["decline_code"], "do_not_honor");
        assert_eq!(declined.1["payment_method"], charge["payment_method"]);
        let again = stage
            .step(object, &charge, records, body(records, 1000))
            .await;
        assert_eq!(again, declined);
        assert_eq!(stage.counts(object).await, (1, 2));
        assert_eq!(stage.totals().await, before);
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_totals_are_asked_before_the_script() {
    let stage = Stage::set(None).await;
    let charge = ready_for(&stage, "refunds", "pm_refund_declines").await;
    let (_, refused) = stage
        .step("a", &charge, "refunds", body("refunds", 1001))
        .await;
    assert_eq!(refused["decline_code"], "exceeds_captured");

    // The reply is still the one of the script.
    let charge = ready_for(&stage, "captures", "pm_capture_server_error").await;
    let (status, _) = stage
        .step("b", &charge, "captures", body("captures", 1001))
        .await;
    assert_eq!(status, 500);
    let (_, refused) = stage.inquire_at("captures", "b").await;
    assert_eq!(refused["decline_code"], "amount_too_large");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_step_is_executed_behind_a_server_error() {
    let stage = Stage::set(None).await;
    for (records, object, _) in STEPS {
        let charge = ready_for(&stage, records, &format!("pm_{object}_server_error")).await;
        let before = stage.totals().await;
        let (status, answer) = stage
            .step(object, &charge, records, body(records, 1000))
            .await;
        let error = json!({ "error": "server_error" });
        assert_eq!((status.as_u16(), answer), (500, error));
        assert_ne!(stage.totals().await, before);
        let (status, record) = stage.inquire_at(records, object).await;
        assert_eq!(
            (status.as_u16(), &record["status"]),
            (200, &json!("succeeded"))
        );
        let again = stage
            .step(object, &charge, records, body(records, 1000))
            .await;
        assert_eq!(again, (status, record));
        assert_eq!(stage.counts(object).await, (1, 2));
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_step_times_out_after_its_effect_or_never_has_one() {
    let stage = Stage::set(None).await;
    let mut calls = Vec::new();
    for (records, object, _) in STEPS {
        for behaviour in ["times_out", "never_answers"] {
            let method = format!("pm_{object}_{behaviour}");
            let charge = ready_for(&stage, records, &method).await;
            let request = stage
                .step_request(&format!("{method}-x"), &charge, records)
                .body(body(records, 1000).to_string())
                .timeout(Duration::from_secs(1));
            calls.push(tokio::spawn(request.send()));
        }
    }
    for call in calls {
        assert!(call.await.unwrap().is_err_and(|error| error.is_timeout()));
    }
    for (records, object, _) in STEPS {
        let key = format!("pm_{object}_times_out-x");
        let (status, record) = stage.inquire_at(records, &key).await;
        assert_eq!(
            (status.as_u16(), &record["status"]),
            (200, &json!("succeeded"))
        );
        assert_eq!(stage.counts(&key).await, (1, 1));
        let key = format!("pm_{object}_never_answers-x");
        assert_eq!(stage.inquire_at(records, &key).await.0, 404);
        assert_eq!(stage.counts(&key).await, (0, 1));
    }
    // Eight charges; two captures made room for refunds, and one of each step was executed.
    assert_eq!(stage.totals().await, [9000, 3000, 1000, 1000]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_step_sends_its_webhook_before_the_reply() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(None).await;
    for (records, object, _) in STEPS {
        let method = format!("pm_{object}_webhook_before_reply");
        let charge = ready_for(&stage, records, &method).await;
        stage.sandbox.point_webhooks_at(receiver.target());
        receiver.hold();
        let request = stage.step_request(object, &charge, records);
        let request = request.body(body(records, 1000).to_string());
        let reply = tokio::spawn(async move { read(request.send().await.unwrap()).await });
        let mut webhook = receiver.next().await;
        // The receiver may have been named early enough for the webhooks of the calls before.
        while webhook.event["data"]["object"]["idempotency_key"] != object {
            webhook = receiver.next().await;
        }
        assert!(!reply.is_finished());
        receiver.release();
        let (status, record) = reply.await.unwrap();
        assert_eq!(status, 200);
        assert_tells_of(&webhook, &format!("{object}.succeeded"), &record);
    }
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_step_sends_its_webhook_twice() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    for (records, object, _) in STEPS {
        let charge = ready_for(&stage, records, &format!("pm_{object}_webhook_twice")).await;
        receiver.next().await;
        if records == "refunds" {
            receiver.next().await;
        }
        let (status, record) = stage
            .step(object, &charge, records, body(records, 1000))
            .await;
        assert_eq!(status, 200);
        let first = receiver.next().await;
        assert_tells_of(&first, &format!("{object}.succeeded"), &record);
        assert_eq!(receiver.next().await.event, first.event);
        assert!(receiver.is_quiet());
    }
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_every_other_method_succeed() {
    let stage = Stage::set(None).await;
    for method in [
        "pm_succeeds",
        "pm_server_error",
        "pm_webhook_before_reply",
        "pm_webhook_twice",
        "pm_refund_declines",
        "pm_succeeds|pm_declines",
    ] {
        stage.authorize(method, method).await;
        let (status, charge) = stage.inquire(method).await;
        assert_eq!(
            (status.as_u16(), &charge["status"]),
            (200, &json!("authorized"))
        );
        let steps = [("captures", 600), ("increments", 100), ("voids", 500)];
        for (records, amount) in steps {
            let key = format!("{method}-{records}");
            let (status, record) = stage
                .step(&key, &charge, records, body(records, amount))
                .await;
            assert_eq!(
                (status.as_u16(), &record["payment_method"]),
                (200, &json!(method))
            );
        }
        let key = format!("{method}-refunds");
        let (status, _) = stage
            .step(&key, &charge, "refunds", body("refunds", 600))
            .await;
        assert_eq!(status == 200, method != "pm_refund_declines", "{method}");
    }
    stage.strike().await;
}
