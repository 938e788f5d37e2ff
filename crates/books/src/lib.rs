//! The books' capabilities, one folder each.
//!
//! | folder | what can be asked for |
//! |---|---|
//! | [`accounts`] | open, freeze, unfreeze, close, set limits or metadata |
//! | [`assets`] | register a custom asset |
//! | [`transactions`] | post, fulfil or void what is pending, reverse, exchange, many at once, set metadata; expiry |
//! | [`transfers`] | move money from wallet to wallet |
//! | [`periods`] | close what happened before a moment |
//! | [`import`] | take over books from elsewhere |
//!
//! The rules are those of `ledger`, which stays a pure library. This crate joins them to the engine: the rows
//! that a command asks for, its audit records, how its reply is kept.

pub mod accounts;
pub mod assets;
pub mod import;
mod invariants;
pub mod periods;
mod recorded;
mod refusal;
mod shelf;
pub mod transactions;
pub mod transfers;

pub use invariants::FAMILY;
pub use refusal::Refusal;
pub use shelf::{Books, Remembered};

/// The form of a reply that is made from stored rows. A reply that is made again has the form that it had first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Replies did not tell yet how a movement left its accounts.
    WithoutBalances,
    /// All that is told now.
    Now,
}
