//! Contents of answers: the balances that a movement left, and amounts in the notation that the client wants.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};

use crate::books::{Books, moved};
use crate::books_hold;
use crate::given::{is_problem, rows, text};

on_both_databases!(every_movement_tells_how_it_left_its_accounts_and_its_replay_tells_the_same);
async fn every_movement_tells_how_it_left_its_accounts_and_its_replay_tells_the_same(
    database: Database,
) {
    let books = Books::open(&database).await;
    let (ann, bob) = (books.ann.clone(), books.bob.clone());

    // A transfer: 100 less 30 remain, after two entries.
    let body = json!({"from": ann, "to": bob, "amount": 30, "currency": "EUR"});
    let transfer = sent_twice(&books.client, "/v1/transfers", "transfer", &body).await;
    let expected = json!([after(&ann, 70, 2), after(&bob, 30, 1)]);
    assert_eq!(transfer["balances_after"], expected);

    // Each account is shown once, as it is after its last entry.
    let mut several = moved(&ann, &bob, 5);
    let lines = [moved(&ann, &bob, 5), moved(&bob, &ann, 1)];
    several["postings"] = lines.iter().map(|one| one["postings"][0].clone()).collect();
    let body = several;
    let several = sent_twice(&books.client, "/v1/transactions", "several", &body).await;
    let expected = json!([after(&ann, 66, 4), after(&bob, 34, 3)]);
    assert_eq!(several["balances_after"], expected);
    let id = text(&several, "/id");
    let read = books.client.get(&format!("/v1/transactions/{id}")).await;
    assert_eq!(read.json()["balances_after"], expected);

    // A pending posting moves no posted balance, and is an entry all the same.
    let mut body = moved(&ann, &bob, 20);
    body["pending"] = json!(true);
    let pending = sent_twice(&books.client, "/v1/transactions", "pending", &body).await;
    let expected = json!([after(&ann, 66, 5), after(&bob, 34, 4)]);
    assert_eq!(pending["balances_after"], expected);

    let about = |verb: &str| format!("/v1/transactions/{}/{verb}", text(&pending, "/id"));
    let dry = json!({"dry_run": true});
    let dry = books.client.post(&about("post"), "dry", &dry).await.json();
    let part = json!({"amounts": [{"ordinal": 0, "amount": 8}]});
    let posted = sent_twice(&books.client, &about("post"), "post", &part).await;
    let expected = json!([after(&ann, 58, 6), after(&bob, 42, 5)]);
    assert_eq!(posted["balances_after"], expected);
    let whole = json!([after(&ann, 46, 6), after(&bob, 54, 5)]);
    assert_eq!(dry["balances_after"], whole);
    let voided = sent_twice(&books.client, &about("void"), "void", &json!({})).await;
    let expected = json!([after(&ann, 58, 7), after(&bob, 42, 6)]);
    assert_eq!(voided["balances_after"], expected);
    let back = format!("/v1/transactions/{}/reverse", text(&posted, "/id"));
    let back = sent_twice(&books.client, &back, "reverse", &json!({})).await;
    let expected = json!([after(&bob, 34, 7), after(&ann, 66, 8)]);
    assert_eq!(back["balances_after"], expected);

    // Of many transactions, each shows the balances that it left, with the effects of the earlier ones.
    for (key, atomic) in [("all", true), ("each", false)] {
        let items = [moved(&ann, &bob, 1), moved(&ann, &bob, 1)];
        let many = json!({"atomic": atomic, "transactions": items});
        let many = sent_twice(&books.client, "/v1/transactions/bulk", key, &many).await;
        let of = |item: usize| {
            let told = &many["results"][item]["balances_after"];
            (told[0]["posted"].clone(), told[0]["version"].clone())
        };
        let first = if atomic { (65, 9) } else { (63, 11) };
        assert_eq!(of(0), (json!(first.0), json!(first.1)), "{many}");
        assert_eq!(of(1), (json!(first.0 - 1), json!(first.1 + 1)), "{many}");
    }
    let account = books
        .client
        .get(&format!("/v1/accounts/{ann}"))
        .await
        .json();
    let now = (&account["balances"]["posted"], &account["version"]);
    assert_eq!(now, (&json!(62), &json!(12)));
    books_hold(&database);
}

