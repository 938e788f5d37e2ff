//! Temporary root.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
#[path = "../scenarios/bad_input.rs"]
mod bad_input;
#[path = "../scenarios/crashes.rs"]
mod crashes;
#[path = "../scenarios/given.rs"]
mod given;
#[path = "../scenarios/outages.rs"]
mod outages;
#[path = "../scenarios/shop.rs"]
mod shop;

use std::sync::OnceLock;
use tests::{Database, run};
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
