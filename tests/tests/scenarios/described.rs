//! Metadata of refunds and payouts: given, shown, replaced, and searched for.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};

use crate::books_hold;
use crate::disputes::{open, paid};
use crate::funds::balance_becomes;
use crate::given::{as_read, is_problem, number, text};
use crate::shop::{PRICE, Shop, list, pointers};
use crate::tenants::verb;

async fn replace(client: &Client, path: &str, metadata: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    let body = json!({"metadata": metadata}).to_string();
    client.send(Method::PATCH, path, &headers, body).await
}

/// The ids of a list, newest first.
async fn ids(shop: &Shop, path: &str) -> Vec<String> {
    let page = shop.client.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.json());
    let found = list(&page.json());
    found.iter().map(|one| text(one, "/id")).collect()
}

/// Makes a refund of 10, or a payout of 10.
async fn made(shop: &Shop, path: &str, key: &str, metadata: &Value) -> Value {
    let mut body = json!({"amount": 10, "metadata": metadata});
    if path == "/v1/payouts" {
        body["currency"] = json!("EUR");
        body["destination"] = json!("ba_succeeds");
    }
    let made = shop.client.post(path, key, &body).await;
    assert_eq!(made.status, 201, "{path}: {}", made.json());
    made.json()
}

on_both_databases!(refunds_and_payouts_are_described_as_payments_are);
async fn refunds_and_payouts_are_described_as_payments_are(database: Database) {
    let shop = open(&database).await;
    let payment = paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    for (kind, path, listed) in [
        (
            "refund",
            format!("/v1/payments/{payment}/refunds"),
            "/v1/refunds",
        ),
        ("payout", "/v1/payouts".to_owned(), "/v1/payouts"),
    ] {
        let told = json!({"case": "7", "shop": "north"});
        let first = made(&shop, &path, &format!("{kind}-1"), &told).await;
        assert_eq!(first["metadata"], told);
        let plain = made(&shop, &path, &format!("{kind}-2"), &Value::Null).await;
        assert_eq!(plain["metadata"], Value::Null);
        let other = json!({"case": "8", "shop": "north"});
        let third = made(&shop, &path, &format!("{kind}-3"), &other).await;
        let of = |one: &Value| text(one, "/id");
        let one = format!("{listed}/{}", of(&first));
        assert_eq!(shop.client.get(&one).await.json()["metadata"], told);

        let both = [of(&third), of(&first)];
        assert_eq!(
            ids(&shop, &format!("{listed}?metadata.shop=north")).await,
            both
        );
        let narrow = format!("{listed}?metadata.shop=north&metadata.case=7");
        assert_eq!(ids(&shop, &narrow).await, [of(&first)]);
        let none = format!("{listed}?metadata.shop=south");
        assert_eq!(ids(&shop, &none).await, Vec::<String>::new());
        let page = format!("{listed}?metadata.shop=north&limit=1");
        let page = shop.client.get(&page).await.json();
        assert_eq!(list(&page).len(), 1);
        let cursor = text(&page, "/next_cursor");
        let next = format!("{listed}?metadata.shop=north&limit=1&cursor={cursor}");
        assert_eq!(ids(&shop, &next).await, [of(&first)]);
        let wrong = shop.client.get(&format!("{listed}?metadata.a%20b=x")).await;
        is_problem("a key that cannot be", &wrong, 400, "invalid_query");

        // The new texts count, and the old ones no longer.
        let moved = replace(&shop.client, &one, &json!({"shop": "south"})).await;
        assert_eq!(moved.status, 200, "{}", moved.json());
        assert_eq!(moved.json()["metadata"], json!({"shop": "south"}));
        let version = number(&first, "/version");
        assert_eq!(number(&moved.json(), "/version"), version + 1);
        assert_eq!(ids(&shop, &none).await, [of(&first)]);
        assert_eq!(ids(&shop, &narrow).await, Vec::<String>::new());
        assert_eq!(shop.client.get(&one).await.json(), moved.json());
        let gone = replace(&shop.client, &one, &Value::Null).await;
        assert_eq!(gone.json()["metadata"], Value::Null);
        assert_eq!(ids(&shop, &none).await, Vec::<String>::new());
        let mut before = as_read(first.clone());
        for field in ["metadata", "version", "updated_at"] {
            if before.get(field).is_some() {
                before[field] = gone.json()[field].clone();
            }
        }
        assert_eq!(before, gone.json(), "nothing else changes");

        let wrong = replace(&shop.client, &one, &json!({"card": "4242424242424242"})).await;
        assert_eq!(
            (wrong.status, pointers(&wrong)),
            (422, vec!["/metadata/card".to_owned()])
        );
        let unheard = format!(
            "{listed}/{}",
            of(&first).replace(|it: char| it.is_ascii_digit(), "0")
        );
        let unheard = replace(&shop.client, &unheard, &json!({"a": "b"})).await;
        is_problem("unheard", &unheard, 404, "not_found");
    }
    // A charge is no refund, whatever its id is called.
    let operations = format!("/v1/payments/{payment}/operations");
    let operations = list(&shop.client.get(&operations).await.json());
    let charge = operations.iter().find(|one| one["kind"] == "charge");
    let charge = text(charge.expect("a charge"), "/id").replace("op_", "re_");
    let refused = replace(
        &shop.client,
        &format!("/v1/refunds/{charge}"),
        &json!({"a": "b"}),
    )
    .await;
    is_problem("a charge", &refused, 404, "not_found");
    for action in ["refund.metadata_set", "payout.metadata_set"] {
        let leaf = match database.url().starts_with("postgres") {
            true => "encode(leaf, 'escape')",
            false => "CAST(leaf AS TEXT)",
        };
        let told = format!("SELECT count(*) FROM audit_entry WHERE {leaf} LIKE '%{action}%'");
        assert!(database.number(&told) >= 2, "{action}");
    }
    books_hold(&database);
    the_check_misses_what_is_gone(&database);
}

/// The check says which thing is not found by its metadata.
fn the_check_misses_what_is_gone(database: &Database) {
    for (kind, subject) in [(4, "po_"), (3, "re_")] {
        database.execute_raw(&format!("DELETE FROM metadata_text WHERE kind = {kind}"));
        let (code, said, heard) = verb(database, &["check"]);
        assert_eq!(code, Some(1), "{said}{heard}");
        let said = format!("{said}{heard}");
        let found = said
            .lines()
            .find(|line| line.contains("is not found by its metadata"));
        assert!(found.is_some_and(|line| line.contains(subject)), "{said}");
    }
}
