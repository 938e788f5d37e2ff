//! Reserves: available money that is held back by the terms or by a person, and released.

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::funds::{balance, balance_becomes};
use crate::given::{eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, list, pointers};
use crate::violations::{tamper, violated};

/// The account of held back money.
const RESERVE: &str = "liabilities:reserve:EUR";
/// A tenth of [`PRICE`], rounded half-even.
const SHARE: i64 = 110;

/// A shop with terms by which money is available at once, and a share of it is held back for some days.
async fn open(database: &Database, rate: &str, days: i64) -> Shop {
    let shop = Shop::open(database);
    agree(&shop, rate, days).await;
    shop
}

async fn agree(shop: &Shop, rate: &str, days: i64) {
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0,
                       "reserve_rate": rate, "reserve_days": days, "dispute_fee": 30});
    let agreed = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201, "{}", agreed.json());
    let agreed = agreed.json();
    assert_eq!(
        (&agreed["reserve_rate"], &agreed["reserve_days"]),
        (&json!(rate), &json!(days))
    );
}

async fn paid(shop: &Shop, key: &str) -> String {
    let reply = shop.pay(key, "pm_succeeds").await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    text(&reply.json(), "/id")
}

async fn reserves(shop: &Shop) -> Vec<Value> {
    list(&shop.client.get("/v1/reserves").await.json())
}

async fn hold(shop: &Shop, key: &str, amount: i64, release_at: Option<&str>) -> Reply {
    let mut body = json!({"amount": amount, "currency": "EUR", "reason": "the shop is new"});
    if let Some(at) = release_at {
        body["release_at"] = json!(at);
    }
    shop.client.post("/v1/reserves", key, &body).await
}

async fn release(client: &Client, id: &str, key: &str, body: &Value) -> Reply {
    let path = format!("/v1/reserves/{id}/release");
    client.post(&path, key, body).await
}

/// Asserts that the account has what is left of all reserves, and that the balance says so.
async fn all_is_held(shop: &Shop, expected: i64) {
    let left: i64 = reserves(shop)
        .await
        .iter()
        .map(|one| number(one, "/left"))
        .sum();
    assert_eq!(
        (left, shop.posted(RESERVE).await, balance(shop).await[2]),
        (expected, expected, expected)
    );
}

on_both_databases!(a_share_of_each_capture_is_held_back_for_its_days);
async fn a_share_of_each_capture_is_held_back_for_its_days(database: Database) {
    let shop = open(&database, "0.1", 90).await;
    let first = paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE - SHARE, SHARE, 0]).await;
    let reserve = reserves(&shop).await.remove(0);
    assert_eq!(
        (&reserve["payment"], &reserve["amount"], &reserve["left"]),
        (&json!(first), &json!(SHARE), &json!(SHARE))
    );
    assert_eq!(
        (&reserve["reason"], &reserve["version"]),
        (&Value::Null, &json!(1))
    );
    let path = format!("/v1/reserves/{}", text(&reserve, "/id"));
    assert_eq!(shop.client.get(&path).await.json(), reserve);
    // A refund before the money is available makes the share smaller, one afterwards leaves it as it is.
    let part = json!({"amount": 99});
    assert_eq!(shop.ask(&first, "refunds", "r-1", &part).await.status, 201);
    assert_eq!(balance(&shop).await, [0, PRICE - SHARE - 99, SHARE, 0]);
    // What is held back cannot be paid out.
    let out = json!({"amount": PRICE - SHARE, "currency": "EUR", "destination": "ba_succeeds"});
    let out = shop.client.post("/v1/payouts", "p-1", &out).await;
    is_problem("held back", &out, 422, "insufficient_funds");
    all_is_held(&shop, SHARE).await;

    // New terms change nothing about it.
    agree(&shop, "0", 0).await;
    paid(&shop, "k-2").await;
    balance_becomes(&shop, [0, 2 * PRICE - SHARE - 99, SHARE, 0]).await;
    shop.advance(89).await;
    assert_eq!(shop.drain().await["finished"], true);
    all_is_held(&shop, SHARE).await;
    shop.advance(1).await;
    assert_eq!(shop.drain().await["finished"], true);

    assert_eq!(balance(&shop).await, [0, 2 * PRICE - 99, 0, 0]);
    let released = shop.client.get(&path).await.json();
    assert_eq!(
        (&released["left"], &released["amount"], &released["version"]),
        (&json!(0), &json!(SHARE), &json!(2))
    );
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_refund_of_pending_money_makes_the_share_smaller);
async fn a_refund_of_pending_money_makes_the_share_smaller(database: Database) {
    let shop = Shop::open(&database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 1,
                       "reserve_rate": "0.5", "reserve_days": 7});
    let agreed = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201);
    let id = paid(&shop, "k-1").await;
    let part = json!({"amount": 99});
    assert_eq!(shop.ask(&id, "refunds", "r-1", &part).await.status, 201);
    shop.advance(1).await;
    assert_eq!(shop.drain().await["finished"], true);
    assert_eq!(balance(&shop).await, [0, 500, 500, 0]);
    // A refund of the rest takes what is available, waits for the reserve, and is sent when that is released.
    let reply = shop.ask(&id, "refunds", "r-2", &json!({})).await;
    assert_eq!(reply.status, 202, "{}", reply.json());
    assert_eq!(reply.json()["pending_reason"], "insufficient_funds");
    shop.advance(7).await;
    let path = format!("/v1/refunds/{}", text(&reply.json(), "/id"));
    eventually("the refund is sent", async || {
        let refund = shop.client.get(&path).await.json();
        (refund["status"] == "succeeded").then_some(())
    })
    .await;
    assert_eq!(balance(&shop).await, [0, 0, 0, 0]);
    books_hold(&database);
}

