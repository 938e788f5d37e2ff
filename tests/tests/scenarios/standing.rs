//! The standing of customers: nothing is paid by a suspended one or paid out to them, and money still goes back.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::customers::{attached, customer};
use crate::funds::balance_becomes;
use crate::given::{as_read, eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, order, pointers};
use crate::violations::{tamper, violated};

async fn turn(client: &Client, customer: &str, word: &str) -> Reply {
    let path = format!("/v1/customers/{customer}/{word}");
    let reason = json!({"reason": "the letter came back"});
    client.post(&path, None, &reason).await
}

/// An order of this customer.
fn of(customer: &str, capture: &str) -> Value {
    let mut order = order("pm_succeeds");
    order["customer"] = json!(customer);
    order["capture_method"] = json!(capture);
    order
}

fn may_not(case: &str, customer: &str, reply: &Reply) {
    is_problem(case, reply, 403, "customer_may_not");
    let problem = reply.json();
    assert_eq!(
        (&problem["resource"], &problem["state"]),
        (&json!(customer), &json!("suspended")),
        "{case}"
    );
}

/// Four payments of a customer: one that has succeeded, two that are authorized, and one that waits for its confirmation.
async fn payments_of(client: &Client, customer: &str) -> [String; 4] {
    let mut made = Vec::new();
    for (key, capture, confirm) in [
        ("paid", "automatic", true),
        ("captured", "manual", true),
        ("canceled", "manual", true),
        ("waits", "automatic", false),
    ] {
        let mut order = of(customer, capture);
        order["confirm"] = json!(confirm);
        let reply = client.post("/v1/payments", key, &order).await;
        assert_eq!(reply.status, 201, "{}", reply.json());
        made.push(text(&reply.json(), "/id"));
    }
    [0, 1, 2, 3].map(|place| made[place].clone())
}

on_both_databases!(nothing_is_paid_by_a_suspended_customer_until_they_are_reinstated);
async fn nothing_is_paid_by_a_suspended_customer_until_they_are_reinstated(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({"external_id": "ann"})).await;
    assert_eq!(
        (&ann["standing"], number(&ann, "/version")),
        (&json!("active"), 1)
    );
    let saved = attached(client, &ann, &json!({"token": "pm_succeeds"})).await;
    let id = text(&ann, "/id");
    let [_, captured, _, waits] = payments_of(client, &id).await;

    let suspended = turn(client, &id, "suspend").await;

    let now = suspended.json();
    assert_eq!(
        (suspended.status, &now["standing"], number(&now, "/version")),
        (200, &json!("suspended"), 2)
    );
    let path = format!("/v1/customers/{id}");
    assert_eq!(client.get(&path).await.json(), now);
    let again = turn(client, &id, "suspend").await;
    is_problem("again", &again, 409, "customer_standing_conflict");
    assert_eq!(again.json()["state"], "suspended");

    // Nothing is asked of the payer any more, whatever the key and the payment method.
    let refused = client
        .post("/v1/payments", "k-1", &of(&id, "automatic"))
        .await;
    may_not("a payment", &id, &refused);
    let mut by_method = of(&id, "manual");
    by_method["payment_method"] = saved["id"].clone();
    by_method["confirm"] = json!(false);
    may_not(
        "one to confirm later",
        &id,
        &client.post("/v1/payments", "k-2", &by_method).await,
    );
    let confirmed = shop.ask(&waits, "confirm", "k-3", &json!({})).await;
    may_not("a confirmation", &id, &confirmed);
    let more = shop
        .ask(&captured, "increment", "k-4", &json!({"amount": 1}))
        .await;
    may_not("an increment", &id, &more);
    assert_eq!(
        shop.payment(&waits).await["status"],
        "requires_confirmation"
    );
    // A mistake is named before the standing, and other customers may pay.
    let mut wrong = of(&id, "automatic");
    wrong["currency"] = json!("XAU");
    let wrong = client.post("/v1/payments", "k-5", &wrong).await;
    assert_eq!(wrong.status, 422, "{}", wrong.json());
    let bob = text(&customer(client, &json!({})).await, "/id");
    assert_eq!(
        client
            .post("/v1/payments", "k-6", &of(&bob, "automatic"))
            .await
            .status,
        201
    );
    assert_eq!(
        shop.pay("k-7", "pm_succeeds").await.status,
        201,
        "without a customer"
    );

    // The refusal stays under its key; a new request is decided anew.
    let reinstated = turn(client, &id, "reinstate").await;
    assert_eq!(
        (reinstated.status, number(&reinstated.json(), "/version")),
        (200, 3)
    );
    let same = client
        .post("/v1/payments", "k-1", &of(&id, "automatic"))
        .await;
    assert_eq!((same.status, &same.body), (403, &refused.body));
    assert_eq!(same.header("idempotent-replayed"), Some("true"));
    let new = client
        .post("/v1/payments", "k-8", &of(&id, "automatic"))
        .await;
    assert_eq!(new.status, 201, "{}", new.json());
    is_problem(
        "active",
        &turn(client, &id, "reinstate").await,
        409,
        "customer_standing_conflict",
    );
    books_hold(&database);
}

