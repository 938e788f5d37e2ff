//! Files of banks.
mod amounts;
mod error;
pub mod mt940;
mod pages;
mod places;
mod statement;
mod xml;
pub use error::{Problem, ReadError};
pub use places::Place;
pub use statement::{
    Account, Balance, Counterpart, Detail, Entry, EntryIdentity, Kind, Statement, StatementIdentity,
};
