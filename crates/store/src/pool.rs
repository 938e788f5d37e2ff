//! The store: the source of connections.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use diesel::r2d2::{ManageConnection, Pool, PooledConnection};

use crate::connection::{
    AnyConnection, Purpose, begin_read, by_any_plan, probe, rollback, set_bulk_hints,
};
use crate::migrations::MigrationState;
use crate::patience::{patiently, within};
use crate::presence::{make_private_file, make_private_folder};
use crate::{
    DatabaseUrl, Error, ExpectedSchema, Log, Schema, Tuning, Unsuitable, housekeeping, migrations,
    schema, standing,
};

/// Time that a reader waits for a connection before the answer is "unavailable".
const READER_WAIT: Duration = Duration::from_secs(2);
/// Number of readers at a time. More readers would only wait for the same disk.
pub const READERS: u8 = 8;

/// A database that has been opened and migrated.
#[derive(Clone)]
pub struct Store {
    url: DatabaseUrl,
    tuning: Tuning,
    /// Messages for the operator about the database, one line each.
    notes: Arc<[Note]>,
    /// The pool is replaced as a whole after the database was silent, so connections that are stuck never come back.
    readers: Arc<RwLock<Pool<Readers>>>,
    is_patient: bool,
    /// Whether the schema is older than this program.
    is_older: bool,
}

/// A message for the operator about a database that is used all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// A setting that can lose acknowledged data.
    #[error("{0}")]
    Risk(String),
    /// The schema could not be compared with what the migrations make; the reason.
    #[error("the schema was not compared with what the migrations make: {0}")]
    NotCompared(String),
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the SQLite file cannot be created.
    #[error("cannot create the folder of {path}: {cause}")]
    Folder {
        /// The database file.
        path: String,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The database exists, but there are no books in it.
    #[error("there are no books in {url} yet: start `florin serve` on it once")]
    NoBooks {
        /// The address, without its password.
        url: DatabaseUrl,
    },
    /// The database refused the connection, or its schema could not be updated.
    #[error("cannot open {url}: {cause}")]
    Database {
        /// The address, without its password.
        url: DatabaseUrl,
        /// The error of the database.
        cause: Error,
    },
    /// The database is not suitable for books, or not for this program.
    #[error("{url} cannot be used: {why}")]
    Unsuitable {
        /// The address, without its password.
        url: DatabaseUrl,
        /// The reason.
        why: Unsuitable,
    },
}

