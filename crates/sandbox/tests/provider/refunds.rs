//! A refund that waits for the bank, and one that comes back.

use reqwest::StatusCode;
use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::Receiver;
use crate::stage::Stage;
use crate::webhooks::assert_tells_of;

async fn refund(stage: &Stage, key: &str, charge: &Value, amount: i64) -> (StatusCode, Value) {
    stage
        .step(key, charge, "refunds", json!({ "amount": amount }))
        .await
}

/// What the bank does to a refund.
async fn bank(stage: &Stage, refund: &Value, verb: &str) -> (StatusCode, Value) {
    let id = refund["id"].as_str().unwrap();
    stage.act(&format!("/v1/refunds/{id}/{verb}")).await
}

fn already_finished() -> (StatusCode, Value) {
    (StatusCode::CONFLICT, json!({ "error": "already_finished" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_refund_counts_until_it_fails() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let (_, charge) = stage.charge("k", "pm_refund_pending").await;
    receiver.next().await;
    let pending = refund(&stage, "a", &charge, 1000).await;
    assert_eq!(
        (pending.0.as_u16(), &pending.1["status"]),
        (200, &json!("pending"))
    );
    assert_eq!(pending.1["decline_code"], Value::Null);
    assert_eq!(refund(&stage, "a", &charge, 1000).await, pending);
    assert_eq!(stage.inquire_at("refunds", "a").await, pending);
    assert_eq!(stage.counts("a").await, (1, 2));
    let none = json!({ "error": "no_such_event" });
    assert_eq!(
        stage.redeliver(&pending.1).await,
        (StatusCode::NOT_FOUND, none)
    );
    assert_eq!(bank(&stage, &pending.1, "return").await, already_finished());

    // What waits can still be given back, so it is not there for another refund; a refusal never waits.
    let (status, refused) = refund(&stage, "b", &charge, 100).await;
    assert_eq!(
        (status.as_u16(), &refused["decline_code"]),
        (402, &json!("exceeds_captured"))
    );
    assert_tells_of(&receiver.next().await, "refund.failed", &refused);
    assert_eq!(stage.totals().await, [1099, 1099, 0, 1000]);

    let stage = stage.restarted(|_| ()).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    assert_eq!(stage.totals().await, [1099, 1099, 0, 1000]);
    let (status, failed) = bank(&stage, &pending.1, "fail").await;
    assert_eq!(status, 200);
    let mut expected = pending.1.clone();
    expected["status"] = json!("failed");
    expected["decline_code"] = json!("refund_failed");
    assert_eq!(failed, expected);
    assert_tells_of(&receiver.next().await, "refund.failed", &failed);
    assert_eq!(stage.inquire_at("refunds", "a").await.1, failed);
    assert_eq!(
        refund(&stage, "a", &charge, 1000).await,
        (StatusCode::PAYMENT_REQUIRED, failed.clone())
    );
    for verb in ["succeed", "fail", "return"] {
        assert_eq!(bank(&stage, &failed, verb).await, already_finished());
    }
    assert_eq!(stage.counts("a").await, (1, 3));
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_refund_succeeds_and_comes_back() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let (_, charge) = stage.charge("k", "pm_refund_pending").await;
    receiver.next().await;
    let (_, pending) = refund(&stage, "a", &charge, 1099).await;
    let (status, succeeded) = bank(&stage, &pending, "succeed").await;
    assert_eq!(
        (status.as_u16(), &succeeded["status"]),
        (200, &json!("succeeded"))
    );
    let success = receiver.next().await;
    assert_tells_of(&success, "refund.succeeded", &succeeded);
    for verb in ["succeed", "fail"] {
        assert_eq!(bank(&stage, &succeeded, verb).await, already_finished());
    }
    assert_eq!(stage.totals().await, [1099, 1099, 0, 1099]);

    let returned = bank(&stage, &succeeded, "return").await;
    assert_eq!(returned, (status, succeeded.clone()));
    let back = receiver.next().await;
    assert_tells_of(&back, "refund.returned", &succeeded);
    assert_ne!(back.event["id"], success.event["id"]);
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);

    let stage = stage.restarted(|_| ()).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    assert_eq!(bank(&stage, &succeeded, "return").await, already_finished());
    assert_eq!(stage.inquire_at("refunds", "a").await.1, succeeded);
    assert_eq!(stage.counts("a").await, (1, 1));
    // The newest event is the one that is sent again.
    stage.redeliver(&succeeded).await;
    assert_eq!(receiver.next().await.event, back.event);
    assert!(receiver.is_quiet());
    // What came back can be given back once more.
    assert_eq!(
        refund(&stage, "b", &charge, 1099).await.1["status"],
        "pending"
    );
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_refund_that_succeeded_comes_back() {
    let stage = Stage::set(None).await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    let (_, succeeded) = refund(&stage, "a", &charge, 1000).await;
    let (_, failed) = refund(&stage, "b", &charge, 1000).await;
    assert_eq!(bank(&stage, &failed, "return").await, already_finished());
    assert_eq!(
        bank(&stage, &succeeded, "succeed").await,
        already_finished()
    );
    assert_eq!(bank(&stage, &succeeded, "return").await.0, 200);
    assert_eq!(bank(&stage, &succeeded, "return").await, already_finished());
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_refund" }));
    for verb in ["succeed", "fail", "return"] {
        assert_eq!(
            bank(&stage, &json!({ "id": "rf_unheard" }), verb).await,
            none
        );
        assert_eq!(bank(&stage, &charge, verb).await, none);
    }
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_returns_at_once_one_counts() {
    let stage = Stage::set(None).await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    let (_, succeeded) = refund(&stage, "a", &charge, 1000).await;
    let id = succeeded["id"].as_str().unwrap();
    let url = stage.url(&format!("/v1/refunds/{id}/return"));
    let calls: Vec<_> = (0..20)
        .map(|_| tokio::spawn(stage.client.post(&url).send()))
        .collect();
    let mut accepted = 0;
    for call in calls {
        accepted += u32::from(call.await.unwrap().unwrap().status() == 200);
    }
    assert_eq!(accepted, 1);
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    stage.strike().await;
}
