//! Payment methods that are chains: one member for each call.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Stage, order, read};

/// An order with this payment method and reference.
fn order_for(method: &str, reference: Value) -> String {
    let mut body = order(method);
    body["reference"] = reference;
    body.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_of_a_reference_has_the_outcome_of_the_next_member() {
    let chain = "pm_declines_expired_card|pm_declines|pm_succeeds";
    let mut stage = Stage::set(None).await;
    for (key, code) in [
        ("a", json!("expired_card")),
        ("b", json!("do_not_honor")),
        ("c", Value::Null),
        ("d", Value::Null),
    ] {
        let called = stage.charge(key, chain).await;
        assert_eq!(called.0 == 200, code.is_null());
        assert_eq!(called.1["decline_code"], code, "{key}");
        assert_eq!(called.1["payment_method"], chain);
        // A call of an executed key is answered with its record, and the chain stays where it is.
        assert_eq!(stage.charge(key, chain).await, called);
        stage = stage.restarted(|_| ()).await;
        assert_eq!(stage.charge(key, chain).await, called);
    }
    // Another reference, and another chain with the same reference, begin anew.
    let other = read(stage.post("e", order_for(chain, json!("pay_2"))).await).await;
    assert_eq!(other.1["decline_code"], "expired_card");
    let other = stage
        .charge("f", "pm_declines_stolen_card|pm_succeeds")
        .await;
    assert_eq!(other.1["decline_code"], "stolen_card");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_reference_a_chain_belongs_to_its_key() {
    let stage = Stage::set(None).await;
    let body = order_for("pm_server_error|pm_declines|pm_succeeds", Value::Null);
    for key in ["a", "b"] {
        assert_eq!(stage.post(key, body.clone()).await.status(), 500);
        let (status, charge) = read(stage.post(key, body.clone()).await).await;
        assert_eq!(
            (status.as_u16(), &charge["decline_code"]),
            (402, &json!("do_not_honor"))
        );
        assert_eq!(
            read(stage.post(key, body.clone()).await).await,
            (status, charge)
        );
        assert_eq!(stage.counts(key).await, (1, 3));
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_a_record_executes_nothing_before_the_last() {
    let chain = "pm_server_error|pm_never_answers|pm_times_out|pm_server_error";
    let mut stage = Stage::set(None).await;
    assert_eq!(stage.charge("k", chain).await.0, 500);
    assert_eq!(stage.inquire("k").await.0, 404);
    for calls in [2, 3] {
        stage = stage.restarted(|_| ()).await;
        let request = stage.client.post(stage.url("/v1/charges"));
        let request = request
            .header("Idempotency-Key", "k")
            .body(order(chain).to_string());
        let silent = request.timeout(Duration::from_secs(1)).send().await;
        assert!(silent.is_err_and(|error| error.is_timeout()));
        assert_eq!(stage.inquire("k").await.0, 404);
        assert_eq!(stage.counts("k").await, (0, calls));
    }
    assert_eq!(stage.get("/v1/totals").await.1, json!({ "data": [] }));

    // The last member is an ordinary payment method, and its error hides an effect.
    assert_eq!(stage.charge("k", chain).await.0, 500);
    let (status, charge) = stage.inquire("k").await;
    assert_eq!(
        (status.as_u16(), &charge["status"]),
        (200, &json!("succeeded"))
    );
    assert_eq!(stage.charge("k", chain).await, (status, charge));
    assert_eq!(stage.counts("k").await, (1, 5));
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    let rows = stage.rows().await;
    let stage = stage.restarted(|_| ()).await;
    assert_eq!(stage.rows().await, rows);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_take_the_members_one_by_one() {
    let stage = Stage::set(None).await;
    let body = order("pm_server_error|pm_server_error|pm_succeeds").to_string();
    let url = stage.url("/v1/charges");
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let request = stage.client.post(&url).header("Idempotency-Key", "k");
            let request = request.body(body.clone());
            tokio::spawn(async move { read(request.send().await.unwrap()).await })
        })
        .collect();
    let mut errors = 0;
    for call in calls {
        let (status, _) = call.await.unwrap();
        assert!(status == 200 || status == 500, "{status}");
        errors += u32::from(status == 500);
    }
    assert_eq!(errors, 2);
    assert_eq!(stage.counts("k").await, (1, 20));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_chain_is_refused() {
    let stage = Stage::set(None).await;
    for method in [
        "pm_succeeds|",
        "pm_succeeds|pm_unheard_of",
        "pm_succeeds|pm_capture_declines",
        &["pm_declines"; 9].join("|"),
    ] {
        let (status, answer) = stage.charge("k", method).await;
        let unknown = json!({ "error": "unknown_payment_method" });
        assert_eq!((status.as_u16(), answer), (400, unknown), "{method}");
    }
    assert_eq!(
        stage.charge("k", &["pm_declines"; 8].join("|")).await.0,
        402
    );
    stage.strike().await;
}
