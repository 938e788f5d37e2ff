//! Accounting programs that know nothing of Florin, used to check its books.
//!
//! The programs are searched on the PATH. Without them the scenarios print a message and compare the rest; with
//! `REQUIRE_ACCOUNTING=1` they fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ledger::Account;
use money::{Currency, Decimal};
use tests::{Database, run};

use crate::books_of_chance::{accounts, balance};

/// Exports the books of the tenant `demo`.
pub(crate) fn export(database: &Database, format: &str) -> Output {
    let verb = ["export", "--format", format, "--tenant", "demo"];
    run(
        &[&verb[..], &["--database-url", database.url()]].concat(),
        b"",
    )
}

pub(crate) fn exported(database: &Database, format: &str) -> String {
    let output = export(database, format);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

/// The text in a file with a name that the program accepts.
fn file(database: &Database, name: &str, text: &str) -> PathBuf {
    let path = database.folder().join(name);
    std::fs::write(&path, text).expect("writable");
    path
}

fn is_found(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// True if a program is installed. If it is not, and the environment requires it, the test fails.
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

/// Both programs accept the books and compute the same balances; and they do not accept changed books.
pub(crate) fn programs_agree(database: &Database) {
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
        // This program proves the same once more. It is not part of every Beancount.
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

/// The text with one unit more in the last digit of the last balance.
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
pub(crate) type Balances = BTreeMap<(String, String), Decimal>;

pub(crate) fn exact(text: &str) -> Decimal {
    let read = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
    read.unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

pub(crate) fn counted(accounts: &[Account], commodity: fn(&Currency) -> String) -> Balances {
    let on_it = accounts.iter().filter(|account| balance(account) != 0);
    let counted = on_it.map(|account| {
        let key = (account.code.clone(), commodity(&account.currency));
        (key, exact(&account.currency.decimal(balance(account))))
    });
    counted.collect()
}

fn hledger_commodity(currency: &Currency) -> String {
    currency.code().to_owned()
}

/// A code that has another meaning there is distinguished by its exponent.
fn beancount_commodity(currency: &Currency) -> String {
    match currency.code() {
        "NULL" => format!("{}.{}", currency.code(), currency.exponent()),
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

/// The code of each name, from the metadata.
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
    // A plain number would be shown with the number of places that most others have.
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
    // The program also shows accounts with a balance of zero.
    found.filter(|(_, sum)| !sum.is_zero()).collect()
}
