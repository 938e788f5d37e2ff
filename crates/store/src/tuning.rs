//! How a database is used, where that is the operator's choice.

use std::time::Duration;

/// What the program waits for beyond the time that the database has for one statement, so that where both
/// give up, the database is first and says so.
const GRACE: Duration = Duration::from_secs(2);
/// How long a lock is waited for at most.
const LONGEST_LOCK: Duration = Duration::from_secs(5);

/// How a database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// How long the database may take for one statement.
    pub answer_within: Duration,
    /// Bytes that the log beside a file may take before it is cut, where there is such a log.
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
    /// How long an answer is waited for before the database is taken for silent.
    #[must_use]
    pub const fn longest_answer(&self) -> Duration {
        self.answer_within.saturating_add(GRACE)
    }

    /// How long a lock is waited for before the answer is "busy".
    #[must_use]
    pub(crate) fn longest_lock(&self) -> Duration {
        LONGEST_LOCK.min(self.answer_within / 2)
    }
}