on_both_databases!(money_is_held_back_by_a_person_and_released_in_parts);
async fn money_is_held_back_by_a_person_and_released_in_parts(database: Database) {
    let shop = open(&database, "0", 0).await;
    let nothing = hold(&shop, "h-0", 1, None).await;
    is_problem("nothing is available", &nothing, 422, "insufficient_funds");
    assert_eq!(nothing.json()["left"], 0);
    paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let much = hold(&shop, "h-1", PRICE + 1, None).await;
    is_problem("too much", &much, 422, "insufficient_funds");
    assert_eq!(
        (&much.json()["left"], pointers(&much)),
        (&json!(PRICE), vec!["/amount".to_owned()])
    );

    let made = hold(&shop, "h-2", 1000, None).await;

    assert_eq!(made.status, 201, "{}", made.json());
    let again = hold(&shop, "h-2", 1000, None).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    let reserve = made.json();
    assert_eq!(
        (
            &reserve["reason"],
            &reserve["release_at"],
            &reserve["payment"]
        ),
        (&json!("the shop is new"), &Value::Null, &Value::Null)
    );
    assert_eq!(balance(&shop).await, [0, PRICE - 1000, 1000, 0]);
    let id = text(&reserve, "/id");
    let much = release(&shop.client, &id, "l-1", &json!({"amount": 1001})).await;
    is_problem("more than is left", &much, 422, "exceeds_remaining");
    assert_eq!(much.json()["left"], 1000);
    let part = release(&shop.client, &id, "l-2", &json!({"amount": 300})).await;
    assert_eq!(
        (part.status, &part.json()["left"]),
        (200, &json!(700)),
        "{}",
        part.json()
    );
    all_is_held(&shop, 700).await;
    // Requests that race never release more than is left.
    let mut races = JoinSet::new();
    for number in 0..6 {
        let (client, id) = (shop.client.clone(), id.clone());
        races.spawn(async move {
            let key = format!("race-{number}");
            release(&client, &id, &key, &json!({"amount": 300})).await
        });
    }
    let replies = races.join_all().await;
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(done, 2);
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        is_problem("the others", refused, 422, "exceeds_remaining");
    }
    all_is_held(&shop, 100).await;
    let rest = release(&shop.client, &id, "l-3", &json!({})).await;
    assert_eq!((rest.status, &rest.json()["left"]), (200, &json!(0)));
    let nothing = release(&shop.client, &id, "l-4", &json!({})).await;
    is_problem("nothing is left", &nothing, 422, "exceeds_remaining");
    assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
    books_hold(&database);
}

