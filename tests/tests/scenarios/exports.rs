//! Exports: accounting programs that know nothing of Florin accept its books and count the same
//! balances; CSV and JSON hold the whole of them.
//!
//! The programs are looked for on the PATH. Without them the scenarios say so and compare the rest;
//! with `REQUIRE_ACCOUNTING=1` they fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ledger::{
    Account, AccountId, Kind as Purpose, NewAccount, NewTransaction, NormalSide, Posting,
};
use money::{Amount, Currency, Decimal, MinorUnits};
use serde_json::Value;
use store::bulk::Writes;
use store::{DatabaseUrl, Error, Ids, Store, TenantId, Timestamp};
use tests::{Database, Kind, on_both_databases, run};

use crate::books_hold;
use crate::given::eventually;
use crate::shop::Shop;

/// Codes as people choose them, and as nobody should.
const CODES: &[(&str, &str, NormalSide)] = &[
    ("assets:bank", "EUR", NormalSide::Debit),
    ("assets:bank:a-b", "EUR", NormalSide::Debit),
    ("assets:bank:Main", "EUR", NormalSide::Debit),
    ("assets:bank:main", "EUR", NormalSide::Debit),
    ("assets", "EUR", NormalSide::Debit),
    ("liabilities:wallets:42", "EUR", NormalSide::Credit),
    (
        "liabilities:wallets:42:held_back",
        "EUR",
        NormalSide::Credit,
    ),
    ("liabilities:wallets", "EUR", NormalSide::Credit),
    ("wallets:ann", "EUR", NormalSide::Credit),
    ("Assets:bank", "EUR", NormalSide::Debit),
    ("*;(odd)[!]\"%", "EUR", NormalSide::Credit),
    ("income:fees:EUR", "EUR", NormalSide::Credit),
    ("assets:yen", "JPY", NormalSide::Debit),
    ("equity:yen", "JPY", NormalSide::Credit),
    ("assets:dinar", "BHD", NormalSide::Debit),
    ("equity:dinar", "BHD", NormalSide::Credit),
    ("assets:usdc", "USDC/6", NormalSide::Debit),
    ("liabilities:usdc", "USDC/6", NormalSide::Credit),
    ("assets:usdc:bridged", "USDC/18", NormalSide::Debit),
    ("liabilities:usdc:bridged", "USDC/18", NormalSide::Credit),
    ("assets:points", "A1B2/0", NormalSide::Debit),
    ("liabilities:points", "A1B2/0", NormalSide::Credit),
    ("assets:null", "NULL/3", NormalSide::Debit),
    ("expenses:null", "NULL/3", NormalSide::Debit),
];

/// What people write into a description or a name.
const TEXTS: &[&str] = &[
    "lunch",
    "a \"quote\", a \\ and a 'tick'",
    "two\nlines\r\nand a\ttab",
    "; a comment | a payee * ! (code) [2026-02-30] date:never",
    "=1+1",
    "café 🍰 Ünïcode",
    "  spaces  ",
    "",
];

const DAY: i64 = 86_400_000_000;

/// Numbers that look like chance, and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Books of all those accounts with some hundred transactions of chance, more than a page of them.
fn random_books(database: &Database, transactions: usize) {
    let url = DatabaseUrl::parse(database.url()).expect("the harness's own");
    let store = Store::open(&url).expect("it opens");
    database.execute_raw(
        "INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'demo'), (0, 2, 'other')",
    );
    let (mut ids, mut dice, now) = (Ids::seeded(7), Dice(7), Timestamp::from_micros(1_000 * DAY));
    let mut books = ledger::Shelf::default();
    let mut accounts: Vec<(AccountId, Currency)> = Vec::new();
    for (code, currency, normal_side) in CODES {
        let id = AccountId::from_bytes(ids.next(now));
        let new = NewAccount {
            code: (*code).to_owned(),
            name: (*dice.one_of(TEXTS)).to_owned(),
            currency: Currency::from_stored(currency).expect("a currency"),
            normal_side: *normal_side,
            floor: None,
        };
        let opened = ledger::open(&mut books, id, new, now).expect("a new code");
        accounts.push((id, opened.currency));
    }
    for number in 0..transactions {
        let at = now.plus_seconds(i64::try_from(number).expect("few"));
        let postings = (0..=dice.below(4)).map(|_| movement(&mut dice, &accounts));
        let postings = postings.collect();
        let days = i64::try_from(dice.below(4_000)).expect("few") - 2_000;
        let text = (*dice.one_of(TEXTS)).to_owned();
        let new = NewTransaction {
            id: ledger::TransactionId::from_bytes(ids.next(at)),
            kind: *dice.one_of(&[Purpose::Transfer, Purpose::Capture]),
            postings,
            external_id: (dice.below(2) == 0).then(|| format!("{text}, {number}")),
            description: (dice.below(3) > 0).then_some(text),
            effective_at: Timestamp::from_micros(at.micros() + days * DAY),
            recorded_at: at,
        };
        ledger::post(&mut books, new).expect("a legal transaction");
    }
    let mut writer = store.writer().expect("a connection");
    store::begin_write(&mut writer).expect("begun");
    let mut writes = Writes::default();
    ledger::tables::save(&mut writes, TenantId(1), &books);
    writes.run(&mut writer).expect("written");
    store::commit(&mut writer).expect("committed");
}

