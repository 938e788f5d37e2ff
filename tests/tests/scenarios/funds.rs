//! Funds: fees by the terms, the day on which money is available, and the money that pays for refunds.

use serde_json::{Value, json};
use tests::{Database, on_both_databases};

use crate::books_hold;
use crate::given::{eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, list, pointers};

/// Terms: no fee, available at once.
fn at_once() -> Value {
    json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0})
}

/// Terms: a fee of 62 of [`PRICE`], and available in a year.
fn in_a_year() -> Value {
    json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 365,
           "rate": "0.029", "fixed": 30})
}

async fn agree(shop: &Shop, terms: &Value) -> Value {
    let reply = shop.client.post("/v1/payment_terms", None, terms).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    reply.json()
}

/// The balance in EUR: pending, available, reserved, in transit.
pub(crate) async fn balance(shop: &Shop) -> [i64; 4] {
    let balance = shop.client.get("/v1/balance").await.json();
    let balances = balance["balances"].as_array().expect("a list");
    let euro = balances.iter().find(|one| one["currency"] == "EUR");
    ["pending", "available", "reserved", "in_transit"]
        .map(|name| euro.map_or(0, |euro| number(euro, &format!("/{name}"))))
}

/// Waits until the balance is this one.
pub(crate) async fn balance_becomes(shop: &Shop, expected: [i64; 4]) {
    eventually(&format!("the balance {expected:?}"), async || {
        (balance(shop).await == expected).then_some(())
    })
    .await;
}

async fn paid(shop: &Shop, key: &str, method: &str) -> String {
    let reply = shop.pay(key, method).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    text(&reply.json(), "/id")
}

on_both_databases!(captured_money_is_available_on_its_day_less_the_fee);
async fn captured_money_is_available_on_its_day_less_the_fee(database: Database) {
    let shop = Shop::open(&database);
    assert_eq!(balance(&shop).await, [0; 4]);
    // Without terms there is no fee, and the money comes after two business days.
    let first = paid(&shop, "k-1", "pm_succeeds").await;
    assert_eq!(balance(&shop).await, [PRICE, 0, 0, 0]);
    let path = format!("/v1/payments/{first}/operations");
    let operation = list(&shop.client.get(&path).await.json()).remove(0);
    assert_eq!(
        (&operation["kind"], &operation["terms"]),
        (&json!("charge"), &Value::Null)
    );
    assert_eq!(
        (&operation["fee"], &operation["pending"]),
        (&json!(0), &json!(PRICE))
    );
    let created = text(&operation, "/created_at");
    assert!(
        text(&operation, "/available_on").as_str() > &created[..10],
        "{operation}"
    );

    let terms = json!({"currency": "EUR", "method": "pm_webhook", "calendar": "every_day",
                       "available_after_days": 0, "rate": "0.029", "fixed": 30, "most": 60});
    assert_eq!(agree(&shop, &terms).await["version"], 1);
    paid(&shop, "k-2", "pm_webhook_twice").await;
    balance_becomes(&shop, [PRICE, PRICE - 60, 0, 0]).await;
    let fees = shop.find("income:fees:EUR").await.expect("it is open");
    assert_eq!(fees["balances"]["posted"], 60);

    let movements = shop.assert_movements_add_up().await;
    let shown: Vec<(&str, i64, i64, i64, i64)> = movements
        .iter()
        .map(|one| {
            let number = |name| number(one, &format!("/{name}"));
            let kind = one["kind"].as_str().unwrap_or_default();
            (
                kind,
                number("amount"),
                number("fee"),
                number("pending"),
                number("available"),
            )
        })
        .collect();
    let net = PRICE - 60;
    assert_eq!(
        shown,
        [
            ("payment_available", 0, 0, -net, net),
            ("capture", PRICE, 60, net, 0),
            ("capture", PRICE, 0, PRICE, 0),
        ]
    );
    assert_eq!(movements[2]["source"], json!(first), "{}", movements[2]);
    assert_eq!(movements[2]["payment"], json!(first), "{}", movements[2]);
    assert!(movements[2]["available_on"].is_string());
    for wrong in ["", "?currency=eur", "?currency=XXX", "?currency=EUR&kind=x"] {
        let reply = shop
            .client
            .get(&format!("/v1/balance_transactions{wrong}"))
            .await;
        is_problem(wrong, &reply, 400, "invalid_query");
    }

    // New terms are for new captures; a manual payment gets those of the moment of its capture.
    let authorized = text(&shop.authorize("k-3", "pm_webhook_twice").await, "/id");
    assert_eq!(agree(&shop, &in_a_year()).await["version"], 2);
    let free = json!({"currency": "EUR", "method": "pm_webhook", "calendar": "every_day",
                      "available_after_days": 0, "fixed": 0, "least": 0, "most": 0,
                      "dispute_fee": 0});
    assert_eq!(agree(&shop, &free).await["version"], 3);
    let reply = shop.ask(&authorized, "capture", "c-3", &json!({})).await;
    assert_eq!(reply.status, 200);
    balance_becomes(&shop, [PRICE, 2 * PRICE - 60, 0, 0]).await;
    let listed = list(&shop.client.get("/v1/payment_terms").await.json());
    let versions: Vec<i64> = listed.iter().map(|one| number(one, "/version")).collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!(
        (&listed[2]["rate"], &listed[2]["most"]),
        (&json!("0.029"), &json!(60))
    );
    books_hold(&database);
}

