//! The clock of a tenant: what waits for a day happens when the tenant has moved its clock, and the keys of requests
//! have an end.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};

use crate::books_hold;
use crate::disputes::{Bank, dispute};
use crate::funds::balance;
use crate::given::{eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, movement, order, second_tenant};
use crate::webhooks::{Sender, event, now};

const DAY: i64 = 86_400;

impl Shop {
    /// Moves the clock of the tenant ahead.
    pub(crate) async fn advance(&self, days: i64) -> Value {
        advance(&self.client, days * DAY).await
    }

    /// Finishes all background work.
    pub(crate) async fn drain(&self) -> Value {
        let reply = self.client.post("/sandbox/drain", None, &json!({})).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()
    }
}

async fn advance(client: &Client, seconds: i64) -> Value {
    let path = "/sandbox/clock/advance";
    let reply = client.post(path, None, &json!({"seconds": seconds})).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    reply.json()
}

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == Some("true")
}

on_both_databases!(money_becomes_available_and_an_authorization_ends_when_the_clock_is_moved);
async fn money_becomes_available_and_an_authorization_ends_when_the_clock_is_moved(
    database: Database,
) {
    let shop = Shop::open(&database);
    let paid = shop.pay("k-1", "pm_succeeds").await;
    assert_eq!(paid.status, 201);
    let held = shop.authorize("k-2", "pm_succeeds").await;
    let held = text(&held, "/id");
    assert_eq!(balance(&shop).await, [PRICE, 0, 0, 0]);
    let done = shop.drain().await;
    assert_eq!(done["finished"], true, "{done}");
    assert_eq!(balance(&shop).await, [PRICE, 0, 0, 0]);

    let clock = shop.advance(8).await;
    assert_eq!(number(&clock, "/offset_seconds"), 8 * DAY);
    let done = shop.drain().await;

    assert_eq!(done["finished"], true, "{done}");
    assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
    let payment = shop
        .client
        .get(&format!("/v1/payments/{held}"))
        .await
        .json();
    assert_eq!(payment["status"], "canceled", "{payment}");
    // New rows have the time of the moved clock.
    let again = shop.pay("k-3", "pm_succeeds").await.json();
    assert!(text(&again, "/created_at") > text(&payment, "/created_at"));
    assert!(text(&again, "/created_at") >= text(&clock, "/now"));
    books_hold(&database);
}

on_both_databases!(a_clock_belongs_to_its_tenant_is_stored_and_has_a_limit);
async fn a_clock_belongs_to_its_tenant_is_stored_and_has_a_limit(database: Database) {
    let shop = Shop::open(&database);
    let other = Client::new(shop.florin.api(), second_tenant(&database).await);
    let beside = shop.beside(&database);
    for wrong in [
        json!(0),
        json!(-1),
        json!(367 * DAY),
        json!("1"),
        json!(null),
    ] {
        let body = json!({ "seconds": wrong });
        let reply = shop
            .client
            .post("/sandbox/clock/advance", None, &body)
            .await;
        is_problem(&wrong.to_string(), &reply, 422, "invalid_field");
    }
    let key = "k-move";
    let move_once = json!({"seconds": DAY});
    for _ in 0..2 {
        let reply = shop
            .client
            .post("/sandbox/clock/advance", key, &move_once)
            .await;
        assert_eq!(number(&reply.json(), "/offset_seconds"), DAY);
    }
    let offset = async |client: &Client| {
        let clock = client.get("/sandbox/clock").await.json();
        number(&clock, "/offset_seconds")
    };
    assert_eq!((offset(&shop.client).await, offset(&other).await), (DAY, 0));
    // The other process and the next one know it too.
    assert_eq!(offset(&beside.client).await, DAY);
    assert!(beside.florin.terminate().success());
    let before = shop.pay("k-1", "pm_succeeds").await.json();
    shop.florin.kill9();
    let shop = Shop::open(&database);
    let after = shop.pay("k-2", "pm_succeeds").await.json();
    assert!(text(&after, "/created_at") > text(&before, "/created_at"));
    assert_eq!(offset(&shop.client).await, DAY);
    let ready = shop.client.get("/readyz").await.json();
    assert_eq!(ready["clock"], "ok", "{ready}");
    for _ in 0..9 {
        shop.advance(366).await;
    }
    let body = json!({"seconds": 366 * DAY});
    let reply = shop
        .client
        .post("/sandbox/clock/advance", None, &body)
        .await;
    is_problem("ten years", &reply, 422, "clock_too_far");
    books_hold(&database);
}

