//! Currency exchange over HTTP: both legs or none; the terms are recorded, replayed and read again.

use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};

use crate::accounting_programs::{exported, programs_agree};
use crate::books_hold;
use crate::given::{is_problem, number, rows, text};
use crate::shop::pointers;

/// A server, with Ann's wallets in euro (100.00) and dollars, and liquidity accounts in both.
struct Desk {
    florin: Florin,
    client: Client,
    euro: String,
    dollar: String,
    sold_to: String,
    bought_from: String,
}

impl Desk {
    async fn open(database: &Database) -> Self {
        let florin = Florin::start(database, &[]);
        let client = florin.client();
        let open = async |code: &str, currency: &str, floor: Value| {
            let new = json!({"code": code, "currency": currency, "floor": floor});
            text(&client.post("/v1/accounts", None, &new).await.json(), "/id")
        };
        let euro = open("liabilities:ann:eur", "EUR", json!(0)).await;
        let dollar = open("liabilities:ann:usd", "USD", json!(0)).await;
        let sold_to = open("liabilities:liquidity:eur", "EUR", Value::Null).await;
        let bought_from = open("liabilities:liquidity:usd", "USD", Value::Null).await;
        let funds = json!({"from": sold_to, "to": euro, "amount": 10_000, "currency": "EUR"});
        let funded = client.post("/v1/transfers", "funds", &funds).await;
        assert_eq!(funded.status, 201, "{}", funded.json());
        Self {
            florin,
            client,
            euro,
            dollar,
            sold_to,
            bought_from,
        }
    }

    /// A request in which Ann sells 50.00 euro.
    fn asked(&self) -> Value {
        json!({
            "from": self.euro, "to": self.dollar,
            "sold_to": self.sold_to, "bought_from": self.bought_from,
            "sell": 5_000, "rate": "1.08425", "source": "ECB reference rates",
            "quoted_at": "2026-11-20T15:00:00Z",
        })
    }

    async fn exchange(&self, key: &str, asked: &Value) -> Reply {
        self.client.post("/v1/exchanges", key, asked).await
    }

    async fn posted(&self) -> [i64; 4] {
        let mut posted = [0; 4];
        let accounts = [&self.euro, &self.dollar, &self.sold_to, &self.bought_from];
        for (place, account) in posted.iter_mut().zip(accounts) {
            let path = format!("/v1/accounts/{account}/balances");
            *place = number(&self.client.get(&path).await.json(), "/posted");
        }
        posted
    }
}

