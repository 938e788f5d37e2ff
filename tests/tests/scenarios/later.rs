//! Later questions and steps: the pending entries of an account, metadata that is set afterwards, and amounts
//! above the hold.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Database, Reply, on_both_databases, run};

use crate::accounting_programs::exported;
use crate::books::{Books, moved};
use crate::books_hold;
use crate::given::{eventually, is_problem, number, text};
use crate::shop::pointers;

impl Books {
    async fn pending(&self, account: &str, query: &str) -> Value {
        let path = format!("/v1/accounts/{account}/pending{query}");
        let reply = self.client.get(&path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.json());
        reply.json()
    }

    /// All pages of this length; they must agree with the account.
    async fn all_pending(&self, account: &str, limit: usize) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        let mut query = format!("?limit={limit}");
        loop {
            let page = self.pending(account, &query).await;
            let found = page["data"].as_array().expect("a list");
            assert!(found.len() <= limit);
            all.extend(found.iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else {
                let sum = |side: &str| -> i64 {
                    let own = all.iter().filter(|hold| hold["side"] == side);
                    own.map(|hold| number(hold, "/remaining")).sum()
                };
                assert_eq!(page["pending_debits"], sum("debit"));
                assert_eq!(page["pending_credits"], sum("credit"));
                let path = format!("/v1/accounts/{account}");
                let account = self.client.get(&path).await.json();
                assert_eq!(page["balances"], account["balances"]);
                assert_eq!(page["version"], account["version"]);
                return all;
            };
            query = format!("?limit={limit}&cursor={cursor}");
        }
    }

    async fn describe(&self, id: &str, key: Option<&str>, metadata: &Value) -> Reply {
        let path = format!("/v1/transactions/{id}");
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let body = json!({"metadata": metadata}).to_string();
        self.client.send(Method::PATCH, &path, &headers, body).await
    }

    /// The transactions that have this text in their metadata.
    async fn found_by(&self, query: &str) -> Vec<Value> {
        let path = format!("/v1/transactions?{query}");
        let page = self.client.get(&path).await.json();
        page["data"].as_array().expect("a list").clone()
    }
}

on_both_databases!(what_is_pending_on_an_account_is_listed_beside_its_balances);
async fn what_is_pending_on_an_account_is_listed_beside_its_balances(database: Database) {
    let books = Books::open(&database).await;
    let (ann, bob) = (books.ann.clone(), books.bob.clone());
    assert_eq!(books.all_pending(&ann, 10).await, Vec::<Value>::new());

    let old = books.hold("old", 10, &json!(true)).await;
    let life = json!({"expires_in": 3_600});
    let expiring = books.hold("expiring", 20, &life).await;
    let part = json!({"amounts": [{"ordinal": 0, "amount": 5}]});
    assert_eq!(
        books.step("post", "part", &expiring, &part).await.status,
        201
    );
    let gone = books.hold("gone", 7, &json!(true)).await;
    assert_eq!(
        books.step("void", "gone", &gone, &json!({})).await.status,
        201
    );
    // A hold in the other direction, in one transaction with another posting.
    let mut back = moved(&books.source, &ann, 3);
    let other = moved(&books.source, &bob, 4);
    back["postings"] = json!([back["postings"][0], other["postings"][0]]);
    back["pending"] = json!(true);
    let back = text(&books.post("back", &back).await.json(), "/id");

    let all = books.all_pending(&ann, 10).await;
    let shown: Vec<Value> = all
        .iter()
        .map(|hold| {
            let names = [
                "transaction",
                "ordinal",
                "side",
                "other_account",
                "amount",
                "remaining",
            ];
            names.iter().map(|name| hold[*name].clone()).collect()
        })
        .collect();
    assert_eq!(
        shown,
        [
            json!([back, 0, "credit", books.source, 3, 3]),
            json!([expiring, 0, "debit", bob, 20, 15]),
            json!([old, 0, "debit", bob, 10, 10]),
        ]
    );
    let expires: Vec<bool> = all
        .iter()
        .map(|hold| !hold["expires_at"].is_null())
        .collect();
    assert_eq!(expires, [false, true, false]);
    for limit in [1, 2, 3] {
        assert_eq!(books.all_pending(&ann, limit).await, all);
    }
    assert_eq!(books.all_pending(&bob, 1).await.len(), 3);
    assert_eq!(books.all_pending(&books.source, 1).await.len(), 2);

    // Many ended transactions lie between; the old one is found all the same.
    let mut one = moved(&ann, &bob, 1);
    one["pending"] = json!(true);
    for round in 0..2 {
        let many = vec![one.clone(); 40];
        let many = json!({"atomic": true, "transactions": many});
        let key = format!("many-{round}");
        let made = books
            .client
            .post("/v1/transactions/bulk", key.as_str(), &many)
            .await;
        assert_eq!(made.status, 200, "{}", made.json());
        let made = made.json();
        let results = made["results"].as_array().expect("a list");
        let ended: Vec<Value> = results
            .iter()
            .map(|made| json!({"void": made["transaction"]}))
            .collect();
        let ended = json!({"atomic": true, "transactions": ended});
        let key = format!("ended-{round}");
        let ended = books
            .client
            .post("/v1/transactions/bulk", key.as_str(), &ended)
            .await;
        assert_eq!(ended.status, 200, "{}", ended.json());
    }
    let newest = books.hold("newest", 2, &json!(true)).await;
    let later = books.all_pending(&ann, 1).await;
    assert_eq!(later[0]["transaction"], json!(newest));
    assert_eq!(later[1..], all);

    for (path, status) in [
        (format!("/v1/accounts/{ann}/pending?limit=0"), 400),
        (format!("/v1/accounts/{ann}/pending?what=1"), 400),
        (format!("/v1/accounts/{ann}/pending?cursor=AQ"), 400),
        (format!("/v1/accounts/acc_{}/pending", "0".repeat(32)), 404),
        ("/v1/accounts/nobody/pending".to_owned(), 404),
    ] {
        assert_eq!(books.client.get(&path).await.status, status, "{path}");
    }
    let page = books.pending(&ann, "?limit=1").await;
    let of_ann = text(&page, "/next_cursor");
    let elsewhere = format!("/v1/accounts/{bob}/pending?cursor={of_ann}");
    let elsewhere = books.client.get(&elsewhere).await;
    is_problem("another account's cursor", &elsewhere, 400, "invalid_query");
    books_hold(&database);
}

