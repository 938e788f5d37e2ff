//! Idempotency keys: every case of the table, on every route that takes them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, on_both_databases, scenario};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{eventually, is_problem, text};
use crate::shop::{Shop, list, movement, order, second_tenant};

const JSON: (&str, &str) = ("content-type", "application/json");
/// Greatest number of equal requests that a test here sends at once.
const AT_ONCE: usize = 30;

on_both_databases!(the_same_request_again_has_the_same_answer_and_no_effect);
async fn the_same_request_again_has_the_same_answer_and_no_effect(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    let account = json!({"code": "wallets:eve", "currency": "EUR"});

    for (path, body) in [
        ("/v1/transfers", movement(&ann, &bob, 400)),
        ("/v1/payments", order("pm_succeeds")),
        ("/v1/accounts", account),
    ] {
        let first = shop.client.post(path, path, &body).await;
        let again = shop.client.post(path, path, &body).await;

        assert_eq!(
            (first.status, first.header("idempotent-replayed")),
            (201, None),
            "{path}"
        );
        is_replay(&first, &again);
    }

    assert_eq!(shop.read(&bob).await["balances"]["posted"], 400);
    assert_eq!(shop.journal().await.len(), 1);
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(what_means_the_same_is_the_same_request);
async fn what_means_the_same_is_the_same_request(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    let written = format!(r#"{{"from":"{ann}","to":"{bob}","amount":7,"currency":"EUR"}}"#);
    let otherwise = format!(
        "{{ \"currency\" : \"\\u0045UR\",\n\t\"amount\" : 7,\r\n \"to\":\"{bob}\", \"from\" : \"{ann}\" }} "
    );
    let send = async |key: &str, body: &str| {
        let headers = [JSON, ("idempotency-key", key)];
        shop.client
            .send(Method::POST, "/v1/transfers", &headers, body.to_owned())
            .await
    };

    let first = send("k-1", &written).await;

    assert_eq!(first.status, 201);
    is_replay(&first, &send("k-1", &otherwise).await);
    is_replay(&first, &send("\"k-1\"", &written).await);
    // Keys are compared exactly.
    assert_eq!(
        send("K-1", &written).await.header("idempotent-replayed"),
        None
    );
    assert_eq!(shop.read(&bob).await["balances"]["posted"], 14);
    books_hold(&database);
}

on_both_databases!(a_null_is_another_request_than_an_absent_field);
async fn a_null_is_another_request_than_an_absent_field(database: Database) {
    let shop = Shop::open(&database);
    let plain = json!({"amount": 1099, "currency": "EUR", "payment_method": "pm_succeeds"});
    let first = shop.client.post("/v1/payments", "k-1", &plain).await;
    assert_eq!(first.status, 201);
    for (field, value) in [("customer", Value::Null), ("confirm", json!(true))] {
        assert_eq!(plain.get(field), None, "{field}");
        let mut other = plain.clone();
        other[field] = value;
        let reply = shop.client.post("/v1/payments", "k-1", &other).await;
        is_problem(field, &reply, 422, "idempotency_key_reused");
    }
    let mut fraction = plain.clone();
    fraction["amount"] = json!(1099.0);
    let reply = shop.client.post("/v1/payments", "k-2", &fraction).await;
    is_problem("a fraction", &reply, 422, "invalid_field");
    is_replay(
        &first,
        &shop.client.post("/v1/payments", "k-1", &plain).await,
    );
    books_hold(&database);
}

on_both_databases!(an_answer_repeats_the_key_of_its_request);
async fn an_answer_repeats_the_key_of_its_request(database: Database) {
    let shop = Shop::open(&database);
    let (good, bad) = (order("pm_succeeds"), json!({"amount": 0}));
    let declined = order("pm_declines");
    for (key, body, status) in [
        ("k-1", &good, 201),
        ("k-1", &good, 201),
        ("\"k-1\"", &declined, 422),
        ("k-2", &declined, 402),
        ("k-3", &bad, 422),
    ] {
        let reply = shop.client.post("/v1/payments", key, body).await;
        assert_eq!(reply.status, status, "{key} {body}");
        let repeated = reply.header("idempotency-key");
        assert_eq!(repeated, Some(key.trim_matches('"')), "{key} {body}");
    }
    let without = shop.client.post("/v1/payments", None, &good).await;
    is_problem("no key", &without, 400, "idempotency_key_required");
    assert_eq!(without.header("idempotency-key"), None);
    books_hold(&database);
}

on_both_databases!(a_request_still_in_flight_is_waited_for_and_then_in_use);
async fn a_request_still_in_flight_is_waited_for_and_then_in_use(database: Database) {
    let shop = Shop::open(&database);
    let first = async { shop.pay_waiting("k-1", "pm_never_answers", 4).await };
    let meanwhile = async {
        let id = eventually("the first request is on its way", async || {
            let payments = list(&shop.client.get("/v1/payments").await.json());
            payments.first().map(|payment| text(payment, "/id"))
        })
        .await;
        let second = shop.pay_waiting("k-1", "pm_never_answers", 1).await;
        let other = shop.pay_waiting("k-1", "pm_succeeds", 1).await;
        (id, second, other)
    };

    let (first, (id, second, other)) = tokio::join!(first, meanwhile);

    is_problem("in flight", &second, 409, "idempotency_key_in_use");
    assert_eq!(second.header("retry-after"), Some("1"));
    is_problem("other body", &other, 422, "idempotency_key_reused");
    assert_eq!(other.json()["resource"], json!(id));
    assert_eq!((first.status, text(&first.json(), "/id")), (202, id));
    // A 409 is not the answer to the request: the first request has the answer.
    is_replay(&first, &shop.pay("k-1", "pm_never_answers").await);
    assert_eq!(shop.journal().await.len(), 1);
    books_hold(&database);
}

on_both_databases!(a_key_that_names_another_request_is_refused);
async fn a_key_that_names_another_request_is_refused(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    let transfer = shop.transfer("transfer", &ann, &bob, 1).await;
    let payment = shop.pay("payment", "pm_succeeds").await;
    let declined = shop.pay("declined", "pm_declines").await;
    let broke = shop.transfer("broke", &ann, &bob, 5_000).await;
    let confirm = format!(
        "/v1/payments/{}/confirm",
        text(&declined.json(), "/resource")
    );
    let made = [
        ("transfer", Some(text(&transfer.json(), "/id"))),
        ("payment", Some(text(&payment.json(), "/id"))),
        ("declined", Some(text(&declined.json(), "/resource"))),
        ("broke", None),
    ];
    is_problem("broke", &broke, 422, "insufficient_funds");
    let records = database.number("SELECT count(*) FROM audit_entry");

    for (key, resource) in made {
        for (path, body) in [
            ("/v1/transfers", movement(&ann, &bob, 2)),
            ("/v1/payments", order("pm_webhook_twice")),
            (
                "/v1/accounts",
                json!({"code": "wallets:eve", "currency": "EUR"}),
            ),
            (confirm.as_str(), json!({"payment_method": "pm_succeeds"})),
        ] {
            let refused = shop.client.post(path, key, &body).await;
            is_problem(key, &refused, 422, "idempotency_key_reused");
            assert_eq!(refused.json()["resource"], json!(resource), "{key} {path}");
        }
    }

    // Nothing was written, and each key still has its own answer.
    assert_eq!(database.number("SELECT count(*) FROM audit_entry"), records);
    is_replay(&transfer, &shop.transfer("transfer", &ann, &bob, 1).await);
    is_replay(&payment, &shop.pay("payment", "pm_succeeds").await);
    assert_eq!(shop.read(&bob).await["balances"]["posted"], 1);
    books_hold(&database);
}

on_both_databases!(what_moves_money_needs_a_key_that_is_one);
async fn what_moves_money_needs_a_key_that_is_one(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    let mut unconfirmed = order("pm_succeeds");
    unconfirmed["confirm"] = json!(false);
    let made = shop.client.post("/v1/payments", "made", &unconfirmed).await;
    let confirm = format!("/v1/payments/{}/confirm", text(&made.json(), "/id"));
    let too_long = "k".repeat(256);
    let longest = "k".repeat(255);
    let illegal = [
        too_long.as_str(),
        "",
        "a b",
        "\"a b\"",
        "\"open",
        "clé",
        "a\tb",
        "\"\"",
    ];

    for (path, body) in [
        ("/v1/transfers", movement(&ann, &bob, 1)),
        ("/v1/payments", order("pm_succeeds")),
        (confirm.as_str(), json!({})),
    ] {
        let send = async |headers: &[(&str, &str)]| {
            shop.client
                .send(Method::POST, path, headers, body.to_string())
                .await
        };
        is_problem(path, &send(&[JSON]).await, 400, "idempotency_key_required");
        for key in illegal {
            let refused = send(&[JSON, ("idempotency-key", key)]).await;
            is_problem(key, &refused, 400, "idempotency_key_invalid");
        }
        let twice = [JSON, ("idempotency-key", "k-1"), ("idempotency-key", "k-1")];
        is_problem(
            "two lines",
            &send(&twice).await,
            400,
            "idempotency_key_invalid",
        );
    }

    assert_eq!(shop.read(&bob).await["version"], 0);
    assert!(shop.journal().await.is_empty());
    assert_eq!(shop.transfer(&longest, &ann, &bob, 1).await.status, 201);
    books_hold(&database);
}

on_both_databases!(a_request_with_a_mistake_leaves_its_key_free);
async fn a_request_with_a_mistake_leaves_its_key_free(database: Database) {
    let shop = Shop::open(&database);
    let right = order("pm_succeeds").to_string();
    let keys = "SELECT count(*) FROM idempotency_key";
    let stranger = Client::new(shop.florin.api(), "sk_nobody");

    for (body, status, code) in [
        ("{\"amount\":", 400, "malformed_json"),
        ("[]", 422, "invalid_field"),
        (
            "{\"amount\":10.99,\"currency\":\"EUR\"}",
            422,
            "invalid_field",
        ),
        (
            "{\"amount\":1099,\"currency\":\"EUR\"}",
            422,
            "invalid_field",
        ),
    ] {
        let headers = [JSON, ("idempotency-key", "k-1")];
        let refused = shop
            .client
            .send(Method::POST, "/v1/payments", &headers, body)
            .await;
        is_problem(body, &refused, status, code);
        let refused = stranger
            .send(Method::POST, "/v1/payments", &headers, right.clone())
            .await;
        is_problem("unknown key", &refused, 401, "unauthorized");
    }
    assert_eq!(database.number(keys), 0);

    let reply = shop.pay("k-1", "pm_succeeds").await;
    assert_eq!(
        (reply.status, reply.header("idempotent-replayed")),
        (201, None)
    );
    assert_eq!(database.number(keys), 1);
    books_hold(&database);
}

on_both_databases!(a_refusal_that_is_a_decision_is_replayed_even_if_it_would_be_another_now);
async fn a_refusal_that_is_a_decision_is_replayed_even_if_it_would_be_another_now(
    database: Database,
) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 10).await;
    let bob = shop.wallet("wallets:bob", 1_000).await;

    let broke = shop.transfer("broke", &ann, &bob, 100).await;
    let declined = shop.pay("declined", "pm_declines").await;
    let confirm = format!(
        "/v1/payments/{}/confirm",
        text(&declined.json(), "/resource")
    );
    let method = json!({"payment_method": "pm_succeeds"});
    assert_eq!(
        shop.client.post(&confirm, "then", &method).await.status,
        201
    );
    let too_late = shop.client.post(&confirm, "too-late", &method).await;
    assert_eq!(shop.transfer("funding", &bob, &ann, 500).await.status, 201);

    is_problem("broke", &broke, 422, "insufficient_funds");
    is_replay(&broke, &shop.transfer("broke", &ann, &bob, 100).await);
    is_problem("declined", &declined, 402, "declined");
    is_replay(&declined, &shop.pay("declined", "pm_declines").await);
    is_problem("too late", &too_late, 409, "payment_state_conflict");
    is_replay(
        &too_late,
        &shop.client.post(&confirm, "too-late", &method).await,
    );
    // A new key is a new request.
    assert_eq!(shop.transfer("funded", &ann, &bob, 100).await.status, 201);
    assert_eq!(shop.read(&ann).await["balances"]["posted"], 410);
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_key_is_its_tenants_own_and_outlives_the_process);
async fn a_key_is_its_tenants_own_and_outlives_the_process(database: Database) {
    let shop = Shop::open(&database);
    let key = second_tenant(&database).await;
    let account = json!({"code": "wallets:ann", "currency": "EUR"});

    let ours = shop.client.post("/v1/accounts", "k-1", &account).await;
    let stranger = Client::new(shop.florin.api(), key);
    let theirs = stranger.post("/v1/accounts", "k-1", &account).await;
    shop.florin.kill9();
    let shop = Shop::open(&database);

    assert_eq!(
        (theirs.status, theirs.header("idempotent-replayed")),
        (201, None)
    );
    assert_ne!(ours.body, theirs.body);
    is_replay(
        &ours,
        &shop.client.post("/v1/accounts", "k-1", &account).await,
    );
    let stranger = Client::new(shop.florin.api(), key);
    is_replay(
        &theirs,
        &stranger.post("/v1/accounts", "k-1", &account).await,
    );
    books_hold(&database);
}

