//! The ledger beside a model of it: random commands, clock ticks, crashes and restarts, and the answers
//! compared one by one.
//!
//! `commands.rs` says what is tried, `model.rs` turns it into what is asked, `reference.rs` is the
//! ledger once more and as plain as can be, `books.rs` the real one, `lanes.rs` the same behind the engine,
//! where `requests.rs` sends what clients send. That a test of this kind catches
//! something is shown, not hoped: `bugs.rs` lists the bugs that `planted.rs` plants in the reference,
//! `storage.rs` and `tampered.rs` those that are planted in a database, and each must be noticed.
//!
//! A run is short and always the same. `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=7` makes a long one of
//! others.
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

/// So many sequences, always the same, unless the environment wishes otherwise.
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
