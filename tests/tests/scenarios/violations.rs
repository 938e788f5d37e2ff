//! `check` and `audit verify` find changes that were made to the books without the server. A check that never found
//! anything proves nothing.

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use tests::{Database, Kind, on_both_databases, run};

use crate::given::{eventually, text};
use crate::shop::Shop;

/// A change of the rows, its reverse, and the invariants that it breaks. The first of them is the one for which the
/// change was made.
const PLANTED: &[(&str, &str, &[&str])] = &[
    // A posting in a currency that its accounts do not hold.
    (
        "UPDATE posting SET currency = 'USD' WHERE amount = 250",
        "UPDATE posting SET currency = 'EUR' WHERE amount = 250",
        &["L1"],
    ),
    // A balance that does not follow from its entries.
    (
        "UPDATE posting SET debit_balance = debit_balance + 1 WHERE amount = 250",
        "UPDATE posting SET debit_balance = debit_balance - 1 WHERE amount = 250",
        &["L2"],
    ),
    // Money from nowhere.
    (
        "UPDATE account SET credits_posted = credits_posted + 5 WHERE code LIKE '%:bob'",
        "UPDATE account SET credits_posted = credits_posted - 5 WHERE code LIKE '%:bob'",
        &["L3", "L2"],
    ),
    // A lost hold.
    (
        "CREATE TABLE keep AS SELECT amount, expires_at, transaction_id, tenant_id FROM hold;
         DELETE FROM hold",
        "INSERT INTO hold (amount, posted, released, expires_at, tenant_id, ordinal, status, transaction_id)
         SELECT amount, 0, 0, expires_at, tenant_id, 0, 1, transaction_id FROM keep; DROP TABLE keep",
        &["L5"],
    ),
    // A hold that lasts longer than was recorded.
    (
        "UPDATE ledger_transaction SET expires_at = expires_at + 1 WHERE expires_at IS NOT NULL;
         UPDATE hold SET expires_at = expires_at + 1",
        "UPDATE ledger_transaction SET expires_at = expires_at - 1 WHERE expires_at IS NOT NULL;
         UPDATE hold SET expires_at = expires_at - 1",
        &["A3"],
    ),
    // An exchange without its terms.
    (
        "CREATE TABLE keep AS SELECT * FROM exchange; DELETE FROM exchange",
        "INSERT INTO exchange SELECT * FROM keep; DROP TABLE keep",
        &["L6"],
    ),
    // Terms that lead to another amount.
    (
        "UPDATE exchange SET rounding = 'up'",
        "UPDATE exchange SET rounding = 'half_even'",
        &["L6"],
    ),
    // An entry that happened earlier than it was recorded, without the row that says so.
    (
        "CREATE TABLE keep AS SELECT * FROM displaced; DELETE FROM displaced",
        "INSERT INTO displaced SELECT * FROM keep; DROP TABLE keep",
        &["L7"],
    ),
    // Missing sums of time.
    (
        "CREATE TABLE keep AS SELECT * FROM time_bucket; DELETE FROM time_bucket",
        "INSERT INTO time_bucket SELECT * FROM keep; DROP TABLE keep",
        &["L7"],
    ),
    // Metadata by which a transaction is no longer found.
    (
        "CREATE TABLE keep AS SELECT * FROM transaction_metadata; DELETE FROM transaction_metadata",
        "INSERT INTO transaction_metadata SELECT * FROM keep; DROP TABLE keep",
        &["L7"],
    ),
    // An account in an asset that is not registered, or registered with another exponent.
    (
        "UPDATE account SET currency = 'POINTS/2' WHERE currency = 'POINTS/0'",
        "UPDATE account SET currency = 'POINTS/0' WHERE currency = 'POINTS/2'",
        &["L8"],
    ),
    // An asset that nobody has registered.
    (
        "INSERT INTO asset SELECT created_at, tenant_id, 2, 'NOBODYS', '' FROM asset",
        "DELETE FROM asset WHERE code = 'NOBODYS'",
        &["A3"],
    ),
    // A payment that states less than was taken.
    (
        "UPDATE payment SET captured = 1098",
        "UPDATE payment SET captured = 1099",
        &["P1"],
    ),
    // A final state that was left.
    (
        "UPDATE payment SET status = 'processing'",
        "UPDATE payment SET status = 'succeeded'",
        &["P2"],
    ),
    // An operation that was never posted.
    (
        "CREATE TABLE keep AS SELECT * FROM ledger_transaction;
         UPDATE ledger_transaction SET external_id = NULL WHERE kind = 'capture'",
        "UPDATE ledger_transaction SET external_id =
             (SELECT external_id FROM keep WHERE keep.id = ledger_transaction.id);
         DROP TABLE keep",
        &["P3"],
    ),
    // A charge that belongs to another operation.
    (
        "CREATE TABLE keep AS SELECT * FROM operation; UPDATE operation SET provider_ref = 'ch_nobodys'",
        "UPDATE operation SET provider_ref = (SELECT provider_ref FROM keep WHERE keep.id = operation.id);
         DROP TABLE keep",
        &["P3"],
    ),
    // A payment whose request is missing.
    (
        "UPDATE idempotency_key SET key = 'gone' WHERE key = 'k'",
        "UPDATE idempotency_key SET key = 'k' WHERE key = 'gone'",
        &["I1"],
    ),
    // An event with other bytes than were received.
    (
        "CREATE TABLE keep AS SELECT * FROM inbox; UPDATE inbox SET body = body_hash",
        "UPDATE inbox SET body = (SELECT body FROM keep); DROP TABLE keep",
        &["W1"],
    ),
    // An event that the audit log has no record of.
    (
        "CREATE TABLE keep AS SELECT * FROM inbox; UPDATE inbox SET event_id = 'evt_nobody'",
        "UPDATE inbox SET event_id = (SELECT event_id FROM keep); DROP TABLE keep",
        &["A3"],
    ),
    // A record that was rewritten.
    (
        "CREATE TABLE keep AS SELECT * FROM audit_entry;
         UPDATE audit_entry SET leaf = leaf_hash WHERE seq = 0",
        "UPDATE audit_entry SET leaf = (SELECT leaf FROM keep WHERE keep.seq = 0) WHERE seq = 0;
         DROP TABLE keep",
        &["A1", "A3"],
    ),
    // A log that was emptied: the rest of it has correct hashes.
    (
        "CREATE TABLE keep AS SELECT * FROM audit_entry;
         CREATE TABLE kept AS SELECT * FROM audit_batch WHERE size > 0;
         DELETE FROM audit_entry; DELETE FROM audit_batch WHERE size > 0",
        "INSERT INTO audit_batch SELECT * FROM kept; INSERT INTO audit_entry SELECT * FROM keep;
         DROP TABLE keep; DROP TABLE kept",
        &["A3"],
    ),
];

