//! Payments, from the request to the books, for everything that the provider may do in between.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{as_read, eventually, is_problem, text};
use crate::shop::{PRICE, Shop, list, order, pointers, second_tenant};

/// Short enough to give up a silent provider soon, long enough for a busy one.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "500"];

on_both_databases!(a_payment_that_succeeds_is_posted_once);
async fn a_payment_that_succeeds_is_posted_once(database: Database) {
    let shop = Shop::open(&database);

    let reply = shop.pay("k-1", "pm_succeeds").await;

    let payment = reply.json();
    assert_eq!(
        (reply.status, &payment["status"]),
        (201, &json!("succeeded"))
    );
    assert_eq!(payment["amount_captured"], PRICE);
    assert_eq!(
        shop.payment(&text(&payment, "/id")).await,
        as_read(payment.clone())
    );
    let charge = shop.charge_of(&text(&payment, "/id")).await;
    assert_eq!(
        (&charge["effects"], &charge["calls"]),
        (&json!(1), &json!(1))
    );
    // The provider reports it once more in a webhook, which changes nothing.
    eventually("the webhook", async || {
        (database.number("SELECT count(*) FROM inbox WHERE status = 'applied'") == 1).then_some(())
    })
    .await;
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_decline_posts_nothing_and_another_method_may_follow);
async fn a_decline_posts_nothing_and_another_method_may_follow(database: Database) {
    let shop = Shop::open(&database);
    let declines = [
        ("pm_declines", "do_not_honor"),
        ("pm_declines_insufficient_funds", "insufficient_funds"),
        ("pm_declines_expired_card", "expired_card"),
        ("pm_declines_stolen_card", "stolen_card"),
    ];
    for (paid, (method, code)) in declines.into_iter().enumerate() {
        let reply = shop.pay(method, method).await;

        is_problem(method, &reply, 402, "declined");
        let told = reply.json();
        assert_eq!(
            (&told["decline_code"], &told["error"]["type"]),
            (&json!(code), &json!("card_error"))
        );
        let id = text(&told, "/resource");
        let payment = shop.payment(&id).await;
        assert_eq!(payment["status"], "requires_payment_method");
        assert_eq!(
            (&payment["decline_code"], &payment["amount_captured"]),
            (&json!(code), &json!(0))
        );
        shop.assert_captured(paid).await;

        // A declined method is not tried again without a request.
        let confirm = format!("/v1/payments/{id}/confirm");
        let unasked = shop.client.post(&confirm, "again", &json!({})).await;
        is_problem("the declined method again", &unasked, 422, "invalid_field");
        assert_eq!(pointers(&unasked), ["/payment_method"]);
        let key = format!("{method}-then");
        let body = json!({"payment_method": "pm_succeeds"});
        let reply = shop.client.post(&confirm, key.as_str(), &body).await;
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (201, &json!("succeeded"))
        );
        assert_eq!(reply.json()["decline_code"], Value::Null);
        shop.assert_captured(paid + 1).await;
    }
    assert_eq!(
        shop.journal().await.len(),
        2 * declines.len(),
        "one charge an attempt"
    );
    books_hold(&database);
}

on_both_databases!(a_method_the_provider_does_not_know_is_a_decline);
async fn a_method_the_provider_does_not_know_is_a_decline(database: Database) {
    let shop = Shop::open(&database);

    let reply = shop.pay("k-1", "pm_of_another_provider").await;

    is_problem("a method nobody knows", &reply, 402, "declined");
    assert_eq!(reply.json()["decline_code"], "refused_by_provider");
    shop.assert_captured(0).await;
    books_hold(&database);
}

on_both_databases!(a_charge_that_times_out_after_it_was_executed_is_finished_by_inquiry);
async fn a_charge_that_times_out_after_it_was_executed_is_finished_by_inquiry(database: Database) {
    is_finished_by_inquiry(database, "pm_times_out").await;
}

on_both_databases!(a_charge_answered_500_after_it_was_executed_is_finished_by_inquiry);
async fn a_charge_answered_500_after_it_was_executed_is_finished_by_inquiry(database: Database) {
    is_finished_by_inquiry(database, "pm_server_error").await;
}