impl Store {
    /// Opens the database and updates its schema.
    ///
    /// # Errors
    /// [`OpenError`] says what to check.
    pub fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::open_tuned(url, Tuning::default())
    }

    /// As [`open`](Self::open), with the operator's settings.
    ///
    /// # Errors
    /// [`OpenError`] says what to check.
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
            // If this fails, the error of the database is the better message.
            let _unmade = make_private_file(path);
        }
        let failed = |cause| OpenError::Database {
            url: url.clone(),
            cause,
        };
        let looked = {
            let url = url.clone();
            move || look(&url, &tuning, OnDifference::Refuse)
        };
        let (applied, mut notes) = within(tuning.longest_answer(), url, looked)?;
        match applied {
            MigrationState::All => {}
            MigrationState::Nothing | MigrationState::Some | MigrationState::Unknown(_) => {
                let is_new = migrate(url, &tuning).map_err(failed)?;
                if !is_new {
                    notes.extend(compare(url, &tuning)?);
                }
            }
        }
        Ok(Self::over(url, tuning, notes))
    }

    /// Opens an existing database without changing its schema, for programs that only read.
    ///
    /// # Errors
    /// [`OpenError`] says what to check. It is also returned for a SQLite file that does not exist, which is never
    /// created here, and for a schema that this program does not know.
    pub fn open_existing(url: &DatabaseUrl, tuning: Tuning) -> Result<Self, OpenError> {
        let store = Self::open_unmigrated(url, tuning)?;
        if store.is_older {
            return Err(OpenError::Database {
                url: url.clone(),
                cause: Error::Refused(
                    "its schema is older than this program: start `florin serve` on it once"
                        .to_owned(),
                ),
            });
        }
        Ok(store)
    }

    /// As [`open_existing`](Self::open_existing), but also allows a schema that is older than this program. This is
    /// for questions about tables that older versions have too.
    ///
    /// # Errors
    /// As [`open_existing`](Self::open_existing).
    pub fn open_unmigrated(url: &DatabaseUrl, tuning: Tuning) -> Result<Self, OpenError> {
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
        let looked = {
            let url = url.clone();
            move || look(&url, &tuning, OnDifference::Leave)
        };
        let (applied, notes) = within(tuning.longest_answer(), url, looked)?;
        match applied {
            MigrationState::Nothing => Err(OpenError::NoBooks { url: url.clone() }),
            MigrationState::All => Ok(Self::over(url, tuning, notes)),
            MigrationState::Some | MigrationState::Unknown(_) => Ok(Self {
                is_older: true,
                ..Self::over(url, tuning, notes)
            }),
        }
    }

    fn over(url: &DatabaseUrl, tuning: Tuning, notes: Vec<Note>) -> Self {
        Self {
            url: url.clone(),
            tuning,
            notes: notes.into(),
            readers: Arc::new(RwLock::new(pool(url, tuning))),
            is_patient: false,
            is_older: false,
        }
    }

    /// Messages for the operator about the database.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The log beside the database file. The writer has to keep it short.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::of(&self.url, &self.tuning)
    }

    /// The schema that the migrations make on this kind of database.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn schema_as_made(&self) -> Result<ExpectedSchema, Error> {
        schema::made(&self.url, &self.tuning)
    }

    /// Makes all later questions use new connections. Connections in use are closed when their work is done, if it
    /// ever ends.
    pub fn renew_readers(&self) {
        let fresh = pool(&self.url, self.tuning);
        let mut readers = self.readers.write().unwrap_or_else(PoisonError::into_inner);
        *readers = fresh;
    }

    /// Time that a program waits for one answer of the database before it considers the database silent. The database
    /// itself stops a statement a little earlier, if it can. `None`: no limit.
    #[must_use]
    pub fn longest_answer(&self) -> Option<Duration> {
        (!self.is_patient).then(|| self.tuning.longest_answer())
    }

    /// A separate connection, to see whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it cannot be reached.
    pub fn prober(&self) -> Result<AnyConnection, Error> {
        AnyConnection::open(&self.url, Purpose::Read, &self.tuning)
    }

    /// The same database, for a program that makes one large commit of its own: the database sets no limit on the
    /// size of the commit or on pauses between two statements.
    #[must_use]
    pub fn patient(self) -> Self {
        Self {
            is_patient: true,
            ..self
        }
    }

    /// True if the database allows only one writer at a time.
    #[must_use]
    pub const fn has_one_writer(&self) -> bool {
        matches!(self.url, DatabaseUrl::Sqlite(_))
    }

    /// The address of the books.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A separate connection for writing. The lane has one.
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

    /// Runs a question on one consistent snapshot. It blocks: call it from a thread that may block.
    ///
    /// On PostgreSQL only indexes are used, so rows that are not asked for are not read, however many there are. To
    /// go through the whole book, use [`read`](Self::read).
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no connection is free in time; otherwise the error of `question`.
    pub fn ask<T, E: From<Error>>(
        &self,
        question: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let readers = self.readers.read();
        let readers = readers.unwrap_or_else(PoisonError::into_inner).clone();
        let mut reader: PooledConnection<Readers> = readers
            .get()
            .map_err(|error| E::from(Error::Unavailable(error.to_string())))?;
        let answer = question(&mut reader);
        // There is nothing to commit. If a connection cannot even roll back, the pool finds it broken and replaces it.
        let _broken = rollback(&mut reader);
        answer
    }

    /// Reads the book, or much of it, on one consistent snapshot, with every query plan allowed.
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

