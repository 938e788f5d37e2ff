//! The books' capabilities, one folder each.
//!
//! | folder | what can be asked for |
//! |---|---|
//! | [`accounts`] | open, freeze, unfreeze, close, set limits or metadata |
//! | [`subtrees`] | freeze, or unfreeze, all accounts below a code |
//! | [`assets`] | register a custom asset |
//! | [`transactions`] | post, fulfil or void what is pending, reverse, many at once, set metadata; search; expiry |
//! | [`exchanges`] | exchange one currency for another |
//! | [`transfers`] | move money from wallet to wallet |
//! | [`periods`] | close what happened before a moment |
//! | [`statements`] | balances as of a moment, statements, the trial balance |
//! | [`import`] | take over books from elsewhere |
//!
//! The rules are those of `ledger`, which stays a pure library. This crate joins them to the engine: the rows
//! that a command asks for, its audit records, how its reply is kept. And it joins them to the edge: in each
//! folder `http.rs` has the rows of the routes, the readers and the handlers, `show.rs` the replies, `codes.rs`
//! the codes of refusals. A refusal becomes a problem in `refusal`.

pub mod accounts;
pub mod assets;
pub mod code;
mod currencies;
pub mod exchanges;
pub mod import;
mod invariants;
mod metadata;
pub mod periods;
mod query;
pub mod reading;
mod recorded;
mod refusal;
pub mod shapes;
mod shelf;
pub mod statements;
pub mod subtrees;
pub mod transactions;
pub mod transfers;

pub use invariants::FAMILY;
pub use refusal::{Refusal, tell, told};
pub use shelf::{Books, Remembered};

use edge::{Capability, State};

/// The capabilities of the books. They stand in the order in which the description has their routes.
pub const CAPABILITIES: &[Capability] = &[
    transactions::CAPABILITY,
    exchanges::CAPABILITY,
    periods::CAPABILITY,
    transfers::CAPABILITY,
    accounts::CAPABILITY,
    subtrees::CAPABILITY,
    statements::CAPABILITY,
    assets::CAPABILITY,
];

/// The fields of replies whose integers are amounts in minor units. A number under any other name (a version, an
/// ordinal) is none.
pub const AMOUNTS: &[&str] = &[
    "amount",
    "available",
    "balance",
    "ceiling",
    "closing_balance",
    "credit",
    "credit_line",
    "credits",
    "debit",
    "debits",
    "floor",
    "opening_balance",
    "pending",
    "pending_credits",
    "pending_debits",
    "posted",
    "released",
    "remaining",
    "reversed",
];

/// The state, with the part that the handlers of the books need: the assets that requests have named.
#[must_use]
pub fn bring(state: State) -> State {
    state.with(currencies::Assets::default())
}

/// The form of a reply that is made from stored rows. A reply that is made again has the form that it had first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Replies did not tell yet how a movement left its accounts.
    WithoutBalances,
    /// All that is told now.
    Now,
}