on_both_databases!(metadata_of_a_transaction_is_set_later_and_the_books_stay);
async fn metadata_of_a_transaction_is_set_later_and_the_books_stay(database: Database) {
    let books = Books::open(&database).await;
    let (ann, bob) = (&books.ann, &books.bob);
    let mut new = moved(ann, bob, 5);
    new["metadata"] = json!({"order": "17", "colour": "red"});
    let made = books.post("made", &new).await;
    let id = text(&made.json(), "/id");

    let next = json!({"order": "17", "shop": "x"});
    let set = books.describe(&id, Some("set"), &next).await;
    assert_eq!((set.status, &set.json()["metadata"]), (200, &next));
    assert_eq!(set.json()["postings"], made.json()["postings"]);
    let again = books.describe(&id, Some("set"), &next).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body, set.body);
    let other = books.describe(&id, Some("set"), &json!({})).await;
    is_problem("another body", &other, 422, "idempotency_key_reused");

    // It is read and found by its present metadata, and its first answer is given again unchanged.
    let path = format!("/v1/transactions/{id}");
    assert_eq!(books.client.get(&path).await.json()["metadata"], next);
    for (query, found) in [
        ("metadata.shop=x", 1),
        ("metadata.order=17", 1),
        ("metadata.colour=red", 0),
    ] {
        let list = books.found_by(query).await;
        assert_eq!(list.len(), found, "{query}");
        assert!(list.iter().all(|one| one["metadata"] == next), "{query}");
    }
    let replayed = books.post("made", &new).await;
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!(replayed.body, made.body);
    assert!(exported(&database, "json").contains(r#""shop":"x""#));

    // Metadata is set several times, without a key, and once removed; for two kinds of transactions.
    let transfer = json!({"from": ann, "to": bob, "amount": 1, "currency": "EUR"});
    let transfer = books.client.post("/v1/transfers", "t", &transfer).await;
    let transfer = text(&transfer.json(), "/id");
    for metadata in [
        json!({"colour": "blue"}),
        Value::Null,
        json!({"colour": "red"}),
    ] {
        for id in [&id, &transfer] {
            let set = books.describe(id, None, &metadata).await;
            let told = set.json().get("metadata").cloned().unwrap_or_default();
            assert_eq!((set.status, told), (200, metadata.clone()));
        }
    }
    assert_eq!(books.found_by("metadata.colour=red").await.len(), 2);
    assert_eq!(books.found_by("metadata.colour=blue").await.len(), 0);

    // A wrong request is refused and changes nothing.
    let nobody = format!("txn_{}", "0".repeat(32));
    for (id, metadata, status, code) in [
        (&nobody, json!({}), 404, "transaction_not_found"),
        (
            &"nobody".to_owned(),
            json!({}),
            404,
            "transaction_not_found",
        ),
        (&id, json!({"a b": "x"}), 422, "invalid_field"),
        (&id, json!({"a": 1}), 422, "invalid_field"),
        (&id, json!("x"), 422, "invalid_field"),
        (
            &id,
            json!({"card": "4242 4242 4242 4242"}),
            422,
            "card_number_refused",
        ),
    ] {
        let refused = books.describe(id, None, &metadata).await;
        is_problem(&metadata.to_string(), &refused, status, code);
    }
    let none = [("content-type", "application/json")];
    let none = books.client.send(Method::PATCH, &path, &none, "{}").await;
    is_problem("nothing", &none, 422, "invalid_field");
    assert_eq!(pointers(&none), ["/metadata"]);
    assert_eq!(books.balances(ann).await, (94, 94));
    books_hold(&database);

    // A change without the server is found, because the audit records say what was set.
    database.execute_raw(
        "UPDATE current_metadata SET revision = revision + 1, metadata = '{\"colour\":\"green\"}'",
    );
    let checked = run(&["check", "--database-url", database.url()], &[]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    for what in [
        "metadata was set at other times",
        "not found by its metadata",
    ] {
        assert!(said.contains(what), "{said}");
    }
}

on_both_databases!(more_than_was_held_is_posted_where_it_is_wished_and_the_limits_allow_it);
async fn more_than_was_held_is_posted_where_it_is_wished_and_the_limits_allow_it(
    database: Database,
) {
    let books = Books::open(&database).await;
    let (ann, bob) = (books.ann.clone(), books.bob.clone());
    let tip = |amount: i64| json!({"amounts": [{"ordinal": 0, "amount": amount}], "exceed": true});

    // A meal for 60 with a tip of 12.
    let meal = books.hold("meal", 60, &json!(true)).await;
    let mut unasked = tip(72);
    unasked["exceed"] = json!(false);
    let unasked = books.step("post", "unasked", &meal, &unasked).await;
    is_problem("not wished", &unasked, 422, "exceeds_remaining");
    let dear = books.step("post", "dear", &meal, &tip(101)).await;
    is_problem("more than there is", &dear, 422, "insufficient_funds");
    assert_eq!(books.held(&meal).await, ("pending".into(), [60, 0, 0]));
    assert_eq!(books.balances(&ann).await, (100, 40));

    let mut dry = tip(72);
    dry["dry_run"] = json!(true);
    let dry = books.step("post", "dry", &meal, &dry).await;
    let paid = books.step("post", "paid", &meal, &tip(72)).await;
    assert_eq!((dry.status, paid.status), (200, 201), "{}", paid.json());
    assert_eq!(dry.json()["postings"], paid.json()["postings"]);
    let told: Vec<Value> = paid.json()["postings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| json!([p["ordinal"], p["phase"], p["amount"]]))
        .collect();
    assert_eq!(
        told,
        [json!([0, "settled", 60]), json!([200, "posted", 12])]
    );
    assert_eq!(paid.json()["balances_after"][0]["posted"], 28);
    let again = books.step("post", "paid", &meal, &tip(72)).await;
    assert_eq!(again.body, paid.body);
    assert_eq!(books.held(&meal).await, ("posted".into(), [0, 60, 0]));
    assert_eq!(books.balances(&ann).await, (28, 28));
    assert_eq!(books.balances(&bob).await, (72, 72));

    // First only the tip is given back, then the rest.
    let paid = text(&paid.json(), "/id");
    let back = json!({"amounts": [{"ordinal": 200, "amount": 12}]});
    assert_eq!(books.step("reverse", "tip", &paid, &back).await.status, 201);
    let more = books.step("reverse", "more", &paid, &back).await;
    is_problem("it is given back already", &more, 422, "exceeds_remaining");
    assert_eq!(
        books.step("reverse", "all", &paid, &json!({})).await.status,
        201
    );
    assert_eq!(books.balances(&ann).await, (100, 100));

    // An excess in one step of many, on an account whose ceiling is lower.
    let stay = books.hold("stay", 50, &json!(true)).await;
    let limit = async |ceiling: Value| {
        let limits = json!({"floor": 0, "ceiling": ceiling, "credit_line": null});
        let headers = [("content-type", "application/json")];
        let path = format!("/v1/accounts/{bob}");
        let set = books
            .client
            .send(Method::PATCH, &path, &headers, limits.to_string());
        assert_eq!(set.await.status, 200);
    };
    limit(json!(55)).await;
    for (amount, status, code) in [(56, 422, "limit_exceeded"), (55, 200, "")] {
        let mut item = tip(amount);
        item["post"] = json!(stay);
        let many = json!({"atomic": true, "transactions": [item]});
        let key = format!("many-{amount}");
        let many = books
            .client
            .post("/v1/transactions/bulk", key.as_str(), &many)
            .await;
        assert_eq!(many.status, status, "{}", many.json());
        if status != 200 {
            assert_eq!(many.json()["code"], code);
        }
    }
    // A release or a reversal does not take this field.
    for verb in ["void", "reverse"] {
        let wrong = json!({"exceed": true});
        let wrong = books.step(verb, "wrong", &stay, &wrong).await;
        is_problem(verb, &wrong, 422, "unknown_field");
    }
    limit(Value::Null).await;
    // An expired transaction holds nothing that could be exceeded.
    let late = books.hold("late", 5, &json!({"expires_in": 1})).await;
    eventually("it expires", async || {
        (books.held(&late).await.0 == "expired").then_some(())
    })
    .await;
    let late = books.step("post", "late", &late, &tip(6)).await;
    is_problem("expired", &late, 409, "transaction_state_conflict");
    books_hold(&database);
}
