//! Rules that no compiler checks: the crate graph, the files that may name a database, the agreement of the
//! documents with the code. Each rule first gets a case that it must find.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod circles;
mod code;
mod common;
#[path = "crash_points.rs"]
mod crash_points_rule;
mod crates;
mod documents;
mod files;
mod schema;
mod words;
