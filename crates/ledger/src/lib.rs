//! Double-entry books in integer minor units.
//!
//! A **transaction** is an atomic group of **postings**; a posting moves a positive amount of one
//! currency from a credited account to a debited account; each posting is seen from both sides as
//! an **entry**. Because only postings are stored, an unbalanced book cannot be written.
//!
//! The rules ([`open`], [`post()`]) are pure functions over a [`Shelf`]: what one batch holds of the
//! books in memory. [`tables`] loads a shelf and saves it. Where a posting is decided: `post.rs`.
//!
//! What this crate never does: know a payment, a provider or HTTP; read a clock; call a network;
//! change or delete what was posted.
//!
//! Invariants: per transaction and currency debits equal credits, amounts are positive (L1); an
//! account's counters are the sums of its entries (L2); over all accounts of a currency the total is
//! zero (L3); rows never change (L4, by trigger on both databases).
//!
//! ```
//! use ledger::{Kind, NewAccount, NewTransaction, NormalSide, PostError, Posting, Shelf};
//! use money::{Amount, Currency, MinorUnits};
//! use store::{Ids, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut shelf, mut ids, now) = (Shelf::default(), Ids::seeded(1), Timestamp::from_micros(0));
//! let eur = Currency::from_code("EUR")?;
//! let mut open = |code: &str, floor| {
//!     let new = NewAccount {
//!         code: code.to_owned(), name: code.to_owned(), currency: eur,
//!         normal_side: NormalSide::Credit, floor,
//!     };
//!     let id = ledger::AccountId::from_bytes(ids.next(now));
//!     ledger::open(&mut shelf, id, new, now).map(|account| account.id)
//! };
//! let source = open("equity:source", None)?;
//! let wallet = open("liabilities:wallet", Some(MinorUnits::ZERO))?;
//!
//! let mut pay = |debit, credit, amount| {
//!     ledger::post(&mut shelf, NewTransaction {
//!         id: ledger::TransactionId::from_bytes(ids.next(now)), kind: Kind::Transfer,
//!         postings: vec![Posting { debit, credit, amount, currency: eur }],
//!         external_id: None, description: None, effective_at: now, recorded_at: now,
//!     }).map(|posted| posted.id)
//! };
//! pay(source, wallet, Amount::new(1250)?)?;
//! let refused = pay(wallet, source, Amount::new(1251)?);
//! assert!(matches!(refused, Err(PostError::InsufficientFunds { .. })));
//! assert_eq!(shelf.account(&wallet).map(|a| a.posted()), Some(MinorUnits::new(1250)));
//! # Ok(())
//! # }
//! ```

mod account;
pub mod check;
pub mod journal;
mod open;
mod post;
mod read;
mod schema;
mod shelf;
pub mod tables;

pub use account::{Account, AccountId, AccountStatus, NormalSide};
pub use open::{NewAccount, OpenError, open};
pub use post::{
    Kind, NewTransaction, PostError, Posted, PostedPosting, Posting, TransactionId, post,
};
pub use read::{Entry, Side, account, accounts, entries, find_by_code, posted};
pub use shelf::Shelf;
