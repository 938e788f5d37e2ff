//! The ledger's rules under random commands, the order of its refusals, and its tables.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at the first surprise"
)]

mod edges;
mod exchange;
mod given;
mod importing;
mod order;
mod posting;
mod recipes;
mod steps;
mod tables;
mod withdrawn;