on_both_databases!(an_answered_key_counts_for_its_life_and_is_then_a_new_request);
async fn an_answered_key_counts_for_its_life_and_is_then_a_new_request(database: Database) {
    let shop = Shop::open_with(&database, &["--key-days", "2"]);
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    let send = async |key: &str| {
        let body = movement(&ann, &bob, 10);
        shop.client.post("/v1/transfers", key, &body).await
    };
    let first = send("k-1").await;
    let paid = shop.pay("k-2", "pm_succeeds").await;
    let waits = shop.pay_waiting("k-3", "pm_never_answers", 0).await;
    assert_eq!((first.status, paid.status, waits.status), (201, 201, 202));

    shop.advance(1).await;
    assert!(is_replay(&send("k-1").await));
    assert!(is_replay(&shop.pay("k-2", "pm_succeeds").await));

    shop.advance(2).await;
    let again = send("k-1").await;
    let paid_again = shop.pay("k-2", "pm_succeeds").await;

    assert!(!is_replay(&again) && !is_replay(&paid_again));
    assert_ne!(first.json()["id"], again.json()["id"]);
    assert_ne!(paid.json()["id"], paid_again.json()["id"]);
    assert_eq!(shop.read(&bob).await["balances"]["posted"], 20);
    // The new request has a life of its own, and the key stays on both payments.
    assert!(is_replay(&send("k-1").await));
    assert!(is_replay(&shop.pay("k-2", "pm_succeeds").await));
    let keyed = "SELECT count(*) FROM payment WHERE idempotency_key = 'k-2'";
    assert_eq!(database.number(keyed), 2);
    books_hold(&database);
}

on_both_databases!(keys_are_deleted_after_their_life_by_the_tenants_own_clock);
async fn keys_are_deleted_after_their_life_by_the_tenants_own_clock(database: Database) {
    let shop = Shop::open_with(&database, &["--key-days", "1"]);
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    for number in 0..30 {
        let body = movement(&ann, &bob, 1);
        let reply = shop
            .client
            .post("/v1/transfers", &*format!("k-{number}"), &body)
            .await;
        assert_eq!(reply.status, 201);
    }
    let other = Client::new(shop.florin.api(), second_tenant(&database).await);
    let opened = json!({"code": "wallets:eve", "currency": "EUR"});
    assert_eq!(
        other.post("/v1/accounts", "theirs", &opened).await.status,
        201
    );
    let kept = database.number("SELECT count(*) FROM idempotency_key");
    assert!(kept > 30, "{kept}");

    shop.advance(2).await;

    eventually("no key of the tenant", async || {
        let left = database.number("SELECT count(*) FROM idempotency_key");
        (left == 1).then_some(())
    })
    .await;
    // The other tenant's clock was not moved.
    assert!(is_replay(
        &other.post("/v1/accounts", "theirs", &opened).await
    ));
    books_hold(&database);
}

on_both_databases!(a_key_in_flight_outlives_the_walk_that_deletes_old_keys);
async fn a_key_in_flight_outlives_the_walk_that_deletes_old_keys(database: Database) {
    // The provider is not given up before the scenario ends, so that the request stays in flight.
    let slow = ["--key-days", "1", "--provider-timeout-ms", "60000"];
    let shop = Shop::open_with(&database, &slow);
    // Keys that end, before and after it in the order of the walk.
    for key in ["a-ends", "z-ends"] {
        assert_eq!(shop.pay(key, "pm_succeeds").await.status, 201);
    }
    let headers = |wait| {
        [
            ("content-type", "application/json"),
            ("idempotency-key", "m-waits"),
            ("prefer", wait),
        ]
    };
    let (client, body) = (shop.client.clone(), order("pm_never_answers").to_string());
    let waiting = tokio::spawn(async move {
        let long = headers("wait=60");
        client.send(Method::POST, "/v1/payments", &long, body).await
    });
    let in_flight = "SELECT count(*) FROM idempotency_key WHERE key = 'm-waits' AND status IS NULL";
    eventually("it is in flight", async || {
        (database.number(in_flight) == 1).then_some(())
    })
    .await;

    shop.advance(60).await;

    eventually("the other keys are deleted", async || {
        let left = "SELECT count(*) FROM idempotency_key WHERE key IN ('a-ends', 'z-ends')";
        (database.number(left) == 0).then_some(())
    })
    .await;
    assert_eq!(database.number(in_flight), 1);
    assert!(!waiting.is_finished(), "nobody has answered it");
    // It still counts: the same request is not made again.
    let again = shop.pay_waiting("m-waits", "pm_never_answers", 0).await;
    is_problem("the same request", &again, 409, "idempotency_key_in_use");
    assert_eq!(database.number("SELECT count(*) FROM payment"), 3);
    books_hold(&database);
}

