//! Files of banks: statements in, credit transfers out, and what the bank says of them.
//!
//! | module | reads or writes |
//! |---|---|
//! | [`mt940`] | reads statements of SWIFT's MT940 |
//! | [`camt053`] | reads statements, reports and notices of ISO 20022: camt.053, camt.052, camt.054 |
//! | [`csv`] | reads statements as CSV, by a mapping |
//! | [`pain001`] | writes orders of credit transfers: pain.001 |
//! | [`pain002`] | reads what a bank says of them: pain.002 |
//!
//! All readers of statements give the same [`Statement`]. Which values are right where banks and libraries disagree is
//! written in `docs/bank-files.md`.
//!
//! # Invariants
//!
//! - An amount is a whole number of minor units, with the sign of its direction: positive is money in.
//! - A date is the one that the bank wrote. No time zone ever moves it.
//! - A statement whose opening balance and entries do not make its closing balance is refused.
//! - A file is read as a whole or refused with the first problem, its line and its column.
//! - The same order of transfers gives the same bytes.
//!
//! # What it never does
//!
//! There is no I/O, no clock, no database, no directory of banks, and no look into anything that a file names. Texts are
//! given as they are in the file: whoever stores them checks them first, for card numbers too.
//!
//! ```
//! let file = b":20:1\n:25:DE89370400440532013000\n:28C:1/1\n:60F:C260330EUR100,00\n\
//!     :61:2603310331RC10,50NTRFNONREF//B1\n:62F:C260331EUR89,50\n-";
//! let statements = bank_files::mt940::read(file)?;
//! let entry = &statements[0].entries[0];
//! assert_eq!(entry.units.get(), -1_050, "a reversed credit is money out");
//! # Ok::<(), bank_files::ReadError>(())
//! ```

mod amounts;
mod bic;
pub mod camt053;
mod characters;
pub mod csv;
mod days;
mod error;
pub mod mt940;
mod pages;
pub mod pain001;
pub mod pain002;
mod places;
mod reference;
mod statement;
mod xml;

pub use bic::{Bic, BicError};
pub use days::{date_of, days_of};
pub use error::{Problem, ReadError, Tally};
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use pages::join;
pub use places::Place;
pub use reference::{Reference, ReferenceError};
pub use statement::{
    Account, Balance, Counterpart, Detail, Entry, EntryIdentity, Kind, Part, Statement,
    StatementIdentity,
};
pub use text::{Iban, IbanError};
