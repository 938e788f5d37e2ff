//! Exports: accounting programs accept the books and compute the same balances; CSV and JSON contain the whole of the
//! books.

use std::collections::BTreeMap;
use std::path::Path;

use money::{Currency, MinorUnits};
use serde_json::Value;
use tests::{Database, Kind, on_both_databases, run};

use crate::accounting_programs::{Balances, counted, exact, export, exported, programs_agree};
use crate::books_hold;
use crate::books_of_chance::{self, CODES, accounts};
use crate::given::eventually;
use crate::shop::Shop;
use crate::violations::tamper;

on_both_databases!(a_book_of_payments_is_accepted_by_accounting_programs);
async fn a_book_of_payments_is_accepted_by_accounting_programs(database: Database) {
    let shop = Shop::open(&database);
    let ann = shop.wallet("liabilities:wallets:ann", 10_000).await;
    let bob = shop.wallet("liabilities:wallets:bob", 0).await;
    assert_eq!(shop.transfer("t", &ann, &bob, 2_500).await.status, 201);
    assert_eq!(shop.pay("succeeds", "pm_succeeds").await.status, 201);
    assert_eq!(shop.pay("declined", "pm_declines").await.status, 402);
    eventually("the webhook arrives", async || {
        (database.number("SELECT count(*) FROM inbox") >= 1).then_some(())
    })
    .await;
    // The programs are tried while the server runs, and afterwards.
    programs_agree(&database);
    assert_eq!(shop.florin.terminate().code(), Some(0));
    programs_agree(&database);
    books_hold(&database);
}

on_both_databases!(a_random_book_is_accepted_by_accounting_programs);
async fn a_random_book_is_accepted_by_accounting_programs(database: Database) {
    books_of_chance::write(&database, 1_050);
    programs_agree(&database);
}

on_both_databases!(csv_and_json_hold_the_whole_book_and_the_same_bytes_on_both_databases);
async fn csv_and_json_hold_the_whole_book_and_the_same_bytes_on_both_databases(database: Database) {
    books_of_chance::write(&database, 1_050);
    let csv = exported(&database, "csv");
    let json = exported(&database, "json");
    let other = Database::fresh(Kind::Sqlite).expect("it is built in");
    books_of_chance::write(&other, 1_050);
    for (format, text) in [("csv", &csv), ("json", &json)] {
        assert!(exported(&other, format) == *text, "{format} differs");
    }
    let ours = accounts(&database);
    let document: Value = serde_json::from_str(&json).expect("one document");
    assert_eq!(counted_in_json(&document), counted(&ours, stored));
    assert_eq!(counted_in_csv(&csv, &document), counted(&ours, stored));
    assert_eq!(
        document["transactions"].as_array().map(Vec::len),
        Some(1_050)
    );
    assert_eq!(
        document["accounts"].as_array().map(Vec::len),
        Some(CODES.len())
    );
    for account in ours {
        let listed = document["accounts"].as_array().expect("a list");
        let found = listed
            .iter()
            .find(|one| one["code"] == account.code.as_str());
        let found = found.expect("every account is there");
        assert_eq!(found["name"], account.name.as_str());
        assert_eq!(found["balance"], account.posted().get());
    }
}

fn stored(currency: &Currency) -> String {
    currency.stored().into_owned()
}

/// Sums of minor units as balances that are not zero.
fn as_balances(sums: BTreeMap<(String, String), i128>) -> Balances {
    let on_it = sums.into_iter().filter(|(_, sum)| *sum != 0);
    let balance = |((code, stored), sum): ((String, String), i128)| {
        let currency = Currency::from_stored(&stored).expect("a currency");
        ((code, stored), exact(&currency.decimal(sum)))
    };
    on_it.map(balance).collect()
}

fn counted_in_json(document: &Value) -> Balances {
    let mut sums: BTreeMap<(String, String), i128> = BTreeMap::new();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    for transaction in document["transactions"].as_array().expect("a list") {
        for posting in transaction["postings"].as_array().expect("a list") {
            let amount = i128::from(posting["amount"].as_i64().expect("an integer"));
            for (side, sign) in [("debit", 1), ("credit", -1)] {
                let key = (text(&posting[side]), text(&posting["currency"]));
                *sums.entry(key).or_default() += sign * amount;
            }
        }
    }
    as_balances(sums)
}

