//! Payouts: their records, what each destination does, and what the bank does later.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::Receiver;
use crate::stage::{Stage, read};
use crate::webhooks::assert_tells_of;

/// A payout to this destination.
fn order(destination: &str) -> Value {
    json!({ "amount": 700, "currency": "EUR", "destination": destination, "reference": "out_1" })
}

async fn pay_out(stage: &Stage, key: &str, body: &Value) -> (StatusCode, Value) {
    read(stage.post_to("/v1/payouts", key, body.to_string()).await).await
}

/// What the bank does to a payout.
async fn bank(stage: &Stage, payout: &Value, verb: &str) -> (StatusCode, Value) {
    let id = payout["id"].as_str().unwrap();
    stage.act(&format!("/v1/payouts/{id}/{verb}")).await
}

async fn paid_out(stage: &Stage) -> i64 {
    let [paid_out] = stage.totals_named(["paid_out"]).await;
    paid_out
}

fn already_finished() -> (StatusCode, Value) {
    (StatusCode::CONFLICT, json!({ "error": "already_finished" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_is_shown_whole_told_once_and_counted() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let first = pay_out(&stage, "k", &order("ba_succeeds")).await;
    let (status, payout) = &first;
    let id = payout["id"].as_str().unwrap();
    let digits = id.strip_prefix("po_").unwrap();
    assert!(
        digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );
    let expected = json!({
        "id": id, "object": "payout", "status": "succeeded", "amount": 700, "currency": "EUR",
        "destination": "ba_succeeds", "reference": "out_1", "idempotency_key": "k", "decline_code": null,
    });
    assert_eq!((status.as_u16(), payout), (200, &expected));
    let webhook = receiver.next().await;
    assert_tells_of(&webhook, "payout.succeeded", payout);

    assert_eq!(pay_out(&stage, "k", &order("ba_succeeds")).await, first);
    assert_eq!(stage.inquire_at("payouts", "k").await, first);
    for records in ["charges", "refunds"] {
        assert_eq!(stage.inquire_at(records, "k").await.0, 404);
    }
    let mut row = payout.clone();
    row["effects"] = json!(1);
    row["calls"] = json!(2);
    assert_eq!(stage.rows().await, [row]);
    // A currency that only payouts have is among the totals too.
    let total = json!({
        "currency": "EUR", "authorized": 0, "captured": 0, "released": 0, "refunded": 0,
        "withdrawn": 0, "paid_out": 700,
    });
    let totals = stage.get("/v1/totals").await.1;
    assert_eq!(totals, json!({ "data": [total] }));
    stage.redeliver(payout).await;
    assert_eq!(receiver.next().await.event, webhook.event);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payout_moves_nothing() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let declined = pay_out(&stage, "k", &order("ba_declines")).await;
    assert_eq!(declined.0, 402);
    assert_eq!(declined.1["status"], "failed");
    assert_eq!(declined.1["decline_code"], "account_closed");
    assert_tells_of(&receiver.next().await, "payout.failed", &declined.1);
    assert_eq!(pay_out(&stage, "k", &order("ba_declines")).await, declined);
    for verb in ["succeed", "fail", "return"] {
        assert_eq!(bank(&stage, &declined.1, verb).await, already_finished());
    }
    assert_eq!(paid_out(&stage).await, 0);
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_hides_a_payout_or_nothing() {
    let stage = Stage::set(None).await;
    let (status, answer) = pay_out(&stage, "k", &order("ba_server_error")).await;
    let error = json!({ "error": "server_error" });
    assert_eq!((status.as_u16(), answer), (500, error));
    let hidden = stage.inquire_at("payouts", "k").await;
    assert_eq!(
        (hidden.0.as_u16(), &hidden.1["status"]),
        (200, &json!("succeeded"))
    );
    assert_eq!(
        pay_out(&stage, "k", &order("ba_server_error")).await,
        hidden
    );

    for (destination, effects) in [("ba_times_out", 1), ("ba_never_answers", 0)] {
        let request = stage.client.post(stage.url("/v1/payouts"));
        let request = request
            .header("Idempotency-Key", destination)
            .body(order(destination).to_string());
        let silent = request.timeout(Duration::from_secs(1)).send().await;
        assert!(silent.is_err_and(|error| error.is_timeout()));
        assert_eq!(stage.counts(destination).await, (effects, 1));
        let (status, _) = stage.inquire_at("payouts", destination).await;
        assert_eq!(status == 200, effects == 1, "{destination}");
    }
    assert_eq!(paid_out(&stage).await, 1400);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_of_a_payout_comes_before_the_reply_or_twice() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    receiver.hold();
    let request = stage.client.post(stage.url("/v1/payouts"));
    let request = request
        .header("Idempotency-Key", "a")
        .body(order("ba_webhook_before_reply").to_string());
    let reply = tokio::spawn(async move { read(request.send().await.unwrap()).await });
    let webhook = receiver.next().await;
    assert!(!reply.is_finished());
    receiver.release();
    let (status, payout) = reply.await.unwrap();
    assert_eq!(status, 200);
    assert_tells_of(&webhook, "payout.succeeded", &payout);

    let (_, payout) = pay_out(&stage, "b", &order("ba_webhook_twice")).await;
    let first = receiver.next().await;
    assert_tells_of(&first, "payout.succeeded", &payout);
    assert_eq!(receiver.next().await.event, first.event);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_payout_waits_for_the_bank() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let pending = pay_out(&stage, "a", &order("ba_pending")).await;
    assert_eq!(
        (pending.0.as_u16(), &pending.1["status"]),
        (200, &json!("pending"))
    );
    let (_, other) = pay_out(&stage, "b", &order("ba_pending")).await;
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_event" }));
    assert_eq!(stage.redeliver(&pending.1).await, none);
    assert_eq!(stage.redeliver_all(&pending.1).await, none);
    assert_eq!(bank(&stage, &pending.1, "return").await, already_finished());
    assert_eq!(paid_out(&stage).await, 0);

    let stage = stage.restarted(|_| ()).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    assert_eq!(pay_out(&stage, "a", &order("ba_pending")).await, pending);
    let mut succeeded = pending.1;
    succeeded["status"] = json!("succeeded");
    let answer = bank(&stage, &succeeded, "succeed").await;
    assert_eq!(answer, (StatusCode::OK, succeeded.clone()));
    assert_tells_of(&receiver.next().await, "payout.succeeded", &succeeded);
    assert_eq!(paid_out(&stage).await, 700);

    let mut failed = other;
    failed["status"] = json!("failed");
    failed["decline_code"] = json!("payout_failed");
    let answer = bank(&stage, &failed, "fail").await;
    assert_eq!(answer, (StatusCode::OK, failed.clone()));
    assert_tells_of(&receiver.next().await, "payout.failed", &failed);
    assert_eq!(pay_out(&stage, "b", &order("ba_pending")).await.0, 402);
    for payout in [&succeeded, &failed] {
        for verb in ["succeed", "fail"] {
            assert_eq!(bank(&stage, payout, verb).await, already_finished());
        }
    }
    assert_eq!(paid_out(&stage).await, 700);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_comes_back_once_and_a_restart_keeps_it() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let paid = pay_out(&stage, "k", &order("ba_succeeds")).await;
    let success = receiver.next().await;
    assert_eq!(bank(&stage, &paid.1, "return").await, paid);
    let back = receiver.next().await;
    assert_tells_of(&back, "payout.returned", &paid.1);
    assert_ne!(back.event["id"], success.event["id"]);
    assert_eq!(bank(&stage, &paid.1, "return").await, already_finished());
    assert_eq!(paid_out(&stage).await, 0);

    let rows = stage.rows().await;
    let stage = stage.restarted(|_| ()).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    assert_eq!(stage.rows().await, rows);
    assert_eq!(stage.inquire_at("payouts", "k").await, paid);
    assert_eq!(bank(&stage, &paid.1, "return").await, already_finished());
    assert_eq!(paid_out(&stage).await, 0);
    stage.redeliver(&paid.1).await;
    assert_eq!(receiver.next().await.event, back.event);
    let (status, answer) = stage.redeliver_all(&paid.1).await;
    let ids = [&back.event["id"], &success.event["id"]];
    assert_eq!(
        (status.as_u16(), answer),
        (200, json!({ "events": ids, "delivered": true }))
    );
    assert_eq!(receiver.next().await.event, back.event);
    assert_eq!(receiver.next().await.event, success.event);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_ends_of_one_payout_one_counts() {
    let stage = Stage::set(None).await;
    let (_, payout) = pay_out(&stage, "k", &order("ba_pending")).await;
    let id = payout["id"].as_str().unwrap();
    for (verb, total) in [("succeed", 700), ("return", 0)] {
        let url = stage.url(&format!("/v1/payouts/{id}/{verb}"));
        let calls: Vec<_> = (0..20)
            .map(|_| tokio::spawn(stage.client.post(&url).send()))
            .collect();
        let mut accepted = 0;
        for call in calls {
            accepted += u32::from(call.await.unwrap().unwrap().status() == 200);
        }
        assert_eq!(accepted, 1, "{verb}");
        assert_eq!(paid_out(&stage).await, total);
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_payout_is_refused_and_leaves_nothing() {
    let stage = Stage::set(None).await;
    let with = |member: &str, value: Value| {
        let mut body = order("ba_succeeds");
        body[member] = value;
        body
    };
    for (body, error) in [
        (with("amount", json!(0)), "invalid_amount"),
        (with("amount", json!("1")), "malformed_body"),
        (with("currency", json!("eur")), "invalid_currency"),
        (
            with("reference", json!("x".repeat(256))),
            "invalid_reference",
        ),
        (
            with("destination", json!("pm_succeeds")),
            "unknown_destination",
        ),
        (
            with("destination", json!("ba_declines_expired_card")),
            "unknown_destination",
        ),
        (with("payment_method", json!("pm_1")), "malformed_body"),
        (with("destination", Value::Null), "malformed_body"),
    ] {
        let (status, answer) = pay_out(&stage, "k", &body).await;
        let expected = (400, json!({ "error": error }));
        assert_eq!((status.as_u16(), answer), expected, "{body}");
    }
    assert_eq!(stage.rows().await, [Value::Null; 0]);
    let keyless = stage.client.post(stage.url("/v1/payouts"));
    let body = order("ba_succeeds").to_string();
    let (status, answer) = read(keyless.body(body).send().await.unwrap()).await;
    let required = json!({ "error": "idempotency_key_required" });
    assert_eq!((status.as_u16(), answer), (400, required));

    let (_, charge) = stage.charge("charge", "pm_succeeds").await;
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_payout" }));
    for verb in ["succeed", "fail", "return"] {
        let unheard = json!({ "id": "po_unheard" });
        assert_eq!(bank(&stage, &unheard, verb).await, none);
        assert_eq!(bank(&stage, &charge, verb).await, none);
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_payout_is_refused() {
    let stage = Stage::set(None).await;
    stage.charge("charge", "pm_succeeds").await;
    let mut body = order("ba_succeeds");
    body["reference"] = Value::Null;
    let first = pay_out(&stage, "k", &body).await;
    assert_eq!(first.1["reference"], Value::Null);
    let mismatch = (
        StatusCode::CONFLICT,
        json!({ "error": "idempotency_mismatch" }),
    );
    for (member, value) in [
        ("amount", json!(701)),
        ("currency", json!("USD")),
        ("destination", json!("ba_pending")),
        ("reference", json!("out_1")),
    ] {
        let mut other = body.clone();
        other[member] = value;
        assert_eq!(pay_out(&stage, "k", &other).await, mismatch, "{member}");
    }
    // The keys of charges and of payouts are the same keys.
    assert_eq!(pay_out(&stage, "charge", &body).await, mismatch);
    assert_eq!(stage.charge("k", "pm_succeeds").await, mismatch);
    // A payout is no charge.
    let refund = json!({ "amount": 1 });
    assert_eq!(stage.step("r", &first.1, "refunds", refund).await.0, 404);
    body.as_object_mut().unwrap().remove("reference");
    assert_eq!(pay_out(&stage, "k", &body).await, first);
    assert_eq!(stage.counts("k").await, (1, 2));
    stage.strike().await;
}
