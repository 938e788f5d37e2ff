//! The schema of both databases, embedded in the binary and applied at start.

use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{AnyConnection, Error};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies what is missing, all of it or nothing, one process at a time.
pub(crate) fn apply(connection: &mut AnyConnection) -> Result<(), Error> {
    match connection {
        AnyConnection::Postgres(c) => diesel::Connection::transaction(c, |c| {
            // Held until the commit; the number only has to be the same in every process.
            c.batch_execute("SELECT pg_advisory_xact_lock(4829361)")?;
            run(c, POSTGRES)
        }),
        AnyConnection::Sqlite(c) => c.exclusive_transaction(|c| run(c, SQLITE)),
    }
    .map_err(|Failed(error)| error)
}

/// Whether every migration of this binary has been applied.
pub(crate) fn pending(connection: &mut AnyConnection) -> Result<bool, Error> {
    let pending = match connection {
        AnyConnection::Postgres(c) => c.has_pending_migration(POSTGRES),
        AnyConnection::Sqlite(c) => c.has_pending_migration(SQLITE),
    };
    pending.map_err(|error| Error::Refused(format!("the schema cannot be read: {error}")))
}

struct Failed(Error);

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.into())
    }
}

fn run<C, DB>(connection: &mut C, migrations: EmbeddedMigrations) -> Result<(), Failed>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    connection
        .run_pending_migrations(migrations)
        .map(|_applied| ())
        .map_err(|error| Failed(Error::Refused(format!("a migration failed: {error}"))))
}
