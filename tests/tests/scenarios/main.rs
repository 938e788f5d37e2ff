//! What Florin promises, end to end: the real binary, on SQLite and on PostgreSQL.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod bad_input;
mod databases;
mod given;
mod idempotency;
mod payments;
mod shop;
mod transfers;
mod webhooks;

use std::sync::OnceLock;

use tests::{Database, run};

/// How a scenario ends: `florin check` finds every invariant kept.
fn books_hold(database: &Database) {
    static IS_A_VERB: OnceLock<bool> = OnceLock::new();
    if !IS_A_VERB.get_or_init(|| run(&["check", "--help"], &[]).status.success()) {
        return;
    }
    let checked = run(&["check", "--database-url", database.url()], &[]);
    assert!(
        checked.status.success(),
        "{}\n{}{}",
        checked.status,
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}
