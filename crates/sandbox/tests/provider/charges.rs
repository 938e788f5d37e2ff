//! The answer of each payment method, and the refusals.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Stage, order, read};

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_succeeds_is_shown_whole() {
    let stage = Stage::set(None).await;
    let (status, charge) = stage.charge("k", "pm_succeeds").await;
    assert_eq!(status, 200);
    let id = charge["id"].as_str().unwrap();
    let digits = id.strip_prefix("ch_").unwrap();
    assert!(
        digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );
    let expected = json!({
        "id": id, "object": "charge", "status": "succeeded", "amount": 1099, "currency": "EUR",
        "payment_method": "pm_succeeds", "reference": "pay_1", "idempotency_key": "k",
        "capture": true, "decline_code": null,
    });
    assert_eq!(charge, expected);
    assert_eq!(stage.inquire("k").await, (status, charge));
    assert_eq!(stage.counts("k").await, (1, 1));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_decline_carries_its_code() {
    let stage = Stage::set(None).await;
    for (method, code) in [
        ("pm_declines", "do_not_honor"),
        ("pm_declines_insufficient_funds", "insufficient_funds"),
        ("pm_declines_expired_card", "expired_card"),
        ("pm_declines_stolen_card", "stolen_card"),
    ] {
        let first = stage.charge(method, method).await;
        assert_eq!(first.0, 402, "{method}");
        assert_eq!(first.1["status"], "failed");
        assert_eq!(first.1["decline_code"], code);
        assert_eq!(stage.charge(method, method).await, first);
        let (status, charge) = stage.inquire(method).await;
        assert_eq!((status.as_u16(), charge), (200, first.1));
        assert_eq!(stage.counts(method).await, (1, 2));
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_hides_a_charge_that_was_executed() {
    let stage = Stage::set(None).await;
    let (status, answer) = stage.charge("k", "pm_server_error").await;
    assert_eq!(
        (status.as_u16(), answer),
        (500, json!({ "error": "server_error" }))
    );
    let (status, charge) = stage.inquire("k").await;
    assert_eq!(status, 200);
    assert_eq!(charge["status"], "succeeded");
    assert_eq!(stage.charge("k", "pm_server_error").await, (status, charge));
    assert_eq!(stage.counts("k").await, (1, 2));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_times_out_was_executed_all_the_same() {
    let stage = Stage::set(None).await;
    assert!(gives_no_answer(&stage, "pm_times_out").await);
    let (status, charge) = stage.inquire("pm_times_out").await;
    assert_eq!(status, 200);
    assert_eq!(charge["status"], "succeeded");
    // Only the first call gets no answer.
    assert_eq!(
        stage.charge("pm_times_out", "pm_times_out").await,
        (status, charge)
    );
    assert_eq!(stage.counts("pm_times_out").await, (1, 2));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_answered_has_no_effect() {
    let stage = Stage::set(None).await;
    for calls in 1..=2 {
        assert!(gives_no_answer(&stage, "pm_never_answers").await);
        let (status, answer) = stage.inquire("pm_never_answers").await;
        assert_eq!(
            (status.as_u16(), answer),
            (404, json!({ "error": "no_such_charge" }))
        );
        assert_eq!(stage.counts("pm_never_answers").await, (0, calls));
    }
    stage.strike().await;
}

/// Whether a call with the method's name as its key reaches the time limit of the caller.
async fn gives_no_answer(stage: &Stage, method: &str) -> bool {
    let request = stage
        .client
        .post(stage.url("/v1/charges"))
        .header("Idempotency-Key", method);
    let request = request
        .body(order(method).to_string())
        .timeout(Duration::from_secs(1));
    request.send().await.is_err_and(|error| error.is_timeout())
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_equal_calls_at_once_have_one_effect() {
    let stage = Stage::set(None).await;
    let url = stage.url("/v1/charges");
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let request = stage.client.post(&url).header("Idempotency-Key", "k");
            let request = request.body(order("pm_succeeds").to_string());
            tokio::spawn(async move { read(request.send().await.unwrap()).await })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    assert_eq!(answers[0].0, 200);
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(stage.counts("k").await, (1, 20));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_body_is_refused_and_not_counted() {
    let stage = Stage::set(None).await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    let changes = [
        ("amount", json!(1098)),
        ("currency", json!("USD")),
        ("payment_method", json!("pm_declines")),
        ("reference", Value::Null),
        ("capture", json!(false)),
    ];
    for (member, value) in changes {
        let mut other = order("pm_succeeds");
        other[member] = value;
        let (status, answer) = read(stage.post("k", other.to_string()).await).await;
        assert_eq!(status, 409, "{member}");
        assert_eq!(answer, json!({ "error": "idempotency_mismatch" }));
    }
    assert_eq!(stage.inquire("k").await.1, charge);
    assert_eq!(stage.counts("k").await, (1, 1));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_a_rule_is_named_and_leaves_nothing() {
    let stage = Stage::set(None).await;
    let with = |member: &str, value: Value| {
        let mut body = order("pm_succeeds");
        body[member] = value;
        body.to_string()
    };
    let cases = [
        (with("amount", json!(0)), "invalid_amount"),
        (with("amount", json!(-1)), "invalid_amount"),
        (with("amount", json!(1.5)), "malformed_body"),
        (with("amount", json!("1099")), "malformed_body"),
        (with("amount", json!(u64::MAX)), "malformed_body"),
        (with("currency", json!("eur")), "invalid_currency"),
        (with("currency", json!("ZZZ")), "invalid_currency"),
        (
            with("reference", json!("x".repeat(256))),
            "invalid_reference",
        ),
        (
            with("payment_method", json!("pm_unheard_of")),
            "unknown_payment_method",
        ),
        (with("unknown", json!(true)), "malformed_body"),
        (with("capture", Value::Null), "malformed_body"),
        (with("capture", json!("no")), "malformed_body"),
        (
            r#"[1099,"EUR","pm_succeeds","pay_1"]"#.to_owned(),
            "malformed_body",
        ),
        (
            with("amount", json!(1)).replacen('{', r#"{"amount":2,"#, 1),
            "malformed_body",
        ),
        ("{".to_owned(), "malformed_body"),
        (String::new(), "malformed_body"),
    ];
    for (body, error) in cases {
        let (status, answer) = read(stage.post("k", body.clone()).await).await;
        assert_eq!(
            (status.as_u16(), answer),
            (400, json!({ "error": error })),
            "{body}"
        );
    }
    let (status, answer) = read(stage.post("k", "x".repeat(64 * 1024 + 1)).await).await;
    assert_eq!(
        (status.as_u16(), answer),
        (413, json!({ "error": "body_too_large" }))
    );
    let (status, _) = stage.inquire("k").await;
    assert_eq!(status, 404);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_needs_exactly_one_legal_key() {
    let stage = Stage::set(None).await;
    let too_long = "k".repeat(256);
    let cases: [(&[&str], &str); 4] = [
        (&[], "idempotency_key_required"),
        (&["a", "a"], "invalid_idempotency_key"),
        (&["a b"], "invalid_idempotency_key"),
        (&[&too_long], "invalid_idempotency_key"),
    ];
    for (keys, error) in cases {
        let mut request = stage.client.post(stage.url("/v1/charges"));
        for key in keys {
            request = request.header("Idempotency-Key", *key);
        }
        let response = request
            .body(order("pm_succeeds").to_string())
            .send()
            .await
            .unwrap();
        let (status, answer) = read(response).await;
        assert_eq!(
            (status.as_u16(), answer),
            (400, json!({ "error": error })),
            "{keys:?}"
        );
    }
    let longest = "k".repeat(255);
    assert_eq!(stage.charge(&longest, "pm_succeeds").await.0, 200);
    stage.strike().await;
}

#[actix_web::test]
async fn it_also_runs_inside_an_actix_system() {
    let stage = Stage::set(None).await;
    assert_eq!(stage.charge("k", "pm_succeeds").await.0, 200);
    stage.strike().await;
}
