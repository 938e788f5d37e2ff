//! Databases that are not suitable for books: each is refused by name at the start, and nothing is changed by that.

use std::process::Output;

use serde_json::Value;
use tests::{Cluster, Database, Florin, Kind, on_both_databases, run};

use crate::books_hold;

/// The output of `florin VERB` for this database, and its exit code.
fn told(database: &Database, arguments: &[&str]) -> (Option<i32>, String) {
    told_at(database.url(), database, arguments)
}

fn told_at(url: &str, database: &Database, arguments: &[&str]) -> (Option<i32>, String) {
    let data_dir = database.data_dir();
    let data_dir = data_dir.to_str().expect("scratch folders have plain names");
    let mut all = arguments.to_vec();
    all.extend(["--database-url", url, "--data-dir", data_dir]);
    let Output {
        status,
        stdout,
        stderr,
    } = run(&all, &[]);
    let said = [stdout, stderr].concat();
    (status.code(), String::from_utf8_lossy(&said).into_owned())
}

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// The server is refused with these words.
fn is_refused(database: &Database, words: &[&str]) {
    let (status, said) = told(database, &SERVE);
    assert_eq!(status, Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
}

/// Begins new books.
fn begun(database: &Database) {
    assert!(Florin::start(database, &[]).terminate().success());
}

on_both_databases!(a_schema_that_is_newer_is_refused_with_the_version_to_use);
async fn a_schema_that_is_newer_is_refused_with_the_version_to_use(database: Database) {
    begun(&database);
    database.execute_raw(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000');
         UPDATE housekeeping SET program = '7.8.9'",
    );
    let words = [
        "cannot be used",
        "newer than this program",
        "Florin 7.8.9",
        "20991231000000",
    ];
    is_refused(&database, &words);
    for verb in [&["check"][..], &["audit", "verify"]] {
        let (status, said) = told(&database, verb);
        assert_eq!(status, Some(2), "{said}");
    }
    database.execute_raw("DELETE FROM __diesel_schema_migrations WHERE version = '20991231000000'");
    begun(&database);
    books_hold(&database);
}

/// A change of the schema, its reverse, and the message about it.
type Change = (&'static str, &'static str, &'static str);

const ON_POSTGRES: [Change; 10] = [
    (
        "CREATE TABLE more_postings () INHERITS (posting)",
        "DROP TABLE more_postings",
        "table posting is not what the migrations make",
    ),
    (
        "DROP INDEX posting_debit",
        "CREATE UNIQUE INDEX posting_debit ON posting (debit_account, debit_version, tenant_id)",
        "unique index posting_debit of posting is missing",
    ),
    (
        "ALTER TABLE account DROP CONSTRAINT account_normal_side_check",
        "ALTER TABLE account ADD CONSTRAINT account_normal_side_check CHECK (normal_side IN (1, 2))",
        "constraint account_normal_side_check of account is missing",
    ),
    (
        "ALTER TABLE asset DISABLE TRIGGER asset_immutable",
        "ALTER TABLE asset ENABLE ALWAYS TRIGGER asset_immutable",
        "trigger asset_immutable of asset is not what the migrations make",
    ),
    (
        "ALTER FUNCTION refuse_change() SECURITY DEFINER",
        "ALTER FUNCTION refuse_change() SECURITY INVOKER",
        "function refuse_change() is not what the migrations make",
    ),
    (
        "ALTER TABLE posting ADD COLUMN note TEXT",
        "ALTER TABLE posting DROP COLUMN note",
        "column note of posting is nothing that the migrations make",
    ),
    (
        "ALTER TABLE payment ALTER COLUMN currency DROP NOT NULL",
        "ALTER TABLE payment ALTER COLUMN currency SET NOT NULL",
        "column currency of payment is not what the migrations make",
    ),
    (
        "ALTER TABLE account ALTER COLUMN name SET DEFAULT 'x'",
        "ALTER TABLE account ALTER COLUMN name DROP DEFAULT",
        "column name of account is not what the migrations make",
    ),
    (
        "CREATE RULE quiet AS ON INSERT TO posting DO INSTEAD NOTHING",
        "DROP RULE quiet ON posting",
        "rule quiet of posting is nothing that the migrations make",
    ),
    (
        "ALTER TABLE posting SET UNLOGGED",
        "ALTER TABLE posting SET LOGGED",
        "table posting is not what the migrations make",
    ),
];

/// Changes the text of a table in the way in which only a change of the catalogue can.
macro_rules! rewritten {
    ($table:literal, $from:literal, $to:literal) => {
        concat!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, '",
            $from,
            "', '",
            $to,
            "') WHERE name = '",
            $table,
            "'; PRAGMA writable_schema = RESET"
        )
    };
}

const ON_SQLITE: [Change; 5] = [
    (
        "DROP INDEX posting_debit",
        "CREATE UNIQUE INDEX posting_debit ON posting (debit_account, debit_version, tenant_id)",
        "unique index posting_debit of posting is missing",
    ),
    (
        rewritten!(
            "asset",
            "exponent BETWEEN 0 AND 18",
            "exponent BETWEEN 0 AND 99"
        ),
        rewritten!(
            "asset",
            "exponent BETWEEN 0 AND 99",
            "exponent BETWEEN 0 AND 18"
        ),
        "table asset is not what the migrations make",
    ),
    (
        "DROP TRIGGER asset_kept",
        "CREATE TRIGGER asset_kept BEFORE DELETE ON asset
BEGIN SELECT RAISE(ABORT, 'rows of asset are never changed or deleted'); END;",
        "trigger asset_kept of asset is missing",
    ),
    (
        "ALTER TABLE payment ADD COLUMN note TEXT",
        "ALTER TABLE payment DROP COLUMN note",
        "table payment is not what the migrations make",
    ),
    (
        "CREATE TRIGGER quiet BEFORE INSERT ON payment BEGIN SELECT RAISE(IGNORE); END",
        "DROP TRIGGER quiet",
        "trigger quiet of payment is nothing that the migrations make",
    ),
];

on_both_databases!(a_schema_that_was_changed_is_refused_and_the_check_says_where);
async fn a_schema_that_was_changed_is_refused_and_the_check_says_where(database: Database) {
    begun(&database);
    let changes = match database.kind() {
        Kind::Postgres => &ON_POSTGRES[..],
        Kind::Sqlite => &ON_SQLITE[..],
    };
    for (change, undo, words) in changes {
        database.execute_raw(change);
        is_refused(
            &database,
            &["its schema is not what the migrations make", words],
        );
        let (status, said) = told(&database, &["check", "--json"]);
        assert_eq!(status, Some(1), "{change}: {said}");
        let report: Value =
            serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
        let invariants = report["invariants"].as_array().expect("a list");
        let schema = invariants
            .iter()
            .find(|one| one["name"] == "S1")
            .expect("S1");
        let subject = schema["violation"]["subject"]
            .as_str()
            .expect("a violation");
        assert!(words.starts_with(subject), "{change}: {schema}");
        database.execute_raw(undo);
    }
    // Tables of others, and an index that changes no answer, do not matter.
    database.execute_raw(
        "CREATE TABLE somebody_elses (id INTEGER); CREATE UNIQUE INDEX theirs ON somebody_elses (id);
         CREATE INDEX wanted_by_reports ON payment (customer_id)",
    );
    begun(&database);
    books_hold(&database);
}

#[test]
fn a_file_in_another_encoding_is_refused_by_its_name() {
    let file = Database::fresh(Kind::Sqlite).expect("SQLite is built in");
    file.execute_raw("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x)");
    is_refused(&file, &["its encoding is UTF-16le"]);
}

/// Live mode with all its settings, on a database that may lose acknowledged data.
const LIVE: [&str; 10] = [
    "serve",
    "--listen=127.0.0.1:0",
    "--mode=live",
    "--provider=acme",
    "--provider-url=http://127.0.0.1:9",
    "--webhook-secret",
    "acme=stripe:whsec_0123456789abcdef",
    "--check-every=0",
    "--init",
    "--accept-data-loss=false",
];

#[test]
fn a_server_that_is_not_fit_for_money_is_refused_by_name() {
    let Some(cluster) = Cluster::private() else {
        return;
    };
    // The tests' servers run without fsync, and without whole pages.
    let database = Database::within(&cluster);
    let (status, said) = told(&database, &LIVE);
    assert_eq!(status, Some(2), "{said}");
    for words in ["fsync is off", "--accept-data-loss"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let sandbox = Database::within(&cluster);
    let florin = Florin::start(&sandbox, &["--accept-data-loss=false"]);
    assert!(florin.log().contains("fsync is off"), "sandbox mode warns");
    drop(florin);

    database.execute_raw("ALTER SYSTEM SET fsync = on");
    database.execute_raw("ALTER SYSTEM SET full_page_writes = on");
    cluster.stop();
    cluster.start();
    // A setting of the database alone counts too.
    database.execute_raw(OF_DATABASE);
    let (status, said) = told(&database, &LIVE);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("synchronous_commit is off"), "{said}");
    database.execute_raw(&OF_DATABASE.replace("= off", "= on"));
    let florin = Florin::start(&database, &LIVE[2..]);
    assert!(!florin.log().contains("is off"), "{}", florin.log());
    drop(florin);

    // A database with this encoding would change texts.
    database.execute_raw(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    let (address, parameters) = database.url().split_once('?').expect("it has some");
    let (server, _name) = address.rsplit_once('/').expect("it names a database");
    let url = format!("{server}/latin?{parameters}");
    let (status, said) = told_at(&url, &database, &SERVE);
    assert_eq!(status, Some(2), "{said}");
    for words in ["its encoding is LATIN1", "ENCODING 'UTF8'"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}

const OF_DATABASE: &str = "DO $$ BEGIN EXECUTE
    format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
