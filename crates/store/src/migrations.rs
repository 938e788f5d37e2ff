//! The schema of both databases, embedded in the binary and applied at start.

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::presence::has_schema;
use crate::{AnyConnection, Error, housekeeping};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// The migrations that a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MigrationState {
    /// No migration: there are no books.
    Nothing,
    /// Some, but not all of those that this program knows.
    Some,
    /// Exactly those that this program knows.
    All,
    /// One that this program does not know.
    Unknown(String),
}

/// Applies the missing migrations, all of them or nothing, one process at a time. Returns true if all migrations
/// were missing, that is, if the books are new.
pub(crate) fn apply(connection: &mut AnyConnection) -> Result<bool, Error> {
    let applied = match connection {
        AnyConnection::Postgres(c) => diesel::Connection::transaction(c, |c| {
            // The lock is held until the commit; the number only has to be the same in every process.
            c.batch_execute("SELECT pg_advisory_xact_lock(4829361)")?;
            run(c, POSTGRES)
        }),
        AnyConnection::Sqlite(c) => {
            // A migration may sort a large table, which is not to fill the memory.
            c.batch_execute("PRAGMA temp_store = FILE")?;
            c.exclusive_transaction(|c| run(c, SQLITE))
        }
    };
    let applied = applied.map_err(|MigrationError(error)| error)?;
    if applied > 0 {
        housekeeping::sign(connection)?;
    }
    Ok(applied == known(connection)?.len())
}

/// Applies all migrations within the transaction that was begun, without regard to other processes.
pub(crate) fn apply_here(connection: &mut AnyConnection) -> Result<(), Error> {
    let applied = match connection {
        AnyConnection::Postgres(c) => run(c, POSTGRES),
        AnyConnection::Sqlite(c) => run(c, SQLITE),
    };
    applied
        .map(|_all| ())
        .map_err(|MigrationError(error)| error)
}

/// The migrations that the database has. Only reads: diesel's own function would create its table first.
pub(crate) fn applied(connection: &mut AnyConnection) -> Result<MigrationState, Error> {
    if !has_schema(connection)? {
        return Ok(MigrationState::Nothing);
    }
    let applied: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(connection)
        .map_err(|error| Error::Refused(format!("the schema cannot be read: {error}")))?;
    let known = known(connection)?;
    let unknown = applied.iter().filter(|version| !known.contains(version));
    Ok(match unknown.min() {
        Some(version) => MigrationState::Unknown(version.clone()),
        None if applied.is_empty() => MigrationState::Nothing,
        None if applied.len() < known.len() => MigrationState::Some,
        None => MigrationState::All,
    })
}

/// The versions of this program's migrations.
fn known(connection: &AnyConnection) -> Result<Vec<String>, Error> {
    match connection {
        AnyConnection::Postgres(_) => names::<diesel::pg::Pg>(&POSTGRES),
        AnyConnection::Sqlite(_) => names::<diesel::sqlite::Sqlite>(&SQLITE),
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// The versions of the embedded migrations.
fn names<DB: diesel::backend::Backend>(
    migrations: &EmbeddedMigrations,
) -> Result<Vec<String>, Error> {
    let unreadable = |error| Error::Refused(format!("the migrations cannot be read: {error}"));
    let migrations = MigrationSource::<DB>::migrations(migrations).map_err(unreadable)?;
    Ok(migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect())
}

struct MigrationError(Error);

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.into())
    }
}

/// Applies the missing migrations and returns their number.
fn run<C, DB>(connection: &mut C, migrations: EmbeddedMigrations) -> Result<usize, MigrationError>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    connection
        .run_pending_migrations(migrations)
        .map(|applied| applied.len())
        .map_err(|error| MigrationError(Error::Refused(format!("a migration failed: {error}"))))
}