on_both_databases!(check_and_audit_verify_name_each_planted_violation);
async fn check_and_audit_verify_name_each_planted_violation(database: Database) {
    a_book_with_something_of_everything(&database).await;
    assert_eq!(violated(&database), (Some(0), vec![]));
    assert_eq!(audit_verify(&database).0, Some(0));

    for (plant, undo, broken) in PLANTED {
        tamper(&database, plant);
        let (status, mut names) = violated(&database);
        let mut expected = broken.to_vec();
        expected.sort_unstable();
        names.sort_unstable();
        assert_eq!(
            (status, names),
            (Some(1), expected.iter().map(ToString::to_string).collect()),
            "{plant}"
        );
        let (status, said) = audit_verify(&database);
        if broken.contains(&"A1") {
            assert_eq!(status, Some(1), "{said}");
            assert!(
                said.contains("record 0") || said.contains("\"seq\":0"),
                "{said}"
            );
        } else if broken.contains(&"A3") && !plant.contains("expires_at") {
            assert_eq!(status, Some(1), "{plant}: {said}");
            assert!(said.contains("change_unrecorded"), "{plant}: {said}");
        } else {
            assert_eq!(status, Some(0), "{plant}: {said}");
        }
        // If anything is left of it, the next violation will show it.
        tamper(&database, undo);
    }
    assert_eq!(violated(&database), (Some(0), vec![]));

    database.execute_raw(match database.kind() {
        Kind::Sqlite => "DROP TRIGGER posting_immutable",
        Kind::Postgres => "DROP TRIGGER posting_immutable ON posting",
    });
    // The guard is checked by its name, and as a part of the schema.
    let both = ["L4", "S1"].map(str::to_owned).to_vec();
    assert_eq!(violated(&database), (Some(1), both));
    let output = run(&["check", "--database-url", database.url()], b"");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("L4 is violated: database: trigger posting_immutable"),
        "{said}"
    );

    // A missing table is not a violation: then nothing can be said.
    database.execute_raw("ALTER TABLE inbox RENAME TO elsewhere");
    let output = run(&["check", "--database-url", database.url()], b"");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"");
}

