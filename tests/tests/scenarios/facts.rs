//! Facts from a provider are compared in every field, whether they come in a reply, in the answer to an inquiry or
//! in a webhook. A fact that cannot be right is put aside, counted and logged, and the first fact stays.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::books_hold;
use crate::given::{eventually, is_problem, text};
use crate::provider::{Call, Provider};
use crate::shop::{PRICE, Shop, pointers};
use crate::webhooks::{Sender, event, kept, said};

on_both_databases!(a_webhook_is_compared_in_every_field_and_the_first_fact_stands);
async fn a_webhook_is_compared_in_every_field_and_the_first_fact_stands(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let paid = text(&shop.pay("k-1", "pm_succeeds").await.json(), "/id");
    let declined = text(&shop.pay("k-2", "pm_declines").await.json(), "/resource");
    eventually("the provider's own webhooks", async || {
        (kept(&database) == (2, 0)).then_some(())
    })
    .await;
    let references = "SELECT count(*) FROM operation WHERE provider_ref IN ";
    let (taken, refused) = (shop.charge_of(&paid).await, shop.charge_of(&declined).await);
    let names = [&taken, &refused].map(|charge| text(charge, "/id"));
    let known = format!("{references} ('{}', '{}')", names[0], names[1]);
    assert_eq!(database.number(&known), 2);

    let other = |charge: &Value, field: &str, value: Value| {
        let mut charge = charge.clone();
        charge[field] = value;
        charge
    };
    let mut wrong = Vec::new();
    for (kind, charge) in [("charge.succeeded", &taken), ("charge.failed", &refused)] {
        for (field, value) in [
            ("id", json!("ch_second")),
            ("amount", json!(PRICE + 1)),
            ("currency", json!("USD")),
            ("reference", json!("pay_of_somebody_else")),
            ("payment_method", json!("pm_other")),
        ] {
            wrong.push((kind, other(charge, field, value)));
        }
    }
    let other_reason = other(&refused, "decline_code", json!("expired_card"));
    wrong.push(("charge.failed", other_reason));
    let metric = "florin_webhooks_quarantined_total";
    for (number, (kind, charge)) in (1..).zip(&wrong) {
        let event = event(&format!("evt_wrong_{number}"), kind, charge);
        let answer = provider.deliver(&event).await;
        assert_eq!(
            said(&answer),
            (200, "quarantined".to_owned()),
            "{kind} {charge}"
        );
        assert_eq!(shop.counter(metric).await, number, "{kind} {charge}");
        assert_eq!(kept(&database).1, i64::try_from(number).expect("few"));
        assert_eq!(database.number(&known), 2, "the first references stand");
    }
    assert_eq!(kept(&database).1, i64::try_from(wrong.len()).expect("few"));
    for rule in [
        "second record",
        "another amount",
        "another payment",
        "another decline code",
    ] {
        let kept = format!("SELECT count(*) FROM quarantine WHERE reason LIKE '%{rule}%'");
        assert!(database.number(&kept) > 0, "{rule}");
    }
    assert!(shop.florin.log().contains("second record"), "it is alarmed");

    // The same fact in another event changes nothing.
    let again = event("evt_again", "charge.succeeded", &taken);
    assert_eq!(
        said(&provider.deliver(&again).await),
        (200, "applied".to_owned())
    );
    assert_eq!(shop.payment(&paid).await["status"], "succeeded");
    assert_eq!(
        shop.payment(&declined).await["decline_code"],
        "do_not_honor"
    );
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_reply_with_a_second_charge_is_put_aside);
async fn a_reply_with_a_second_charge_is_put_aside(database: Database) {
    second_charge(database, "the reply").await;
}

on_both_databases!(an_inquiry_with_a_second_charge_is_put_aside);
async fn an_inquiry_with_a_second_charge_is_put_aside(database: Database) {
    second_charge(database, "the inquiry").await;
}

