//! Imports: an export comes back unchanged; a wrong file is reported by line and writes nothing; a killed import writes
//! nothing or everything; an import that is tried again is there once.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Database, Florin, Kind, binary, on_both_databases, run};

use crate::accounting_programs::exported;
use crate::given::{eventually, rows, text};
use crate::shop::Shop;
use crate::{books_hold, books_of_chance};

/// One of everything that a file can contain.
const EVERYTHING: &str = r#"{"format":"florin","version":1,"tenant":"elsewhere","closed_before":"2020-01-01T00:00:00Z",
"accounts":[
{"code":"assets:bank","name":"Bank","currency":"EUR","class":"asset","metadata":{"iban":"x"}},
{"code":"equity:opening","currency":"EUR"},
{"code":"wallets:ann","currency":"EUR","class":"liability","floor":0,"ceiling":100000,"credit_line":50,"balance":-20},
{"code":"wallets:bob","currency":"EUR","normal_side":"credit","status":"frozen","balance":720},
{"code":"wallets:gone","currency":"USDC/6","class":"liability","status":"closed"}
],
"transactions":[
{"id":"t1","kind":"opening","effective_at":"2020-01-01","postings":[
  {"debit":"assets:bank","credit":"equity:opening","amount":1000,"currency":"EUR"},
  {"posting":7,"debit":"equity:opening","credit":"wallets:ann","amount":1000,"currency":"EUR"}]},
{"id":"t2","kind":"fee","exchange":{"rate":"1.5"},"step":"post","about":"elsewhere","external_id":"fee 1","description":"a\nfee","metadata":{"k":"v"},"effective_at":"2021-06-30T10:00:00Z","postings":[{"posting":3,"debit":"wallets:ann","credit":"wallets:bob","amount":720,"currency":"EUR"}]},
{"id":"t3","kind":"reversal","step":"reversal","about":"t1","effective_at":"2021-07-01T10:00:00Z","postings":[{"posting":7,"debit":"wallets:ann","credit":"equity:opening","amount":300,"currency":"EUR"}]}
]}
"#;

/// The demo's books without any transactions.
pub(crate) fn empty_books(database: &Database) {
    // The signal may arrive before the server listens for it; the seeded rows exist all the same.
    Florin::start(database, &[]).terminate();
}