/// An amount from one account to another of the same currency; now and then a vast one.
fn movement(dice: &mut Dice, accounts: &[(AccountId, Currency)]) -> Posting {
    let (debit, currency) = *dice.one_of(accounts);
    let others: Vec<AccountId> = accounts
        .iter()
        .filter(|(id, other)| *id != debit && *other == currency)
        .map(|(id, _)| *id)
        .collect();
    let most = *dice.one_of(&[100, 1_000_000, i64::MAX / 1_000_000]);
    let share = i64::try_from(dice.below(1_000_000)).expect("small") + 1;
    Posting {
        debit,
        credit: *dice.one_of(&others),
        amount: Amount::new((most / share).max(1)).expect("positive"),
        currency,
    }
}

/// The accounts as the ledger itself has them.
fn accounts(database: &Database) -> Vec<Account> {
    let url = DatabaseUrl::parse(database.url()).expect("the harness's own");
    let store = Store::open_existing(&url).expect("it opens");
    let found: Result<_, Error> =
        store.read(|connection| ledger::accounts(connection, TenantId(1), None, 1_000));
    found.expect("readable")
}

/// What is on an account, debits positive.
fn balance(account: &Account) -> i128 {
    i128::from(account.debits_posted) - i128::from(account.credits_posted)
}

fn export(database: &Database, format: &str) -> Output {
    let verb = ["export", "--format", format, "--tenant", "demo"];
    run(
        &[&verb[..], &["--database-url", database.url()]].concat(),
        b"",
    )
}

fn exported(database: &Database, format: &str) -> String {
    let output = export(database, format);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

/// The same in a file of the program's liking.
fn file(database: &Database, name: &str, text: &str) -> PathBuf {
    let path = database.folder().join(name);
    std::fs::write(&path, text).expect("writable");
    path
}

fn is_found(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Whether a program is there to be asked. It is an error that it is not, where it has to be.
fn is_there(program: &str) -> bool {
    let found = is_found(program);
    if !found {
        let required = std::env::var_os("REQUIRE_ACCOUNTING").is_some_and(|value| value == "1");
        assert!(
            !required,
            "{program} is not on the PATH, and REQUIRE_ACCOUNTING=1"
        );
        println!("accounting programs: {program} SKIPPED, it is not on the PATH");
    }
    found
}

fn asked(program: &str, arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).arg(file).env("LC_ALL", "C.UTF-8");
    command.output().expect("it runs")
}

fn accepts(output: &Output, file: &Path) {
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = file.display();
    assert!(
        output.status.success(),
        "{shown}: {said}{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn refuses(output: &Output, because: &str) {
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert!(!output.status.success() && said.contains(because), "{said}");
}

/// Both programs accept the books and count the same; and they are shown that they would not accept
/// any other.
fn programs_agree(database: &Database) {
    let ours = accounts(database);
    if is_there("hledger") {
        let text = exported(database, "hledger");
        let path = file(database, "books.journal", &text);
        let check = ["check", "--strict", "-f"];
        accepts(&asked("hledger", &check, &path), &path);
        assert_eq!(counted_by_hledger(&path), counted(&ours, hledger_commodity));
        assert_eq!(text.matches(" == ").count(), ours.len());
        let wrong = file(database, "wrong.journal", &one_more(&text, " == "));
        refuses(&asked("hledger", &check, &wrong), "balance assertion");
    }
    if is_there("bean-check") {
        let text = exported(database, "beancount");
        let path = file(database, "books.beancount", &text);
        accepts(&asked("bean-check", &["--no-cache"], &path), &path);
        // It proves the same once more, and is not part of every Beancount.
        if is_found("bean-query") {
            let names = beancount_codes(&text);
            let counted_there = counted_by_beancount(&path, &names);
            assert_eq!(counted_there, counted(&ours, beancount_commodity));
        }
        assert_eq!(text.matches(" balance ").count(), ours.len());
        let wrong = file(database, "wrong.beancount", &one_more(&text, " balance "));
        refuses(
            &asked("bean-check", &["--no-cache"], &wrong),
            "balance failed",
        );
    }
}

/// The text with the last balance changed by one in its last digit.
fn one_more(text: &str, mark: &str) -> String {
    let at = text.rfind(mark).expect("a balance is asserted");
    let (before, line) = text.split_at(at);
    let end = line.find(" ~ ").unwrap_or_else(|| {
        let amount = line.rfind(' ').expect("an amount and a commodity");
        line[..amount].trim_end().len()
    });
    let (amount, rest) = line.split_at(end);
    let (kept, digit) = amount.split_at(amount.len() - 1);
    let digit: u8 = digit.parse().expect("a digit");
    format!("{before}{kept}{}{rest}", (digit + 1) % 10)
}

/// Balances that are not zero, by code and commodity.
type Balances = BTreeMap<(String, String), Decimal>;

fn exact(text: &str) -> Decimal {
    let read = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
    read.unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn counted(accounts: &[Account], commodity: fn(&Currency) -> String) -> Balances {
    let on_it = accounts.iter().filter(|account| balance(account) != 0);
    let counted = on_it.map(|account| {
        let key = (account.code.clone(), commodity(&account.currency));
        (key, exact(&account.currency.decimal(balance(account))))
    });
    counted.collect()
}

/// The two currencies that share a code are told apart, in each program's way.
fn hledger_commodity(currency: &Currency) -> String {
    match currency.code() {
        "USDC" => currency.stored().into_owned(),
        code => code.to_owned(),
    }
}

fn beancount_commodity(currency: &Currency) -> String {
    match currency.code() {
        "USDC" | "NULL" => format!("{}.{}", currency.code(), currency.exponent()),
        code => code.to_owned(),
    }
}

fn rows(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text);
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| row.iter().map(|field| field.trim().to_owned()).collect())
        .collect()
}

fn counted_by_hledger(path: &Path) -> Balances {
    let balances = [
        "balance",
        "--flat",
        "--no-total",
        "--layout",
        "bare",
        "-O",
        "csv",
        "-f",
    ];
    let output = asked("hledger", &balances, path);
    accepts(&output, path);
    let found = rows(&output.stdout).into_iter().map(|row| {
        let key = (unescaped(&row[0]), row[1].clone());
        (key, exact(&row[2]))
    });
    found.collect()
}

/// `%28` is a parenthesis.
fn unescaped(name: &str) -> String {
    let mut parts = name.split('%');
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let character = u8::from_str_radix(&part[..2], 16).expect("hexadecimal");
        code.push(char::from(character));
        code.push_str(&part[2..]);
    }
    code
}