on_both_databases!(what_a_suspended_customer_has_paid_or_agreed_to_goes_on_and_back);
async fn what_a_suspended_customer_has_paid_or_agreed_to_goes_on_and_back(database: Database) {
    let shop = Shop::open(&database);
    let ann = text(&customer(&shop.client, &json!({})).await, "/id");
    let [paid, captured, canceled, waits] = payments_of(&shop.client, &ann).await;
    assert_eq!(turn(&shop.client, &ann, "suspend").await.status, 200);

    // What was authorized before is captured or voided, and what was paid goes back.
    let reply = shop.ask(&captured, "capture", "m-1", &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(
        shop.ask(&canceled, "cancel", "m-2", &json!({}))
            .await
            .status,
        200
    );
    assert_eq!(
        shop.ask(&waits, "cancel", "m-3", &json!({})).await.status,
        200
    );
    let back = shop.ask(&paid, "refunds", "m-4", &json!({})).await;
    assert_eq!(
        (back.status, &back.json()["status"]),
        (201, &json!("succeeded"))
    );
    books_hold(&database);
}

on_both_databases!(nothing_is_paid_out_to_a_suspended_customer);
async fn nothing_is_paid_out_to_a_suspended_customer(database: Database) {
    let shop = Shop::open_with(&database, &["--approve-above", "EUR=500"]);
    let client = &shop.client;
    let second = shop.second_person(&database);
    let at_once = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    assert_eq!(
        client
            .post("/v1/payment_terms", None, &at_once)
            .await
            .status,
        201
    );
    assert_eq!(shop.pay("money", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let ann = text(&customer(client, &json!({})).await, "/id");
    let to_ann = |amount: i64| json!({"amount": amount, "currency": "EUR", "destination": "ba_succeeds", "customer": ann});
    let at = "/v1/payouts";
    let paid = client.post(at, "p-1", &to_ann(10)).await;
    assert_eq!((paid.status, &paid.json()["customer"]), (201, &json!(ann)));
    let path = format!("{at}/{}", text(&paid.json(), "/id"));
    assert_eq!(client.get(&path).await.json(), as_read(paid.json()));
    let proposed = client.post(at, "p-2", &to_ann(501)).await.json();
    let approve = format!("/v1/approvals/{}/approve", text(&proposed, "/approval"));
    assert_eq!(turn(client, &ann, "suspend").await.status, 200);

    may_not("a payout", &ann, &client.post(at, "p-3", &to_ann(10)).await);
    may_not(
        "a proposal",
        &ann,
        &client.post(at, "p-4", &to_ann(501)).await,
    );
    let wallet = shop.wallet("liabilities:wallets:ann", 100).await;
    let mut of_wallet = to_ann(10);
    of_wallet["from"] = json!(wallet);
    may_not(
        "of a wallet",
        &ann,
        &client.post(at, "p-5", &of_wallet).await,
    );
    // The approval is the commit that takes the money. It still waits.
    may_not(
        "an approval",
        &ann,
        &second.post(&approve, None, &json!({})).await,
    );
    let path = approve.trim_end_matches("/approve");
    assert_eq!(client.get(path).await.json()["status"], "proposed");
    // The balance comes first.
    let much = client
        .post(at, "p-6", &{
            let mut body = to_ann(10);
            body["from"] = json!(shop.wallet("liabilities:wallets:bob", 0).await);
            body
        })
        .await;
    is_problem("no money", &much, 422, "insufficient_funds");
    let mut unknown = to_ann(10);
    unknown["customer"] = json!("cus_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    let unknown = client.post(at, "p-7", &unknown).await;
    is_problem("no such customer", &unknown, 404, "customer_not_found");
    assert_eq!(pointers(&unknown), ["/customer"]);
    balance_becomes(&shop, [0, PRICE - 10, 0, 0]).await;

    assert_eq!(turn(client, &ann, "reinstate").await.status, 200);
    assert_eq!(second.post(&approve, None, &json!({})).await.status, 200);
    balance_becomes(&shop, [0, PRICE - 511, 0, 0]).await;
    books_hold(&database);

    // A payout to a customer who does not exist is found.
    assert_eq!(shop.florin.terminate().code(), Some(0));
    assert_eq!(violated(&database), (Some(0), vec![]));
    tamper(
        &database,
        "UPDATE payout SET customer_id = id WHERE customer_id IS NOT NULL",
    );
    assert_eq!(violated(&database), (Some(1), vec!["P4".to_owned()]));
}

on_both_databases!(a_wrong_suspension_is_refused_with_the_name_of_the_field);
async fn a_wrong_suspension_is_refused_with_the_name_of_the_field(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = text(&customer(client, &json!({})).await, "/id");
    for word in ["suspend", "reinstate"] {
        let path = format!("/v1/customers/{ann}/{word}");
        for (body, at) in [
            (json!({}), "/reason"),
            (json!({"reason": ""}), "/reason"),
            (json!({"reason": 1}), "/reason"),
            (json!({"reason": "x".repeat(256)}), "/reason"),
            (json!({"reason": "x", "until": "monday"}), "/until"),
        ] {
            let wrong = client.post(&path, None, &body).await;
            assert!(
                matches!(wrong.status, 400 | 422),
                "{body}: {}",
                wrong.json()
            );
            assert_eq!(pointers(&wrong), [at], "{body}");
        }
        let absent = turn(client, "cus_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6", word).await;
        is_problem("no such customer", &absent, 404, "not_found");
    }
    let path = format!("/v1/customers/{ann}");
    assert_eq!(number(&client.get(&path).await.json(), "/version"), 1);
    books_hold(&database);
}

/// Sends a request until it is decided. Two processes may keep each other waiting for too long.
async fn insist(client: Client, path: String, key: String, body: Value) -> Reply {
    loop {
        let reply = client.post(&path, key.as_str(), &body).await;
        if reply.status != 503 {
            return reply;
        }
    }
}

on_both_databases!(no_payment_is_made_after_the_commit_that_has_suspended_its_customer);
async fn no_payment_is_made_after_the_commit_that_has_suspended_its_customer(database: Database) {
    let shop = Shop::open(&database);
    let beside = shop.beside(&database);
    let ann = text(&customer(&shop.client, &json!({})).await, "/id");
    let mut racing = JoinSet::new();
    let payments = || "/v1/payments".to_owned();
    let order = of(&ann, "automatic");
    for number in 0..24 {
        let client = [&shop, &beside][number % 2].client.clone();
        let key = format!("race-{number}");
        racing.spawn(insist(client, payments(), key, order.clone()));
        if number == 11 {
            let path = format!("/v1/customers/{ann}/suspend");
            let reason = json!({"reason": "the letter came back"});
            racing.spawn(insist(
                beside.client.clone(),
                path,
                "suspend".to_owned(),
                reason,
            ));
        }
    }
    let answers = racing.join_all().await;

    let is_suspension = |reply: &&Reply| reply.json()["object"] == "customer";
    let suspended = answers.iter().find(is_suspension).expect("it is answered");
    let since = text(&suspended.json(), "/updated_at");
    for reply in answers.iter().filter(|reply| !is_suspension(reply)) {
        match reply.status {
            201 => assert!(
                text(&reply.json(), "/created_at") <= since,
                "{}",
                reply.json()
            ),
            _ => may_not("it was too late", &ann, reply),
        }
    }
    for shop in [&shop, &beside] {
        let key = format!("late-{}", shop.florin.pid());
        let late = insist(shop.client.clone(), payments(), key, order.clone()).await;
        may_not("after it", &ann, &late);
    }
    books_hold(&database);
}

#[test]
fn a_payment_waits_for_a_suspension_that_another_process_commits() {
    tests::scenario(Kind::Postgres, async |database: Database| {
        let shop = Shop::open(&database);
        let beside = shop.beside(&database);
        let ann = text(&customer(&shop.client, &json!({})).await, "/id");
        // Somebody holds the row of the customer, so that both requests wait for it, the suspension first.
        let mut holder = PgConnection::establish(database.url()).expect("the server is there");
        let held = holder.batch_execute("BEGIN; SELECT 1 FROM customer FOR UPDATE");
        held.expect("the row is free");
        let waiting = async |expected: i64| {
            eventually("they wait for the row", async || {
                let waiting = "SELECT count(*) FROM pg_stat_activity
                               WHERE datname = current_database() AND wait_event_type = 'Lock'";
                (database.number(waiting) == expected).then_some(())
            })
            .await;
        };
        let (client, id) = (shop.client.clone(), ann.clone());
        let suspended = tokio::spawn(async move { turn(&client, &id, "suspend").await });
        waiting(1).await;
        let (client, order) = (beside.client.clone(), of(&ann, "automatic"));
        let paid = tokio::spawn(async move { client.post("/v1/payments", "k-1", &order).await });
        waiting(2).await;
        holder.batch_execute("COMMIT").expect("it held a lock only");

        assert_eq!(suspended.await.expect("answered").status, 200);
        may_not("it was too late", &ann, &paid.await.expect("answered"));
        books_hold(&database);
    });
}
