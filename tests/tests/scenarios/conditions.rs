//! Conditions of a request on the accounts that it moves, at every step of the books.

use serde_json::{Value, json};
use tests::{Database, Reply, on_both_databases};

use crate::books::{Books, moved};
use crate::books_hold;
use crate::given::{is_problem, text};
use crate::shop::pointers;

fn least(account: &str, least: i64) -> Value {
    json!({"account": account, "available_at_least": least})
}

fn version(account: &str, version: i64) -> Value {
    json!({"account": account, "version": version})
}

on_both_databases!(a_condition_refuses_the_whole_transaction);
async fn a_condition_refuses_the_whole_transaction(database: Database) {
    let books = Books::open(&database).await;
    let with = |amount: i64, condition: Value| {
        let mut new = moved(&books.ann, &books.bob, amount);
        new["conditions"] = json!([condition]);
        new
    };
    let refused = books.post("1", &with(31, least(&books.ann, 70))).await;
    is_problem("too little left", &refused, 422, "condition_failed");
    let elsewhere = books.post("2", &with(1, least(&books.source, 0))).await;
    is_problem("about another account", &elsewhere, 422, "invalid_field");
    assert_eq!(pointers(&elsewhere), ["/conditions/0"]);
    let stale = books.post("3", &with(1, version(&books.ann, 0))).await;
    is_problem("another version", &stale, 409, "version_mismatch");
    assert_eq!(books.balances(&books.ann).await, (100, 100));

    let taken = books.post("4", &with(30, least(&books.ann, 70))).await;
    assert_eq!(taken.status, 201, "{}", taken.json());
    assert_eq!(
        books
            .post("5", &with(1, version(&books.ann, 2)))
            .await
            .status,
        201
    );
    assert_eq!(books.balances(&books.ann).await, (69, 69));
    books_hold(&database);
}

on_both_databases!(a_condition_refuses_a_later_step_too);
async fn a_condition_refuses_a_later_step_too(database: Database) {
    let books = Books::open(&database).await;
    let hold = books.hold("hold", 40, &json!(true)).await;
    let step = async |verb: &str, key: &str, id: &str, condition: Value| -> Reply {
        let mut body = match verb {
            "void" => json!({}),
            _ => json!({"amounts": [{"ordinal": 0, "amount": 10}]}),
        };
        body["conditions"] = json!([condition]);
        books.step(verb, key, id, &body).await
    };
    let refuses = async |verb: &str, id: &str| {
        let before = (books.balances(&books.ann).await, books.held(&hold).await);
        let elsewhere = step(verb, "elsewhere", id, version(&books.source, 1)).await;
        is_problem(verb, &elsewhere, 422, "invalid_field");
        assert_eq!(pointers(&elsewhere), ["/conditions/0"], "{verb}");
        let stale = step(verb, "stale", id, version(&books.ann, 1)).await;
        is_problem(verb, &stale, 409, "version_mismatch");
        let little = step(verb, "little", id, least(&books.bob, 1_000)).await;
        is_problem(verb, &little, 422, "condition_failed");
        let after = (books.balances(&books.ann).await, books.held(&hold).await);
        assert_eq!(after, before, "{verb}");
    };

    refuses("post", &hold).await;
    let posted = step("post", "good", &hold, version(&books.ann, 2)).await;
    assert_eq!(posted.status, 201, "{}", posted.json());
    refuses("void", &hold).await;
    let voided = step("void", "good", &hold, least(&books.ann, 90)).await;
    assert_eq!(voided.status, 201, "{}", voided.json());
    let posted = text(&posted.json(), "/id");
    refuses("reverse", &posted).await;
    let reversed = step("reverse", "good", &posted, least(&books.ann, 100)).await;
    assert_eq!(reversed.status, 201, "{}", reversed.json());
    assert_eq!(books.balances(&books.ann).await, (100, 100));

    // The step is one of many; and a condition has a form that is not valid.
    let hold = books.hold("another", 40, &json!(true)).await;
    let bulk = async |key: &str, conditions: Value| {
        let steps = [json!({"void": hold, "conditions": conditions})];
        let body = json!({"atomic": true, "transactions": steps});
        books.client.post("/v1/transactions/bulk", key, &body).await
    };
    let stale = bulk("stale", json!([version(&books.ann, 1)])).await;
    is_problem("one of many", &stale, 409, "version_mismatch");
    let malformed = bulk("malformed", json!([{"account": books.ann}])).await;
    let place = ["/transactions/0/conditions/0"];
    assert_eq!(pointers(&malformed), place);
    assert_eq!(
        bulk("good", json!([least(&books.ann, 100)])).await.status,
        200
    );
    books_hold(&database);
}