/// Books with rows of every kind.
pub(crate) async fn a_book_with_something_of_everything(database: &Database) {
    let shop = Shop::open(database);
    let ann = shop.wallet("liabilities:wallets:ann", 1_000).await;
    let bob = shop.wallet("liabilities:wallets:bob", 0).await;
    assert_eq!(shop.transfer("t", &ann, &bob, 250).await.status, 201);
    let stay = json!({
        "kind": "stay", "pending": {"expires_in": 86_400},
        "postings": [{"debit": ann, "credit": bob, "amount": 7, "currency": "EUR"}],
    });
    let held = shop.client.post("/v1/transactions", "stay", &stay).await;
    assert_eq!(held.status, 201, "{}", held.json());
    assert!(held.json()["expires_at"].is_string(), "{}", held.json());
    an_exchange_and_a_late_statement(&shop, &ann).await;
    let points = json!({"code": "POINTS", "exponent": 0});
    let registered = shop.client.post("/v1/assets", None, &points).await;
    assert_eq!(registered.status, 201);
    let points = json!({"code": "liabilities:points", "currency": "POINTS"});
    shop.account(&points).await;
    assert_eq!(shop.pay("k", "pm_succeeds").await.status, 201);
    eventually("the webhook arrives", async || {
        (database.number("SELECT count(*) FROM inbox") == 1).then_some(())
    })
    .await;
    assert_eq!(shop.florin.terminate().code(), Some(0));
}

async fn an_exchange_and_a_late_statement(shop: &Shop, ann: &str) {
    let open = async |code: &str, currency: &str| {
        let new = json!({"code": code, "currency": currency, "floor": null});
        shop.account(&new).await
    };
    let sold_to = open("liabilities:liquidity:eur", "EUR").await;
    let bought_from = open("liabilities:liquidity:usd", "USD").await;
    let dollars = open("liabilities:wallets:ann:usd", "USD").await;
    let swap = json!({
        "from": ann, "to": dollars, "sold_to": sold_to, "bought_from": bought_from,
        "sell": 100, "rate": "1.08425", "source": "ECB reference rates",
        "quoted_at": "2026-11-20T15:00:00Z",
    });
    let swapped = shop.client.post("/v1/exchanges", "swap", &swap).await;
    assert_eq!(swapped.status, 201, "{}", swapped.json());
    let late = json!({
        "kind": "fee", "effective_at": "2026-01-02T03:04:05Z", "metadata": {"order": "17"},
        "postings": [{"debit": ann, "credit": sold_to, "amount": 3, "currency": "EUR"}],
    });
    let posted = shop.client.post("/v1/transactions", "late", &late).await;
    assert_eq!(posted.status, 201, "{}", posted.json());
}

/// The exit code and the report of `check`.
pub(crate) fn report(database: &Database) -> (Option<i32>, Value) {
    let output = run(&["check", "--json", "--database-url", database.url()], b"");
    let said = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&said);
    let report = report.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code(), report)
}

/// The exit code of `check`, and the names of the invariants that it finds violated.
pub(crate) fn violated(database: &Database) -> (Option<i32>, Vec<String>) {
    let (status, report) = report(database);
    let invariants = report["invariants"].as_array().expect("a list");
    assert!(invariants.len() >= 15, "{report}");
    let broken = invariants.iter().filter(|one| one["holds"] == false);
    let names = broken.map(|one| text(one, "/name")).collect();
    (status, names)
}

fn audit_verify(database: &Database) -> (Option<i32>, String) {
    let output = run(&["audit", "verify", "--database-url", database.url()], b"");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said)
}

/// Changes rows while the guards are removed; the guards are back afterwards.
pub(crate) fn tamper(database: &Database, statements: &str) {
    match database.kind() {
        Kind::Sqlite => tamper_with_file(database, statements),
        Kind::Postgres => database.execute_raw(&format!(
            "CREATE TEMP TABLE guards AS SELECT tgrelid::regclass::text AS owner, tgname, tgenabled
                 FROM pg_trigger WHERE NOT tgisinternal;
             DO $$ DECLARE g record; BEGIN FOR g IN SELECT * FROM guards LOOP
                 EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', g.owner, g.tgname);
             END LOOP; END $$;
             {statements};
             DO $$ DECLARE g record; BEGIN FOR g IN SELECT * FROM guards LOOP
                 EXECUTE format('ALTER TABLE %s ENABLE %s TRIGGER %I', g.owner,
                     CASE g.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END, g.tgname);
             END LOOP; END $$"
        )),
    }
}

fn tamper_with_file(database: &Database, statements: &str) {
    #[derive(QueryableByName)]
    struct Guard {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        sql: String,
    }
    let path = database.url().trim_start_matches("sqlite:");
    let mut connection = SqliteConnection::establish(path).expect("the file is there");
    // The last connection of others may be closing, which locks the file for a moment.
    let patient = connection.batch_execute("PRAGMA busy_timeout = 10000");
    patient.expect("a setting");
    let guards: Vec<Guard> =
        diesel::sql_query("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            .load(&mut connection)
            .expect("readable");
    assert!(guards.len() > 10);
    let without: Vec<String> = guards
        .iter()
        .map(|guard| format!("DROP TRIGGER {};", guard.name))
        .collect();
    let with: Vec<String> = guards
        .iter()
        .map(|guard| format!("{};", guard.sql))
        .collect();
    let all = format!("{} {statements}; {}", without.concat(), with.concat());
    connection
        .batch_execute(&all)
        .expect("nothing stands in the way");
}
