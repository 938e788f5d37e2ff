//! The readiness of the server: it can do its work if it can read and write.

use std::time::Duration;

use store::Trouble;

use crate::lane::Engine;

/// Longest time for each of the two tests. A load balancer that asks has little time.
const PATIENCE: Duration = Duration::from_secs(2);

/// The present ability of the server to read and to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// An error if questions are not answered.
    pub reads: Result<(), Trouble>,
    /// An error if commands are not committed.
    pub writes: Result<(), Trouble>,
}

impl Readiness {
    /// True if the server can both read and write.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.reads.is_ok() && self.writes.is_ok()
    }
}

impl Engine {
    /// Asks the database. If a commit went through a moment ago, writes count as possible. Otherwise the lane
    /// tries a commit that changes nothing of the books.
    pub async fn readiness(&self) -> Readiness {
        if self.pulse.is_silent() {
            let silent = Err(Trouble::Silent);
            return Readiness {
                reads: silent,
                writes: silent,
            };
        }
        let (reads, writes) = tokio::join!(
            self.pulse.answers_within(PATIENCE),
            self.can_write(PATIENCE)
        );
        Readiness { reads, writes }
    }
}
