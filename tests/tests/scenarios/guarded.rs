//! Every table of the ledger has guards, and every guard has a case that it alone refuses. The database itself lists
//! both, so that a new one cannot be forgotten.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tests::{Database, Kind, on_both_databases};

use crate::guards::{TRIED, try_all, with_ids};

/// The tables that do not belong to the ledger.
const OTHERS: [&str; 34] = [
    // Written only by its migration, and read by searches.
    "id_lead",
    "housekeeping",
    "books",
    "errand",
    "__diesel_schema_migrations",
    "tenant",
    "api_key",
    "payment",
    "operation",
    "transition",
    "provider_charge",
    "payment_terms",
    "provider_price",
    "payout",
    "approval",
    "dispute",
    "settlement_line",
    "settlement",
    "bank_line",
    "reconciliation_exception",
    "customer",
    "payment_method",
    "metadata_text",
    "reserve",
    "reserve_release",
    "bank_account",
    "bank_order",
    "bank_order_transfer",
    "inbox",
    "quarantine",
    "idempotency_key",
    "audit_log",
    "audit_entry",
    "audit_batch",
];

on_both_databases!(each_table_of_the_ledger_refuses_to_be_changed_and_emptied);
async fn each_table_of_the_ledger_refuses_to_be_changed_and_emptied(database: Database) {
    try_all(&database);
    let tables = tables(&database);
    assert!(tables.len() >= 10, "{tables:?}");
    for table in &tables {
        for begins in [format!("UPDATE {table} "), format!("DELETE FROM {table}")] {
            let refuses = TRIED.iter().any(|(text, expected)| {
                text.starts_with(&begins) && expected.is_err_and(|reason| !reason.is_empty())
            });
            assert!(refuses, "no case: {begins}");
        }
        if database.kind() == Kind::Postgres {
            let said = database.try_raw(&format!("TRUNCATE {table} CASCADE"));
            let is_refused = said.is_err_and(|said| said.contains("never changed"));
            assert!(is_refused, "{table} can be emptied");
        }
    }
}

on_both_databases!(each_guard_of_the_ledger_is_looked_for_and_refuses_what_nothing_else_does);
async fn each_guard_of_the_ledger_is_looked_for_and_refuses_what_nothing_else_does(
    database: Database,
) {
    try_all(&database);
    let tables = tables(&database);
    let guards = guards(&database);
    for guard in ledger::check::GUARDS {
        assert!(guards.contains_key(guard), "{guard} does not stand");
    }
    let mut number = 0;
    for (guard, table) in guards.iter().filter(|(_, table)| tables.contains(table)) {
        number += 1;
        let dropped = match database.kind() {
            Kind::Sqlite => format!("DROP TRIGGER {guard}"),
            Kind::Postgres => format!("DROP TRIGGER {guard} ON {table}"),
        };
        let refused = refused(database.kind(), table);
        let needed = refused.iter().any(|text| {
            let tried = |before: &str| {
                let text = with_ids(&database, &format!("BEGIN; {before} {text}; ROLLBACK"));
                database.try_raw(&text)
            };
            let with = tried("");
            assert!(with.is_err(), "{text}");
            tried(&format!("{dropped};")) != with
        });
        assert!(needed, "{guard} refuses nothing of {refused:?}");
        let missing = missing_without(&database, &dropped, guard);
        assert_eq!(missing, [guard.as_str()], "without {guard}");
    }
    assert!(number >= ledger::check::GUARDS.len());
}

/// The statements about this table that are refused.
fn refused(kind: Kind, table: &str) -> Vec<String> {
    let about = [
        format!("UPDATE {table} "),
        format!("DELETE FROM {table}"),
        format!("INSERT INTO {table} "),
    ];
    let tried = TRIED.iter().filter(|(text, expected)| {
        let is_refused = expected.is_err_and(|reason| !reason.is_empty());
        is_refused && about.iter().any(|begins| text.starts_with(begins))
    });
    let mut refused: Vec<String> = tried.map(|(text, _)| (*text).to_owned()).collect();
    if kind == Kind::Postgres {
        refused.push(format!("TRUNCATE {table} CASCADE"));
    }
    refused
}

/// The guards that the check reports as missing while this one is dropped.
fn missing_without(database: &Database, dropped: &str, guard: &str) -> Vec<String> {
    let of_it = match database.kind() {
        Kind::Sqlite => format!("SELECT sql AS name FROM sqlite_master WHERE name = '{guard}'"),
        Kind::Postgres => format!(
            "SELECT pg_get_triggerdef(oid) || '; ALTER TABLE ' || tgrelid::regclass || \
             ' ENABLE ALWAYS TRIGGER ' || tgname AS name FROM pg_trigger WHERE tgname = '{guard}'"
        ),
    };
    let again = names(database, &of_it).remove(0);
    database.execute_raw(dropped);
    let url = store::DatabaseUrl::parse(database.url()).expect("a URL");
    // A server does not start on such a schema; a check reads it.
    let store = store::Store::open_existing(&url, store::Tuning::default())
        .expect("the migrations are applied");
    let missing =
        store.read(|connection| store::missing_guards(connection, &ledger::check::GUARDS));
    database.execute_raw(&again);
    missing.expect("readable")
}

fn tables(database: &Database) -> Vec<String> {
    let mut tables = names(
        database,
        match database.kind() {
            Kind::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            Kind::Postgres => {
                "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'"
            }
        },
    );
    for other in OTHERS {
        assert!(tables.iter().any(|table| table == other), "{other}");
    }
    tables.retain(|table| !OTHERS.contains(&table.as_str()));
    tables
}

/// All triggers, each with its table.
fn guards(database: &Database) -> BTreeMap<String, String> {
    let listed = names(
        database,
        match database.kind() {
            Kind::Sqlite => {
                "SELECT name || ' ' || tbl_name AS name FROM sqlite_master WHERE type = 'trigger'"
            }
            Kind::Postgres => {
                "SELECT tgname || ' ' || tgrelid::regclass AS name FROM pg_trigger \
                 WHERE NOT tgisinternal"
            }
        },
    );
    let pairs = listed.iter().filter_map(|pair| pair.split_once(' '));
    pairs
        .map(|(guard, table)| (guard.to_owned(), table.to_owned()))
        .collect()
}

fn names(database: &Database, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let found: Vec<Named> = match database.kind() {
        Kind::Sqlite => {
            let path = database.url().trim_start_matches("sqlite:");
            let mut connection = SqliteConnection::establish(path).expect("the file is there");
            // The last connection of others may be closing, which locks the file for a moment.
            let patient = connection.batch_execute("PRAGMA busy_timeout = 10000");
            patient.expect("a setting");
            sql_query(query).load(&mut connection).expect("readable")
        }
        Kind::Postgres => {
            let mut connection = PgConnection::establish(database.url()).expect("it is there");
            sql_query(query).load(&mut connection).expect("readable")
        }
    };
    found.into_iter().map(|named| named.name).collect()
}
