//! The ledger compared with a model: random commands, clock ticks, crashes and restarts. The answers are compared one
//! by one.
//!
//! `commands.rs` makes the random commands, and `model.rs` turns them into requests. `reference.rs` is a second ledger,
//! as plain as possible; `books.rs` is the real one, and `lanes.rs` is the real one behind the engine, where
//! `requests.rs` sends what clients send. Planted bugs prove that the test finds bugs: `bugs.rs` lists the bugs
//! that `planted.rs` plants in the reference, `storage.rs` and `tampered.rs` those that are planted in a database.
//! Each of them must be noticed.
//!
//! A run is short and always the same. `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=7` makes a long run of other sequences.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod agreement;
mod books;
mod bugs;
mod commands;
mod lanes;
mod model;
mod planted;
mod reference;
mod requests;
mod storage;
mod tampered;
mod words;

use proptest::test_runner::{Config, RngSeed};

/// The configuration of a run of `cases` sequences, always the same, unless the environment changes it.
fn config(cases: u32) -> Config {
    let wishes = Config::default();
    let is_set = |name: &str| std::env::var_os(name).is_some();
    Config {
        cases: if is_set("PROPTEST_CASES") {
            wishes.cases
        } else {
            cases
        },
        rng_seed: if is_set("PROPTEST_RNG_SEED") {
            wishes.rng_seed
        } else {
            RngSeed::Fixed(1)
        },
        failure_persistence: None,
        ..wishes
    }
}
