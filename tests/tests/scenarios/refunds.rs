//! Refunds: in parts, refused, without an outcome, returned, and raced for.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::authorizations::race;
use crate::books_hold;
use crate::given::{as_read, eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, list, pointers};

/// Short enough to give up a silent provider soon, long enough for a busy one.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "500"];

/// A payment that has succeeded, by its id.
async fn paid(shop: &Shop, key: &str, method: &str) -> String {
    let reply = shop.pay(key, method).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    text(&reply.json(), "/id")
}

/// A refund as it is now.
async fn refund(shop: &Shop, id: &str) -> Value {
    let reply = shop.client.get(&format!("/v1/refunds/{id}")).await;
    assert_eq!(reply.status, 200, "{id}");
    reply.json()
}

/// The refund, after it is no longer pending.
async fn finished(shop: &Shop, id: &str) -> Value {
    eventually("the refund settles", async || {
        let refund = refund(shop, id).await;
        (refund["status"] != "pending").then_some(refund)
    })
    .await
}

/// The provider's id of the only refund of a payment.
async fn refund_at_provider(shop: &Shop, payment: &str) -> String {
    let journal = shop.journal().await;
    let mut refunds = journal.iter().filter(|row| row["object"] == "refund");
    let refund = refunds.find(|row| row["reference"] == payment);
    text(refund.expect("the provider has a refund"), "/id")
}