/// The code of each name, as the metadata says.
fn beancount_codes(text: &str) -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((_, opened)) = line.split_once(" open ") {
            let name = opened.split(' ').next().expect("a name").to_owned();
            let code = lines.next().and_then(|line| line.strip_prefix("  code: "));
            let code = serde_json::from_str(code.expect("its code")).expect("a quoted text");
            assert_eq!(codes.insert(name, code), None, "two accounts of one name");
        }
    }
    codes
}

fn counted_by_beancount(path: &Path, codes: &BTreeMap<String, String>) -> Balances {
    // A bare number would be shown with as many places as most others have.
    let query = "SELECT account, currency, str(sum(number)) GROUP BY account, currency";
    let mut command = Command::new("bean-query");
    let path_then_query = [path.as_os_str(), query.as_ref()];
    command
        .args(["-f", "csv"])
        .args(path_then_query)
        .env("LC_ALL", "C.UTF-8");
    let output = command.output().expect("it runs");
    accepts(&output, path);
    let found = rows(&output.stdout).into_iter().map(|row| {
        let key = (codes[&row[0]].clone(), row[1].clone());
        let sum = row[2].trim_start_matches("Decimal('");
        (key, exact(sum.trim_end_matches("')")))
    });
    // It shows an account with nothing on it, too.
    found.filter(|(_, sum)| !sum.is_zero()).collect()
}

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
    // While it runs, and after.
    programs_agree(&database);
    assert_eq!(shop.florin.terminate().code(), Some(0));
    programs_agree(&database);
    books_hold(&database);
}

on_both_databases!(a_random_book_is_accepted_by_accounting_programs);
async fn a_random_book_is_accepted_by_accounting_programs(database: Database) {
    random_books(&database, 1_050);
    programs_agree(&database);
}

on_both_databases!(csv_and_json_hold_the_whole_book_and_the_same_bytes_on_both_databases);
async fn csv_and_json_hold_the_whole_book_and_the_same_bytes_on_both_databases(database: Database) {
    random_books(&database, 1_050);
    let csv = exported(&database, "csv");
    let json = exported(&database, "json");
    let other = Database::fresh(Kind::Sqlite).expect("it is built in");
    random_books(&other, 1_050);
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

/// Counts the entries, and sees that they say of each transaction what the JSON says.
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
    random_books(&database, 3);
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

    // Another tenant's books have nothing of these.
    let other = ask(&["--tenant", "other"]);
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    let empty = std::fs::read_to_string(path).expect("replaced");
    let empty: Value = serde_json::from_str(&empty).expect("one document");
    assert_eq!(empty["accounts"], Value::Array(vec![]));
    assert_eq!(empty["transactions"], Value::Array(vec![]));

    // A book that cannot be read to its end replaces nothing.
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
