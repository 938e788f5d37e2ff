//! Export of books to other programs, and import from them.
//!
//! [`export`] writes the books of one tenant in one of four [`Format`]s: as a journal for hledger or for Beancount,
//! which these programs then check by their own rules, or as CSV or JSON, which contain everything that another
//! program needs to keep the same books. `docs/export.md` describes each format.
//!
//! The walk through the books is the same for all formats (`walk.rs`): accounts, then transactions. A journal has at
//! the end every balance as Florin has it, so that the other program can compare the balance with its own sums. The
//! file with the name of a format writes that format.
//!
//! [`read`] does the reverse: from CSV or JSON to a [`ledger::Import`], or to all mistakes in the file. The whole file
//! is held in memory, because it becomes one commit.
//!
//! This crate never writes to a database, reads a clock, rounds an amount, or holds all books of a tenant in memory
//! for an export.
//!
//! Invariants: the same books give the same bytes; an amount has exactly the decimal places of its currency; two
//! accounts never get the same name, and the code can be found again from each name.

mod beancount;
mod commodities;
mod csv;
mod form;
mod hledger;
mod import;
mod json;
mod roots;
mod walk;

pub use form::ExportError;
pub use import::{Mistake, Source, read};
pub use walk::{ExportCounts, Format, export};
