//! Currencies that ISO 4217 has withdrawn: their past is recorded, remaining balances are emptied, and nothing new
//! begins in them, over HTTP and in imports.

use serde_json::{Value, json};
use tests::{Database, on_both_databases};

use crate::books_hold;
use crate::given::{is_problem, text};
use crate::imports::{file, imported};
use crate::shop::{Shop, pointers};

const HEADING: &str =
    "record,account,currency,class,transaction,side,amount,kind,effective_at,external_id\n";

on_both_databases!(a_withdrawn_currency_is_emptied_and_no_longer_filled);
async fn a_withdrawn_currency_is_emptied_and_no_longer_filled(database: Database) {
    let shop = Shop::open(&database);
    let open = async |code: &str, currency: &str| {
        let new = json!({"code": code, "currency": currency, "floor": null});
        shop.account(&new).await
    };
    let bank = open("assets:bank:hrk", "HRK").await;
    let ann = open("liabilities:ann:hrk", "HRK").await;
    let bob = open("liabilities:bob:hrk", "HRK").await;
    let liquidity = open("liabilities:liquidity:hrk", "HRK").await;
    let euro = open("liabilities:ann:eur", "EUR").await;
    let euros = open("liabilities:liquidity:eur", "EUR").await;
    let posted = async |key: &str, debit: &str, credit: &str, amount: i64, when: Value| {
        let posting =
            json!({"debit": debit, "credit": credit, "amount": amount, "currency": "HRK"});
        let body = json!({"kind": "history", "postings": [posting], "effective_at": when});
        shop.client.post("/v1/transactions", key, &body).await
    };
    let then = || json!("2022-12-31T23:59:59.999999Z");
    let first = posted("then", &bank, &ann, 10_000, then()).await;
    assert_eq!(first.status, 201, "{}", first.json());
    for (key, when) in [("now", Value::Null), ("end", json!("2023-01-01T00:00:00Z"))] {
        let late = posted(key, &bank, &ann, 100, when).await;
        is_problem(key, &late, 422, "currency_withdrawn");
        assert_eq!(pointers(&late), ["/postings/0/currency"]);
        let detail = text(&late.json(), "/detail");
        assert!(
            detail.contains("HRK was withdrawn on 2023-01-01"),
            "{detail}"
        );
    }
    let body = json!({"from": ann, "to": bob, "amount": 100, "currency": "HRK"});
    let late = shop.client.post("/v1/transfers", "pay", &body).await;
    is_problem("a transfer", &late, 422, "currency_withdrawn");
    let body = json!({"amount": 1_099, "currency": "HRK", "payment_method": "pm_succeeds"});
    let late = shop.client.post("/v1/payments", "pay-me", &body).await;
    is_problem("a payment", &late, 422, "currency_withdrawn");
    let again = shop.client.post("/v1/payments", "pay-me", &body).await;
    assert_eq!((again.status, &again.body), (late.status, &late.body));
    // The rest is converted, paid out and, if that was wrong, reversed.
    let exchange = |from: &str, sold_to: &str, to: &str, bought_from: &str| {
        json!({"from": from, "sold_to": sold_to, "to": to, "bought_from": bought_from,
            "sell": 7_534, "rate": "0.132722808", "source": "Regulation (EU) 2022/1208",
            "quoted_at": "2022-12-31T00:00:00Z"})
    };
    let body = exchange(&euro, &euros, &ann, &liquidity);
    let late = shop.client.post("/v1/exchanges", "buy", &body).await;
    is_problem("kuna are bought", &late, 422, "currency_withdrawn");
    let body = exchange(&ann, &liquidity, &euro, &euros);
    let sold = shop.client.post("/v1/exchanges", "sell", &body).await;
    assert_eq!(sold.status, 201, "{}", sold.json());
    assert_eq!(sold.json()["bought"]["amount"], 1_000);
    let out = posted("out", &ann, &bank, 2_466, Value::Null).await;
    assert_eq!(out.status, 201, "{}", out.json());
    let rest = posted("rest", &liquidity, &bank, 7_534, Value::Null).await;
    assert_eq!(rest.status, 201, "{}", rest.json());
    let path = format!("/v1/transactions/{}/reverse", text(&out.json(), "/id"));
    let undone = shop.client.post(&path, "undo", &json!({})).await;
    assert_eq!(undone.status, 201, "{}", undone.json());
    assert_eq!(shop.florin.terminate().code(), Some(0));
    books_hold(&database);
}

on_both_databases!(old_books_are_imported_and_a_withdrawn_currency_ends_by_line);
async fn old_books_are_imported_and_a_withdrawn_currency_ends_by_line(database: Database) {
    Shop::open(&database).florin.terminate();
    let entries = |currency: &str, when: &str, name: &str| {
        let line = |account: &str, side: &str| {
            format!(
                "entry,{account}:{currency},{currency},,{name},{side},10,opening,{when},{name}\n"
            )
        };
        format!(
            "{}{}",
            line("assets:bank", "debit"),
            line("equity:opening", "credit")
        )
    };
    let accounts = |currency: &str| {
        format!(
            "account,assets:bank:{currency},{currency},asset,,,,,,\n\
             account,equity:opening:{currency},{currency},equity,,,,,,\n"
        )
    };
    let mut text = HEADING.to_owned();
    // Each could have been imported once, because the documents said so or because the code was in ISO 4217.
    for currency in ["ANG", "BGN", "CUC", "DEM", "HRK", "ITL", "SLL", "ZWL"] {
        text.push_str(&accounts(currency));
        text.push_str(&entries(currency, "2001-06-30", currency));
    }
    let path = file(&database, "old.csv", &text);
    let (code, said) = imported(&database, "csv", &path, &[]);
    assert_eq!((code, &said["transactions"]), (0, &json!(8)), "{said}");

    let late = [
        entries("BGN", "2025-12-31T23:59:59.999999Z", "the last"),
        entries("BGN", "2026-01-01", "the first without"),
        entries("DEM", "", "today"),
    ];
    let path = file(
        &database,
        "late.csv",
        &format!("{HEADING}{}", late.concat()),
    );
    let (code, said) = imported(&database, "csv", &path, &[]);
    assert_eq!(code, 1, "{said}");
    let mistakes = said["mistakes"].as_array().expect("a list");
    let found: Vec<(&Value, &Value)> = mistakes
        .iter()
        .map(|one| (&one["line"], &one["field"]))
        .collect();
    let expected = [4, 6].map(Value::from);
    let field = json!("effective_at");
    assert_eq!(
        found,
        expected
            .iter()
            .map(|line| (line, &field))
            .collect::<Vec<_>>()
    );

    // A code of ISO 4217 stands without an exponent, and no account holds a currency without minor units.
    for (code, word) in [("ANG/2", "stands without"), ("ALK", "no minor unit")] {
        let text = format!("record,account,currency,class\naccount,assets:x,{code},asset\n");
        let path = file(&database, "asset.csv", &text);
        let (_, said) = imported(&database, "csv", &path, &[]);
        let problem = said["mistakes"][0]["problem"].as_str().expect("a text");
        assert!(problem.contains(word), "{problem}");
    }
    books_hold(&database);
}