on_both_databases!(terms_that_cannot_be_are_refused_and_name_the_field);
async fn terms_that_cannot_be_are_refused_and_name_the_field(database: Database) {
    let shop = Shop::open(&database);
    for (pointer, value) in [
        ("/currency", json!("XXX")),
        ("/rate", json!("1.5")),
        ("/rate", json!("0.0000001")),
        ("/rate", json!(0)),
        ("/fixed", json!(-1)),
        ("/most", json!(1)),
        ("/available_after_days", json!(366)),
        ("/calendar", json!("moon")),
        ("/method", json!("")),
    ] {
        let mut terms = in_a_year();
        terms["least"] = json!(2);
        terms[&pointer[1..]] = value;
        let reply = shop.client.post("/v1/payment_terms", None, &terms).await;
        assert_eq!(reply.status, 422, "{terms}: {}", reply.json());
        assert_eq!(pointers(&reply), [pointer], "{terms}");
    }
    assert_eq!(
        list(&shop.client.get("/v1/payment_terms").await.json()),
        Vec::<Value>::new()
    );
    books_hold(&database);
}

on_both_databases!(pending_money_pays_for_a_refund_first_and_comes_back_if_it_fails);
async fn pending_money_pays_for_a_refund_first_and_comes_back_if_it_fails(database: Database) {
    let shop = Shop::open(&database);
    agree(&shop, &in_a_year()).await;
    let (net, fee) = (PRICE - 62, 62);
    let kept = paid(&shop, "k-1", "pm_succeeds").await;
    assert_eq!(balance(&shop).await, [net, 0, 0, 0]);

    let part = json!({"amount": 99});
    assert_eq!(shop.ask(&kept, "refunds", "r-1", &part).await.status, 201);
    assert_eq!(balance(&shop).await, [net - 99, 0, 0, 0]);
    let declines = paid(&shop, "k-2", "pm_refund_declines").await;
    let refused = shop
        .ask(&declines, "refunds", "r-2", &json!({"amount": 500}))
        .await;
    is_problem("refused", &refused, 402, "declined");
    assert_eq!(balance(&shop).await, [net - 99 + net, 0, 0, 0]);

    // What pending money does not cover, available money does. The fee is kept.
    agree(&shop, &at_once()).await;
    paid(&shop, "k-3", "pm_succeeds").await;
    balance_becomes(&shop, [net - 99 + net, PRICE, 0, 0]).await;
    assert_eq!(
        shop.ask(&kept, "refunds", "r-3", &json!({})).await.status,
        201
    );
    assert_eq!(balance(&shop).await, [net, PRICE - fee, 0, 0]);
    books_hold(&database);
}

on_both_databases!(a_refund_waits_until_there_is_money_for_it);
async fn a_refund_waits_until_there_is_money_for_it(database: Database) {
    let shop = Shop::open(&database);
    agree(&shop, &in_a_year()).await;
    let id = paid(&shop, "k-1", "pm_succeeds").await;

    let reply = shop.ask(&id, "refunds", "r-1", &json!({})).await;

    let refund = reply.json();
    assert_eq!((reply.status, &refund["status"]), (202, &json!("pending")));
    assert_eq!(refund["pending_reason"], "insufficient_funds");
    assert_eq!(
        balance(&shop).await,
        [PRICE - 62, 0, 0, 0],
        "nothing was taken"
    );
    assert_eq!(
        shop.payment(&id).await["amount_refunded"],
        PRICE,
        "but it counts"
    );
    let second = shop.ask(&id, "refunds", "r-2", &json!({"amount": 1})).await;
    is_problem("nothing is left", &second, 422, "exceeds_remaining");
    let again = shop.ask(&id, "refunds", "r-1", &json!({})).await;
    assert_eq!((again.status, &again.body), (202, &reply.body));
    assert_eq!(
        shop.journal().await.len(),
        1,
        "the provider knows nothing of it"
    );
    books_hold(&database);

    agree(&shop, &at_once()).await;
    paid(&shop, "k-2", "pm_succeeds").await;
    let path = format!("/v1/refunds/{}", text(&refund, "/id"));
    let done = eventually("the refund is sent", async || {
        let refund = shop.client.get(&path).await.json();
        (refund["status"] != "pending").then_some(refund)
    })
    .await;
    assert_eq!(
        (&done["status"], &done["pending_reason"]),
        (&json!("succeeded"), &Value::Null)
    );
    assert_eq!(balance(&shop).await, [0, PRICE - 62, 0, 0]);
    books_hold(&database);
}
