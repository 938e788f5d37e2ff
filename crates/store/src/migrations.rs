//! The schema of both databases, embedded in the binary and applied at start.

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{AnyConnection, Error, housekeeping};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies what is missing, all of it or nothing, one process at a time.
pub(crate) fn apply(connection: &mut AnyConnection) -> Result<(), Error> {
    let applied = match connection {
        AnyConnection::Postgres(c) => diesel::Connection::transaction(c, |c| {
            // Held until the commit; the number only has to be the same in every process.
            c.batch_execute("SELECT pg_advisory_xact_lock(4829361)")?;
            run(c, POSTGRES)
        }),
        AnyConnection::Sqlite(c) => c.exclusive_transaction(|c| run(c, SQLITE)),
    };
    let applied = applied.map_err(|Failed(error)| error)?;
    if applied > 0 {
        housekeeping::sign(connection)?;
    }
    Ok(())
}

/// Whether a migration of this binary has not been applied. Only looks: diesel's own question would
/// create its table first.
pub(crate) fn pending(connection: &mut AnyConnection) -> Result<bool, Error> {
    let applied: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(connection)
        .map_err(|error| Error::Refused(format!("the schema cannot be read: {error}")))?;
    let known = match connection {
        AnyConnection::Postgres(_) => names::<diesel::pg::Pg>(&POSTGRES),
        AnyConnection::Sqlite(_) => names::<diesel::sqlite::Sqlite>(&SQLITE),
    }?;
    Ok(known.iter().any(|version| !applied.contains(version)))
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

struct Failed(Error);

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.into())
    }
}

/// Returns how many were applied.
fn run<C, DB>(connection: &mut C, migrations: EmbeddedMigrations) -> Result<usize, Failed>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    connection
        .run_pending_migrations(migrations)
        .map(|applied| applied.len())
        .map_err(|error| Failed(Error::Refused(format!("a migration failed: {error}"))))
}