on_both_databases!(a_refund_takes_what_a_refund_that_failed_has_given_back);
async fn a_refund_takes_what_a_refund_that_failed_has_given_back(database: Database) {
    let shop = Shop::open(&database);
    let id = paid(&shop, "k-1", "pm_refund_declines").await;
    // The second one needs the money of the charge, and what the first one has given back.
    for (key, amount) in [("r-1", 600), ("r-2", PRICE)] {
        let refused = shop
            .ask(&id, "refunds", key, &json!({"amount": amount}))
            .await;
        assert_eq!(refused.status, 402, "{}", refused.json());
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_payment_is_refunded_in_parts_until_nothing_is_left);
async fn a_payment_is_refunded_in_parts_until_nothing_is_left(database: Database) {
    let shop = Shop::open(&database);
    let id = paid(&shop, "k-1", "pm_succeeds").await;

    let part =
        json!({"amount": 99, "reason": "a cup was broken", "description": "order 7, second cup"});
    let first = shop.ask(&id, "refunds", "r-1", &part).await;

    let made = first.json();
    assert_eq!((first.status, &made["status"]), (201, &json!("succeeded")));
    assert_eq!(
        (&made["amount"], &made["payment"]),
        (&json!(99), &json!(id))
    );
    assert_eq!(made["reason"], "a cup was broken");
    assert_eq!(made["description"], "order 7, second cup");
    let made = as_read(made);
    assert_eq!(refund(&shop, &text(&made, "/id")).await, made);
    assert_eq!(shop.payment(&id).await["amount_refunded"], 99);
    shop.assert_as_the_provider_says().await;
    let again = shop.ask(&id, "refunds", "r-1", &part).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let long = json!({"description": "x".repeat(501)});
    let long = shop.ask(&id, "refunds", "r-long", &long).await;
    is_problem("too long", &long, 422, "invalid_field");
    assert_eq!(pointers(&long), ["/description"]);
    let much = shop
        .ask(&id, "refunds", "r-2", &json!({"amount": 1001}))
        .await;
    is_problem("more than is left", &much, 422, "exceeds_remaining");
    assert_eq!(
        (&much.json()["left"], pointers(&much)),
        (&json!(1000), vec!["/amount".to_owned()])
    );
    let rest = shop.ask(&id, "refunds", "r-3", &json!({})).await;
    assert_eq!((rest.status, &rest.json()["amount"]), (201, &json!(1000)));
    let nothing = shop.ask(&id, "refunds", "r-4", &json!({})).await;
    is_problem("nothing is left", &nothing, 422, "exceeds_remaining");
    assert_eq!(nothing.json()["left"], 0);
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    shop.assert_as_the_provider_says().await;
    let newest_first = [as_read(rest.json()), made];
    for path in [
        format!("/v1/payments/{id}/refunds"),
        "/v1/refunds".to_owned(),
    ] {
        assert_eq!(
            list(&shop.client.get(&path).await.json()),
            newest_first,
            "{path}"
        );
        let page = shop.client.get(&format!("{path}?limit=1")).await.json();
        assert_eq!(list(&page), newest_first[..1], "{path}");
        let cursor = text(&page, "/next_cursor");
        let next = shop
            .client
            .get(&format!("{path}?limit=1&cursor={cursor}"))
            .await
            .json();
        assert_eq!(
            (list(&next), &next["next_cursor"]),
            (newest_first[1..].to_vec(), &Value::Null)
        );
    }
    books_hold(&database);
}

on_both_databases!(what_was_not_captured_cannot_be_refunded);
async fn what_was_not_captured_cannot_be_refunded(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");

    let early = shop.ask(&id, "refunds", "r-1", &json!({})).await;

    is_problem("authorized only", &early, 409, "payment_state_conflict");
    let part = json!({"amount": 99, "final": false});
    assert_eq!(shop.ask(&id, "capture", "c-1", &part).await.status, 200);
    let much = shop
        .ask(&id, "refunds", "r-2", &json!({"amount": 100}))
        .await;
    is_problem("more than was captured", &much, 422, "exceeds_remaining");
    let all = shop.ask(&id, "refunds", "r-3", &json!({})).await;
    assert_eq!((all.status, &all.json()["amount"]), (201, &json!(99)));
    assert_eq!(shop.payment(&id).await["status"], "requires_capture");
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_refund_that_the_provider_refuses_can_be_made_again);
async fn a_refund_that_the_provider_refuses_can_be_made_again(database: Database) {
    let shop = Shop::open(&database);
    let id = paid(&shop, "k-1", "pm_refund_declines").await;

    let refused = shop.ask(&id, "refunds", "r-1", &json!({})).await;

    is_problem("refused", &refused, 402, "declined");
    assert_eq!(refused.json()["decline_code"], "do_not_honor");
    let failed = refund(&shop, &text(&refused.json(), "/resource")).await;
    assert_eq!(
        (&failed["status"], &failed["decline_code"]),
        (&json!("failed"), &json!("do_not_honor"))
    );
    assert_eq!(shop.payment(&id).await["amount_refunded"], 0);
    shop.assert_as_the_provider_says().await;
    let again = shop.ask(&id, "refunds", "r-1", &json!({})).await;
    assert_eq!((again.status, &again.body), (402, &refused.body));
    books_hold(&database);
}

on_both_databases!(a_refund_without_an_answer_is_finished_by_inquiry);
async fn a_refund_without_an_answer_is_finished_by_inquiry(database: Database) {
    let shop = Shop::open_with(&database, &IMPATIENT);
    for method in ["pm_refund_server_error", "pm_refund_times_out"] {
        let id = paid(&shop, method, method).await;

        let reply = shop
            .ask(&id, "refunds", &format!("{method}-1"), &json!({}))
            .await;

        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (202, &json!("pending")),
            "{method}"
        );
        // What is on its way counts, so it cannot be refunded twice.
        let second = shop
            .ask(&id, "refunds", &format!("{method}-2"), &json!({}))
            .await;
        is_problem("what is on its way", &second, 422, "exceeds_remaining");
        let refund = finished(&shop, &text(&reply.json(), "/id")).await;
        assert_eq!(refund["status"], "succeeded", "{method}");
    }
    for row in shop.journal().await {
        assert_eq!(row["effects"], 1, "{row}");
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_refund_that_waits_at_the_provider_ends_when_the_provider_says_so);
async fn a_refund_that_waits_at_the_provider_ends_when_the_provider_says_so(database: Database) {
    let shop = Shop::open(&database);
    let provider = Client::new(shop.florin.sandbox(), None);
    for (word, status) in [("succeed", "succeeded"), ("fail", "failed")] {
        let id = paid(&shop, word, "pm_refund_pending").await;
        let part = json!({"amount": 1000});
        let reply = shop.ask(&id, "refunds", status, &part).await;
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (202, &json!("pending"))
        );
        let transit = shop.find("liabilities:refunds_in_transit:EUR").await;
        assert_eq!(transit.expect("it is open")["balances"]["posted"], 1000);

        let at_provider = refund_at_provider(&shop, &id).await;
        let path = format!("/v1/refunds/{at_provider}/{word}");
        assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);

        let refund = finished(&shop, &text(&reply.json(), "/id")).await;
        assert_eq!(refund["status"], status);
        shop.assert_as_the_provider_says().await;
    }
    books_hold(&database);
}