on_both_databases!(many_equal_transfers_at_once_are_one);
async fn many_equal_transfers_at_once_are_one(database: Database) {
    let shop = Shop::open(&database);
    equal_transfers(&shop, &[&shop.client]).await;
    books_hold(&database);
}

on_both_databases!(many_equal_payments_at_once_are_one);
async fn many_equal_payments_at_once_are_one(database: Database) {
    let shop = Shop::open(&database);
    equal_payments(&shop, &[&shop.client]).await;
    books_hold(&database);
}

#[test]
fn many_equal_transfers_at_once_on_two_processes_are_one() {
    scenario(Kind::Postgres, async |database: Database| {
        let one = Shop::open(&database);
        let other = one.beside(&database);
        equal_transfers(&one, &[&one.client, &other.client]).await;
        books_hold(&database);
    });
}

#[test]
fn many_equal_payments_at_once_on_two_processes_are_one() {
    scenario(Kind::Postgres, async |database: Database| {
        let one = Shop::open(&database);
        let other = one.beside(&database);
        equal_payments(&one, &[&one.client, &other.client]).await;
        books_hold(&database);
    });
}

#[test]
fn different_payments_at_once_on_two_processes_all_arrive() {
    scenario(Kind::Postgres, async |database: Database| {
        let one = Shop::open(&database);
        let other = one.beside(&database);
        let mut asking = JoinSet::new();
        for number in 0..AT_ONCE {
            let shops = [&one, &other];
            let client = shops[number % 2].client.clone();
            asking.spawn(async move {
                let key = format!("k-{number}");
                let body = order("pm_succeeds");
                let reply = client.post("/v1/payments", key.as_str(), &body).await;
                reply.status
            });
        }

        assert_eq!(asking.join_all().await, [201; AT_ONCE]);
        assert_eq!(one.journal().await.len(), AT_ONCE);
        one.assert_captured(AT_ONCE).await;
        books_hold(&database);
    });
}