/// The reaction to a schema that is not what the migrations make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDifference {
    Refuse,
    /// Nothing is done here: the caller compares the schema.
    Leave,
}

/// Checks a database before it is used for books.
fn look(
    url: &DatabaseUrl,
    tuning: &Tuning,
    on_difference: OnDifference,
) -> Result<(MigrationState, Vec<Note>), OpenError> {
    let failed = |cause| OpenError::Database {
        url: url.clone(),
        cause,
    };
    let risks = standing::look(url, tuning)?;
    let mut notes: Vec<Note> = risks.into_iter().map(Note::Risk).collect();
    let mut reader =
        patiently(|| AnyConnection::open(url, Purpose::Read, tuning)).map_err(failed)?;
    standing::refuse_encoding(&mut reader, url)?;
    let applied = migrations::applied(&mut reader).map_err(failed)?;
    if let MigrationState::Unknown(version) = &applied {
        let why = Unsuitable::newer(version, housekeeping::signed_by(&mut reader));
        let url = url.clone();
        return Err(OpenError::Unsuitable { url, why });
    }
    if applied == MigrationState::All && on_difference == OnDifference::Refuse {
        notes.extend(compare(url, tuning)?);
    }
    Ok((applied, notes))
}

/// Refuses a schema that is not what the migrations make. Returns a note if this cannot be found out.
fn compare(url: &DatabaseUrl, tuning: &Tuning) -> Result<Option<Note>, OpenError> {
    let failed = |cause| OpenError::Database {
        url: url.clone(),
        cause,
    };
    let made = match schema::made(url, tuning).map_err(failed)? {
        ExpectedSchema::Schema(made) => made,
        ExpectedSchema::Unknown(why) => return Ok(Some(Note::NotCompared(why))),
    };
    let mut reader =
        patiently(|| AnyConnection::open(url, Purpose::Read, tuning)).map_err(failed)?;
    // The transaction ends with the connection.
    let found = begin_read(&mut reader)
        .and_then(|()| by_any_plan(&mut reader))
        .and_then(|()| Schema::of(&mut reader));
    let found = found.map_err(failed)?;
    match found.difference(&made) {
        None => Ok(None),
        Some(difference) => Err(OpenError::Unsuitable {
            url: url.clone(),
            why: Unsuitable::Changed(difference),
        }),
    }
}

fn migrate(url: &DatabaseUrl, tuning: &Tuning) -> Result<bool, Error> {
    patiently(|| {
        // A change of the schema of large books may take minutes.
        let mut writer = AnyConnection::open(url, Purpose::Write, tuning)?;
        set_bulk_hints(&mut writer)?;
        migrations::apply(&mut writer)
    })
}

/// Books in memory, on SQLite. They are gone when the connection is dropped. For examples, and for tests that need
/// one connection and no file.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn in_memory() -> Result<AnyConnection, Error> {
    let url = DatabaseUrl::Sqlite(":memory:".into());
    let mut connection = AnyConnection::open(&url, Purpose::Write, &Tuning::default())?;
    migrations::apply(&mut connection)?;
    Ok(connection)
}

fn pool(url: &DatabaseUrl, tuning: Tuning) -> Pool<Readers> {
    Pool::builder()
        .max_size(READERS.into())
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

    /// Begins the snapshot. A connection that cannot begin is replaced, so no extra probe is needed for a question.
    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        begin_read(connection)?;
        match connection {
            AnyConnection::Postgres(_) => Ok(()),
            // Beginning a transaction alone does not read the file.
            AnyConnection::Sqlite(_) => probe(connection),
        }
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        use diesel::connection::{AnsiTransactionManager, TransactionManager};
        match connection {
            AnyConnection::Postgres(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
            AnyConnection::Sqlite(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
        }
    }
}

/// Reports nothing: the caller that waited reports a failed connection, once.
#[derive(Debug)]
struct Quiet;

impl diesel::r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, _error: Error) {}
}
