//! Settings for the use of a database that the operator chooses.

use std::time::Duration;

/// Time that the program waits longer than the database may take for one statement. So the database gives up first
/// and reports it.
const GRACE: Duration = Duration::from_secs(2);
/// Greatest time to wait for a lock.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(5);

/// Number of bytes of a page, as SQLite makes it.
const PAGE: u64 = 4_096;
/// Greatest number of pages at which the log of SQLite is copied back: below it, one copied page can serve many
/// batches; above it, more pages bring no gain. [`MIN_PAGES`] is the least number.
const MAX_PAGES: u64 = 8_000;
const MIN_PAGES: u64 = 100;

/// The operator's settings for the use of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// Greatest time that the database may take for one statement.
    pub answer_within: Duration,
    /// Greatest number of bytes of the log beside a file before it is cut, if there is such a log.
    pub log_limit: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(10),
            log_limit: 64 << 20,
        }
    }
}

impl Tuning {
    /// Time to wait for an answer before the database is considered silent.
    #[must_use]
    pub const fn longest_answer(&self) -> Duration {
        self.answer_within.saturating_add(GRACE)
    }

    /// Time to wait for a lock before the answer is "busy".
    #[must_use]
    pub(crate) fn longest_lock(&self) -> Duration {
        MAX_LOCK_WAIT.min(self.answer_within / 2)
    }

    /// Number of pages at which a thread of its own copies the log of SQLite back.
    pub(crate) fn log_pages(&self) -> u64 {
        (self.log_limit / 2 / PAGE).clamp(MIN_PAGES, MAX_PAGES)
    }

    /// The settings of a connection to SQLite for its log: a commit copies it back if it is a quarter longer than
    /// [`log_pages`](Self::log_pages), and it is cut to its limit whenever it begins anew.
    pub(crate) fn sqlite_log(&self) -> String {
        let (pages, limit) = (self.log_pages() / 4 * 5, self.log_limit);
        format!("PRAGMA wal_autocheckpoint = {pages}; PRAGMA journal_size_limit = {limit}")
    }

    /// The statement that sets how long a connection to SQLite waits for a lock.
    pub(crate) fn sqlite_patience(&self) -> String {
        let millis = self.longest_lock().as_millis();
        format!("PRAGMA busy_timeout = {millis}")
    }
}
