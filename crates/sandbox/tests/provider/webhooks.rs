//! The time, the number and the id of webhooks.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::{Receiver, Webhook};
use crate::stage::{NOW, Stage, order, read};

async fn stage_and_receiver() -> (Stage, Receiver) {
    let receiver = Receiver::start(Scheme::StandardWebhooks);
    (Stage::set(Some(receiver.target())).await, receiver)
}

/// Whether the webhook has an event of this type about this record.
pub(crate) fn assert_tells_of(webhook: &Webhook, kind: &str, record: &Value) {
    let id = webhook.event["id"].as_str().unwrap();
    assert!(
        id.starts_with("evt_") && id.len() == "evt_".len() + 32,
        "{id}"
    );
    assert_eq!(webhook.message_id.as_deref(), Some(id));
    let expected = json!({ "id": id, "type": kind, "created": NOW, "data": { "object": record } });
    assert_eq!(webhook.event, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_and_a_decline_are_each_told_once_without_holding_the_reply() {
    let (stage, mut receiver) = stage_and_receiver().await;
    receiver.hold();
    let (_, succeeded) = stage.charge("a", "pm_succeeds").await;
    let (_, failed) = stage.charge("b", "pm_declines").await;
    let first = receiver.next().await;
    let second = receiver.next().await;
    receiver.release();
    let (success, decline) = if first.event["type"] == "charge.succeeded" {
        (first, second)
    } else {
        (second, first)
    };
    assert_tells_of(&success, "charge.succeeded", &succeeded);
    assert_tells_of(&decline, "charge.failed", &failed);

    // A repeated call sends no webhook: the next one to arrive is the one that is requested here.
    stage.charge("a", "pm_succeeds").await;
    stage.redeliver(&failed).await;
    assert_eq!(receiver.next().await.event, decline.event);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_can_be_there_before_the_reply() {
    let (stage, mut receiver) = stage_and_receiver().await;
    receiver.hold();
    let request = stage
        .client
        .post(stage.url("/v1/charges"))
        .header("Idempotency-Key", "k");
    let request = request.body(order("pm_webhook_before_reply").to_string());
    let reply = tokio::spawn(async move { read(request.send().await.unwrap()).await });

    let webhook = receiver.next().await;
    assert!(!reply.is_finished());
    assert_eq!(stage.inquire("k").await.1, webhook.event["data"]["object"]);
    receiver.release();
    let (status, charge) = reply.await.unwrap();
    assert_eq!(status, 200);
    assert_tells_of(&webhook, "charge.succeeded", &charge);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_can_come_twice_under_one_id() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (status, charge) = stage.charge("k", "pm_webhook_twice").await;
    assert_eq!(status, 200);
    let first = receiver.next().await;
    let second = receiver.next().await;
    assert_tells_of(&first, "charge.succeeded", &charge);
    assert_eq!(first.event, second.event);
    assert_eq!(stage.counts("k").await, (1, 1));
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_has_no_webhook_until_it_is_asked_for() {
    let (stage, mut receiver) = stage_and_receiver().await;
    stage.charge("k", "pm_server_error").await;
    let (_, charge) = stage.inquire("k").await;
    stage.charge("after", "pm_webhook_before_reply").await;
    assert_eq!(
        receiver.next().await.event["data"]["object"]["idempotency_key"],
        "after"
    );
    assert!(receiver.is_quiet());

    let (status, answer) = stage.redeliver(&charge).await;
    assert_eq!(status, 200);
    assert_eq!(answer["delivered"], true);
    let webhook = receiver.next().await;
    assert_eq!(answer["event"], webhook.event["id"]);
    assert_tells_of(&webhook, "charge.succeeded", &charge);
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_webhook_is_tried_again_and_a_redirect_is_a_refusal() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let refusals = [
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    receiver.answer_next(refusals);
    let (status, charge) = stage.charge("k", "pm_webhook_before_reply").await;
    assert_eq!(status, 200);
    for _ in 0..3 {
        assert_tells_of(&receiver.next().await, "charge.succeeded", &charge);
    }
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_may_be_named_after_the_start_and_in_another_scheme() {
    let stage = Stage::set(None).await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    let (status, answer) = stage.redeliver(&charge).await;
    assert_eq!(
        (status.as_u16(), answer),
        (409, json!({ "error": "no_webhook_target" }))
    );

    let mut receiver = Receiver::start(Scheme::Stripe);
    stage.sandbox.point_webhooks_at(receiver.target());
    stage.redeliver(&charge).await;
    let webhook = receiver.next().await;
    assert_eq!(webhook.message_id, None);
    assert_eq!(webhook.event["data"]["object"], charge);

    let (status, answer) = stage.redeliver(&json!({ "id": "ch_unheard" })).await;
    assert_eq!(
        (status.as_u16(), answer),
        (404, json!({ "error": "no_such_charge" }))
    );
    stage.strike().await;
    receiver.stop().await;
}