on_both_databases!(a_refund_that_comes_back_can_be_made_again_and_stays_as_it_was);
async fn a_refund_that_comes_back_can_be_made_again_and_stays_as_it_was(database: Database) {
    let shop = Shop::open(&database);
    let id = paid(&shop, "k-1", "pm_succeeds").await;
    let made = shop
        .ask(&id, "refunds", "r-1", &json!({"amount": 600}))
        .await
        .json();
    let at_provider = refund_at_provider(&shop, &id).await;
    let provider = Client::new(shop.florin.sandbox(), None);

    let path = format!("/v1/refunds/{at_provider}/return");
    assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);

    eventually("the return", async || {
        (shop.payment(&id).await["amount_refunded"] == 0).then_some(())
    })
    .await;
    assert_eq!(
        refund(&shop, &text(&made, "/id")).await["status"],
        "succeeded"
    );
    shop.assert_as_the_provider_says().await;
    // The return is reported again, and changes nothing more.
    let path = format!("/v1/webhooks/{at_provider}/redeliver");
    let redelivered = provider.post(&path, None, &json!({})).await.json();
    assert_eq!(redelivered["delivered"], true);
    assert_eq!(shop.payment(&id).await["amount_refunded"], 0);
    let second = shop.ask(&id, "refunds", "r-2", &json!({})).await;
    assert_eq!(
        (second.status, &second.json()["amount"]),
        (201, &json!(PRICE))
    );
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(racing_refunds_never_exceed_the_capture);
async fn racing_refunds_never_exceed_the_capture(database: Database) {
    let shop = Shop::open(&database);
    let id = paid(&shop, "k-1", "pm_succeeds").await;

    let statuses = race(&shop, &id, 20, "refunds", &json!({"amount": 300})).await;

    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        3,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [201, 422].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(number(&shop.payment(&id).await, "/amount_refunded"), 900);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_refund_that_is_not_yours_is_not_there);
async fn a_refund_that_is_not_yours_is_not_there(database: Database) {
    let shop = Shop::open(&database);
    let id = paid(&shop, "k-1", "pm_succeeds").await;
    let made = shop.ask(&id, "refunds", "r-1", &json!({})).await.json();
    let refund = text(&made, "/id");
    let key = crate::shop::second_tenant(&database).await;
    let other = Client::new(shop.florin.api(), key);

    let operation = refund.replace("re_", "op_");
    for path in [
        format!("/v1/refunds/{refund}"),
        format!("/v1/refunds/{operation}"),
        "/v1/refunds/re_1".to_owned(),
        format!("/v1/payments/{id}/refunds"),
    ] {
        is_problem(&path, &other.get(&path).await, 404, "not_found");
    }
    for to in ["capture", "cancel", "refunds"] {
        let path = format!("/v1/payments/{id}/{to}");
        let foreign = other.post(&path, to, &json!({})).await;
        is_problem(to, &foreign, 404, "not_found");
    }
    // The operation of the payment itself is no refund.
    let charge = shop.charge_of(&id).await;
    let charge = text(&charge, "/idempotency_key").replace("op_", "re_");
    let reply = shop.client.get(&format!("/v1/refunds/{charge}")).await;
    is_problem("a charge", &reply, 404, "not_found");
    assert_eq!(
        list(&other.get("/v1/refunds").await.json()),
        Vec::<Value>::new()
    );
    books_hold(&database);
}