on_both_databases!(an_exchange_posts_both_legs_and_keeps_its_terms);
async fn an_exchange_posts_both_legs_and_keeps_its_terms(database: Database) {
    let mut desk = Desk::open(&database).await;
    let asked = desk.asked();
    let made = desk.exchange("first", &asked).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let told = made.json();
    // 54.2125 dollars.
    assert_eq!(told["sold"], json!({"amount": 5_000, "currency": "EUR"}));
    assert_eq!(told["bought"], json!({"amount": 5_421, "currency": "USD"}));
    let terms = ["given", "rate", "rounding", "source", "quoted_at"].map(|name| &told[name]);
    let source = "ECB reference rates";
    let quoted_at = "2026-11-20T15:00:00.000000Z";
    assert_eq!(terms, ["sold", "1.08425", "half_even", source, quoted_at]);
    assert_eq!(told["transaction"]["kind"], "exchange");
    assert_eq!(desk.posted().await, [5_000, 5_421, -5_000, -5_421]);

    // The bought amount may be given instead: 9.2229… euro, rounded away from zero.
    let mut buying = asked.clone();
    buying.as_object_mut().expect("an object").remove("sell");
    (buying["buy"], buying["rounding"]) = (json!(1_000), json!("up"));
    let bought = desk.exchange("second", &buying).await.json();
    assert_eq!(bought["sold"]["amount"], 923);
    assert_eq!(desk.posted().await, [4_077, 6_421, -4_077, -6_421]);

    // It is replayed byte for byte, also by another process; and read by its transaction.
    let id = text(&told, "/transaction/id");
    desk.florin.kill9();
    desk.florin = Florin::start(&database, &[]);
    desk.client = desk.florin.client();
    let again = desk.exchange("first", &asked).await;
    assert_eq!(again.body, made.body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let read = desk.client.get(&format!("/v1/exchanges/{id}")).await;
    assert_eq!((read.status, read.json()), (200, told));
    let transfer = text(&bought, "/transaction/postings/0/debit");
    let absent = desk.client.get(&format!("/v1/exchanges/{transfer}")).await;
    is_problem("an account's id", &absent, 404, "not_found");

    // It is reversed like any other transaction, and stays an exchange.
    let path = format!("/v1/transactions/{id}/reverse");
    let undone = desk.client.post(&path, "undone", &json!({})).await;
    assert_eq!(undone.status, 201, "{}", undone.json());
    assert_eq!(desk.posted().await, [9_077, 1_000, -9_077, -1_000]);
    books_hold(&database);
}

on_both_databases!(an_exchange_is_reversed_in_shares_of_both_sides_and_not_on_one_alone);
async fn an_exchange_is_reversed_in_shares_of_both_sides_and_not_on_one_alone(database: Database) {
    let desk = Desk::open(&database).await;
    let before = desk.posted().await;
    let made = desk.exchange("first", &desk.asked()).await.json();
    let id = text(&made, "/transaction/id");
    let path = format!("/v1/transactions/{id}/reverse");
    let undo = async |key: &str, body: Value| desk.client.post(&path, key, &body).await;
    let part = |ordinal: i64, amount: i64| json!({"ordinal": ordinal, "amount": amount});

    let written = rows(&database);
    // Of EUR 50.00 for USD 54.21. Each request has the same key: a mistake does not use up the key.
    for (body, code, pointer) in [
        (
            json!({"amounts": [part(0, 1_000)]}),
            "leg_alone",
            "/amounts",
        ),
        (
            json!({"amounts": [part(1, 5_421)]}),
            "leg_alone",
            "/amounts",
        ),
        (
            json!({"amounts": [part(0, 1_000), part(1, 1_086)]}),
            "not_in_proportion",
            "/amounts",
        ),
        (
            json!({"sell": 1_000, "buy": 1_084}),
            "invalid_field",
            "/buy",
        ),
        (
            json!({"sell": 1_000, "amounts": [part(0, 1_000)]}),
            "invalid_field",
            "/sell",
        ),
        (json!({"sell": 0}), "invalid_field", "/sell"),
    ] {
        let refused = undo("refused", body.clone()).await;
        is_problem(&body.to_string(), &refused, 422, code);
        assert_eq!(pointers(&refused), [pointer], "{body}");
    }
    let transfer = json!({"from": desk.euro, "to": desk.sold_to, "amount": 1, "currency": "EUR"});
    assert_eq!(rows(&database), written);
    let transfer = desk
        .client
        .post("/v1/transfers", "t", &transfer)
        .await
        .json();
    let plain = format!("/v1/transactions/{}/reverse", text(&transfer, "/id"));
    let refused = desk
        .client
        .post(&plain, "refused", &json!({"buy": 1}))
        .await;
    is_problem("no exchange", &refused, 422, "invalid_field");
    assert_eq!(desk.client.post(&plain, "u", &json!({})).await.status, 201);
    let much = undo("much", json!({"buy": 5_422})).await;
    is_problem("too much", &much, 422, "exceeds_remaining");
    assert_eq!(pointers(&much), ["/buy"]);

    // ⌊5421 · 1000 ÷ 5000⌋ = 1084, ⌊5421 · 2000 ÷ 5000⌋ = 2168; for 3168 of them ⌊5000 · 3168 ÷ 5421⌋ = 2921.
    for (key, body, moved) in [
        ("1", json!({"sell": 1_000}), [1_000, 1_084]),
        ("2", json!({"sell": 1_000}), [1_000, 1_084]),
        ("3", json!({"buy": 1_000}), [921, 1_000]),
        (
            "4",
            json!({"amounts": [part(1, 500), part(0, 462)]}),
            [462, 500],
        ),
    ] {
        let undone = undo(key, body.clone()).await;
        assert_eq!(undone.status, 201, "{body}: {}", undone.json());
        let amounts = [0, 1].map(|at| undone.json()["postings"][at]["amount"].clone());
        assert_eq!(amounts, moved.map(|amount| json!(amount)), "{body}");
    }
    // A part is reversed in a bulk, and then the rest of both legs. Together they are exactly the exchanged amounts.
    let bulk = json!({"atomic": true, "transactions": [
        {"reverse": id, "buy": 200}, {"reverse": id, "sell": 200}, {"reverse": id},
    ]});
    let undone = desk
        .client
        .post("/v1/transactions/bulk", "rest", &bulk)
        .await;
    assert_eq!(undone.status, 200, "{}", undone.json());
    assert_eq!(desk.posted().await, before);
    let again = undo("again", json!({"sell": 1})).await;
    is_problem("all of it", &again, 409, "transaction_state_conflict");
    books_hold(&database);
}

on_both_databases!(a_refused_exchange_names_its_rule_and_writes_nothing);
async fn a_refused_exchange_names_its_rule_and_writes_nothing(database: Database) {
    let desk = Desk::open(&database).await;
    let before = (desk.posted().await, rows(&database));
    // Each request has the same key: a mistake does not use up the key.
    let refused = async |field: &str, value: Value| {
        let mut asked = desk.asked();
        asked[field] = value;
        desk.exchange("refused", &asked).await
    };
    for (field, value, pointer) in [
        ("rate", json!("1,08"), "/rate"),
        ("rate", json!(1), "/rate"),
        ("rate", json!("0"), "/rate"),
        ("rate", json!("1.0842500000000000001"), "/rate"),
        ("rounding", json!("nearest"), "/rounding"),
        ("source", json!(""), "/source"),
        ("quoted_at", json!("yesterday"), "/quoted_at"),
        ("buy", json!(1), "/sell"),
        ("sell", json!(0), "/sell"),
        ("from", json!("ann"), "/from"),
        ("fee", json!(1), "/fee"),
    ] {
        let reply = refused(field, value).await;
        assert_eq!(reply.status, 422, "{field}: {}", reply.json());
        assert_eq!(pointers(&reply), [pointer], "{field}");
    }
    for (field, value, status, code) in [
        ("sold_to", json!(desk.euro), 422, "same_account"),
        ("sold_to", json!(desk.dollar), 422, "currency_mismatch"),
        (
            "to",
            json!(format!("acc_{}", "0".repeat(32))),
            404,
            "account_not_found",
        ),
        ("rate", json!("0.0000001"), 422, "amount_too_small"),
        ("rate", json!("999999999999999999"), 422, "amount_too_large"),
    ] {
        let reply = refused(field, value).await;
        is_problem(code, &reply, status, code);
    }
    assert_eq!((desk.posted().await, rows(&database)), before);

    // A dry run shows the result, and writes nothing.
    let mut asked = desk.asked();
    asked["dry_run"] = json!(true);
    let dry = desk.exchange("dry", &asked).await;
    assert_eq!(
        (dry.status, &dry.json()["bought"]["amount"]),
        (200, &json!(5_421))
    );
    assert_eq!((desk.posted().await, rows(&database)), before);

    // The refusal of an amount above the balance is a decision, which is stored with the key.
    let poor = refused("sell", json!(10_001)).await;
    is_problem("poor", &poor, 422, "insufficient_funds");
    assert_eq!(desk.posted().await, before.0);
    books_hold(&database);
}

on_both_databases!(an_exchange_is_one_of_many_like_any_other_step);
async fn an_exchange_is_one_of_many_like_any_other_step(database: Database) {
    let desk = Desk::open(&database).await;
    let before = (desk.posted().await, rows(&database));
    let bulk = async |key: &str, atomic: bool, steps: &[Value]| {
        let many = json!({"atomic": atomic, "transactions": steps});
        desk.client.post("/v1/transactions/bulk", key, &many).await
    };
    let spend = json!({"kind": "fee", "postings": [
        {"debit": desk.dollar, "credit": desk.bought_from, "amount": 5_421, "currency": "USD"},
    ]});
    let with = |field: &str, value: Value| {
        let mut asked = desk.asked();
        asked[field] = value;
        asked
    };

    // If all must be posted, none is, and the pointers name the faulty transaction.
    let unread = [spend.clone(), with("rate", json!("1,08"))];
    let unread = bulk("unread", true, &unread).await;
    assert_eq!(pointers(&unread), ["/transactions/1/rate"]);
    let both = bulk("both", true, &[with("buy", json!(1))]).await;
    assert_eq!(pointers(&both), ["/transactions/0/sell"]);
    let dry = with("dry_run", json!(true));
    let dry = bulk("dry", true, &[dry]).await;
    assert_eq!(pointers(&dry), ["/transactions/0/dry_run"]);
    let elsewhere = [desk.asked(), with("sold_to", json!(desk.dollar))];
    let elsewhere = bulk("elsewhere", true, &elsewhere).await;
    is_problem("elsewhere", &elsewhere, 422, "currency_mismatch");
    assert_eq!(pointers(&elsewhere), ["/transactions/1/sold_to"]);
    assert_eq!((desk.posted().await, rows(&database)), before);

    // The bought amount is spent in the same commit.
    let both = [desk.asked(), spend];
    let all = bulk("all", true, &both).await;
    assert_eq!(all.status, 200, "{}", all.json());
    assert_eq!(bulk("all", true, &both).await.body, all.body);
    assert_eq!(desk.posted().await, [5_000, 0, -5_000, 0]);
    let id = text(&all.json(), "/results/0/transaction");
    let read = desk.client.get(&format!("/v1/exchanges/{id}")).await;
    let told = read.json();
    assert_eq!((read.status, &told["rate"]), (200, &json!("1.08425")));
    let again = [with("sell", json!(5_001)), desk.asked()];
    let each = bulk("each", false, &again).await.json();
    let statuses = [&each["results"][0]["status"], &each["results"][1]["status"]];
    assert_eq!(statuses, [422, 201], "{each}");
    assert_eq!(desk.posted().await, [0, 5_421, 0, -5_421]);
    books_hold(&database);
}

on_both_databases!(an_exported_exchange_tells_its_rate_and_other_programs_accept_it);
async fn an_exported_exchange_tells_its_rate_and_other_programs_accept_it(database: Database) {
    let desk = Desk::open(&database).await;
    let made = desk.exchange("first", &desk.asked()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let before = json!({"closed_before": "2026-01-01T00:00:00Z"});
    let closed = desk
        .client
        .post("/v1/periods/close", "close", &before)
        .await;
    assert_eq!(closed.status, 200, "{}", closed.json());

    programs_agree(&database);
    let journal = exported(&database, "hledger");
    assert!(
        journal.contains("\nP 2026-11-20 EUR 1.08425 USD\n"),
        "{journal}"
    );
    let ledger = exported(&database, "beancount");
    assert!(
        ledger.contains("\n2026-11-20 price EUR 1.08425 USD\n"),
        "{ledger}"
    );
    let document: Value = serde_json::from_str(&exported(&database, "json")).expect("one document");
    assert_eq!(document["closed_before"], "2026-01-01T00:00:00.000000Z");
    let told: Vec<&Value> = document["transactions"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|transaction| transaction.get("exchange"))
        .collect();
    let terms = json!({
        "given": "sold", "rate": "1.08425", "rounding": "half_even",
        "source": "ECB reference rates", "quoted_at": "2026-11-20T15:00:00.000000Z",
    });
    assert_eq!(told, [&terms]);
    books_hold(&database);
}
