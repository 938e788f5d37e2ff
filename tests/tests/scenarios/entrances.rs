//! What a text may be, at every entrance: ordinary ones are taken, and what must not be stored or cannot be
//! answered is refused by name, the same on both databases.

use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};

use super::books_hold;
use super::given::{account, is_problem, rows, text};

/// Transfers one cent, described so, under this key.
async fn transfer(
    client: &Client,
    key: &str,
    (from, to): (&str, &str),
    description: &str,
) -> Reply {
    let body =
        json!({"from": from, "to": to, "amount": 1, "currency": "EUR", "description": description});
    client.post("/v1/transfers", key, &body).await
}

on_both_databases!(ordinary_keys_and_texts_are_taken_and_card_numbers_are_not);
async fn ordinary_keys_and_texts_are_taken_and_card_numbers_are_not(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let from = account(&client, "assets:cash", &Value::Null).await;
    let to = account(&client, "liabilities:wallets:ann", &json!(0)).await;
    let pair = (from.as_str(), to.as_str());

    for key in [
        "w-1795936088-1-15-554584798",
        "1795936088123",
        "1795936088123456789",
        "order-4242424242424242",
        "4006381333931",
    ] {
        let reply = transfer(&client, key, pair, "for the bread").await;
        assert_eq!(reply.status, 201, "{key}: {}", reply.json());
    }
    for (number, description) in [
        "to AT61 1904 3002 3457 3201",
        "IBAN DE89 3704 0044 0532 0130 00",
        "at 2026-11-29 10:30:22.123456",
        "call +4111 1111 1111 1111 or 415-555-2671 / 415-555-2672",
        "article 4006381333931, order 405-1234567-1234567",
        "w-1795936088-1-15-554584798",
    ]
    .into_iter()
    .enumerate()
    {
        let reply = transfer(&client, &format!("text-{number}"), pair, description).await;
        assert_eq!(reply.status, 201, "{description}: {}", reply.json());
    }

    let before = rows(&database);
    for description in [
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111_1111_1111_1111",
        "4111/1111/1111/1111",
        "\u{ff14}\u{ff11}\u{ff11}\u{ff11} 1111 1111 1111",
        "card 3782 822463 10005 of mine",
    ] {
        let reply = transfer(&client, "card", pair, description).await;
        is_problem(description, &reply, 422, "card_number_refused");
        assert_eq!(text(&reply.json(), "/errors/0/pointer"), "/description");
    }
    for key in [
        "4242424242424242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "\"378282246310005\"",
    ] {
        let reply = transfer(&client, key, pair, "for the bread").await;
        is_problem(key, &reply, 400, "idempotency_key_invalid");
    }
    assert_eq!(rows(&database), before);
    books_hold(&database);
}