on_both_databases!(an_exchange_tells_how_it_left_its_four_accounts);
async fn an_exchange_tells_how_it_left_its_four_accounts(database: Database) {
    let books = Books::open(&database).await;
    let open = async |code: &str, currency: &str| {
        let new = json!({"code": code, "currency": currency, "floor": null});
        let opened = books.client.post("/v1/accounts", None, &new).await;
        text(&opened.json(), "/id")
    };
    let dollars = open("liabilities:ann:usd", "USD").await;
    let sold_to = open("liabilities:liquidity:eur", "EUR").await;
    let bought_from = open("liabilities:liquidity:usd", "USD").await;
    let body = json!({
        "from": books.ann, "to": dollars, "sold_to": sold_to, "bought_from": bought_from,
        "sell": 50, "rate": "2", "source": "us", "quoted_at": "2026-11-20T15:00:00Z",
    });
    let exchanged = sent_twice(&books.client, "/v1/exchanges", "x", &body).await;
    let in_dollars = |account: &str, posted: i64, version: i64| {
        let mut told = after(account, posted, version);
        told["currency"] = json!("USD");
        told
    };
    let expected = json!([
        after(&books.ann, 50, 2),
        after(&sold_to, 50, 1),
        in_dollars(&bought_from, -100, 1),
        in_dollars(&dollars, 100, 1),
    ]);
    assert_eq!(exchanged["transaction"]["balances_after"], expected);
}

