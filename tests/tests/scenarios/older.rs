//! Books that are older than a change of their schema: a server applies the change, and nothing else changes.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use tests::{Client, Database, Kind, run, scenario};

use crate::accounting_programs::exported;
use crate::books_hold;
use crate::given::{account, text};
use crate::shop::{Shop, movement};
use crate::violations::a_book_with_something_of_everything;

/// The migration that gave tables other keys, on SQLite only.
const KEYS: &str = "2026-11-29-000013_sqlite_keys";
const TABLES: [&str; 4] = ["posting", "idempotency_key", "audit_entry", "audit_batch"];

#[derive(QueryableByName)]
struct Object {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

/// The tables as they were before the migration, with their indexes and guards, and the view that names one of them.
fn before() -> Vec<Object> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let migrations = std::fs::read_dir(&folder).expect("the migrations are there");
    let names = migrations.map(|migration| migration.expect("readable").file_name());
    let names = names.map(|name| name.into_string().expect("a plain name"));
    let mut older: Vec<String> = names.filter(|name| name.as_str() < KEYS).collect();
    older.sort_unstable();
    let mut memory = SqliteConnection::establish(":memory:").expect("opened");
    for name in older {
        let up = folder.join(name).join("up.sql");
        let up = std::fs::read_to_string(up).expect("a migration has an up.sql");
        memory.batch_execute(&up).expect("applied");
    }
    let objects = diesel::sql_query(
        "SELECT type AS kind, tbl_name AS owner, sql FROM sqlite_master WHERE sql IS NOT NULL",
    );
    let mut objects: Vec<Object> = objects.load(&mut memory).expect("readable");
    objects.retain(|object| object.owner == "entry" || TABLES.contains(&object.owner.as_str()));
    objects
}

/// Makes the books as they were before the migration, and keeps a copy of the rows.
fn make_older(database: &Database) {
    let before = before();
    let of = |is_wanted: &dyn Fn(&str) -> bool| -> String {
        let wanted = before.iter().filter(|object| is_wanted(&object.kind));
        wanted.map(|object| format!("{};\n", object.sql)).collect()
    };
    let each = |statement: &str| -> String {
        let statements = TABLES.map(|table| statement.replace('?', table));
        statements.concat()
    };
    let later = "DELETE FROM __diesel_schema_migrations WHERE version = '20261129000013'";
    let all = [
        "BEGIN; DROP VIEW entry;".to_owned(),
        each("CREATE TABLE kept_? AS SELECT * FROM ?; DROP TABLE ?;"),
        of(&|kind| kind == "table"),
        each("INSERT INTO ? SELECT * FROM kept_?;"),
        of(&|kind| kind != "table"),
        format!("{later}; COMMIT"),
    ];
    database.execute_raw(&all.concat());
}

/// The place of a column in the primary key of a table.
fn place_in_key(database: &Database, table: &str, column: &str) -> i64 {
    database.number(&format!(
        "SELECT pk FROM pragma_table_info('{table}') WHERE name = '{column}'"
    ))
}

#[test]
fn books_whose_keys_begin_with_the_tenant_get_new_keys_and_keep_all_rows() {
    scenario(Kind::Sqlite, async |database| {
        a_book_with_something_of_everything(&database).await;
        // A second tenant that chose the same keys for its requests.
        let arguments = ["--data-dir", "unused", "--database-url", database.url()];
        let made = run(
            &[&["tenant", "create", "acme", "--json"], &arguments[..]].concat(),
            b"",
        );
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let key = text(&made, "/key");
        let shop = Shop::open(&database);
        let acme = Client::new(shop.florin.api(), key.as_str());
        let from = account(&acme, "liabilities:ann", &Value::Null).await;
        let to = account(&acme, "liabilities:bob", &Value::Null).await;
        let moved = acme
            .post("/v1/transfers", "t", &movement(&from, &to, 5))
            .await;
        assert_eq!(moved.status, 201, "{}", moved.json());
        assert_eq!(shop.florin.terminate().code(), Some(0));
        let before = exported(&database, "json");

        make_older(&database);
        assert_eq!(place_in_key(&database, "posting", "tenant_id"), 1);
        // Views of the operator name the tables that are made again.
        for named in ["posting", "entry", "audit_entry"] {
            database.execute_raw(&format!(
                "CREATE VIEW own_{named} AS SELECT count(*) AS number FROM {named}"
            ));
        }
        let shop = Shop::open(&database);
        for named in ["posting", "entry", "audit_entry"] {
            assert!(database.number(&format!("SELECT number FROM own_{named}")) > 1);
            database.execute_raw(&format!("DROP VIEW own_{named}"));
        }
        assert_eq!(place_in_key(&database, "posting", "tenant_id"), 3);
        assert_eq!(place_in_key(&database, "idempotency_key", "tenant_id"), 2);
        for table in TABLES {
            let kept = database.number(&format!("SELECT count(*) FROM kept_{table}"));
            assert!(kept > 1, "{table}");
            for other in [
                format!("SELECT count(*) FROM {table}"),
                format!(
                    "SELECT count(*) FROM (SELECT * FROM kept_{table} INTERSECT SELECT * FROM {table})"
                ),
            ] {
                assert_eq!(database.number(&other), kept, "{other}");
            }
        }
        assert_eq!(exported(&database, "json"), before);
        books_hold(&database);

        // Requests that are sent again get the same answers as before, and new ones are accepted.
        let acme = Client::new(shop.florin.api(), key.as_str());
        let again = acme
            .post("/v1/transfers", "t", &movement(&from, &to, 5))
            .await;
        assert_eq!((again.status, again.json()), (201, moved.json()));
        let moved = acme
            .post("/v1/transfers", "u", &movement(&to, &from, 5))
            .await;
        assert_eq!(moved.status, 201, "{}", moved.json());
        for (statement, guard) in [
            ("UPDATE posting SET amount = 1", "never changed"),
            ("DELETE FROM posting", "never changed"),
            ("UPDATE audit_entry SET leaf = leaf_hash", "never changed"),
            ("DELETE FROM audit_entry", "never changed"),
            (
                "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry LIMIT 1",
                "only ever appended",
            ),
            // Refused statements: a fork, a gap, and another batch in the place of the last one.
            (
                "INSERT INTO audit_batch SELECT start, size + 1, log, root, frontier, at \
                 FROM audit_batch WHERE size > 0 ORDER BY log, size DESC LIMIT 1",
                "only ever appended",
            ),
            (
                "INSERT INTO audit_batch SELECT size + 1, size + 2, log, root, frontier, at \
                 FROM audit_batch ORDER BY log, size DESC LIMIT 1",
                "only ever appended",
            ),
            (
                "INSERT OR REPLACE INTO audit_batch SELECT start, size, log, zeroblob(32), frontier, at \
                 FROM audit_batch WHERE size > 0 ORDER BY log, size DESC LIMIT 1",
                "only ever appended",
            ),
        ] {
            let refused = database.try_raw(statement).expect_err("a guard");
            assert!(refused.contains(guard), "{statement}: {refused}");
        }
        assert_eq!(shop.florin.terminate().code(), Some(0));
        books_hold(&database);
    });
}