on_both_databases!(a_late_outcome_answers_no_other_request_with_the_same_key);
async fn a_late_outcome_answers_no_other_request_with_the_same_key(database: Database) {
    let shop = Shop::open_with(
        &database,
        &["--key-days", "1", "--provider-timeout-ms", "300"],
    );
    // The first request is answered early, and its operation stays open.
    let first = shop.pay_waiting("k-1", "pm_requires_action", 10).await;
    assert_eq!(first.status, 201, "{}", first.json());
    let first = first.json();
    shop.advance(2).await;
    // The second request with the key is in flight when the first operation gets its outcome.
    let second = shop.pay_waiting("k-1", "pm_never_answers", 0).await;
    assert_eq!(second.status, 202, "{}", second.json());
    let page = text(&first, "/next_action/url");
    let agreed = Client::new(&page, None)
        .post("/complete", None, &json!({}))
        .await;
    assert!(agreed.status < 400, "{}", agreed.status);
    let id = text(&first, "/id");
    eventually("the first payment succeeds", async || {
        let payment = shop.client.get(&format!("/v1/payments/{id}")).await.json();
        (payment["status"] == "succeeded").then_some(())
    })
    .await;
    let again = shop
        .client
        .post("/v1/payments", "k-1", &order("pm_never_answers"))
        .await;
    assert_eq!(again.json()["id"], second.json()["id"], "{}", again.json());
    books_hold(&database);
}

on_both_databases!(a_problem_links_to_a_page_about_its_code);
async fn a_problem_links_to_a_page_about_its_code(database: Database) {
    let shop = Shop::open(&database);
    let declined = shop.pay("k-1", "pm_declines").await;
    let replayed = shop.pay("k-1", "pm_declines").await;
    let absent = shop.client.get("/v1/payments/pay_x").await;
    for (reply, code) in [
        (&declined, "declined"),
        (&replayed, "declined"),
        (&absent, "not_found"),
    ] {
        let link = reply.header("link").unwrap_or_default();
        assert_eq!(link, format!("</problems/{code}>; rel=\"describedby\""));
    }
    let page = shop.client.get("/problems/declined").await;
    let said = String::from_utf8_lossy(&page.body).into_owned();
    assert!(
        page.status == 200 && said.starts_with("declined\n"),
        "{said}"
    );
    assert!(
        said.contains("402") && said.contains("A new try needs a new key."),
        "{said}"
    );
    assert_eq!(shop.client.get("/problems/nothing").await.status, 404);
}

on_both_databases!(signatures_go_by_the_real_time_whatever_the_clock_of_the_tenant);
async fn signatures_go_by_the_real_time_whatever_the_clock_of_the_tenant(database: Database) {
    let shop = Shop::open(&database);
    let paid = shop.pay("k-1", "pm_succeeds").await.json();
    shop.advance(30).await;
    shop.drain().await;

    // Only a webhook tells of a dispute. The provider signs it by the machine's clock.
    let bank = Bank::disputes(&shop, &text(&paid, "/id"), 400).await;
    bank.does("withdraw").await;
    let told = dispute(&shop, "it is known", |one| one["withdrawn"] == true).await;

    assert!(text(&told, "/created_at") > text(&paid, "/created_at"));
    assert_eq!(shop.counter("florin_webhooks_refused_total").await, 0);
    // A signature by the tenant's clock is one from the future.
    let sender = Sender::of(&shop);
    let body = event("evt_1", "customer.created", &json!({}));
    let refused = sender.deliver_at(now() + 30 * DAY, &body).await;
    is_problem("30 days ahead", &refused, 401, "signature_refused");
    assert_eq!(sender.deliver(&body).await.status, 200);
    books_hold(&database);
}
