//! Transfers: both sides move, or neither.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::books_hold;
use crate::given::{is_problem, number, text};
use crate::shop::{Shop, movement, pointers, second_tenant};

on_both_databases!(a_transfer_moves_both_balances_and_shows_on_both_sides);
async fn a_transfer_moves_both_balances_and_shows_on_both_sides(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 10_000).await;
    let bob = shop.wallet("wallets:bob", 0).await;

    let mut moved = Vec::new();
    for (key, amount) in [("first", 2_500), ("second", 1_000)] {
        let reply = shop.transfer(key, &ann, &bob, amount).await;
        let transfer = reply.json();
        assert_eq!((reply.status, &transfer["status"]), (201, &json!("posted")));
        assert_eq!(
            (&transfer["from"], &transfer["to"]),
            (&json!(ann), &json!(bob))
        );
        assert_eq!(transfer["amount"], amount);
        moved.push(text(&transfer, "/id"));
    }

    assert_eq!(balances(&shop, &ann).await, (6_500, 6_500, 3));
    assert_eq!(balances(&shop, &bob).await, (3_500, 3_500, 2));
    let seen = |entries: Vec<Value>| -> Vec<Value> {
        let names = ["version", "side", "amount", "balance", "transaction"];
        let shown = |entry: Value| names.iter().map(|name| entry[*name].clone()).collect();
        entries.into_iter().map(shown).collect()
    };
    let of_ann = seen(shop.entries(&ann).await);
    let (first, second) = (&moved[0], &moved[1]);
    assert_eq!(
        of_ann[..2],
        [
            json!([3, "debit", 1_000, 6_500, second]),
            json!([2, "debit", 2_500, 7_500, first])
        ]
    );
    let of_bob = seen(shop.entries(&bob).await);
    assert_eq!(
        of_bob,
        [
            json!([2, "credit", 1_000, 3_500, second]),
            json!([1, "credit", 2_500, 2_500, first])
        ]
    );
    // Reads the same entries, a page at a time.
    let path = format!("/v1/accounts/{bob}/entries?limit=1");
    let page = shop.client.get(&path).await.json();
    let cursor = text(&page, "/next_cursor");
    let last = shop
        .client
        .get(&format!("{path}&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (&last["data"][0]["version"], &last["next_cursor"]),
        (&json!(1), &Value::Null)
    );
    books_hold(&database);
}

on_both_databases!(a_floor_is_reached_and_never_passed);
async fn a_floor_is_reached_and_never_passed(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 100).await;
    let bob = shop.wallet("wallets:bob", 0).await;

    let too_much = shop.transfer("101", &ann, &bob, 101).await;
    is_problem("one too many", &too_much, 422, "insufficient_funds");
    assert_eq!(pointers(&too_much), ["/amount"]);
    assert_eq!(shop.transfer("100", &ann, &bob, 100).await.status, 201);
    let empty = shop.transfer("1", &ann, &bob, 1).await;
    is_problem("from an empty wallet", &empty, 422, "insufficient_funds");
    assert_eq!(balances(&shop, &ann).await, (0, 0, 2));

    // One account with a floor other than zero, and one without a floor.
    let most = i64::MAX - 200;
    for (code, floor, amount) in [
        ("overdraft", json!(-50), 50),
        ("unbounded", Value::Null, most),
    ] {
        let account = json!({"code": code, "currency": "EUR", "floor": floor});
        let account = shop.account(&account).await;
        assert_eq!(
            shop.transfer(code, &account, &bob, amount).await.status,
            201
        );
        assert_eq!(
            balances(&shop, &account).await,
            (-amount, -amount, 1),
            "{code}"
        );
    }
    // An amount that cannot be counted is refused on the side that would overflow, with or without a floor.
    let overdraft = text(&shop.find("overdraft").await.expect("opened above"), "/id");
    let below = shop.transfer("below", &overdraft, &bob, 1).await;
    is_problem("below the floor", &below, 422, "insufficient_funds");
    let unbounded = text(&shop.find("unbounded").await.expect("opened above"), "/id");
    let beyond = shop.transfer("beyond", &unbounded, &bob, 51).await;
    is_problem("beyond the counter", &beyond, 422, "balance_overflow");
    assert_eq!(pointers(&beyond), ["/amount"]);
    assert_eq!(balances(&shop, &unbounded).await, (-most, -most, 1));
    books_hold(&database);
}

