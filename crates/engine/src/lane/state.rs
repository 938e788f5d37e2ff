//! The state that is shared by the threads that are the lane, one after another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use store::Trouble;

use super::lines::Lines;
use crate::standstill::LatestRecordTime;

/// Time for which a commit proves that commits are possible.
const PROVEN: Duration = Duration::from_secs(5);

/// The lines, and whether writes go through.
pub(super) struct LaneState {
    pub(super) lines: Lines,
    written: Mutex<LastCommit>,
    /// The latest recording time.
    pub(super) recorded: LatestRecordTime,
}

/// The outcome of the last commit.
#[derive(Debug, Default, Clone, Copy)]
struct LastCommit {
    /// Time of the last commit that went through.
    proven: Option<Instant>,
    /// Why the last commit did not go through, if it did not.
    trouble: Option<Trouble>,
}

impl LaneState {
    pub(super) fn new(longest_line: usize) -> Self {
        Self {
            lines: Lines::new(longest_line),
            written: Mutex::new(LastCommit::default()),
            recorded: LatestRecordTime::default(),
        }
    }

    /// Notes the outcome of a commit.
    pub(super) fn wrote(&self, outcome: Result<(), Trouble>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => {
                if let Some(trouble) = written.trouble.take() {
                    tracing::warn!(%trouble, "writes go through again");
                }
                written.proven = Some(Instant::now());
            }
            Err(trouble) => written.trouble = Some(trouble),
        }
    }

    /// True if a commit went through a moment ago, and none has failed since.
    pub(super) fn is_writing(&self) -> bool {
        let written = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.trouble.is_none() && written.proven.is_some_and(|at| at.elapsed() < PROVEN)
    }

    /// Why the last commit did not go through.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.trouble
    }
}

/// The heartbeat of one lane thread: the time since which it has been at its present work.
#[derive(Debug)]
pub(super) struct Heartbeat {
    born: Instant,
    /// Milliseconds since `born`, at least 1; or one of the two constants below.
    since: AtomicU64,
}

/// The thread waits for commands.
const RESTS: u64 = 0;
/// The thread is relieved: another thread is the lane.
const RELIEVED: u64 = u64::MAX;

impl Heartbeat {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            since: AtomicU64::new(RESTS),
        }
    }

    /// Notes that the thread waits for commands. Returns whether it is still the lane.
    pub(super) fn rests(&self) -> bool {
        self.becomes(RESTS)
    }

    /// Notes that the thread begins work that the database may take long for. Returns whether it is still the
    /// lane.
    pub(super) fn works(&self) -> bool {
        self.becomes(self.now())
    }

    /// True if the thread is relieved.
    pub(super) fn is_relieved(&self) -> bool {
        self.since.load(Ordering::Acquire) == RELIEVED
    }

    /// Relieves the thread if it has been at one piece of work for longer than `longest`.
    pub(super) fn relieve(&self, longest: Duration) -> bool {
        let since = self.since.load(Ordering::Acquire);
        let at_it = Duration::from_millis(self.now().saturating_sub(since));
        let is_stuck = since != RESTS && since != RELIEVED && at_it > longest;
        // If the thread has made progress at this very moment, it is not relieved.
        is_stuck
            && self
                .since
                .compare_exchange(since, RELIEVED, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    fn now(&self) -> u64 {
        let millis = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(RELIEVED);
        millis.clamp(RESTS + 1, RELIEVED - 1)
    }

    fn becomes(&self, what: u64) -> bool {
        let changed = self
            .since
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |since| {
                (since != RELIEVED).then_some(what)
            });
        changed.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_that_is_at_work_is_relieved_and_it_stays_so() {
        let heartbeat = Heartbeat::new();
        let long_ago = |heartbeat: &mut Heartbeat| heartbeat.born -= Duration::from_secs(20);
        let mut heartbeat = heartbeat;
        long_ago(&mut heartbeat);
        assert!(heartbeat.rests());
        assert!(!heartbeat.relieve(Duration::ZERO));
        assert!(heartbeat.works());
        assert!(!heartbeat.relieve(Duration::from_secs(12)));
        long_ago(&mut heartbeat);
        assert!(heartbeat.relieve(Duration::from_secs(12)));
        assert!(heartbeat.is_relieved());
        assert!(!heartbeat.works() && !heartbeat.rests());
        assert!(!heartbeat.relieve(Duration::ZERO));
    }
}
