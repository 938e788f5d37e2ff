//! Rows that are in the books already are not imported again, from any file: they are recognized by their content
//! and by their external ids.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Database, on_both_databases};

use crate::books_hold;
use crate::given::{rows, text};
use crate::imports::{empty_books, file, imported};
use crate::shop::Shop;

const TABLE: &str = "record,account,currency,class,transaction,side,amount,kind,effective_at,description\n\
    account,assets:bank,EUR,asset,,,,,,\n\
    account,equity:opening,EUR,equity,,,,,,\n\
    entry,assets:bank,EUR,,1,debit,10.50,opening,2026-01-01,\"a \"\"first\"\" one\"\n\
    entry,equity:opening,EUR,,1,credit,10.50,,,\n\
    entry,assets:bank,EUR,,2,debit,5.00,opening,2026-01-02,\n\
    entry,equity:opening,EUR,,2,credit,5.00,,,\n\
    entry,assets:bank,EUR,,3,debit,5.00,opening,2026-01-02,\n\
    entry,equity:opening,EUR,,3,credit,5.00,,,\n";

/// The same table as other programs write it.
fn disguises() -> Vec<(&'static str, String)> {
    let crlf = TABLE.replace('\n', "\r\n");
    let semicolons = TABLE.replace(',', ";").replace("10.50", "\"10.5\"");
    let columns = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.reverse();
        cells.join(",") + "\n"
    };
    let reordered: String = TABLE.lines().map(columns).collect();
    let with_metadata = TABLE.lines().enumerate();
    let with_metadata = with_metadata.map(|(number, line)| {
        let cell = if number == 0 { "metadata" } else { "{}" };
        format!("{line},{cell}\n")
    });
    let with_metadata: String = with_metadata.collect();
    let renamed = TABLE
        .replace(",3,", ",9,")
        .replace("2026-01-02", "2026-01-02T00:00:00Z");
    vec![
        ("a mark in front", format!("\u{feff}{TABLE}")),
        ("other line ends", crlf),
        ("other separators", semicolons),
        ("other columns", reordered),
        ("other numbers of rows", renamed),
        ("tabulators", TABLE.replace(',', "\t")),
        ("metadata of nothing", with_metadata),
    ]
}