/// Sums up the entries, and checks that they agree with the JSON for each transaction.
fn counted_in_csv(csv: &str, document: &Value) -> Balances {
    let mut sums: BTreeMap<(String, String), i128> = BTreeMap::new();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().expect("a heading").clone();
    let mut transactions = document["transactions"].as_array().expect("a list").iter();
    let mut transaction = transactions.next().expect("the first");
    for row in reader.records() {
        let row = row.expect("a row");
        let field = |name: &str| {
            let at = columns.iter().position(|column| column == name);
            row[at.unwrap_or_else(|| panic!("no column {name}"))].to_owned()
        };
        if field("record") == "account" {
            continue;
        }
        if transaction["id"] != field("transaction") {
            transaction = transactions.next().expect("as many");
        }
        for name in [
            "id",
            "description",
            "external_id",
            "effective_at",
            "recorded_at",
        ] {
            let column = if name == "id" { "transaction" } else { name };
            let said = transaction[name].as_str().unwrap_or_default();
            assert_eq!(field(column), said, "{name}");
        }
        let currency = Currency::from_stored(&field("currency")).expect("a currency");
        let money = money::Money::from_decimal(&field("amount"), currency);
        let amount = MinorUnits::from(money.expect("an exact decimal").amount);
        let sign = if field("side") == "debit" { 1 } else { -1 };
        let key = (field("account"), field("currency"));
        *sums.entry(key).or_default() += sign * i128::from(amount.get());
    }
    assert_eq!(transactions.next(), None, "a transaction is not in the CSV");
    as_balances(sums)
}

on_both_databases!(a_file_is_there_whole_or_not_at_all);
async fn a_file_is_there_whole_or_not_at_all(database: Database) {
    books_of_chance::write(&database, 3);
    let path = database.folder().join("books.json");
    let path = path.to_str().expect("plain names");
    let ask = |more: &[&str]| {
        let verb = [
            "export",
            "--format",
            "json",
            "--database-url",
            database.url(),
        ];
        run(&[&verb[..], &["--output", path], more].concat(), b"")
    };
    let refused = |more: &[&str], words: &[&str]| {
        let output = ask(more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        for word in words {
            assert!(said.contains(word), "no {word} in {said}");
        }
    };
    refused(&[], &["--tenant", "demo", "other"]);
    refused(&["--tenant", "nobody"], &["nobody", "demo", "other"]);
    assert!(!Path::new(path).exists());
    let written = ask(&["--tenant", "demo"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let text = std::fs::read_to_string(path).expect("it is there");
    assert_eq!(text, exported(&database, "json"));

    // The numbers of written accounts and transactions, as JSON.
    let told = ask(&["--tenant", "demo", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("one object");
    let whole: Value = serde_json::from_str(&text).expect("one document");
    let count = |list: &str| whole[list].as_array().map(Vec::len);
    assert_eq!(told["accounts"], Value::from(count("accounts")));
    assert_eq!(told["transactions"], Value::from(count("transactions")));
    assert_eq!(told["file"], path);

    // The export of another tenant contains nothing of these books.
    let other = ask(&["--tenant", "other"]);
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    let empty = std::fs::read_to_string(path).expect("replaced");
    let empty: Value = serde_json::from_str(&empty).expect("one document");
    assert_eq!(empty["accounts"], Value::Array(vec![]));
    assert_eq!(empty["transactions"], Value::Array(vec![]));

    // Books that cannot be read to the end replace no file.
    let before = std::fs::read_to_string(path).expect("there");
    database.execute_raw("ALTER TABLE posting RENAME TO elsewhere");
    refused(&["--tenant", "demo"], &[]);
    assert_eq!(std::fs::read_to_string(path).expect("kept"), before);
    let left = std::fs::read_dir(database.folder()).expect("a folder");
    let left = left.filter(|file| {
        let name = file.as_ref().expect("readable").file_name();
        name.to_string_lossy().starts_with(".tmp")
    });
    assert_eq!(left.count(), 0);
}

on_both_databases!(books_in_which_a_transaction_is_missing_are_not_exported_as_if_they_were_whole);
async fn books_in_which_a_transaction_is_missing_are_not_exported_as_if_they_were_whole(
    database: Database,
) {
    books_of_chance::write(&database, 60);
    exported(&database, "json");
    // Removes a transaction, but not its postings.
    tamper(
        &database,
        "DELETE FROM ledger_transaction WHERE id = \
         (SELECT id FROM ledger_transaction ORDER BY id DESC LIMIT 1)",
    );
    let output = export(&database, "json");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("a posting has no transaction"), "{said}");
}
