//! The promises of Florin, tested end to end: the real binary, on SQLite and on PostgreSQL.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod accounting_programs;
mod answers;
mod assets;
mod authorizations;
mod bad_input;
mod balances_after;
mod bank_files;
mod bank_orders;
mod bank_statements;
mod books;
mod books_changes;
mod books_of_chance;
mod clocks;
mod command_line;
mod conditions;
mod contract;
// Crash points are compiled in with debug assertions only.
#[cfg(debug_assertions)]
mod crash_points;
mod crashes;
mod crowds;
mod customers;
mod databases;
mod described;
mod disputes;
mod entrances;
mod evidence;
mod examples;
mod exchanges;
mod exports;
mod facts;
mod faults;
mod funds;
mod given;
mod guarded;
mod guards;
mod heavy;
mod histories;
mod hostile_webhooks;
mod http_refusals;
mod idempotency;
mod import_form;
mod import_known;
mod imports;
mod inbox;
mod late;
mod late_money;
mod later;
mod linearizable;
mod lists;
mod localstripe;
mod modes;
mod moments;
mod moves_of_chance;
mod older;
mod orders_of_files;
mod outages;
mod overdue;
mod payments;
mod payments_search;
mod payout_cancellations;
mod payouts;
mod poolers;
mod provider;
mod providers;
mod races;
mod raw_connections;
mod reconciliation;
mod refunds;
mod rehearsals;
mod reserves;
mod resets;
mod room;
mod shop;
mod silence;
mod standing;
mod steps;
mod stripe_provider;
mod subtrees;
mod tenants;
mod time;
mod transfers;
mod unsuitable;
mod violations;
mod webhook_races;
mod webhook_schemes;
mod webhooks;
mod withdrawn;

use tests::{Database, run};

/// The end of each scenario: `florin check` finds no broken invariant.
fn books_hold(database: &Database) {
    let checked = run(&["check", "--database-url", database.url()], &[]);
    assert!(
        checked.status.success(),
        "{}\n{}{}",
        checked.status,
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}
