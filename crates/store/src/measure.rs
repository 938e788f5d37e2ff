//! Support for measurements: the number of bytes that a database has written, and the cost of the smallest durable
//! insert. Nothing in production calls this.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::{AnyConnection, Error};

/// Number of bytes that a database has written so far. Only the difference of two volumes has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// Bytes of write-ahead log; `None` if the log is overwritten in a circle.
    pub log: Option<u64>,
    /// Bytes that the tables and indexes take, including those that are still in the log.
    pub disk: u64,
}

/// The volume that was written so far.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn volume(connection: &mut AnyConnection) -> Result<Volume, Error> {
    match connection {
        AnyConnection::Postgres(c) => {
            let log = "(pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint";
            let disk = "pg_database_size(current_database())::bigint";
            let log: i64 = diesel::select(sql::<BigInt>(log)).get_result(c)?;
            let disk: i64 = diesel::select(sql::<BigInt>(disk)).get_result(c)?;
            Ok(Volume {
                log: u64::try_from(log).ok(),
                disk: u64::try_from(disk).unwrap_or(0),
            })
        }
        // Inside a snapshot, `page_count` also counts pages that are only in the log.
        AnyConnection::Sqlite(c) => {
            let pages: i64 = sql::<BigInt>("PRAGMA page_count").get_result(c)?;
            let bytes: i64 = sql::<BigInt>("PRAGMA page_size").get_result(c)?;
            Ok(Volume {
                log: None,
                disk: u64::try_from(pages.saturating_mul(bytes)).unwrap_or(0),
            })
        }
    }
}

/// Updates the planner's statistics for tables that were just filled. The database would do it within a minute.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn refresh_statistics(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute("ANALYZE")?,
        AnyConnection::Sqlite(_) => {}
    }
    Ok(())
}

crate::bulk_insert! {
    /// A row without meaning: about as long as a posting, with a primary key and one index.
    pub struct BareRow in florin_bench_bare {
        /// The key, 16 bytes.
        id: Vec<u8>,
        /// The owner, 16 bytes.
        owner: Vec<u8>,
        /// A number, unique per owner.
        version: i64,
        /// Any number.
        amount: i64,
        /// Any number.
        balance: i64,
        /// Any number.
        at: i64,
        /// Any text.
        kind: String,
    }
}

/// Creates the empty table of [`BareRow`]s.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn create_bare_table(connection: &mut AnyConnection) -> Result<(), Error> {
    drop_bare_table(connection)?;
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute(
            "CREATE TABLE florin_bench_bare (
                 version BIGINT NOT NULL, amount BIGINT NOT NULL, balance BIGINT NOT NULL,
                 at BIGINT NOT NULL, id BYTEA NOT NULL PRIMARY KEY, owner BYTEA NOT NULL,
                 kind TEXT NOT NULL);
             CREATE UNIQUE INDEX ON florin_bench_bare (owner, version)",
        )?,
        AnyConnection::Sqlite(c) => c.batch_execute(
            "CREATE TABLE florin_bench_bare (
                 version INTEGER NOT NULL, amount INTEGER NOT NULL, balance INTEGER NOT NULL,
                 at INTEGER NOT NULL, id BLOB NOT NULL PRIMARY KEY, owner BLOB NOT NULL,
                 kind TEXT NOT NULL) STRICT, WITHOUT ROWID;
             CREATE UNIQUE INDEX florin_bench_bare_owner ON florin_bench_bare (owner, version)",
        )?,
    }
    Ok(())
}

/// Drops the table of [`BareRow`]s, if it exists.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn drop_bare_table(connection: &mut AnyConnection) -> Result<(), Error> {
    const DROP: &str = "DROP TABLE IF EXISTS florin_bench_bare";
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute(DROP)?,
        AnyConnection::Sqlite(c) => c.batch_execute(DROP)?,
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::{DatabaseUrl, Store, bulk};

    #[test]
    fn what_is_written_adds_to_the_volume() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("florin.db");
        let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
        let store = Store::open(&url).unwrap();
        let mut writer = store.writer().unwrap();
        create_bare_table(&mut writer).unwrap();
        let before = store.read(volume).unwrap();
        let rows: Vec<BareRow> = (0_u8..200)
            .map(|n| BareRow {
                id: vec![n; 16],
                owner: vec![1; 16],
                version: n.into(),
                amount: 1,
                balance: 1,
                at: 1,
                kind: "transfer".to_owned(),
            })
            .collect();
        bulk::write(&mut writer, &rows).unwrap();
        let after = store.read(volume).unwrap();
        assert!(after.disk > before.disk, "{before:?} {after:?}");
        refresh_statistics(&mut writer).unwrap();
        drop_bare_table(&mut writer).unwrap();
    }
}
