//! Start data, waiting, and final checks that several scenarios share.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Database, Reply};

/// The operator's key in sandbox mode.
pub(crate) const OPERATOR_KEY: &str = "ok_sandbox_0d2f6b1c93a7e854d1ba7c30";
/// Greatest time to wait; it ends a scenario that waits in vain.
const PATIENCE: Duration = Duration::from_secs(40);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Asks until there is an answer; panics with the name `what` when the time is over.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_every(LOOK_AGAIN, what, ask).await
}

/// As [`eventually`], with another pause between two looks.
pub(crate) async fn eventually_every<T>(
    pause: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let asking = async {
        let mut looks = tokio::time::interval(pause);
        loop {
            looks.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    answer.unwrap_or_else(|_elapsed| panic!("{what}: not within {PATIENCE:?}"))
}

/// Opens an account in euro and returns its id. A floor of `null` means no floor: money comes from there.
pub(crate) async fn account(client: &Client, code: &str, floor: &Value) -> String {
    let body = json!({"code": code, "currency": "EUR", "floor": floor});
    let opened = client.post("/v1/accounts", None, &body).await;
    assert_eq!(opened.status, 201, "{}", opened.json());
    text(&opened.json(), "/id")
}

/// A text inside an answer.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
        .to_owned()
}

/// A number inside an answer.
pub(crate) fn number(value: &Value, pointer: &str) -> i64 {
    let found = value.pointer(pointer).and_then(Value::as_i64);
    found.unwrap_or_else(|| panic!("no integer at {pointer} in {value}"))
}

/// What an answer has made, as it is read later: without the balances that only the answer has.
pub(crate) fn as_read(mut answer: Value) -> Value {
    let fields = answer.as_object_mut().expect("an object");
    let balances = fields.remove("balances_after");
    assert!(balances.is_some(), "no balances in {answer}");
    answer
}

/// Checks that the answer is a problem (RFC 9457) with this status and code.
pub(crate) fn is_problem(case: &str, reply: &Reply, status: u16, code: &str) {
    let shown = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, status, "{case}: {shown}");
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{case}: {shown}"
    );
    assert_eq!(text(&reply.json(), "/code"), code, "{case}: {shown}");
    assert!(reply.header("request-id").is_some(), "{case}: {shown}");
}

/// How often the sandbox provider executed its only key, and how often it was called with it.
pub(crate) async fn effects_and_calls(sandbox: &str) -> Option<(i64, i64)> {
    let journal = Client::new(sandbox, None).get("/v1/journal").await.json();
    let rows = journal.pointer("/data").and_then(Value::as_array)?;
    match rows.as_slice() {
        [] => None,
        [row] => Some((number(row, "/effects"), number(row, "/calls"))),
        _ => panic!("more than one provider key in {journal}"),
    }
}

/// Number of rows in all of Florin's tables together. No row is ever deleted, so the number is unchanged exactly when
/// nothing was written.
pub(crate) fn rows(database: &Database) -> i64 {
    let counts: Vec<String> = tables()
        .iter()
        .map(|table| format!("(SELECT count(*) FROM {table})"))
        .collect();
    database.number(&format!("SELECT {}", counts.join(" + ")))
}

/// The tables, as the migrations name them.
fn tables() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let migrations = std::fs::read_dir(folder).expect("the migrations are there");
    let (mut tables, mut renamed) = (Vec::new(), Vec::new());
    for migration in migrations {
        let up = migration.expect("readable").path().join("up.sql");
        let up = std::fs::read_to_string(up).expect("a migration has an up.sql");
        tables.extend(up.lines().filter_map(|line| {
            let name = line.strip_prefix("CREATE TABLE ")?;
            Some(name.trim_end_matches(" (").to_owned())
        }));
        renamed.extend(up.lines().filter_map(|line| {
            let names = line.strip_prefix("ALTER TABLE ")?;
            let (before, _after) = names.split_once(" RENAME TO ")?;
            Some(before.to_owned())
        }));
    }
    // A migration may have made a table again, under another name at first.
    tables.retain(|table| !renamed.contains(table));
    tables.sort_unstable();
    tables.dedup();
    assert!(tables.len() > 10, "{tables:?}");
    tables
}
