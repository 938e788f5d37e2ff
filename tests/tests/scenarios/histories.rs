//! Schedules of webhooks by chance: a sample. `cargo test -p tests --test long -- --ignored` plays ten thousand.

use tests::{Database, on_both_databases, schedules_by_chance};

on_both_databases!(every_schedule_by_chance_ends_in_the_same_books);
async fn every_schedule_by_chance_ends_in_the_same_books(database: Database) {
    assert_eq!(schedules_by_chance(&database, 20_261_130, 1).await, 50);
}