on_both_databases!(a_reserve_with_a_time_ends_then_and_wrong_ones_are_refused);
async fn a_reserve_with_a_time_ends_then_and_wrong_ones_are_refused(database: Database) {
    let shop = open(&database, "0", 0).await;
    paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let clock = shop.client.get("/sandbox/clock").await.json();
    let past = hold(&shop, "h-1", 1, Some(&text(&clock, "/now"))).await;
    is_problem("the past", &past, 422, "invalid_field");
    assert_eq!(pointers(&past), ["/release_at"]);
    for (pointer, value) in [
        ("/amount", json!(0)),
        ("/amount", json!("1")),
        ("/currency", json!("XXX")),
        ("/release_at", json!("tomorrow")),
        ("/reason", json!("")),
    ] {
        let mut body = json!({"amount": 1, "currency": "EUR"});
        body[&pointer[1..]] = value;
        let reply = shop.client.post("/v1/reserves", "h-wrong", &body).await;
        assert_eq!(
            (reply.status, pointers(&reply)),
            (422, vec![pointer.to_owned()])
        );
    }
    for half in [
        json!({"currency": "EUR", "reserve_rate": "0.1"}),
        json!({"currency": "EUR", "reserve_days": 3}),
    ] {
        let reply = shop.client.post("/v1/payment_terms", None, &half).await;
        assert_eq!(
            (reply.status, pointers(&reply)),
            (422, vec!["/reserve_rate".to_owned()])
        );
    }
    let absent = "rsv_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6";
    let absent = release(&shop.client, absent, "l-1", &json!({})).await;
    is_problem("no such reserve", &absent, 404, "not_found");
    assert_eq!(reserves(&shop).await, Vec::<Value>::new());

    let ends = clock["now"]
        .as_str()
        .expect("a moment")
        .replace("2026", "2027");
    let made = hold(&shop, "h-2", 400, Some(&ends)).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.json()["release_at"], ends.as_str());
    let id = text(&made.json(), "/id");
    let part = release(&shop.client, &id, "l-2", &json!({"amount": 150})).await;
    assert_eq!(part.status, 200);
    shop.advance(364).await;
    assert_eq!(shop.drain().await["finished"], true);
    all_is_held(&shop, 250).await;
    shop.advance(2).await;
    assert_eq!(shop.drain().await["finished"], true);
    all_is_held(&shop, 0).await;
    assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
    books_hold(&database);
}

on_both_databases!(a_dispute_takes_from_the_reserve_of_its_payment_first);
async fn a_dispute_takes_from_the_reserve_of_its_payment_first(database: Database) {
    let shop = open(&database, "0.1", 90).await;
    let disputed = paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE - SHARE, SHARE, 0]).await;
    paid(&shop, "k-2").await;
    let before = 2 * (PRICE - SHARE);
    balance_becomes(&shop, [0, before, 2 * SHARE, 0]).await;
    let made = hold(&shop, "h-1", 5, None).await;
    assert_eq!(made.status, 201);

    // A part of the share is enough for it: 50 and the fee of 30.
    let provider = Client::new(shop.florin.sandbox(), None);
    let charge = text(&shop.charge_of(&disputed).await, "/id");
    let path = format!("/v1/charges/{charge}/disputes");
    let dispute = async |amount: i64| {
        let made = provider.post(&path, None, &json!({"amount": amount})).await;
        assert_eq!(made.status, 200, "{}", made.json());
        text(&made.json(), "/id")
    };
    let small = dispute(50).await;
    let left = SHARE - 80;
    balance_becomes(&shop, [0, before - 5, SHARE + left + 5, 0]).await;
    // The rest of it is used by the next one, and then available money. Other reserves stay.
    dispute(500).await;
    let used = 530 - left;
    balance_becomes(&shop, [0, before - 5 - used, SHARE + 5, 0]).await;
    all_is_held(&shop, SHARE + 5).await;
    shop.assert_as_the_provider_says().await;
    // What is won is available.
    let won = format!("/v1/disputes/{small}/win");
    assert_eq!(provider.post(&won, None, &json!({})).await.status, 200);
    balance_becomes(&shop, [0, before - 5 - used + 50, SHARE + 5, 0]).await;
    shop.advance(91).await;
    assert_eq!(shop.drain().await["finished"], true);
    all_is_held(&shop, 5).await;
    books_hold(&database);
}