on_both_databases!(a_reply_that_an_older_version_gave_is_given_again_as_it_was);
async fn a_reply_that_an_older_version_gave_is_given_again_as_it_was(database: Database) {
    let books = Books::open(&database).await;
    let transfer = json!({"from": books.ann, "to": books.bob, "amount": 1, "currency": "EUR"});
    let many = json!({"atomic": true, "transactions": [moved(&books.ann, &books.bob, 1)]});
    let asked = [
        ("/v1/transfers", "a", transfer),
        ("/v1/transactions", "b", moved(&books.ann, &books.bob, 1)),
        ("/v1/transactions/bulk", "c", many),
    ];
    for (path, key, body) in &asked {
        let first = sent_twice(&books.client, path, key, body).await;
        assert!(first.to_string().contains("balances_after"), "{first}");
        // Makes the row as it was stored before balances were part of the answer: without the number of the form.
        database.execute_raw(&format!(
            "UPDATE idempotency_key SET resource =
                 replace(replace(resource, 'bulk2:', 'bulk:'), '2:', '')
              WHERE key = '{key}'"
        ));
        let again = books.client.post(path, *key, body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let shown = String::from_utf8_lossy(&again.body).into_owned();
        assert!(!shown.contains("balances_after"), "{shown}");
        let mut expected = first.clone();
        forget(&mut expected);
        assert_eq!(again.json(), expected, "{path}");
    }
}

on_both_databases!(amounts_are_texts_for_whoever_asks_and_it_is_the_same_answer);
async fn amounts_are_texts_for_whoever_asks_and_it_is_the_same_answer(database: Database) {
    let books = Books::open(&database).await;
    let (ann, bob) = (&books.ann, &books.bob);
    let wish = "application/json; amounts=string";
    let body = json!({"from": ann, "to": bob, "amount": 30, "currency": "EUR"});
    let ask = async |accept: &str, key: &str, body: &Value| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
            ("accept", accept),
        ];
        let (path, body) = ("/v1/transfers", body.to_string());
        books.client.send(Method::POST, path, &headers, body).await
    };

    // First with texts, then again in both notations: the key has one answer.
    let texts = ask(wish, "t", &body).await;
    assert_eq!(texts.status, 201);
    assert_eq!(texts.header("content-type"), Some("application/json"));
    let told = texts.json();
    assert_eq!(told["amount"], "30");
    assert_eq!(told["balances_after"][0]["posted"], "70");
    assert_eq!(told["balances_after"][0]["version"], 2);
    let integers = ask("application/json", "t", &body).await;
    assert_eq!(integers.header("idempotent-replayed"), Some("true"));
    assert_eq!(integers.json()["amount"], 30);
    assert_eq!(ask(wish, "t", &body).await.body, texts.body);
    for reply in [&texts, &integers] {
        let vary = reply.header("vary").map(str::to_ascii_lowercase);
        assert_eq!(vary.as_deref(), Some("accept"));
    }

    // A preference that cannot be met is refused by name before anything is done.
    let before = rows(&database);
    for accept in ["application/json; amounts=words", "*/*; amounts"] {
        let refused = ask(accept, "never", &body).await;
        is_problem(accept, &refused, 406, "not_acceptable");
        assert!(text(&refused.json(), "/detail").contains("amounts"));
    }
    assert_eq!(rows(&database), before);

    // Requests take integers only, for every client; and a problem is the same in both notations.
    let mut as_text = body.clone();
    as_text["amount"] = json!("30");
    let refused = ask(wish, "text", &as_text).await;
    is_problem("an amount as a text", &refused, 422, "invalid_field");

    // Each list and each resource.
    let pages = [
        format!("/v1/accounts/{ann}"),
        format!("/v1/accounts/{ann}/balances"),
        format!("/v1/accounts/{ann}/entries"),
        "/v1/accounts".to_owned(),
        "/v1/transactions".to_owned(),
        "/v1/trial-balance".to_owned(),
        "/v1/balances?code=liabilities".to_owned(),
        format!("/v1/accounts/{ann}/balance?as_of=2030-01-01T00:00:00Z"),
    ];
    let texts = [("accept", wish)];
    for page in &pages {
        let as_texts = books.client.send(Method::GET, page, &texts, "").await;
        let mut plain = books.client.get(page).await.json();
        assert_eq!(as_texts.status, 200, "{page}");
        let told = as_texts.json();
        assert_ne!(told, plain, "{page}");
        with_texts(&mut plain);
        assert_eq!(told, plain, "{page}");
    }
    // In an answer without amounts nothing is converted.
    let elsewhere = [("accept", "application/json; amounts=words")];
    let version = books
        .client
        .send(Method::GET, "/version", &elsewhere, "")
        .await;
    assert_eq!(version.status, 200);
}

/// The answer, after the same request got it again byte for byte.
async fn sent_twice(client: &Client, path: &str, key: &str, body: &Value) -> Value {
    let first: Reply = client.post(path, key, body).await;
    assert!(first.status < 300, "{path}: {}", first.json());
    let again = client.post(path, key, body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
    assert_eq!(again.body, first.body, "{path}");
    first.json()
}

fn after(account: &str, posted: i64, version: i64) -> Value {
    json!({"account": account, "currency": "EUR", "posted": posted, "version": version})
}

fn forget(told: &mut Value) {
    if let Value::Object(fields) = told {
        fields.remove("balances_after");
        fields.values_mut().for_each(forget);
    } else if let Value::Array(items) = told {
        items.iter_mut().for_each(forget);
    }
}

/// Turns every integer that is an amount into text. Integers with these names are not amounts.
fn with_texts(told: &mut Value) {
    const COUNTS: [&str; 3] = ["version", "ordinal", "accounts"];
    if let Value::Object(fields) = told {
        for (name, value) in fields {
            if value.is_i64() && !COUNTS.contains(&name.as_str()) {
                *value = json!(value.to_string());
            } else {
                with_texts(value);
            }
        }
    } else if let Value::Array(items) = told {
        items.iter_mut().for_each(with_texts);
    }
}
