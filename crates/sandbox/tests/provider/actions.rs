//! A charge that waits for its payer.

use reqwest::StatusCode;
use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::Receiver;
use crate::stage::{Stage, order, read};
use crate::webhooks::assert_tells_of;

const METHOD: &str = "pm_requires_action";

async fn payer(stage: &Stage, charge: &Value, verb: &str) -> (StatusCode, Value) {
    let id = charge["id"].as_str().unwrap();
    stage.act(&format!("/pay/{id}/{verb}")).await
}

/// The charge once it is finished with this status and code.
fn finished(waiting: &Value, status: &str, code: Value) -> Value {
    let mut charge = waiting.clone();
    charge.as_object_mut().unwrap().remove("action_url");
    charge["status"] = json!(status);
    charge["decline_code"] = code;
    charge
}

fn already_finished() -> (StatusCode, Value) {
    (StatusCode::CONFLICT, json!({ "error": "already_finished" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_waits_for_its_payer_and_executes_nothing() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let waiting = stage.charge("k", METHOD).await;
    let id = waiting.1["id"].as_str().unwrap();
    let url = stage.url(&format!("/pay/{id}"));
    let expected = json!({
        "id": id, "object": "charge", "status": "requires_action", "amount": 1099, "currency": "EUR",
        "payment_method": METHOD, "reference": "pay_1", "idempotency_key": "k",
        "capture": true, "decline_code": null, "action_url": url,
    });
    assert_eq!(waiting, (StatusCode::OK, expected.clone()));
    assert_eq!(stage.charge("k", METHOD).await, waiting);
    assert_eq!(stage.inquire("k").await, waiting);
    assert_eq!(stage.counts("k").await, (0, 2));
    let row = &stage.rows().await[0];
    assert_eq!(row["action_url"], url);
    assert_eq!(stage.totals().await, [0, 0, 0, 0]);
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_event" }));
    assert_eq!(stage.redeliver(&waiting.1).await, none);

    // The URL has the host that the caller has used.
    let request = stage.client.post(stage.url("/v1/charges"));
    let request = request
        .header("Idempotency-Key", "k")
        .header("Host", "pay.example:81");
    let response = request
        .body(order(METHOD).to_string())
        .send()
        .await
        .unwrap();
    let elsewhere = read(response).await.1;
    assert_eq!(
        elsewhere["action_url"],
        format!("http://pay.example:81/pay/{id}")
    );

    stage.charge("after", "pm_webhook_before_reply").await;
    let told = receiver.next().await.event;
    assert_eq!(told["data"]["object"]["idempotency_key"], "after");
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_a_form_for_each_way_to_finish() {
    let stage = Stage::set(None).await;
    let (_, waiting) = stage.charge("k", METHOD).await;
    let url = waiting["action_url"].as_str().unwrap();
    let page = stage.client.get(url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = page.text().await.unwrap();
    let id = waiting["id"].as_str().unwrap();
    for verb in ["complete", "fail"] {
        let form = format!("<form method=\"post\" action=\"/pay/{id}/{verb}\">");
        assert_eq!(page.matches(&form).count(), 1, "{page}");
    }
    // A browser sends an empty form.
    let form = stage.client.post(stage.url(&format!("/pay/{id}/complete")));
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(form.body("").send().await.unwrap().status(), 200);
    assert_eq!(
        read(stage.client.get(url).send().await.unwrap()).await,
        already_finished()
    );
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payer_finishes_a_charge_once() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let mut stage = Stage::set(Some(receiver.target())).await;
    for (key, capture, verb, status, code) in [
        ("a", true, "complete", "succeeded", Value::Null),
        ("b", false, "complete", "authorized", Value::Null),
        ("c", true, "fail", "failed", json!("authentication_failed")),
    ] {
        let mut body = order(METHOD);
        body["capture"] = json!(capture);
        let (_, waiting) = read(stage.post(key, body.to_string()).await).await;
        // The charge waits through a restart.
        stage = stage.restarted(|_| ()).await;
        stage.sandbox.point_webhooks_at(receiver.target());
        let expected = finished(&waiting, status, code);
        let done = payer(&stage, &waiting, verb).await;
        assert_eq!(done, (StatusCode::OK, expected.clone()));
        let webhook = receiver.next().await;
        assert_tells_of(&webhook, &format!("charge.{status}"), &expected);
        for again in ["complete", "fail"] {
            assert_eq!(payer(&stage, &waiting, again).await, already_finished());
        }
        assert_eq!(stage.inquire(key).await, (StatusCode::OK, expected.clone()));
        let (again, charge) = read(stage.post(key, body.to_string()).await).await;
        assert_eq!((again == 402, charge), (verb == "fail", expected.clone()));
        assert_eq!(stage.counts(key).await, (1, 2));
        stage.redeliver(&expected).await;
        assert_eq!(receiver.next().await.event, webhook.event);
    }
    assert_eq!(stage.totals().await, [2198, 1099, 0, 0]);

    let (_, authorized) = stage.inquire("b").await;
    let rest = json!({ "amount": 1099, "final": true });
    assert_eq!(stage.step("d", &authorized, "captures", rest).await.0, 200);
    let (totals, rows) = (stage.totals().await, stage.rows().await);
    assert_eq!(totals, [2198, 2198, 0, 0]);
    let stage = stage.restarted(|_| ()).await;
    assert_eq!(stage.totals().await, totals);
    assert_eq!(stage.rows().await, rows);
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_charge_that_waits_can_be_finished() {
    let stage = Stage::set(None).await;
    let (_, succeeded) = stage.charge("k", "pm_refund_pending").await;
    let (_, pending) = stage
        .step("r", &succeeded, "refunds", json!({ "amount": 1 }))
        .await;
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_charge" }));
    for verb in ["complete", "fail"] {
        assert_eq!(payer(&stage, &succeeded, verb).await, already_finished());
        assert_eq!(payer(&stage, &pending, verb).await, none);
        assert_eq!(
            payer(&stage, &json!({ "id": "ch_unheard" }), verb).await,
            none
        );
    }
    assert_eq!(stage.get("/pay/ch_unheard").await, none);
    stage.strike().await;
}
