//! The steps after a charge: their records, the totals, and what the provider refuses by them.

use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::Receiver;
use crate::stage::{Stage, order, read};
use crate::webhooks::assert_tells_of;

/// The last part of a step's URL, the name of its records, and the beginning of their ids.
pub(crate) const STEPS: [(&str, &str, &str); 4] = [
    ("captures", "capture", "cap_"),
    ("voids", "void", "vd_"),
    ("increments", "increment", "inc_"),
    ("refunds", "refund", "rf_"),
];

/// The body of a step of this amount.
pub(crate) fn body(records: &str, amount: i64) -> Value {
    if records == "captures" {
        json!({ "amount": amount, "final": false })
    } else {
        json!({ "amount": amount })
    }
}

fn assert_is_of(prefix: &str, record: &Value) {
    let id = record["id"].as_str().unwrap();
    let digits = id.strip_prefix(prefix).unwrap();
    assert!(
        digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_shown_whole_told_once_and_moves_its_total() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let charge = stage.authorize("k", "pm_succeeds").await;
    let expected = json!({
        "id": charge["id"], "object": "charge", "status": "authorized", "amount": 1000, "currency": "EUR",
        "payment_method": "pm_succeeds", "reference": "pay_1", "idempotency_key": "k",
        "capture": false, "decline_code": null,
    });
    assert_eq!(charge, expected);
    assert_tells_of(&receiver.next().await, "charge.authorized", &charge);
    assert_eq!(stage.totals().await, [1000, 0, 0, 0]);

    // An increment needs something that is left, so the void is not before it.
    let [captures, voids, increments, refunds] = STEPS;
    for ((records, object, prefix), amount, totals) in [
        (captures, 400, [1000, 400, 0, 0]),
        (increments, 100, [1100, 400, 0, 0]),
        (voids, 700, [1100, 400, 700, 0]),
        (refunds, 150, [1100, 400, 700, 150]),
    ] {
        let (status, record) = stage
            .step(object, &charge, records, body(records, amount))
            .await;
        assert_eq!(status, 200, "{record}");
        assert_is_of(prefix, &record);
        let expected = json!({
            "id": record["id"], "object": object, "status": "succeeded", "charge": charge["id"],
            "amount": amount, "currency": "EUR", "payment_method": "pm_succeeds", "reference": "pay_1",
            "idempotency_key": object, "decline_code": null,
        });
        assert_eq!(record, expected);
        let webhook = receiver.next().await;
        assert_tells_of(&webhook, &format!("{object}.succeeded"), &record);
        assert_eq!(stage.totals().await, totals);

        // The key again is the stored record, and its event can be sent again.
        let again = stage
            .step(object, &charge, records, body(records, amount))
            .await;
        assert_eq!(again, (status, record.clone()));
        assert_eq!(
            stage.inquire_at(records, object).await,
            (status, record.clone())
        );
        assert_eq!(stage.counts(object).await, (1, 2));
        assert_eq!(stage.totals().await, totals);
        stage.redeliver(&record).await;
        assert_eq!(receiver.next().await.event, webhook.event);
        assert!(receiver.is_quiet());

        let mut row = record;
        row["effects"] = json!(1);
        row["calls"] = json!(2);
        assert!(stage.rows().await.contains(&row));
    }
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_found_only_among_the_records_of_its_kind() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("charges", "pm_succeeds").await;
    stage
        .step("captures", &charge, "captures", body("captures", 1))
        .await;
    stage
        .step("increments", &charge, "increments", body("increments", 1))
        .await;
    stage
        .step("refunds", &charge, "refunds", body("refunds", 1))
        .await;
    stage
        .step("voids", &charge, "voids", body("voids", 1000))
        .await;
    let all = ["charges", "captures", "voids", "increments", "refunds"];
    for key in all {
        for records in all {
            let (status, answer) = stage.inquire_at(records, key).await;
            if records == key {
                assert_eq!(
                    (status.as_u16(), &answer["idempotency_key"]),
                    (200, &json!(key))
                );
            } else {
                let none = json!({ "error": "no_such_charge" });
                assert_eq!((status.as_u16(), answer), (404, none), "{key} at {records}");
            }
        }
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_final_capture_releases_the_rest() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("k", "pm_succeeds").await;
    let part = json!({ "amount": 300, "final": false });
    assert_eq!(stage.step("part", &charge, "captures", part).await.0, 200);
    let last = json!({ "amount": 600, "final": true });
    assert_eq!(stage.step("last", &charge, "captures", last).await.0, 200);
    assert_eq!(stage.totals().await, [1000, 900, 100, 0]);
    for (records, amount, code) in [
        ("captures", 1, "amount_too_large"),
        ("voids", 100, "amount_mismatch"),
        ("increments", 1, "not_authorized"),
    ] {
        let (status, record) = stage
            .step(records, &charge, records, body(records, amount))
            .await;
        assert_eq!(
            (status.as_u16(), &record["decline_code"]),
            (402, &json!(code))
        );
    }
    assert_eq!(stage.totals().await, [1000, 900, 100, 0]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_totals_forbid_is_a_failed_record_that_moves_nothing() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let held = stage.authorize("held", "pm_succeeds").await;
    receiver.next().await;
    stage
        .step("some", &held, "captures", body("captures", 400))
        .await;
    receiver.next().await;
    let (_, taken) = stage.charge("taken", "pm_succeeds").await;
    receiver.next().await;
    let (_, failed) = stage.charge("failed", "pm_declines").await;
    receiver.next().await;
    let (_, waiting) = stage.charge("waiting", "pm_requires_action").await;

    let mut cases = vec![
        (&held, 0, 601, "amount_too_large"),
        (&held, 1, 599, "amount_mismatch"),
        (&held, 1, 601, "amount_mismatch"),
        (&held, 3, 401, "exceeds_captured"),
        (&taken, 0, 1, "amount_too_large"),
        (&taken, 1, 1099, "amount_mismatch"),
        (&taken, 2, 1, "not_authorized"),
        (&taken, 3, 1100, "exceeds_captured"),
    ];
    for charge in [&failed, &waiting] {
        cases.extend((0..STEPS.len()).map(|step| (charge, step, 1099, "not_authorized")));
    }
    let before = stage.totals().await;
    for (number, (charge, step, amount, code)) in cases.into_iter().enumerate() {
        let (records, object, _) = STEPS[step];
        let key = format!("refused-{number}");
        let refused = stage
            .step(&key, charge, records, body(records, amount))
            .await;
        let (status, record) = &refused;
        assert_eq!(*status, 402, "{record}");
        assert_eq!(
            (&record["status"], &record["decline_code"]),
            (&json!("failed"), &json!(code))
        );
        assert_eq!(record["charge"], charge["id"]);
        assert_tells_of(&receiver.next().await, &format!("{object}.failed"), record);
        assert_eq!(
            stage
                .step(&key, charge, records, body(records, amount))
                .await,
            refused
        );
        assert_eq!(stage.inquire_at(records, &key).await.1, refused.1);
        assert_eq!(stage.counts(&key).await, (1, 2));
    }
    assert_eq!(stage.totals().await, before);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_no_charge_leaves_nothing() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("k", "pm_succeeds").await;
    let (_, capture) = stage
        .step("part", &charge, "captures", body("captures", 1))
        .await;
    let before = stage.rows().await;
    for charge in [&json!({ "id": "ch_unheard" }), &capture] {
        for (records, _, _) in STEPS {
            let (status, answer) = stage.step("x", charge, records, body(records, 1)).await;
            let none = json!({ "error": "no_such_charge" });
            assert_eq!((status.as_u16(), answer), (404, none), "{records}");
        }
    }
    assert_eq!(stage.rows().await, before);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_body_step_or_charge_is_refused() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("one", "pm_succeeds").await;
    let other = stage.authorize("other", "pm_succeeds").await;
    let first = stage
        .step("k", &charge, "captures", body("captures", 100))
        .await;
    for (charge, records, body) in [
        (&charge, "captures", body("captures", 101)),
        (&charge, "captures", json!({ "amount": 100, "final": true })),
        (&charge, "refunds", body("refunds", 100)),
        (&charge, "voids", body("voids", 100)),
        (&charge, "increments", body("increments", 100)),
        (&other, "captures", body("captures", 100)),
    ] {
        let (status, answer) = stage.step("k", charge, records, body).await;
        let mismatch = json!({ "error": "idempotency_mismatch" });
        assert_eq!((status.as_u16(), answer), (409, mismatch), "{records}");
    }
    // The keys of charges and of steps are the same keys.
    assert_eq!(stage.charge("k", "pm_succeeds").await.0, 409);
    let (status, _) = stage
        .step("one", &charge, "refunds", body("refunds", 1))
        .await;
    assert_eq!(status, 409);
    assert_eq!(
        stage
            .step("k", &charge, "captures", body("captures", 100))
            .await,
        first
    );
    assert_eq!(stage.counts("k").await, (1, 2));
    assert_eq!(stage.totals().await, [2000, 100, 0, 0]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_body_breaks_a_rule_leaves_nothing() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("k", "pm_succeeds").await;
    for (records, _, _) in STEPS {
        let with = |member: &str, value: Value| {
            let mut body = body(records, 1);
            body[member] = value;
            body
        };
        for (body, error) in [
            (with("amount", json!(0)), "invalid_amount"),
            (with("amount", json!(-1)), "invalid_amount"),
            (with("amount", json!("1")), "malformed_body"),
            (with("amount", Value::Null), "malformed_body"),
            (with("final", Value::Null), "malformed_body"),
            (with("currency", json!("EUR")), "malformed_body"),
            (json!({ "final": false }), "malformed_body"),
            (json!([1, false]), "malformed_body"),
        ] {
            let (status, answer) = stage.step("x", &charge, records, body.clone()).await;
            let expected = (400, json!({ "error": error }));
            assert_eq!((status.as_u16(), answer), expected, "{records} {body}");
        }
    }
    let unsaid = json!({ "amount": 1 });
    assert_eq!(
        stage.step("x", &charge, "captures", unsaid.clone()).await.0,
        400
    );
    let keyless = stage.client.post(stage.url("/v1/charges/ch_1/voids"));
    let (status, answer) = read(keyless.body(unsaid.to_string()).send().await.unwrap()).await;
    let required = json!({ "error": "idempotency_key_required" });
    assert_eq!((status.as_u16(), answer), (400, required));
    assert_eq!(stage.rows().await.len(), 1);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_steps_and_the_totals() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("k", "pm_succeeds").await;
    let captured = stage
        .step("c", &charge, "captures", body("captures", 400))
        .await;
    stage
        .step("i", &charge, "increments", body("increments", 50))
        .await;
    stage
        .step("r", &charge, "refunds", body("refunds", 300))
        .await;
    stage
        .step("no", &charge, "refunds", body("refunds", 101))
        .await;
    stage.step("v", &charge, "voids", body("voids", 650)).await;
    let (totals, rows) = (stage.totals().await, stage.rows().await);
    assert_eq!(totals, [1050, 400, 650, 300]);

    let stage = stage.restarted(|_| ()).await;
    assert_eq!(stage.totals().await, totals);
    assert_eq!(stage.rows().await, rows);
    assert_eq!(
        stage
            .step("c", &charge, "captures", body("captures", 400))
            .await,
        captured
    );
    let (_, refused) = stage
        .step("r2", &charge, "refunds", body("refunds", 101))
        .await;
    assert_eq!(refused["decline_code"], "exceeds_captured");
    let (_, refunded) = stage
        .step("r3", &charge, "refunds", body("refunds", 100))
        .await;
    assert_eq!(refunded["status"], "succeeded");
    assert_eq!(stage.totals().await, [1050, 400, 650, 400]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_sums_by_currency_and_are_as_wide_as_they_must_be() {
    let stage = Stage::set(None).await;
    assert_eq!(stage.get("/v1/totals").await.1, json!({ "data": [] }));
    for (key, currency, amount) in [
        ("a", "USD", 5),
        ("b", "EUR", i64::MAX),
        ("c", "EUR", i64::MAX),
    ] {
        let mut body = order("pm_succeeds");
        body["currency"] = json!(currency);
        body["amount"] = json!(amount);
        assert_eq!(stage.post(key, body.to_string()).await.status(), 200);
    }
    stage.charge("d", "pm_declines").await;
    let sum = u64::MAX - 1;
    let row = |currency, sum| {
        json!({
            "currency": currency, "authorized": sum, "captured": sum, "released": 0, "refunded": 0,
            "withdrawn": 0, "paid_out": 0,
        })
    };
    let expected = json!({ "data": [row("EUR", sum), row("USD", 5)] });
    assert_eq!(stage.get("/v1/totals").await.1, expected);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_refunds_never_exceed_the_capture() {
    for (amount, winners) in [(1000, 1), (300, 3)] {
        let stage = Stage::set(None).await;
        let charge = stage.authorize("k", "pm_succeeds").await;
        stage
            .step("c", &charge, "captures", body("captures", 1000))
            .await;
        let calls: Vec<_> = (0..20)
            .map(|number| {
                let request = stage.step_request(&format!("r-{number}"), &charge, "refunds");
                let request = request.body(body("refunds", amount).to_string());
                tokio::spawn(async move { read(request.send().await.unwrap()).await })
            })
            .collect();
        let mut succeeded = 0;
        for call in calls {
            let (status, record) = call.await.unwrap();
            if status == 200 {
                succeeded += 1;
            } else {
                assert_eq!(
                    (status.as_u16(), &record["decline_code"]),
                    (402, &json!("exceeds_captured"))
                );
            }
        }
        assert_eq!(succeeded, winners);
        assert_eq!(stage.totals().await, [1000, 1000, 0, amount * winners]);
        stage.strike().await;
    }
}