/// The webhook reports one charge while the provider has not answered yet; its answer reports another charge.
async fn second_charge(database: Database, told_by: &str) {
    let mut provider = Provider::open().await;
    let shop = Shop::open_with(&database, &["--provider-url", &provider.url]);
    let sender = Sender::of(&shop);
    let waiting = shop.pay_waiting("k-1", "pm_card", 0);
    let (reply, mut call) = tokio::join!(waiting, provider.call());
    let id = text(&reply.json(), "/id");
    if told_by == "the inquiry" {
        call.answer(500, "");
        call = provider.call().await;
        assert!(call.is_inquiry);
    }
    let first = event("evt_1", "charge.succeeded", &call.charge("ch_first"));
    assert_eq!(
        said(&sender.deliver(&first).await),
        (200, "applied".to_owned())
    );

    let second = call.charge("ch_second").to_string();
    call.answer(200, second.clone());

    eventually("the answer is put aside", async || {
        (kept(&database) == (1, 1)).then_some(())
    })
    .await;
    let aside = database.number(
        "SELECT count(*) FROM quarantine WHERE provider = 'sandbox' AND event_id LIKE 'answer:op_%' \
         AND reason = 'a second record for one operation'",
    );
    assert_eq!(aside, 1, "{told_by}");
    assert_eq!(
        shop.counter("florin_provider_answers_refused_total").await,
        1
    );
    assert_eq!(
        shop.counter("florin_provider_answers_quarantined_total")
            .await,
        1
    );
    let log = shop.florin.log();
    assert!(
        log.contains("ERROR") && log.contains("second record"),
        "{log}"
    );
    assert_eq!(
        database.number("SELECT count(*) FROM operation WHERE provider_ref = 'ch_first'"),
        1
    );
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(one_charge_is_believed_for_one_payment);
async fn one_charge_is_believed_for_one_payment(database: Database) {
    let mut provider = Provider::open().await;
    let shop = Shop::open_with(&database, &["--provider-url", &provider.url]);
    let sender = Sender::of(&shop);
    let (reply, call) = tokio::join!(shop.pay_waiting("k-1", "pm_card", 0), provider.call());
    let first = text(&reply.json(), "/id");
    let own = call.charge("ch_same").to_string();
    call.answer(200, own);
    eventually("the first payment", async || {
        (shop.payment(&first).await["status"] == "succeeded").then_some(())
    })
    .await;

    // The same charge is named in the reply to another payment, and in webhooks.
    let (reply, call) = tokio::join!(shop.pay_waiting("k-2", "pm_card", 0), provider.call());
    let second = text(&reply.json(), "/id");
    let same = call.charge("ch_same");
    call.answer(200, same.to_string());
    let aside = "SELECT count(*) FROM quarantine WHERE reason = 'the record of another operation'";
    eventually("the reply is put aside", async || {
        (database.number(aside) == 1).then_some(())
    })
    .await;
    for (number, kind) in [(2, "charge.succeeded"), (3, "charge.failed")] {
        let mut told = same.clone();
        if kind == "charge.failed" {
            told["status"] = json!("failed");
            told["decline_code"] = json!("do_not_honor");
        }
        let told = event(&format!("evt_{number}"), kind, &told);
        let answer = said(&sender.deliver(&told).await);
        assert_eq!(answer, (200, "quarantined".to_owned()), "{kind}");
        assert_eq!(database.number(aside), number, "{kind}");
    }
    assert_eq!(shop.payment(&second).await["status"], "processing");
    shop.assert_captured(1).await;

    // With a charge of its own the payment succeeds.
    let mut right = same.clone();
    right["id"] = json!("ch_other");
    let told = event("evt_right", "charge.succeeded", &right);
    assert_eq!(
        said(&sender.deliver(&told).await),
        (200, "applied".to_owned())
    );
    assert_eq!(shop.payment(&second).await["status"], "succeeded");
    shop.assert_captured(2).await;
    books_hold(&database);
}

/// Answers after which nothing is known: the status and the body, by payment method.
fn unbelievable(call: &Call) -> Option<(u16, String)> {
    let charge = call.charge("ch_1");
    let other = |field: &str, value: Value| {
        let mut charge = charge.clone();
        charge[field] = value;
        Some((200, charge.to_string()))
    };
    let text = charge.to_string();
    let doubled = text.replacen('{', "{\"amount\":1,", 1);
    let nested = text.replacen('{', "{\"more\":[{\"k\":1,\"k\":1}],", 1);
    match call.order["payment_method"].as_str().unwrap_or_default() {
        "empty_id" => other("id", json!("")),
        "long_id" => other("id", json!("c".repeat(256))),
        "card_id" => other("id", json!("4242424242424242")),
        "nul_id" => other("id", json!("ch\u{0}1")),
        "no_id" => other("id", Value::Null),
        "no_amount" => other("amount", Value::Null),
        "wrong_amount" => other("amount", json!(PRICE + 1)),
        "wrong_currency" => other("currency", json!("USD")),
        "other_operation" => other("idempotency_key", json!("op_of_somebody_else")),
        "other_method" => other("payment_method", json!("pm_other")),
        "declined_success" => other("decline_code", json!("do_not_honor")),
        "failed_with_200" => other("status", json!("failed")),
        "succeeded_with_402" => Some((402, text)),
        "doubled" => Some((200, doubled)),
        "doubled_within" => Some((200, nested)),
        _ => None,
    }
}

const UNBELIEVABLE: [&str; 15] = [
    "empty_id",
    "long_id",
    "card_id",
    "nul_id",
    "no_id",
    "no_amount",
    "wrong_amount",
    "wrong_currency",
    "other_operation",
    "other_method",
    "declined_success",
    "failed_with_200",
    "succeeded_with_402",
    "doubled",
    "doubled_within",
];

on_both_databases!(an_answer_that_cannot_be_right_is_no_fact_and_is_put_aside_once);
async fn an_answer_that_cannot_be_right_is_no_fact_and_is_put_aside_once(database: Database) {
    let mut provider = Provider::open().await;
    let shop = Shop::open_with(&database, &["--provider-url", &provider.url]);
    for method in UNBELIEVABLE {
        let charged = async {
            loop {
                // If all this takes long, earlier payments are asked about by now.
                let call = provider.call().await;
                if !call.is_inquiry {
                    break call;
                }
                call.answer(500, "");
            }
        };
        let (reply, call) = tokio::join!(shop.pay_waiting(method, method, 0), charged);
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (202, &json!("processing"))
        );
        let (status, body) = unbelievable(&call).unwrap_or_else(|| panic!("{method}"));
        call.answer(status, body);
        let aside = format!(
            "SELECT count(*) FROM quarantine AS q, operation AS o WHERE o.payment_method = '{method}' \
             AND q.event_id = 'answer:op_' || lower({})",
            hex_of_id(&database)
        );
        eventually(method, async || {
            (database.number(&aside) == 1).then_some(())
        })
        .await;
    }
    assert_eq!(
        shop.counter("florin_provider_answers_refused_total").await,
        u64::try_from(UNBELIEVABLE.len()).expect("few")
    );
    // The inquiry gets the same answer again: it is counted, and not stored twice.
    let call = provider.call().await;
    assert!(call.is_inquiry);
    let known = database.number("SELECT count(*) FROM quarantine");
    call.answer(200, b"not JSON".to_vec());
    assert_eq!(known, database.number("SELECT count(*) FROM quarantine"));
    let finished = "SELECT count(*) FROM operation WHERE status IN ('succeeded', 'failed')";
    assert_eq!(database.number(finished), 0);
    shop.assert_captured(0).await;
    books_hold(&database);
}

