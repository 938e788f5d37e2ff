//! The long counts of webhooks. `cargo test` only compiles them: they are all ignored, because they take many minutes
//! (docs/reliability.md).
#![expect(clippy::panic, reason = "a test may stop at the first surprise")]

use tests::{Database, Kind, scenario, schedules_by_chance};

/// Number of books, each with a seed of its own.
const BOOKS: u64 = 20;
/// Number of batches of 50 schedules on each of the books.
const BATCHES: u32 = 10;

/// The first seed: `LONG_SEED`, or else one that is always the same.
fn first_seed() -> u64 {
    let asked = std::env::var("LONG_SEED").ok();
    let asked = asked.map(|text| text.parse());
    match asked {
        None => 1_000,
        Some(Ok(seed)) => seed,
        Some(Err(error)) => panic!("LONG_SEED is no number: {error}"),
    }
}

fn ten_thousand_schedules(kind: Kind) {
    let mut schedules = 0;
    for book in 0..BOOKS {
        let seed = first_seed().wrapping_add(book);
        scenario(kind, async |database: Database| {
            let played = schedules_by_chance(&database, seed, BATCHES).await;
            assert_eq!(played, BATCHES * 50);
        });
        schedules += BATCHES * 50;
        eprintln!(
            "{kind:?}: {schedules} schedules have ended in the same books, the last with seed {seed}"
        );
    }
}

#[test]
#[ignore = "it takes many minutes: run it by hand (docs/reliability.md)"]
fn ten_thousand_schedules_by_chance_end_in_the_same_books_on_sqlite() {
    ten_thousand_schedules(Kind::Sqlite);
}

#[test]
#[ignore = "it takes many minutes: run it by hand (docs/reliability.md)"]
fn ten_thousand_schedules_by_chance_end_in_the_same_books_on_postgres() {
    ten_thousand_schedules(Kind::Postgres);
}