/// The provider executes, but sends neither a reply nor a webhook.
async fn is_finished_by_inquiry(database: Database, method: &str) {
    let shop = Shop::open_with(&database, &IMPATIENT);

    let reply = shop.pay("k-1", method).await;

    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (202, &json!("processing"))
    );
    let id = text(&reply.json(), "/id");
    let payment = shop.finished(&id).await;
    assert_eq!(
        (&payment["status"], &payment["amount_captured"]),
        (&json!("succeeded"), &json!(PRICE))
    );
    let charge = shop.charge_of(&id).await;
    assert_eq!(
        (&charge["effects"], &charge["calls"]),
        (&json!(1), &json!(1))
    );
    shop.assert_captured(1).await;
    // The stored answer stays: the merchant learns the outcome by reading, or from a webhook.
    let again = shop.pay("k-1", method).await;
    assert_eq!((again.status, &again.body), (202, &reply.body));
    books_hold(&database);
}

on_both_databases!(a_webhook_that_beats_the_providers_own_reply_posts_once);
async fn a_webhook_that_beats_the_providers_own_reply_posts_once(database: Database) {
    let shop = Shop::open(&database);

    let reply = shop.pay("k-1", "pm_webhook_before_reply").await;

    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("succeeded"))
    );
    // The request is answered with the commit; the webhook's own handler counts a moment later.
    eventually("the webhook is counted", async || {
        let applied = shop.counter("florin_webhooks_total{status=\"applied\"}");
        (applied.await == 1).then_some(())
    })
    .await;
    // The provider's reply comes after its webhook and changes nothing.
    shop.pay("k-2", "pm_succeeds").await;
    shop.assert_captured(2).await;
    books_hold(&database);
}

on_both_databases!(a_webhook_that_comes_twice_posts_once);
async fn a_webhook_that_comes_twice_posts_once(database: Database) {
    let shop = Shop::open(&database);

    let reply = shop.pay("k-1", "pm_webhook_twice").await;

    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("succeeded"))
    );
    eventually("the second webhook", async || {
        let duplicates = shop
            .counter("florin_webhooks_total{status=\"duplicate\"}")
            .await;
        (duplicates == 1).then_some(())
    })
    .await;
    assert_eq!(database.number("SELECT count(*) FROM inbox"), 1);
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_provider_that_never_answers_leaves_the_payment_processing);
async fn a_provider_that_never_answers_leaves_the_payment_processing(database: Database) {
    let shop = Shop::open_with(&database, &IMPATIENT);

    let reply = shop.pay("k-1", "pm_never_answers").await;

    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (202, &json!("processing"))
    );
    let id = text(&reply.json(), "/id");
    // When asked, the provider does not know the key, so it is called again with the same key.
    eventually("a second call", async || {
        let journal = shop.journal().await;
        let calls = journal.first().and_then(|row| row["calls"].as_u64());
        calls.filter(|calls| *calls >= 2)
    })
    .await;
    let journal = shop.journal().await;
    let effects: Vec<&Value> = journal.iter().map(|row| &row["effects"]).collect();
    assert_eq!(effects, [&json!(0)], "one key, and nothing done for it");
    assert_eq!(shop.payment(&id).await["status"], "processing");
    shop.assert_captured(0).await;
    books_hold(&database);
}

on_both_databases!(a_payment_made_without_confirm_waits_for_it);
async fn a_payment_made_without_confirm_waits_for_it(database: Database) {
    let shop = Shop::open(&database);
    let mut unconfirmed = order("pm_succeeds");
    unconfirmed["confirm"] = json!(false);

    let made = shop.client.post("/v1/payments", "k-1", &unconfirmed).await;

    assert_eq!(
        (made.status, &made.json()["status"]),
        (201, &json!("requires_confirmation"))
    );
    assert!(
        shop.journal().await.is_empty(),
        "nobody went to the provider"
    );
    let id = text(&made.json(), "/id");
    let confirm = format!("/v1/payments/{id}/confirm");
    let reply = shop.client.post(&confirm, "k-2", &json!({})).await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("succeeded"))
    );
    let second = shop.client.post(&confirm, "k-3", &json!({})).await;
    is_problem(
        "a second confirmation",
        &second,
        409,
        "payment_state_conflict",
    );
    shop.assert_captured(1).await;

    // Without a payment method, the payment waits for one.
    let bare = json!({"amount": PRICE, "currency": "EUR", "confirm": false});
    let made = shop.client.post("/v1/payments", "k-4", &bare).await;
    assert_eq!(
        (made.status, &made.json()["status"]),
        (201, &json!("requires_payment_method"))
    );
    books_hold(&database);
}

