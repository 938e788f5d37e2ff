//! The books' capabilities, one folder each.
//!
//! | folder | what a request can do |
//! |---|---|
//! | [`accounts`] | open, freeze, unfreeze, close, set limits or metadata |
//! | [`subtrees`] | freeze, or unfreeze, the account with a code and all accounts below it |
//! | [`assets`] | register a custom asset |
//! | [`transactions`] | post, fulfil, void or reverse, also many at once; set metadata; search. Also the expiry |
//! | [`exchanges`] | exchange one currency for another |
//! | [`transfers`] | move money from wallet to wallet |
//! | [`periods`] | close the time before a moment |
//! | [`statements`] | read balances as of a moment, statements, the trial balance |
//! | [`import`] | import books from a file (this is a command without a route) |
//!
//! The rules are in `ledger`, which is a pure library. This crate connects them with the engine: the rows that
//! a command asks for, its audit records, and the way in which its reply is stored. It also connects them with
//! the edge: in each folder `http.rs` has the rows of the routes, the readers and the handlers, `show.rs` the
//! replies, and `codes.rs` the codes of refusals. In `refusal`, a refusal becomes a problem.

pub mod accounts;
pub mod assets;
pub mod code;
mod currencies;
pub mod exchanges;
pub mod import;
mod invariants;
pub mod metadata;
pub mod periods;
pub mod query;
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
pub use refusal::{Refusal, refusal_reply, refused_step, show_refusal};
pub use shelf::{Books, BooksMemory};

use edge::{Capability, State};

/// The capabilities of the books, in the order of their routes in the description.
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

/// The fields of replies whose integers are amounts in minor units. A number under any other name (a version,
/// an ordinal) is not an amount.
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

/// Adds to the state the part that the handlers of the books need: the assets that requests have named.
#[must_use]
pub fn bring(state: State) -> State {
    state.with(currencies::Assets::default())
}

/// The form of a reply that is made from stored rows. A reply that is made again has the same form as at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The older form, without the balances after the movement.
    WithoutBalances,
    /// The present form.
    Now,
}