on_both_databases!(a_refused_transfer_names_the_field_and_writes_nothing);
async fn a_refused_transfer_names_the_field_and_writes_nothing(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 100).await;
    let bob = shop.wallet("wallets:bob", 0).await;
    let dollars = json!({"code": "wallets:usd", "currency": "USD", "floor": null});
    let dollars = shop.account(&dollars).await;
    let nobody = "acc_00000000000000000000000000000000";
    let mut other_currency = movement(&ann, &bob, 1);
    other_currency["currency"] = json!("USD");
    let postings = database.number("SELECT count(*) FROM posting");
    let records = database.number("SELECT count(*) FROM audit_entry");

    for (case, body, status, code, pointer) in [
        (
            "to itself",
            movement(&ann, &ann, 1),
            422,
            "same_account",
            "/to",
        ),
        (
            "from nobody",
            movement(nobody, &bob, 1),
            404,
            "account_not_found",
            "/from",
        ),
        (
            "to nobody",
            movement(&ann, nobody, 1),
            404,
            "account_not_found",
            "/to",
        ),
        (
            "no id at all",
            movement(&ann, "bob", 1),
            422,
            "invalid_field",
            "/to",
        ),
        (
            "in another currency",
            other_currency,
            422,
            "currency_mismatch",
            "/currency",
        ),
        (
            "from dollars",
            movement(&dollars, &bob, 1),
            422,
            "currency_mismatch",
            "/currency",
        ),
        (
            "to dollars",
            movement(&ann, &dollars, 1),
            422,
            "currency_mismatch",
            "/currency",
        ),
        (
            "nothing",
            movement(&ann, &bob, 0),
            422,
            "invalid_field",
            "/amount",
        ),
        (
            "backwards",
            movement(&ann, &bob, -1),
            422,
            "invalid_field",
            "/amount",
        ),
    ] {
        let refused = shop.client.post("/v1/transfers", "the-key", &body).await;
        is_problem(case, &refused, status, code);
        assert_eq!(pointers(&refused), [pointer], "{case}");
    }

    for (account, expected) in [
        (&ann, (100, 100, 1)),
        (&bob, (0, 0, 0)),
        (&dollars, (0, 0, 0)),
    ] {
        assert_eq!(balances(&shop, account).await, expected);
    }
    assert_eq!(database.number("SELECT count(*) FROM posting"), postings);
    assert_eq!(database.number("SELECT count(*) FROM audit_entry"), records);
    // A mistake is not a decision: the key is free for the real request.
    assert_eq!(shop.transfer("the-key", &ann, &bob, 1).await.status, 201);
    books_hold(&database);
}

on_both_databases!(nobody_moves_what_belongs_to_another_tenant);
async fn nobody_moves_what_belongs_to_another_tenant(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("wallets:ann", 100).await;
    let stranger = Client::new(shop.florin.api(), second_tenant(&database).await);
    let theirs = json!({"code": "wallets:ann", "currency": "EUR", "floor": null});
    let theirs = text(
        &stranger.post("/v1/accounts", None, &theirs).await.json(),
        "/id",
    );

    for (case, from, to) in [("taking", &ann, &theirs), ("giving", &theirs, &ann)] {
        let refused = stranger
            .post("/v1/transfers", case, &movement(from, to, 1))
            .await;
        is_problem(case, &refused, 404, "account_not_found");
    }

    assert_eq!(balances(&shop, &ann).await, (100, 100, 1));
    books_hold(&database);
}

/// The posted balance, the available balance and the number of entries.
async fn balances(shop: &Shop, account: &str) -> (i64, i64, i64) {
    let account = shop.read(account).await;
    let of = |pointer| number(&account, pointer);
    (
        of("/balances/posted"),
        of("/balances/available"),
        of("/version"),
    )
}