on_both_databases!(two_confirmations_at_once_charge_once);
async fn two_confirmations_at_once_charge_once(database: Database) {
    let shop = Shop::open(&database);
    let mut unconfirmed = order("pm_succeeds");
    unconfirmed["confirm"] = json!(false);
    let made = shop.client.post("/v1/payments", "made", &unconfirmed).await;
    let id = text(&made.json(), "/id");

    let mut asking = JoinSet::new();
    for number in 0..8 {
        let (client, path) = (shop.client.clone(), format!("/v1/payments/{id}/confirm"));
        asking.spawn(async move {
            let key = format!("confirm-{number}");
            client.post(&path, key.as_str(), &json!({})).await.status
        });
    }

    let mut statuses = asking.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(shop.journal().await.len(), 1);
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(whoever_prefers_not_to_wait_is_answered_at_once);
async fn whoever_prefers_not_to_wait_is_answered_at_once(database: Database) {
    let patience = Duration::from_secs(3);
    let shop = Shop::open_with(&database, &["--provider-timeout-ms", "3000"]);
    let asked = Instant::now();

    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;

    assert!(
        asked.elapsed() < patience,
        "it did not wait for the provider"
    );
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (202, &json!("processing"))
    );
    let meanwhile = shop.pay("k-1", "pm_times_out").await;
    assert_eq!((meanwhile.status, &meanwhile.body), (202, &reply.body));
    let payment = shop.finished(&text(&reply.json(), "/id")).await;
    assert_eq!(payment["status"], "succeeded");
    let afterwards = shop.pay("k-1", "pm_times_out").await;
    assert_eq!((afterwards.status, &afterwards.body), (202, &reply.body));
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_list_shows_every_payment_once_newest_first);
async fn a_list_shows_every_payment_once_newest_first(database: Database) {
    let shop = Shop::open(&database);
    let mut made = Vec::new();
    for number in 0..7 {
        let mut unconfirmed = order("pm_succeeds");
        unconfirmed["confirm"] = json!(false);
        let key = format!("k-{number}");
        let reply = shop
            .client
            .post("/v1/payments", key.as_str(), &unconfirmed)
            .await;
        made.push(as_read(reply.json()));
    }
    made.reverse();

    for limit in [1, 2, 3, 7, 100] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/payments?limit={limit}");
        loop {
            let page = shop.client.get(&path).await.json();
            let items = list(&page);
            assert!(items.len() <= limit && !items.is_empty(), "{limit}");
            seen.extend(items);
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/payments?limit={limit}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, made, "pages of {limit}");
    }
    for query in [
        "limit=0",
        "limit=101",
        "cursor=AAAA",
        "limit=1&limit=1",
        "page=2",
    ] {
        let refused = shop.client.get(&format!("/v1/payments?{query}")).await;
        is_problem(query, &refused, 400, "invalid_query");
    }
    books_hold(&database);
}

on_both_databases!(what_is_not_yours_is_not_there);
async fn what_is_not_yours_is_not_there(database: Database) {
    let shop = Shop::open(&database);
    let payment = text(&shop.pay("k-1", "pm_succeeds").await.json(), "/id");
    let wallet = shop.wallet("wallets:ann", 500).await;
    let stranger = Client::new(shop.florin.api(), second_tenant(&database).await);

    let ids = [
        "pay_00000000000000000000000000000000",
        "pay_1",
        "acc_1",
        "%00",
        "pay_",
    ];
    let mut answers = Vec::new();
    for id in ids {
        answers.push(shop.client.get(&format!("/v1/payments/{id}")).await);
        let path = format!("/v1/payments/{id}/confirm");
        answers.push(shop.client.post(&path, "none", &json!({})).await);
    }
    for suffix in ["", "/balances", "/entries"] {
        let path = format!("/v1/accounts/{wallet}{suffix}");
        assert_eq!(shop.client.get(&path).await.status, 200);
        answers.push(stranger.get(&path).await);
    }
    answers.push(stranger.get(&format!("/v1/payments/{payment}")).await);
    let path = format!("/v1/payments/{payment}/confirm");
    answers.push(stranger.post(&path, "foreign", &json!({})).await);

    let mut bodies = answers.iter().map(|answer| {
        is_problem("not there", answer, 404, "not_found");
        let mut body = answer.json();
        body["request_id"].take();
        body
    });
    let first = bodies.next().expect("there are many");
    assert!(
        bodies.all(|body| body == first),
        "the same 404 for every reason"
    );
    for path in ["/v1/payments", "/v1/accounts"] {
        assert!(list(&stranger.get(path).await.json()).is_empty(), "{path}");
    }
    for key in [None, Some("sk_nobody")] {
        let refused = Client::new(shop.florin.api(), key)
            .get("/v1/payments")
            .await;
        is_problem("no such key", &refused, 401, "unauthorized");
    }
    books_hold(&database);
}
