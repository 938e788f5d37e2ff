//! The store: where connections come from.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use diesel::r2d2::{ManageConnection, Pool, PooledConnection};

use crate::connection::{
    AnyConnection, Purpose, begin_read, by_any_plan, probe, rollback, set_bulk_hints,
};
use crate::presence::{has_schema, make_private_file, make_private_folder};
use crate::{DatabaseUrl, Error, Tuning, migrations};

/// How long a reader waits for a connection before the answer is "unavailable".
const READER_WAIT: Duration = Duration::from_secs(2);
/// Readers at a time. More than a few only take turns on the same disk.
const READERS: u32 = 8;

/// A database that has been opened and migrated.
#[derive(Clone)]
pub struct Store {
    url: DatabaseUrl,
    tuning: Tuning,
    /// Exchanged as a whole after the database was silent: what is stuck then never comes back to it.
    readers: Arc<RwLock<Pool<Readers>>>,
    is_patient: bool,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the SQLite file cannot be made.
    #[error("cannot create the folder of {path}: {cause}")]
    Folder {
        /// The database file.
        path: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The database is there, and nobody has begun books in it.
    #[error("there are no books in {url} yet: start `florin serve` on it once")]
    NoBooks {
        /// The address, without its password.
        url: DatabaseUrl,
    },
    /// The database itself did not let us in, or its schema could not be brought up to date.
    #[error("cannot open {url}: {cause}")]
    Database {
        /// The address, without its password.
        url: DatabaseUrl,
        /// What the database said.
        cause: Error,
    },
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what to look at.
    pub fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::open_tuned(url, Tuning::default())
    }

    /// The same, used as the operator wants.
    ///
    /// # Errors
    /// [`OpenError`] says what to look at.
    pub fn open_tuned(url: &DatabaseUrl, tuning: Tuning) -> Result<Self, OpenError> {
        if let DatabaseUrl::Sqlite(path) = url
            && let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            make_private_folder(folder).map_err(|cause| OpenError::Folder {
                path: path.display().to_string(),
                cause,
            })?;
        }
        if let DatabaseUrl::Sqlite(path) = url {
            // Whatever stands in the way, the database says it better.
            let _unmade = make_private_file(path);
        }
        let failed = |cause| OpenError::Database {
            url: url.clone(),
            cause,
        };
        migrate(url, &tuning).map_err(failed)?;
        Ok(Self::over(url, tuning))
    }

    /// Opens an existing database as it is, for programs that only look.
    ///
    /// # Errors
    /// [`OpenError`] says what to look at: also a SQLite file that is not there, which is never
    /// created here, and a schema that this program does not know.
    pub fn open_existing(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Database {
            url: url.clone(),
            cause,
        };
        if let DatabaseUrl::Sqlite(path) = url
            && !path.is_file()
        {
            return Err(failed(Error::Unavailable(
                "there is no such file".to_owned(),
            )));
        }
        let tuning = Tuning::default();
        let mut reader = AnyConnection::open(url, Purpose::Read, &tuning).map_err(failed)?;
        if !has_schema(&mut reader).map_err(failed)? {
            return Err(OpenError::NoBooks { url: url.clone() });
        }
        if migrations::pending(&mut reader).map_err(failed)? {
            return Err(failed(Error::Refused(
                "its schema is older than this program: start `florin serve` on it once".to_owned(),
            )));
        }
        Ok(Self::over(url, tuning))
    }

    fn over(url: &DatabaseUrl, tuning: Tuning) -> Self {
        Self {
            url: url.clone(),
            tuning,
            readers: Arc::new(RwLock::new(pool(url, tuning))),
            is_patient: false,
        }
    }

    /// Lets every question that follows be asked over new connections. Those that are at work are closed
    /// when they are done, if ever.
    pub fn renew_readers(&self) {
        let fresh = pool(&self.url, self.tuning);
        let mut readers = self.readers.write().unwrap_or_else(PoisonError::into_inner);
        *readers = fresh;
    }

    /// How long a program waits for one answer of the database before it takes it for silent. The database
    /// itself gives up a statement a little earlier, where it can. `None`: as long as it takes.
    #[must_use]
    pub fn longest_answer(&self) -> Option<Duration> {
        (!self.is_patient).then(|| self.tuning.longest_answer())
    }

    /// A connection of one's own, to see whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it cannot be reached.
    pub fn prober(&self) -> Result<AnyConnection, Error> {
        AnyConnection::open(&self.url, Purpose::Read, &self.tuning)
    }

    /// The same database, for a program that makes one large commit of its own: whatever it writes, and
    /// however long it thinks between two statements, the database waits.
    #[must_use]
    pub fn patient(self) -> Self {
        Self {
            is_patient: true,
            ..self
        }
    }

    /// Where the books are kept.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A connection of one's own, for writing. The lane has one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the database cannot be reached.
    pub fn writer(&self) -> Result<AnyConnection, Error> {
        let mut writer = AnyConnection::open(&self.url, Purpose::Write, &self.tuning)?;
        if self.is_patient {
            set_bulk_hints(&mut writer)?;
        }
        Ok(writer)
    }

    /// Runs a question on one consistent snapshot. Blocks: call it from a thread that may.
    ///
    /// On PostgreSQL indexes alone answer it: what is not asked for is not read, however much there is of
    /// it. Whoever looks at the whole book [reads](Self::read) it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no connection is to be had in time; else whatever `question` returns.
    pub fn ask<T, E: From<Error>>(
        &self,
        question: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let readers = self.readers.read();
        let readers = readers.unwrap_or_else(PoisonError::into_inner).clone();
        let mut reader: PooledConnection<Readers> = readers
            .get()
            .map_err(|error| E::from(Error::Unavailable(error.to_string())))?;
        begin_read(&mut reader).map_err(E::from)?;
        let answer = question(&mut reader);
        // There is nothing to commit. A connection that cannot even roll back is found broken by
        // the pool, which replaces it.
        let _broken = rollback(&mut reader);
        answer
    }

    /// Reads the book, or much of it, on one consistent snapshot, by whatever plan is best for that.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn read<T, E: From<Error>>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.ask(|connection| {
            by_any_plan(connection).map_err(E::from)?;
            query(connection)
        })
    }
}