on_both_databases!(the_same_rows_are_imported_once_in_whatever_file_they_stand);
async fn the_same_rows_are_imported_once_in_whatever_file_they_stand(database: Database) {
    empty_books(&database);
    let import = |text: &str, more: &[&str]| {
        let path = file(&database, "table.csv", text);
        imported(&database, "csv", &path, more)
    };
    let (code, said) = import(TABLE, &[]);
    assert_eq!((code, &said["transactions"]), (0, &json!(3)), "{said}");
    let after = rows(&database);
    for (what, text) in disguises() {
        let (code, said) = import(&text, &[]);
        assert_eq!(code, 0, "{what}: {said}");
        assert_eq!(said["transactions"], 0, "{what}");
        let lines: Vec<u64> = said["known"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|known| known["line"].as_u64())
            .collect();
        assert_eq!(lines, [2, 3, 4, 6, 8], "{what}: {said}");
        assert_eq!(rows(&database), after, "{what}");
    }
    let (code, said) = import(TABLE, &["--known", "refuse"]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(said["mistakes"].as_array().map(Vec::len), Some(5));
    assert_eq!(rows(&database), after);

    // Only one additional row is new, even if it equals others.
    let more = "entry,assets:bank,EUR,,4,debit,5.00,opening,2026-01-02,\n\
        entry,equity:opening,EUR,,4,credit,5.00,,,\n";
    let longer = format!("{TABLE}{more}");
    let (code, said) = import(&longer, &["--known", "refuse"]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(rows(&database), after);
    let (code, said) = import(&longer, &[]);
    assert_eq!((code, &said["transactions"]), (0, &json!(1)), "{said}");
    let count = "SELECT count(*) FROM ledger_transaction";
    assert_eq!(database.number(count), 4);
    books_hold(&database);
}

on_both_databases!(imports_at_once_book_each_row_once);
async fn imports_at_once_book_each_row_once(database: Database) {
    empty_books(&database);
    let files: Vec<PathBuf> = disguises()
        .iter()
        .enumerate()
        .map(|(number, (_, text))| file(&database, &format!("{number}.csv"), text))
        .collect();
    let import = |path: &PathBuf| imported(&database, "csv", path, &[]);
    let ended: Vec<(i32, Value)> = std::thread::scope(|scope| {
        let running: Vec<_> = files
            .iter()
            .map(|path| scope.spawn(move || import(path)))
            .collect();
        let ended = running.into_iter().map(|one| one.join().expect("it ends"));
        ended.collect()
    });
    // One comes first; the others recognize its rows, or must try again.
    let booked = ended.iter().map(|(_, said)| said["transactions"].as_u64());
    assert_eq!(booked.flatten().sum::<u64>(), 3, "{ended:?}");
    for (code, said) in &ended {
        assert!([0, 2].contains(code), "{said}");
    }
    let after = rows(&database);
    for path in &files {
        let (code, said) = import(path);
        assert_eq!((code, &said["transactions"]), (0, &json!(0)), "{said}");
    }
    assert_eq!(rows(&database), after);
    books_hold(&database);
}

on_both_databases!(an_external_id_is_known_with_the_same_content_and_refused_with_another);
async fn an_external_id_is_known_with_the_same_content_and_refused_with_another(
    database: Database,
) {
    let shop = Shop::open(&database);
    let open = async |code: &str| {
        let new = json!({"code": code, "currency": "EUR", "floor": null});
        shop.account(&new).await
    };
    let (bank, wallet) = (open("assets:bank").await, open("liabilities:ann").await);
    // A user posted one of them by hand.
    let body = json!({
        "kind": "sale", "external_id": "inv-1", "effective_at": "2026-03-01T00:00:00Z",
        "metadata": {"order": "17"},
        "postings": [{"debit": bank, "credit": wallet, "amount": 700, "currency": "EUR"}],
    });
    let made = shop.client.post("/v1/transactions", "inv-1", &body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let table = |first: &str, second: &str| {
        let row = |account, name, side, amount: &str| {
            format!(
                "entry,{account},EUR,{name},{side},{amount},sale,2026-03-01,\"{{\"\"order\"\": \"\"17\"\"}}\"\n"
            )
        };
        format!(
            "record,account,currency,external_id,side,amount,kind,effective_at,metadata\n{}{}{}{}",
            row("liabilities:ann", "inv-1", "credit", first),
            row("assets:bank", "inv-1", "debit", first),
            row("assets:bank", "inv-2", "debit", second),
            row("liabilities:ann", "inv-2", "credit", second),
        )
    };
    let import = |text: &str| {
        let path = file(&database, "sales.csv", text);
        imported(&database, "csv", &path, &[])
    };
    let (code, said) = import(&table("7.00", "8.00"));
    assert_eq!((code, &said["transactions"]), (0, &json!(1)), "{said}");
    assert_eq!(
        said["known"],
        json!([{"line": 2, "record": "transaction", "name": "inv-1"}])
    );
    let before = rows(&database);
    let (code, said) = import(&table("7.01", "8.00"));
    let mistakes: Vec<(&Value, &Value)> = said["mistakes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["line"], &one["field"]))
        .collect();
    assert_eq!(
        (code, mistakes),
        (1, vec![(&json!(2), &json!("external_id"))]),
        "{said}"
    );
    assert_eq!(rows(&database), before);

    // A transaction that was reversed since stays imported, and is not posted again.
    let list = shop.client.get("/v1/transactions?limit=100").await.json();
    let list = list["data"].as_array().expect("a list").clone();
    let second = list
        .iter()
        .find(|one| one["external_id"] == "inv-2")
        .expect("imported");
    let path = format!("/v1/transactions/{}/reverse", text(second, "/id"));
    assert_eq!(
        shop.client.post(&path, "undo", &json!({})).await.status,
        201
    );
    let (code, said) = import(&table("7.00", "8.00"));
    assert_eq!(
        (code, &said["imported_before"]),
        (0, &json!(true)),
        "{said}"
    );
    assert_eq!(shop.read(&wallet).await["balances"]["posted"], 700);

    // The metadata of one is set later: both the old and the new metadata are recognized.
    let path = format!("/v1/transactions/{}", text(second, "/id"));
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "later"),
    ];
    let metadata = json!({"metadata": {"order": "18"}}).to_string();
    let set = shop
        .client
        .send(Method::PATCH, &path, &headers, metadata)
        .await;
    assert_eq!(set.status, 200, "{}", set.json());
    let (code, said) = import(&table("7.00", "8.00"));
    assert_eq!(code, 0, "{said}");

    // The books themselves, exported and imported again.
    let path = file(
        &database,
        "own.json",
        &crate::accounting_programs::exported(&database, "json"),
    );
    let before = rows(&database);
    let (code, said) = imported(&database, "json", &path, &[]);
    assert_eq!(
        (code, &said["imported_before"]),
        (0, &json!(true)),
        "{said}"
    );
    assert_eq!(rows(&database), before);
    assert_eq!(shop.florin.terminate().code(), Some(0));
    books_hold(&database);
}
