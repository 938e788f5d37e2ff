//! What a database may answer, sorted by what the caller does next.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not reachable, not writable, out of space, or gone amid the work: nothing was decided, try
    /// again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Another writer committed first (serialization failure, deadlock, unique key, stale version):
    /// decide again on fresh rows.
    #[error("another writer was first: {0}")]
    Conflict(String),
    /// Locks were not to be had in time: nothing was decided, try again later.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database refused the statement itself; trying again will not help.
    #[error("the database refused: {0}")]
    Refused(String),
}

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

/// diesel has no kind for these: the server's own English words are all there is to go by.
fn by_text(text: String) -> Error {
    const CONFLICT: [&str; 2] = ["deadlock detected", "could not serialize access"];
    const BUSY: [&str; 4] = [
        "database is locked",
        "database table is locked",
        "lock timeout",
        "statement timeout",
    ];
    const UNAVAILABLE: [&str; 11] = [
        "server closed the connection",
        "no connection to the server",
        "terminating connection",
        "the database system is",
        "connection to server",
        "could not connect",
        "No space left on device",
        "database or disk is full",
        "disk I/O error",
        "unable to open database file",
        "SSL SYSCALL",
    ];
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&CONFLICT) {
        Error::Conflict(text)
    } else if has(&BUSY) {
        Error::Busy(text)
    } else if has(&UNAVAILABLE) {
        Error::Unavailable(text)
    } else {
        Error::Refused(text)
    }
}
