//! Settings for the use of a database that the operator chooses.

use std::time::Duration;

/// Time that the program waits longer than the database may take for one statement. So the database gives up first
/// and reports it.
const GRACE: Duration = Duration::from_secs(2);
/// Greatest time to wait for a lock.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(5);

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
}
