//! Everything that Florin knows about databases: two of them, behind one type.
//!
//! [`Store`] opens PostgreSQL or SQLite from a URL that this crate parses itself, applies the embedded migrations,
//! and gives out [`AnyConnection`]s: one for the lane, a pool for readers. Ordinary queries are written once, in
//! diesel's query builder, against [`AnyConnection`]. The few set-based statements of the hot path are described
//! with [`bulk_insert!`], [`bulk_update!`] and [`bulk_find!`], which have one body for each database.
//!
//!
//! This crate also owns what makes a run repeatable: the [`clock`] and the source of [`id`]s.
//!
//! It knows no business table, and no other crate names a database.
//!
//! ```
//! use store::{DatabaseUrl, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let url = DatabaseUrl::parse(&format!("sqlite:{}", folder.path().join("florin.db").display()))?;
//! let store = Store::open(&url)?;
//! store.read(|connection| store::probe(connection))?;
//! # Ok(())
//! # }
//! ```

pub mod array;
pub mod bulk;
pub mod clock;
mod connection;
mod delete;
mod error;
pub mod find;
mod guards;
mod housekeeping;
pub mod id;
mod log;
pub mod measure;
mod migrations;
mod patience;
mod pool;
mod presence;
pub mod rows;
mod schema;
mod session;
mod standing;
mod statements;
mod timestamp;
mod tuning;
mod url;

pub use clock::Clock;
pub use connection::{
    AnyConnection, begin_early, begin_write, commit, content_version, probe, rollback,
    set_bulk_hints,
};
pub use error::{Error, Trouble};
pub use guards::{CheckError, Pages, missing_guards};
pub use housekeeping::leave_trace;
pub use id::{Ids, TenantId};
pub use log::Log;
pub use pool::{Note, OpenError, READERS, Store, in_memory};
pub use presence::{has_books, make_private_folder};
pub use schema::{Difference, ExpectedSchema, Schema};
pub use standing::Unsuitable;
pub use timestamp::{Timestamp, TimestampError};
pub use tuning::Tuning;
pub use url::{DatabaseUrl, UrlError};

#[doc(hidden)]
pub use diesel;

/// The oldest SQLite that may be linked. Earlier versions can lose a commit when two connections checkpoint one WAL
/// at the same time.
pub const OLDEST_SQLITE: &str = "3.51.3";