/// Five rounds, because a race does not go wrong every time.
async fn equal_transfers(shop: &Shop, clients: &[&Client]) {
    let ann = shop.wallet("wallets:ann", 1_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    for round in 1..=5 {
        let body = movement(&ann, &bob, 10);
        at_once(clients, "/v1/transfers", &format!("k-{round}"), &body).await;
        assert_eq!(
            shop.read(&ann).await["balances"]["posted"],
            1_000 - 10 * round
        );
        assert_eq!(shop.read(&bob).await["version"], round);
    }
}

async fn equal_payments(shop: &Shop, clients: &[&Client]) {
    for round in 1..=3 {
        let key = format!("k-{round}");
        at_once(clients, "/v1/payments", &key, &order("pm_succeeds")).await;
        let journal = shop.journal().await;
        assert_eq!(journal.len(), round);
        assert!(
            journal
                .iter()
                .all(|row| row["effects"] == 1 && row["calls"] == 1)
        );
        shop.assert_captured(round).await;
    }
}

/// Sends one request [`AT_ONCE`] times at once, to each server in turn: exactly one of the answers is the first, and
/// all of them are the same.
async fn at_once(clients: &[&Client], path: &'static str, key: &str, body: &Value) {
    let mut asking = JoinSet::new();
    for client in clients.iter().cycle().take(AT_ONCE) {
        let (client, key, body) = ((*client).clone(), key.to_owned(), body.clone());
        asking.spawn(async move { client.post(path, key.as_str(), &body).await });
    }
    let replies = asking.join_all().await;
    let first = replies
        .iter()
        .find(|reply| reply.header("idempotent-replayed").is_none());
    let first = first.expect("one was not a replay");
    assert_eq!(first.status, 201, "{:?}", first.body);
    for reply in &replies {
        assert_eq!((reply.status, &reply.body), (201, &first.body));
    }
    let replayed = replies
        .iter()
        .filter(|reply| reply.header("idempotent-replayed").is_some());
    assert_eq!(replayed.count(), AT_ONCE - 1);
    let ids: BTreeSet<_> = replies
        .iter()
        .map(|reply| reply.header("request-id"))
        .collect();
    assert_eq!(ids.len(), AT_ONCE, "each has a request id of its own");
}

/// Checks for the same status and bytes, marked as a replay, with a request id of its own.
fn is_replay(first: &Reply, again: &Reply) {
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let ids = [first, again].map(|reply| reply.header("request-id").map(str::to_owned));
    assert!(
        ids[0].is_some() && ids[1].is_some() && ids[0] != ids[1],
        "{ids:?}"
    );
}