/// SQL for the id of an operation as 32 hexadecimal digits.
fn hex_of_id(database: &Database) -> &'static str {
    if database.url().starts_with("sqlite:") {
        "hex(o.id)"
    } else {
        "encode(o.id, 'hex')"
    }
}

on_both_databases!(a_signed_event_is_refused_by_the_field_that_is_wrong);
async fn a_signed_event_is_refused_by_the_field_that_is_wrong(database: Database) {
    let shop = Shop::open(&database);
    let sender = Sender::of(&shop);
    let charge = json!({"id": "ch_1", "idempotency_key": "op_1", "amount": 1, "currency": "EUR"});
    let without = |field: &str| {
        let mut charge = charge.clone();
        charge.as_object_mut().expect("an object").remove(field);
        event("evt_1", "charge.succeeded", &charge)
    };
    let doubled = |body: Vec<u8>, from: &str, to: &str| {
        let text = String::from_utf8(body).expect("JSON");
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1).into_bytes()
    };
    let whole = || event("evt_1", "charge.succeeded", &charge);
    let cases = [
        (
            "amount",
            without("amount"),
            "/data/object/amount",
            "required",
        ),
        (
            "currency",
            without("currency"),
            "/data/object/currency",
            "required",
        ),
        ("charge id", without("id"), "/data/object/id", "required"),
        (
            "key",
            without("idempotency_key"),
            "/data/object/idempotency_key",
            "required",
        ),
        ("type", b"{\"id\":\"evt_1\"}".to_vec(), "/type", "required"),
        ("no object", b"[]".to_vec(), "", "expected_object"),
        (
            "doubled amount",
            doubled(whole(), "\"amount\":1", "\"amount\":2,\"amount\":1"),
            "/data/object/amount",
            "duplicate_key",
        ),
        (
            "doubled id",
            doubled(
                whole(),
                "\"id\":\"evt_1\"",
                "\"id\":\"evt_2\",\"id\":\"evt_1\"",
            ),
            "/id",
            "duplicate_key",
        ),
    ];
    let count = cases.len();
    for (case, body, pointer, code) in cases {
        let refused = sender.deliver(&body).await;
        is_problem(case, &refused, 422, "invalid_field");
        assert_eq!(pointers(&refused), [pointer], "{case}");
        assert_eq!(text(&refused.json(), "/errors/0/code"), code, "{case}");
    }
    assert_eq!(kept(&database), (0, i64::try_from(count).expect("few")));
    // A sender without the secret does not learn what is wrong.
    let unsigned = Client::new(shop.florin.api(), None);
    let refused = unsigned.post("/webhooks/sandbox", None, &json!({})).await;
    is_problem("unsigned", &refused, 401, "signature_refused");
    books_hold(&database);
}
