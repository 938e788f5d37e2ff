//! Books in and out of other programs.
//!
//! [`export`] writes the books of one tenant in one of four [`Format`]s: as a journal of hledger's or
//! of Beancount's, which those programs then check by rules of their own, or as CSV or JSON, which
//! hold all that is needed to keep the same books elsewhere. `docs/export.md` describes each of them.
//!
//! The walk through the books is the same for all (`walk.rs`): accounts, transactions, and at the end
//! every balance as this side counts it, so that a program on the other side can say whether it counts
//! the same. What a format makes of them is in a file of its name.
//!
//! [`read`] goes back: from CSV or JSON to a [`ledger::Import`], or to everything that is wrong with the
//! file. It is held in memory as a whole, because it is one commit.
//!
//! What this crate never does: write to a database, read a clock, hold a whole book in memory to
//! export it, round.
//!
//! Invariants: the same books make the same bytes; an amount has exactly the decimal places of its
//! currency; two accounts never get the same name, and from a name its code can be told.

mod beancount;
mod commodities;
mod csv;
mod hledger;
mod import;
mod json;
mod roots;
mod walk;

pub use import::{Mistake, Source, read};
pub use walk::{ExportError, Exported, Format, export};
