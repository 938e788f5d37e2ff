//! Effective times in the future: more than a little ahead is refused at every input.

use serde_json::{Value, json};
use store::Clock;
use tests::{Database, on_both_databases, run};

use super::{Books, LAST};
use crate::books_hold;
use crate::given::{is_problem, rows, text};
use crate::shop::pointers;

on_both_databases!(what_would_happen_in_the_future_is_refused_by_name);
async fn what_would_happen_in_the_future_is_refused_by_name(database: Database) {
    let books = Books::open(&database).await;
    let client = &books.client;
    let now = Clock::system().now();
    let (soon, later) = (now.plus_seconds(240), now.plus_seconds(600));
    let made = async |key: &str, path: &str, body: &Value| {
        let reply = client.post(path, Some(key), body).await;
        assert!(
            (200..300).contains(&reply.status),
            "{key}: {}",
            reply.json()
        );
        reply.json()
    };
    let gift = books.gift("description", Value::Null);
    let given = text(&made("given", "/v1/transactions", &gift).await, "/id");
    let mut hold = books.gift("pending", json!(true));
    hold["postings"][0]["amount"] = json!(2);
    let one = text(&made("one", "/v1/transactions", &hold).await, "/id");
    let other = text(&made("other", "/v1/transactions", &hold).await, "/id");
    let step = |at: &str| json!({"effective_at": at});
    let requests = |at: &str| {
        let item = books.gift("effective_at", json!(at));
        [
            ("/v1/transactions".to_owned(), item.clone(), "/effective_at"),
            (
                "/v1/transactions/bulk".to_owned(),
                json!({"atomic": true, "transactions": [item]}),
                "/transactions/0/effective_at",
            ),
            (
                "/v1/exchanges".to_owned(),
                books.exchange("effective_at", at),
                "/effective_at",
            ),
            (
                format!("/v1/transactions/{one}/post"),
                step(at),
                "/effective_at",
            ),
            (
                format!("/v1/transactions/{other}/void"),
                step(at),
                "/effective_at",
            ),
            (
                format!("/v1/transactions/{given}/reverse"),
                step(at),
                "/effective_at",
            ),
        ]
    };
    let before = rows(&database);
    for at in [&later.to_string(), "2999-01-01T00:00:00Z", LAST] {
        for (path, body, pointer) in requests(at) {
            let refused = client
                .post(&path, Some(&*format!("late{path}")), &body)
                .await;
            let case = format!("{path} {at}");
            is_problem(&case, &refused, 422, "effective_in_the_future");
            assert_eq!(pointers(&refused), [pointer], "{case}");
            assert!(
                text(&refused.json(), "/detail").contains("five minutes"),
                "{case}"
            );
        }
    }
    let item = books.gift("effective_at", json!(LAST));
    let bulk = json!({"atomic": false, "dry_run": true, "transactions": [item]});
    let told = made("each", "/v1/transactions/bulk", &bulk).await;
    assert_eq!(
        told["results"][0]["problem"]["code"],
        "effective_in_the_future"
    );
    assert_eq!(
        rows(&database),
        before,
        "nothing was kept, the keys neither"
    );
    // A little ahead is allowed, because clocks differ; and a corrected request may have the same key.
    for (path, body, _) in requests(&soon.to_string()) {
        made(&format!("late{path}"), &path, &body).await;
    }
    assert_eq!(books.florin.terminate().code(), Some(0));
    future_rows_are_refused_by_line(&database, &later.to_string());
    books_hold(&database);
}

fn future_rows_are_refused_by_line(database: &Database, later: &str) {
    let path = database.folder().join("future.csv");
    for at in [later, "2999-01-01", LAST] {
        let text = format!(
            "record,account,currency,transaction,side,amount,kind,effective_at\n\
             entry,equity:source,EUR,1,debit,1.00,opening,2020-01-01\n\
             entry,liabilities:ann,EUR,1,credit,1.00,opening,2020-01-01\n\
             entry,equity:source,EUR,2,debit,1.00,opening,{at}\n\
             entry,liabilities:ann,EUR,2,credit,1.00,opening,{at}\n"
        );
        std::fs::write(&path, text).expect("writable");
        let file = path.to_str().expect("plain names");
        let url = database.url();
        let output = run(
            &["import", "--format", "csv", file, "--database-url", url],
            b"",
        );
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{at}: {said}");
        let place = "future.csv:4: effective_at";
        assert!(
            said.contains(place) && said.contains("five minutes"),
            "{at}: {said}"
        );
    }
}