on_both_databases!(a_share_never_makes_available_money_negative);
async fn a_share_never_makes_available_money_negative(database: Database) {
    let shop = open(&database, "0", 0).await;
    let first = paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let provider = Client::new(shop.florin.sandbox(), None);
    let charge = text(&shop.charge_of(&first).await, "/id");
    let path = format!("/v1/charges/{charge}/disputes");
    let made = provider.post(&path, None, &json!({"amount": PRICE})).await;
    assert_eq!(made.status, 200, "{}", made.json());
    balance_becomes(&shop, [0, -30, 0, 0]).await;
    agree(&shop, "1", 5).await;

    paid(&shop, "k-2").await;

    balance_becomes(&shop, [0, 0, PRICE - 30, 0]).await;
    shop.advance(5).await;
    assert_eq!(shop.drain().await["finished"], true);
    assert_eq!(balance(&shop).await, [0, PRICE - 30, 0, 0]);
    books_hold(&database);
}

on_both_databases!(check_names_a_reserve_that_does_not_add_up);
async fn check_names_a_reserve_that_does_not_add_up(database: Database) {
    let shop = open(&database, "0.1", 90).await;
    paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE - SHARE, SHARE, 0]).await;
    let id = text(&reserves(&shop).await[0], "/id");
    let part = release(&shop.client, &id, "l-1", &json!({"amount": 10})).await;
    assert_eq!(part.status, 200);
    assert_eq!(shop.florin.terminate().code(), Some(0));
    assert_eq!(violated(&database), (Some(0), vec![]));
    for (plant, undo, broken) in [
        // More is left than was not released.
        (
            "UPDATE reserve SET remaining = 101",
            "UPDATE reserve SET remaining = 100",
            vec!["P1"],
        ),
        // A share of the money of another payment.
        (
            "CREATE TABLE keep AS SELECT * FROM reserve; UPDATE reserve SET payment_id = id",
            "UPDATE reserve SET payment_id = (SELECT payment_id FROM keep); DROP TABLE keep",
            vec!["P1"],
        ),
        // A reserve, and a release, that were never posted.
        (
            "CREATE TABLE keep AS SELECT * FROM ledger_transaction;
             UPDATE ledger_transaction SET external_id = NULL WHERE kind = 'payment_reserve'",
            "UPDATE ledger_transaction SET external_id =
                 (SELECT external_id FROM keep WHERE keep.id = ledger_transaction.id);
             DROP TABLE keep",
            vec!["P3"],
        ),
        (
            "CREATE TABLE keep AS SELECT * FROM ledger_transaction;
             UPDATE ledger_transaction SET external_id = NULL WHERE kind = 'payment_reserve_released'",
            "UPDATE ledger_transaction SET external_id =
                 (SELECT external_id FROM keep WHERE keep.id = ledger_transaction.id);
             DROP TABLE keep",
            vec!["P3"],
        ),
        // A release that is gone.
        (
            "CREATE TABLE keep AS SELECT * FROM reserve_release; DELETE FROM reserve_release",
            "INSERT INTO reserve_release SELECT * FROM keep; DROP TABLE keep",
            vec!["P1", "P3"],
        ),
        // Another amount than was posted.
        (
            "UPDATE reserve SET amount = 109, remaining = 99",
            "UPDATE reserve SET amount = 110, remaining = 100",
            vec!["P3"],
        ),
    ] {
        tamper(&database, plant);
        let (status, mut names) = violated(&database);
        names.sort_unstable();
        assert_eq!((status, names), (Some(1), broken.into_iter().map(str::to_owned).collect()), "{plant}");
        tamper(&database, undo);
    }
    assert_eq!(violated(&database), (Some(0), vec![]));
}
