//! Balances, statements and totals over HTTP, and wrong questions.

use serde_json::{Value, json};
use tests::{Client, Database, Florin, on_both_databases};

use crate::books_hold;
use crate::given::{account as opened, is_problem, text};

/// The posted balance of an account, as in a reply.
async fn posted(client: &Client, path: &str) -> i64 {
    let reply = client.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.json());
    reply.json()["posted"].as_i64().expect("a number")
}

on_both_databases!(what_happened_earlier_is_told_apart_from_what_was_recorded_earlier);
async fn what_happened_earlier_is_told_apart_from_what_was_recorded_earlier(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let source = opened(&client, "equity:source", &Value::Null).await;
    let ann = opened(&client, "liabilities:ann", &json!(0)).await;
    let post = async |key: &str, amount: i64, effective_at: Option<&str>| {
        let posting = json!({"debit": source, "credit": ann, "amount": amount, "currency": "EUR"});
        let mut body = json!({"kind": "gift", "postings": [posting], "metadata": {"n": key}});
        if let Some(at) = effective_at {
            body["effective_at"] = json!(at);
        }
        let reply = client.post("/v1/transactions", Some(key), &body).await;
        assert_eq!(reply.status, 201, "{}", reply.json());
        reply.json()
    };
    let first = post("first", 100, None).await;
    let second = post("second", 20, Some("2020-02-01T00:00:00Z")).await;
    post("third", 3, Some("2020-03-01T00:00:00Z")).await;

    let path = format!("/v1/accounts/{ann}/balance");
    assert_eq!(posted(&client, &path).await, 123);
    let then = |at: &str, by: &str| format!("{path}?as_of={at}&by={by}");
    assert_eq!(
        posted(&client, &then("2020-02-29T23:59:59Z", "effective")).await,
        20
    );
    assert_eq!(
        posted(&client, &then("2020-03-01T00:00:00Z", "effective")).await,
        23
    );
    assert_eq!(
        posted(&client, &then("2020-03-01T00:00:00Z", "recorded")).await,
        0
    );
    let at = text(&first, "/recorded_at");
    assert_eq!(posted(&client, &then(&at, "recorded")).await, 100);
    assert_eq!(posted(&client, &then(&at, "effective")).await, 123);

    let span = "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&by=effective&limit=2";
    let path = format!("/v1/accounts/{ann}/statement?{span}");
    let page = client.get(&path).await.json();
    assert_eq!(page["opening_balance"], 0);
    assert_eq!(page["closing_balance"], 123);
    let cursor = text(&page, "/next_cursor");
    let rest = client.get(&format!("{path}&cursor={cursor}")).await.json();
    let balances = |page: &Value| -> Vec<Value> {
        let lines = page["data"].as_array().expect("lines");
        lines.iter().map(|line| line["balance"].clone()).collect()
    };
    assert_eq!(balances(&page), [20, 23]);
    assert_eq!(
        (balances(&rest), &rest["next_cursor"]),
        (vec![json!(123)], &Value::Null)
    );

    let found = client
        .get("/v1/transactions?code_prefix=liabilities&kind=gift&amount_max=50&metadata.n=second")
        .await
        .json();
    assert_eq!(found["data"], json!([second]));
    let trial = client.get("/v1/trial-balance?limit=1").await.json();
    let total = json!({"currency": "EUR", "accounts": 2, "debits": 123, "credits": 123, "balance": 0, "side": null});
    assert_eq!(trial["totals"], json!([total]));
    assert_eq!(trial["data"][0]["debit"], 123);
    let cursor = text(&trial, "/next_cursor");
    let trial = client
        .get(&format!("/v1/trial-balance?limit=1&cursor={cursor}"))
        .await
        .json();
    assert_eq!(trial.get("totals"), None, "they are on the first page");
    assert_eq!(
        (&trial["data"][0]["credit"], &trial["next_cursor"]),
        (&json!(123), &Value::Null)
    );
    let subtree = client.get("/v1/balances?code=liabilities").await.json();
    let total = json!({"currency": "EUR", "accounts": 1, "debits": 0, "credits": 123, "balance": 123, "side": "credit"});
    assert_eq!(subtree["totals"], json!([total]));
    wrong_questions(&client, &ann).await;
    books_hold(&database);
}

async fn wrong_questions(client: &Client, account: &str) {
    let of = format!("/v1/accounts/{account}");
    for path in [
        format!("{of}/balance?as_of=yesterday"),
        format!("{of}/balance?by=chance"),
        format!("{of}/balance?on=2020-01-01T00:00:00Z"),
        format!("{of}/statement?from=2020-01-01T00:00:00Z"),
        format!("{of}/statement?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z&cursor=AQ"),
        "/v1/transactions?amount_min=0".to_owned(),
        "/v1/transactions?account=7".to_owned(),
        "/v1/transactions?kind=No".to_owned(),
        "/v1/balances".to_owned(),
    ] {
        is_problem(&path, &client.get(&path).await, 400, "invalid_query");
    }
    let nobodys = format!("/v1/accounts/acc_{}/balance", "0".repeat(32));
    is_problem(&nobodys, &client.get(&nobodys).await, 404, "not_found");
}