pub(crate) fn file(database: &Database, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> PathBuf {
    let path = database.folder().join(name);
    std::fs::write(&path, text).expect("writable");
    path
}

/// The result of an import: its exit code, and its JSON output.
pub(crate) fn imported(
    database: &Database,
    format: &str,
    path: &Path,
    more: &[&str],
) -> (i32, Value) {
    let path = path.to_str().expect("plain names");
    let verb = ["import", "--json", "--format", format, path];
    let output = run(
        &[&verb[..], &["--database-url", database.url()], more].concat(),
        b"",
    );
    let said = String::from_utf8_lossy(&output.stdout);
    let code = output.status.code().expect("it ends by itself");
    match serde_json::from_str(&said) {
        Ok(said) => (code, said),
        Err(_) => panic!("{code}: {said}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// The content of the books, without the ids and times that an import makes anew. A transaction without an external id
/// has got its former id, and a capture without a payment has another kind.
fn entries(json: &str) -> (Vec<Value>, Vec<Value>) {
    let mut document: Value = serde_json::from_str(json).expect("one document");
    let accounts = document["accounts"].as_array_mut().expect("a list");
    for account in accounts.iter_mut() {
        for name in ["id", "opened_at"] {
            account[name] = Value::Null;
        }
    }
    let accounts = accounts.clone();
    let transactions = document["transactions"].as_array_mut().expect("a list");
    let ids: Vec<String> = transactions.iter().map(|one| text(one, "/id")).collect();
    for transaction in transactions.iter_mut() {
        if transaction["external_id"] == Value::Null {
            transaction["external_id"] = transaction["id"].clone();
        }
        if transaction["kind"] == "capture" {
            transaction["kind"] = json!("imported_capture");
        }
        let about = transaction["about"].as_str();
        let about = about.and_then(|about| ids.iter().position(|id| id == about));
        transaction["about"] = json!(about);
        for name in ["id", "recorded_at"] {
            transaction[name] = Value::Null;
        }
    }
    (accounts, transactions.clone())
}

on_both_databases!(exported_books_are_the_same_after_an_import);
async fn exported_books_are_the_same_after_an_import(database: Database) {
    let other = Database::fresh(Kind::Sqlite).expect("it is built in");
    books_of_chance::write(&other, 1_050);
    let third = Database::fresh(Kind::Sqlite).expect("it is built in");
    for (format, into) in [("json", &database), ("csv", &third)] {
        let path = file(into, "books", &exported(&other, format));
        empty_books(into);
        let (code, said) = imported(into, format, &path, &[]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(said["transactions"], 1_050);
        books_hold(into);
    }
    let (accounts, transactions) = entries(&exported(&other, "json"));
    let (again, now) = entries(&exported(&database, "json"));
    assert_eq!(now, transactions);
    for account in accounts {
        assert!(again.contains(&account), "{account}");
    }
    // In CSV, an empty description is no description.
    let (_, now) = entries(&exported(&third, "json"));
    for (mut one, other) in transactions.into_iter().zip(now) {
        if one["description"] == "" {
            one["description"] = Value::Null;
        }
        assert_eq!(one, other);
    }
}

on_both_databases!(everything_that_a_file_can_hold_is_taken_over_and_comes_back);
async fn everything_that_a_file_can_hold_is_taken_over_and_comes_back(database: Database) {
    let path = file(&database, "everything.json", EVERYTHING);
    empty_books(&database);
    let before = rows(&database);
    let (code, said) = imported(&database, "json", &path, &["--dry-run"]);
    assert_eq!((code, &said["accounts"]), (0, &json!(5)), "{said}");
    assert_eq!(rows(&database), before, "a dry run has written something");

    // An import beside a running server, which sees the new rows at once.
    let shop = Shop::open(&database);
    let (code, said) = imported(&database, "json", &path, &[]);
    assert_eq!((code, &said["transactions"]), (0, &json!(3)), "{said}");
    let ann = shop.find("wallets:ann").await.expect("it is there");
    assert_eq!(ann["balances"]["posted"], -20);
    let after = rows(&database);
    let (code, said) = imported(&database, "json", &path, &[]);
    assert_eq!(
        (code, &said["imported_before"]),
        (0, &json!(true)),
        "{said}"
    );
    assert_eq!(rows(&database), after, "it was imported twice");
    assert_eq!(shop.florin.terminate().code(), Some(0));
    books_hold(&database);

    // The rest of the opening that can be reversed is known, and the reversed part is written once more.
    assert_eq!(
        database.number("SELECT reversed FROM correction WHERE ordinal = 1"),
        300
    );
    let json = exported(&database, "json");
    let other = Database::fresh(Kind::Sqlite).expect("it is built in");
    empty_books(&other);
    let again = file(&other, "again.json", &json);
    let (code, said) = imported(&other, "json", &again, &[]);
    assert_eq!(code, 0, "{said}");
    let third = Database::fresh(Kind::Sqlite).expect("it is built in");
    empty_books(&third);
    let csv = file(&third, "again.csv", &exported(&database, "csv"));
    let (code, said) = imported(&third, "csv", &csv, &[]);
    assert_eq!(code, 0, "{said}");
    for other in [&other, &third] {
        books_hold(other);
        assert_eq!(entries(&exported(other, "json")), entries(&json));
    }
}

on_both_databases!(everything_wrong_is_told_by_line_and_nothing_is_kept);
async fn everything_wrong_is_told_by_line_and_nothing_is_kept(database: Database) {
    empty_books(&database);
    let before = rows(&database);
    let refused = |format: &str, text: &str, expected: &[(u64, &str)]| {
        let path = file(&database, "wrong", text);
        for more in [&["--dry-run"][..], &[]] {
            let (code, said) = imported(&database, format, &path, more);
            let mistakes = said["mistakes"].as_array().expect("a list");
            let found: Vec<(u64, &str)> = mistakes
                .iter()
                .map(|one| {
                    let line = one["line"].as_u64().expect("a line");
                    (line, one["field"].as_str().expect("a field"))
                })
                .collect();
            assert_eq!((code, &*found), (1, expected), "{said}");
        }
        assert_eq!(rows(&database), before);
    };
    let heading = "record,account,currency,class,floor,status,transaction,posting,side,amount,kind,effective_at,balance\n";
    // All mistakes in the form are found before the books are asked.
    let form = "account,assets:a,EUR,asset,,,,,,,,,\n\
        account,assets::b,EUR,asset,,,,,,,,,\n\
        account,assets:c,XYZ,things,,,,,,,,,\n\
        account,assets:a,EUR,asset,0.001,melted,,,,,,,\n\
        entry,assets:a,EUR,,,,1,0,debit,1.005,fee,2020-01-01,\n\
        entry,assets:a,EUR,,,,2,0,debit,1.00,fee,2020-02-30,\n\
        entry,assets:a,EUR,,,,2,0,debit,1.00,fee,,\n\
        nonsense,,,,,,,,,,,,\n\
        entry,assets:a\n";
    let expected = [
        (3, "account"),
        (4, "currency"),
        (4, "class"),
        (5, "status"),
        (5, "floor"),
        (6, "amount"),
        (7, "effective_at"),
        (8, "posting"),
        (9, "record"),
        (10, ""),
    ];
    refused("csv", &format!("{heading}{form}"), &expected);
    // So are all mistakes in the books.
    let books = "account,assets:a,EUR,asset,,closed,,,,,,,\n\
        account,equity:o,EUR,equity,,,,,,,,,7.00\n\
        entry,assets:a,EUR,,,,1,0,debit,1.00,opening,2020-01-01,\n\
        entry,equity:o,EUR,,,,1,0,credit,1.00,,,\n";
    refused(
        "csv",
        &format!("{heading}{books}"),
        &[(2, "status"), (3, "balance")],
    );
    let unknown = "entry,assets:x,EUR,,,,1,0,debit,1.00,opening,2020-01-01,\n\
        entry,equity:x,EUR,,,,1,0,credit,1.00,,,\n";
    refused("csv", &format!("{heading}{unknown}"), &[(2, "account")]);
    refused("csv", "record,account,currency,colour\n", &[(1, "colour")]);
    refused(
        "json",
        "{\"format\":\"florin\",\n\"version\":1,\n\"accounts\":[\n{]}",
        &[(4, "")],
    );
    refused(
        "json",
        "{\"format\":\"florin\",\"version\":2}",
        &[(1, "format")],
    );
    let numbers = "{\"format\":\"florin\",\"version\":1,\"accounts\":[\n\
        {\"code\":\"assets:a\",\"currency\":\"EUR\",\"floor\":0.0},\n\
        {\"code\":\"assets:b\",\"currency\":\"EUR\",\"floor\":\"1\",\"color\":1}\n\
        ],\"transactions\":[\n\
        {\"kind\":\"fee\",\"postings\":[{\"debit\":\"assets:a\",\"credit\":\"assets:b\",\"currency\":\"EUR\",\"amount\":1e3}]},\n\
        {\"kind\":\"fee\",\"kind\":\"fee\",\"postings\":[]},\n\
        {\"kind\":\"fee\",\"step\":\"pending\",\"postings\":[\n{\"debit\":\"assets:a\",\"credit\":\"assets:b\",\"currency\":\"EUR\",\"amount\":0}]},\n\
        {\"kind\":\"fee\",\"step\":\"reversal\",\"about\":\"t\",\"postings\":[]}\n\
        ]}";
    let expected = [
        (2, "floor"),
        (3, "color"),
        (5, "amount"),
        (6, "kind"),
        (7, "step"),
        (8, "amount"),
        (9, "postings"),
        (9, "about"),
    ];
    refused("json", numbers, &expected);
    // At most a hundred mistakes are reported.
    let many: String = (0..300).map(|_| "nonsense,,,,,,,,,,,,\n").collect();
    let path = file(&database, "many", &format!("{heading}{many}"));
    let (_, said) = imported(&database, "csv", &path, &[]);
    assert_eq!(said["mistakes"].as_array().map(Vec::len), Some(100));
    // In the form for people, each mistake is on one line.
    let path = file(&database, "few", &format!("{heading}{unknown}"));
    let path = path.to_str().expect("plain names");
    let verb = ["import", "--format", "csv", path, "--database-url"];
    let output = run(&[&verb[..], &[database.url()]].concat(), b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("few:2: account there is no account"),
        "{said}"
    );
}

on_both_databases!(the_limits_of_accounts_that_are_here_hold_and_a_name_is_taken_once);
async fn the_limits_of_accounts_that_are_here_hold_and_a_name_is_taken_once(database: Database) {
    let shop = Shop::open(&database);
    shop.wallet("wallets:ann", 100).await;
    assert_eq!(shop.florin.terminate().code(), Some(0));
    let heading = "record,account,currency,normal_side,transaction,side,amount,kind,external_id\n";
    let accounts = "account,wallets:ann,EUR,credit,,,,,\naccount,shop,EUR,credit,,,,,\n";
    let pay = |name: &str, amount: &str| {
        format!(
            "entry,wallets:ann,EUR,,{name},debit,{amount},sale,{name}\n\
             entry,shop,EUR,,{name},credit,{amount},sale,{name}\n"
        )
    };
    let import = |text: &str| {
        let path = file(&database, "sales.csv", &format!("{heading}{text}"));
        imported(&database, "csv", &path, &[])
    };
    let (code, said) = import(&format!(
        "{accounts}{}{}",
        pay("a", "0.60"),
        pay("b", "0.60")
    ));
    assert_eq!(
        (code, &said["mistakes"][0]["line"]),
        (1, &json!(6)),
        "{said}"
    );
    assert_eq!(said["mistakes"][0]["field"], "amount");
    let (code, said) = import(&format!(
        "{accounts}{}{}",
        pay("a", "0.60"),
        pay("b", "0.40")
    ));
    assert_eq!(code, 0, "{said}");
    // Another file has one of these transactions with another content.
    let (code, said) = import(&format!("{}{}", pay("c", "0.10"), pay("b", "0.41")));
    assert_eq!(code, 1, "{said}");
    assert_eq!(said["mistakes"][1]["field"], "external_id", "{said}");
    // Two transactions of one file with one external id: reported before the books are asked.
    let twice = pay("d", "0.01") + &pay("e", "0.01").replace(",sale,e", ",sale,d");
    let (code, said) = import(&twice);
    let first = &said["mistakes"][0];
    assert_eq!(
        (code, &first["line"], &first["field"], &first["problem"]),
        (
            1,
            &json!(4),
            &json!("external_id"),
            &json!("is on line 2 already")
        ),
        "{said}"
    );
    let other = "account,wallets:ann,USD,credit,,,,,\naccount,shop,EUR,debit,,,,,\n";
    let (code, said) = import(other);
    let fields = [&said["mistakes"][0]["field"], &said["mistakes"][1]["field"]];
    assert_eq!((code, fields), (1, [&json!("currency"), &json!("class")]));
    books_hold(&database);
}

on_both_databases!(a_killed_import_leaves_nothing_or_everything);
async fn a_killed_import_leaves_nothing_or_everything(database: Database) {
    const TRANSACTIONS: i64 = 2_000;
    empty_books(&database);
    let mut text = "record,account,currency,class,transaction,side,amount,kind\n\
        account,assets:a,EUR,asset,,,,\naccount,equity:o,EUR,equity,,,,\n"
        .to_owned();
    for number in 0..TRANSACTIONS {
        let line = |account, side| format!("entry,{account},EUR,,{number},{side},1.00,opening");
        writeln!(text, "{}", line("assets:a", "debit")).expect("a text");
        writeln!(text, "{}", line("equity:o", "credit")).expect("a text");
    }
    let path = file(&database, "large.csv", &text);
    let counted = || {
        let transactions = database.number("SELECT count(*) FROM ledger_transaction");
        let accounts = database.number("SELECT count(*) FROM account");
        let records = database.number("SELECT count(*) FROM audit_entry");
        (transactions, accounts, records)
    };
    let nothing = counted();
    assert_eq!(nothing.0, 0);
    for millis in [50, 150, 300, 450, 600, 900] {
        let mut child = Command::new(binary())
            .args(["import", "--format", "csv"])
            .arg(&path)
            .args(["--database-url", database.url()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        // How far the import is by then is random.
        tokio::time::sleep(Duration::from_millis(millis)).await;
        child.kill().expect("an own child");
        child.wait().expect("an own child");
        // On a server the commit may still be on its way.
        eventually("nothing or everything", async || {
            let found = counted();
            let all = (TRANSACTIONS, 2, nothing.2 + TRANSACTIONS + 2);
            (found == nothing || found == all).then_some(())
        })
        .await;
    }
    let (code, said) = imported(&database, "csv", &path, &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(counted().0, TRANSACTIONS);
    books_hold(&database);
}

on_both_databases!(a_running_server_finds_what_breaks_its_books);
async fn a_running_server_finds_what_breaks_its_books(database: Database) {
    let shop = Shop::open_with(&database, &["--check-every", "1"]);
    shop.wallet("wallets:ann", 100).await;
    let gauge = async |name: &str| {
        let metrics = shop.client.get("/metrics").await;
        let lines = String::from_utf8_lossy(&metrics.body).into_owned();
        let value = lines.lines().find_map(|line| line.strip_prefix(name));
        value.map(|value| value.trim().to_owned())
    };
    let success = "florin_check_last_success_timestamp_seconds ";
    eventually("the books are found to hold", async || {
        let at: i64 = gauge(success).await?.parse().ok()?;
        (at > 1_700_000_000).then_some(())
    })
    .await;
    assert_eq!(
        gauge("florin_check_violations ").await.as_deref(),
        Some("0")
    );
    assert!(!shop.florin.log().contains("the books are violated"));
    database.execute_raw(match database.kind() {
        Kind::Sqlite => "DROP TRIGGER posting_immutable",
        Kind::Postgres => "DROP TRIGGER posting_immutable ON posting",
    });
    eventually("the alarm", async || {
        // The guard is checked by its name, and as a part of the schema.
        let found = gauge("florin_check_violations ").await? == "2";
        let log = shop.florin.log();
        let told = log.contains("the books are violated") && log.contains("posting_immutable");
        (found && told).then_some(())
    })
    .await;
    assert!(gauge("florin_check_duration_seconds ").await.is_some());
    // The server serves all the same: the operator decides after the alarm.
    assert_eq!(shop.client.get("/readyz").await.status, 200);
    assert_eq!(shop.florin.terminate().code(), Some(0));
}
