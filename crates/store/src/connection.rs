//! One connection to either database, and the three operations of a batch: begin, commit, roll back.

use crash_points::{Point, here};
use diesel::Connection as _;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

use crate::{DatabaseUrl, Error, OLDEST_SQLITE, Tuning, session, statements};

/// A connection to PostgreSQL or to SQLite. Queries of diesel's query builder run on it unchanged.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// A connection of libpq.
    Postgres(diesel::PgConnection),
    /// A connection of the bundled SQLite.
    Sqlite(diesel::SqliteConnection),
}

/// The use of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// Runs one query on either database. The query must be valid SQL for both.
#[macro_export]
macro_rules! ask_either {
    ($connection:expr, |$of_a_kind:ident| $question:expr) => {
        match $connection {
            $crate::AnyConnection::Postgres($of_a_kind) => $question,
            $crate::AnyConnection::Sqlite($of_a_kind) => $question,
        }
    };
}

impl AnyConnection {
    /// Opens a connection and sets it up.
    pub(crate) fn open(
        url: &DatabaseUrl,
        purpose: Purpose,
        tuning: &Tuning,
    ) -> Result<Self, Error> {
        match url {
            DatabaseUrl::Postgres(uri) => {
                let settings = session::settings(purpose, tuning);
                let mut connection = session::begin(uri, &settings, tuning)?;
                statements::show(&mut connection);
                Ok(Self::Postgres(connection))
            }
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_string_lossy();
                let mut connection = diesel::SqliteConnection::establish(&path)
                    .map_err(|error| Error::Unavailable(one_line(&error.to_string())))?;
                refuse_old_sqlite(&mut connection)?;
                connection.batch_execute(&tuning.sqlite_patience())?;
                connection.batch_execute(SQLITE_SETUP)?;
                connection.batch_execute(&tuning.sqlite_log())?;
                if purpose == Purpose::Read {
                    connection.batch_execute("PRAGMA query_only = ON")?;
                }
                statements::show(&mut connection);
                Ok(Self::Sqlite(connection))
            }
        }
    }
}

impl AnyConnection {
    /// Whether the database allows only one writer at a time anyway, so that locking costs nothing.
    #[must_use]
    pub const fn has_one_writer(&self) -> bool {
        match self {
            Self::Postgres(_) => false,
            Self::Sqlite(_) => true,
        }
    }
}

/// Begins a batch. On SQLite the write lock is taken at once, because upgrading a lock later fails if another
/// writer was faster.
///
/// # Errors
/// [`Error`] if the database does not answer.
pub fn begin_write(connection: &mut AnyConnection) -> Result<(), Error> {
    here(Point::BeginBefore);
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?,
        AnyConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?;
        }
    }
    here(Point::BeginAfter);
    Ok(())
}

/// Begins a batch that is written while another one is being written. The time to wait for a lock is short, because
/// the database does not see that the two batches wait for each other. And if this program stops in between, the
/// database soon ends the transaction.
///
/// # Errors
/// [`Error::Unavailable`] if the database does not answer as expected: drop the connection, which may have begun
/// a transaction.
pub fn begin_early(connection: &mut AnyConnection) -> Result<(), Error> {
    here(Point::BeginBefore);
    let begun = match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            c,
            "BEGIN; SET LOCAL lock_timeout = '200ms'; \
             SET LOCAL idle_in_transaction_session_timeout = '3s'",
        ),
        AnyConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
        }
    };
    begun.map_err(|error| Error::Unavailable(error.to_string()))?;
    here(Point::BeginAfter);
    Ok(())
}

/// Begins a read on one consistent snapshot.
pub(crate) fn begin_read(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            c,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )?,
        AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?,
    }
    Ok(())
}

/// Allows every query plan in this transaction, for a read of the whole book.
pub(crate) fn by_any_plan(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute(
            "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; \
             SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; \
             SET LOCAL enable_material = on; SET LOCAL enable_memoize = on; \
             SET LOCAL plan_cache_mode = auto",
        )?,
        AnyConnection::Sqlite(_) => {}
    }
    Ok(())
}

/// A number that changes when another connection has changed the content of the database, if the database allows one
/// writer at a time; `None` otherwise.
///
/// # Errors
/// [`Error`] if the database does not answer.
pub fn content_version(connection: &mut AnyConnection) -> Result<Option<i64>, Error> {
    #[derive(diesel::QueryableByName)]
    struct Version {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        data_version: i64,
    }
    match connection {
        AnyConnection::Postgres(_) => Ok(None),
        AnyConnection::Sqlite(c) => {
            let version: Version = diesel::sql_query("PRAGMA data_version").get_result(c)?;
            Ok(Some(version.data_version))
        }
    }
}

/// Commits the transaction.
///
/// # Errors
/// [`Error::Unavailable`] if the outcome is not known: the commit may or may not have happened.
pub fn commit(connection: &mut AnyConnection) -> Result<(), Error> {
    here(Point::CommitBefore);
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::commit_transaction(c)?,
        AnyConnection::Sqlite(c) => AnsiTransactionManager::commit_transaction(c)?,
    }
    here(Point::CommitAfter);
    Ok(())
}

/// Rolls the transaction back.
///
/// # Errors
/// [`Error`] if the connection can no longer be used: drop it.
pub fn rollback(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::rollback_transaction(c)?,
        AnyConnection::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c)?,
    }
    Ok(())
}

/// Sends a very cheap query, to see whether the database answers.
///
/// # Errors
/// [`Error`] if the database does not answer.
pub fn probe(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute("SELECT 1")?,
        // Without a table, SQLite does not read the file.
        AnyConnection::Sqlite(c) => c.batch_execute("SELECT 1 FROM sqlite_master LIMIT 1")?,
    }
    Ok(())
}

/// Allows long statements, and long pauses between them, on this connection: for a check of the whole book or a
/// bulk import.
///
/// # Errors
/// [`Error`] if the database does not answer.
pub fn set_bulk_hints(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute(
            "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
        )?,
        AnyConnection::Sqlite(_) => {}
    }
    Ok(())
}

/// synchronous=FULL: an answer is given only after the data is on disk.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; \
     PRAGMA recursive_triggers = ON";

diesel::define_sql_function! {
    /// The version of the linked SQLite, for example `3.51.3`.
    fn sqlite_version() -> Text;
}

fn refuse_old_sqlite(connection: &mut diesel::SqliteConnection) -> Result<(), Error> {
    let version: String = diesel::select(sqlite_version()).get_result(connection)?;
    let parts = |text: &str| -> Vec<u32> { text.split('.').flat_map(str::parse).collect() };
    if parts(&version) < parts(OLDEST_SQLITE) {
        return Err(Error::Refused(format!(
            "SQLite {version} is linked, at least {OLDEST_SQLITE} is needed"
        )));
    }
    Ok(())
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
