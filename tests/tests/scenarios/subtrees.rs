//! Parts of the chart of accounts, frozen and unfrozen at once.

use serde_json::{Value, json};
use tests::{Database, Reply, on_both_databases};

use crate::books::{Books, moved};
use crate::books_hold;
use crate::given::{account, is_problem, rows};
use crate::shop::pointers;

impl Books {
    async fn turn(&self, verb: &str, code: &str) -> Reply {
        let path = format!("/v1/accounts/{verb}-below");
        self.client.post(&path, None, &json!({"code": code})).await
    }

    async fn status(&self, id: &str) -> Value {
        let path = format!("/v1/accounts/{id}");
        self.client.get(&path).await.json()["status"].clone()
    }
}

on_both_databases!(all_accounts_below_a_code_are_frozen_and_unfrozen_in_one_commit);
async fn all_accounts_below_a_code_are_frozen_and_unfrozen_in_one_commit(database: Database) {
    let books = Books::open(&database).await;
    let mut below = Vec::new();
    for code in ["shop:b", "shop", "shop:a:1", "shop:a"] {
        below.push(account(&books.client, code, &json!(0)).await);
    }
    let [b, shop, a1, a] = <[String; 4]>::try_from(below).expect("four were opened");
    // A code that only begins with the same letters is another branch.
    let beside = account(&books.client, "shopping", &json!(0)).await;
    let before = account(&books.client, "shop-2", &json!(0)).await;
    let closed = account(&books.client, "shop:old", &json!(0)).await;
    let path = format!("/v1/accounts/{closed}/close");
    let reply = books.client.post(&path, None, &json!({})).await;
    assert_eq!(reply.status, 200);
    let path = format!("/v1/accounts/{a}/freeze");
    assert_eq!(books.client.post(&path, None, &json!({})).await.status, 200);

    let frozen = books.turn("freeze", "shop").await;
    let expected = json!({"object": "account_changes", "accounts": [shop, a1, b]});
    assert_eq!((frozen.status, frozen.json()), (200, expected));
    for id in [&shop, &a, &a1, &b] {
        assert_eq!(books.status(id).await, "frozen");
    }
    for id in [&beside, &before] {
        assert_eq!(books.status(id).await, "open");
    }
    assert_eq!(books.status(&closed).await, "closed");
    let refused = books.post("to-b", &moved(&books.ann, &b, 1)).await;
    is_problem("frozen", &refused, 409, "account_frozen");

    let again = books.turn("freeze", "shop").await;
    assert_eq!(
        (again.status, again.json()["accounts"].clone()),
        (200, json!([]))
    );

    let open = books.turn("unfreeze", "shop:a").await;
    assert_eq!(
        (open.status, open.json()["accounts"].clone()),
        (200, json!([a, a1]))
    );
    assert_eq!(books.status(&b).await, "frozen");
    let moved = moved(&books.ann, &a1, 1);
    assert_eq!(books.post("to-a1", &moved).await.status, 201);
    books_hold(&database);
}

on_both_databases!(a_subtree_that_has_no_account_or_too_many_is_refused_and_nothing_is_written);
async fn a_subtree_that_has_no_account_or_too_many_is_refused_and_nothing_is_written(
    database: Database,
) {
    let books = Books::open(&database).await;
    let open = |number: usize| json!({"code": format!("many:{number:04}"), "currency": "EUR"});
    for number in 0..1_001 {
        let reply = books.client.post("/v1/accounts", None, &open(number)).await;
        assert_eq!(reply.status, 201);
    }
    let before = rows(&database);
    for (case, code, status, name) in [
        ("nothing", "man", 404, "subtree_empty"),
        ("too many", "many", 409, "subtree_too_large"),
    ] {
        let refused = books.turn("freeze", code).await;
        is_problem(case, &refused, status, name);
        assert_eq!(pointers(&refused), ["/code"], "{case}");
    }
    let malformed = books.turn("freeze", "a::b").await;
    is_problem("malformed", &malformed, 422, "invalid_field");
    assert_eq!(rows(&database), before);
    let one = books.turn("freeze", "many:0007").await;
    assert_eq!(one.json()["accounts"].as_array().map(Vec::len), Some(1));
    books_hold(&database);
}
