//! One connection to either database, and the three verbs of a batch: begin, commit, roll back.

use diesel::Connection as _;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

use crate::{DatabaseUrl, Error, OLDEST_SQLITE, Tuning, log, session, statements};

/// A connection to PostgreSQL or to SQLite. Queries in diesel's query builder run on it unchanged.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// libpq.
    Postgres(diesel::PgConnection),
    /// The bundled SQLite.
    Sqlite(diesel::SqliteConnection),
}

/// How a connection will be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// Runs one query on either kind of database. The query must be valid SQL for both.
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
                connection.batch_execute(&log::patience(tuning))?;
                connection.batch_execute(SQLITE_SETUP)?;
                connection.batch_execute(&log::settings(tuning))?;
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
    /// Whether this database has one writer at a time anyway, so that locking costs nothing.
    #[must_use]
    pub const fn has_one_writer(&self) -> bool {
        match self {
            Self::Postgres(_) => false,
            Self::Sqlite(_) => true,
        }
    }
}

/// Begins a batch: on SQLite with the write lock taken at once, because a lock that is upgraded
/// later fails when another writer was quicker.
///
/// # Errors
/// [`Error`] if the database does not answer.
pub fn begin_write(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?,
        AnyConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?;
        }
    }
    Ok(())
}

/// Begins a batch that is written while another one is: whoever waits for one of the two is not waited
/// for long, because the database does not see that they wait for each other; and if we are gone, it
/// does not keep what was written for long.
///
/// # Errors
/// [`Error::Unavailable`] if the database does not answer as it should: drop the connection, which may
/// have begun.
pub fn begin_early(connection: &mut AnyConnection) -> Result<(), Error> {
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
    begun.map_err(|error| Error::Unavailable(error.to_string()))
}

/// Begins a read of one consistent snapshot.
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

/// Lets what was begun be read by whatever plan is best for all of the book.
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

/// A number that changes when another connection has changed the content of the database, where only one may
/// write at a time; `None` elsewhere.
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

/// Commits what was begun.
///
/// # Errors
/// [`Error::Unavailable`] leaves it unknown whether the commit happened.
pub fn commit(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::commit_transaction(c)?,
        AnyConnection::Sqlite(c) => AnsiTransactionManager::commit_transaction(c)?,
    }
    Ok(())
}

/// Takes back what was begun.
///
/// # Errors
/// [`Error`] if the connection is no longer good for anything: drop it.
pub fn rollback(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::rollback_transaction(c)?,
        AnyConnection::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c)?,
    }
    Ok(())
}

/// Asks the database for next to nothing, to see whether it answers.
///
/// # Errors
/// [`Error`] if it does not.
pub fn probe(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => c.batch_execute("SELECT 1")?,
        // Without a table, the file is not looked at.
        AnyConnection::Sqlite(c) => c.batch_execute("SELECT 1 FROM sqlite_master LIMIT 1")?,
    }
    Ok(())
}

/// Allows long statements, and long thought between them, on this connection: a whole-book check, a bulk
/// import.
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

/// synchronous=FULL: an answer is given only for what is on the disk.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; \
     PRAGMA recursive_triggers = ON";

diesel::define_sql_function! {
    /// The version of the linked SQLite, as `3.51.3`.
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