/// Turning a new SQLite file to WAL does not wait for another process that does the same, whatever
/// the busy timeout: that wait is here.
fn migrate(url: &DatabaseUrl, tuning: &Tuning) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut tries = 250_u32;
    loop {
        // Books may be so large that a change of their schema takes minutes.
        let migrated = AnyConnection::open(url, Purpose::Write, tuning).and_then(|mut writer| {
            set_bulk_hints(&mut writer)?;
            migrations::apply(&mut writer)
        });
        match migrated {
            Err(Error::Busy(_)) if tries > 0 => {
                tries = tries.saturating_sub(1);
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Books in memory, on SQLite, which are gone when the connection is dropped: for examples, and tests that
/// need one connection and no file.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn in_memory() -> Result<AnyConnection, Error> {
    let url = DatabaseUrl::Sqlite(":memory:".into());
    let mut connection = AnyConnection::open(&url, Purpose::Write, &Tuning::default())?;
    migrations::apply(&mut connection)?;
    Ok(connection)
}

fn pool(url: &DatabaseUrl, tuning: Tuning) -> Pool<Readers> {
    Pool::builder()
        .max_size(READERS)
        .min_idle(Some(0))
        .connection_timeout(READER_WAIT)
        .error_handler(Box::new(Quiet))
        .build_unchecked(Readers(url.clone(), tuning))
}

struct Readers(DatabaseUrl, Tuning);

impl ManageConnection for Readers {
    type Connection = AnyConnection;
    type Error = Error;

    fn connect(&self) -> Result<AnyConnection, Error> {
        AnyConnection::open(&self.0, Purpose::Read, &self.1)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        probe(connection)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        use diesel::connection::{AnsiTransactionManager, TransactionManager};
        match connection {
            AnyConnection::Postgres(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
            AnyConnection::Sqlite(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
        }
    }
}

/// A failed connection is reported by whoever waited for it, once.
#[derive(Debug)]
struct Quiet;

impl diesel::r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, _error: Error) {}
}
