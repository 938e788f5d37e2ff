//! The watch for time that stands still. A later record never has an earlier time, whatever the clock does. So if
//! the books were once written under a clock that was ahead, everything is recorded at that same moment until the
//! clock has reached it. The books are not wrong then, but somebody must know of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use store::Timestamp;

use crate::lane::Engine;

/// The number of seconds that the clock may be behind the books without a warning: clocks differ, and are
/// adjusted.
pub const TOLERATED_SECONDS: u32 = 60;
/// The least time between two warnings.
const WARN_AGAIN: Duration = Duration::from_secs(60);

/// The latest recording time that this process knows of. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatestRecordTime(Arc<AtomicI64>);

impl LatestRecordTime {
    pub(crate) fn learn(&self, at: Timestamp) {
        self.0.fetch_max(at.micros(), Ordering::Relaxed);
    }

    fn latest(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Engine {
    /// Sets the time of the latest record, before the lane has read it.
    pub fn learn_recorded(&self, at: Timestamp) {
        self.recorded().learn(at);
    }

    /// How far the clock is behind the books, in whole seconds; 0 while it is not. If tenants have moved their clocks
    /// ahead, the clock that is ahead of all others counts.
    #[must_use]
    pub fn seconds_behind(&self) -> u32 {
        seconds_between(self.clock().latest_now(), self.recorded().latest())
    }

    /// True if the clock is so far behind that everything is recorded at one moment.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        self.seconds_behind() > TOLERATED_SECONDS
    }
}

/// The whole seconds from the clock's time to a later time; 0 if that is not later.
#[must_use]
pub fn seconds_between(now: Timestamp, later: Timestamp) -> u32 {
    let micros = later.micros().saturating_sub(now.micros()).max(0);
    u32::try_from(micros.div_euclid(1_000_000)).unwrap_or(u32::MAX)
}

/// Compares the clock with the books. It sets the metric each time, and warns at most once a minute.
#[derive(Debug, Default)]
pub struct Watch {
    warned: Option<Instant>,
}

impl Watch {
    /// Compares the clock with the books now.
    pub fn look(&mut self, engine: &Engine) {
        let behind = engine.seconds_behind();
        metrics::gauge!("florin_clock_behind_seconds").set(behind);
        let is_new = self.warned.is_none_or(|at| at.elapsed() >= WARN_AGAIN);
        if behind > TOLERATED_SECONDS && is_new {
            self.warned = Some(Instant::now());
            let recorded = engine.recorded().latest();
            tracing::warn!(
                behind_seconds = behind,
                %recorded,
                "the clock is behind the books: everything is recorded at the same moment until it has caught up"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_the_clock_is_behind_is_told_in_whole_seconds() {
        let at = Timestamp::from_micros;
        assert_eq!(seconds_between(at(5), at(4)), 0);
        assert_eq!(seconds_between(at(0), at(999_999)), 0);
        assert_eq!(seconds_between(at(0), at(86_400_000_000)), 86_400);
        assert_eq!(seconds_between(at(i64::MIN), at(i64::MAX)), u32::MAX);
    }
}
