//! Errors of a database, sorted by what the caller does next.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is not reachable, not writable, out of space, or was lost during the work. Nothing was decided:
    /// try again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Another writer committed first (serialization failure, deadlock, unique key, stale version): decide again on
    /// fresh rows.
    #[error("another writer was first: {0}")]
    Conflict(String),
    /// Locks could not be taken in time. Nothing was decided: try again later.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database refused the statement itself; trying again does not help.
    #[error("the database refused: {0}")]
    Refused(String),
}

/// The reason why a database cannot be used, in words that outsiders may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The database has not answered in time.
    #[error("the database does not answer")]
    Silent,
    /// The database cannot be reached, or was lost during the work.
    #[error("the database cannot be reached")]
    Away,
    /// There is no space for the write.
    #[error("there is no room on the disk")]
    Full,
    /// The disk cannot be written, or read.
    #[error("the disk fails")]
    Disk,
    /// The database takes no writes.
    #[error("the database may only be read")]
    ReadOnly,
    /// Another process holds the database.
    #[error("the database is busy")]
    Busy,
    /// The database refuses the statements.
    #[error("the database refuses")]
    Refused,
}

impl Error {
    /// The trouble with the database that this error shows.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Unavailable(text) => {
                let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
                if has(&FULL) {
                    Trouble::Full
                } else if has(&READ_ONLY) {
                    Trouble::ReadOnly
                } else if has(&[DISK]) {
                    Trouble::Disk
                } else if has(&["does not answer"]) {
                    Trouble::Silent
                } else {
                    Trouble::Away
                }
            }
            Self::Conflict(_) | Self::Busy(_) => Trouble::Busy,
            Self::Refused(_) => Trouble::Refused,
        }
    }
}

/// Messages of the databases and the operating system when there is no space.
const FULL: [&str; 4] = [
    "No space left on device",
    "database or disk is full",
    "File too large",
    "Disk quota exceeded",
];
/// Message for a broken disk.
const DISK: &str = "disk I/O error";
/// Messages of the databases when they take no writes.
const READ_ONLY: [&str; 3] = [
    "readonly database",
    "read-only transaction",
    "Read-only file system",
];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "both enums are another crate's and grow: what is not known is judged by its words"
)]
impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let text = error.to_string();
        match error {
            Diesel::DatabaseError(kind, _) => match kind {
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure => {
                    Self::Conflict(text)
                }
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction => Self::Unavailable(text),
                _ => by_text(text),
            },
            Diesel::BrokenTransactionManager => Self::Unavailable(text),
            _ => by_text(text),
        }
    }
}

/// Sorts an error by its English text, because diesel has no kinds for these errors.
fn by_text(text: String) -> Error {
    const CONFLICT: [&str; 2] = ["deadlock detected", "could not serialize access"];
    const BUSY: [&str; 4] = [
        "database is locked",
        "database table is locked",
        "lock timeout",
        "statement timeout",
    ];
    const UNAVAILABLE: [&str; 12] = [
        "server closed the connection",
        "no connection to the server",
        "terminating connection",
        "the database system is",
        "connection to server",
        "could not connect",
        "could not receive data from server",
        "could not send data to server",
        "Connection timed out",
        "unable to open database file",
        "SSL SYSCALL",
        DISK,
    ];
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&CONFLICT) {
        Error::Conflict(text)
    } else if has(&BUSY) {
        Error::Busy(text)
    } else if has(&UNAVAILABLE) || has(&FULL) || has(&READ_ONLY) {
        Error::Unavailable(text)
    } else {
        Error::Refused(text)
    }
}
