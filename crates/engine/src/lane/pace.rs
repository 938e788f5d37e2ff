//! The pace of the lane, and the share of a batch that one tenant may have at this pace.

use std::time::{Duration, Instant};

use super::MAX_WEIGHT;

/// Longest time that the commands of one tenant may delay those of others in a batch.
const HOLD_UP: Duration = Duration::from_millis(2);
/// The least share of one tenant, in weight.
pub(super) const MIN_SHARE: usize = 24;
/// Longest time of a batch of few tenants, for the first command of a tenant that was not present waits for it.
const UNDIVIDED: Duration = Duration::from_millis(6);
/// Longest time of a batch of few tenants where another batch can be written beside it. The first command of a tenant
/// that was not present then waits only until the lane's thread has decided the batch.
const UNDIVIDED_BESIDE: Duration = Duration::from_millis(12);
/// The least weight of such a batch.
const MIN_UNDIVIDED: usize = 64;
/// Weight of the earlier measurements, relative to a new one.
const INERTIA: u64 = 7;

/// The time that a command of weight 1 takes, measured over the last batches.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Nanoseconds; 0 before the first measurement.
    each: u64,
    /// Time of the last commit, if the next batch has begun at once.
    last: Option<Instant>,
}

impl Pace {
    /// Notes that a batch begins after a pause.
    pub(super) fn begin(&mut self) {
        self.last = Some(Instant::now());
    }

    /// Notes that a batch of this weight is committed. A small batch says little about the pace.
    pub(super) fn committed(&mut self, weight: usize) {
        if weight < MIN_SHARE {
            return;
        }
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            let nanos = u64::try_from(now.duration_since(last).as_nanos()).unwrap_or(u64::MAX);
            let weight = u64::try_from(weight.max(1)).unwrap_or(u64::MAX);
            let each = nanos.checked_div(weight).unwrap_or(nanos);
            let sum = self.each.saturating_mul(INERTIA).saturating_add(each);
            self.each = match self.each {
                0 => each,
                _ => sum.checked_div(INERTIA + 1).unwrap_or(each),
            };
        }
    }

    /// The weight that one tenant's commands may have in a batch while others wait.
    pub(super) fn share(&self) -> usize {
        self.within(HOLD_UP).max(MIN_SHARE)
    }

    /// The weight at which a batch of few tenants is closed.
    pub(super) fn undivided(&self, has_one_writer: bool) -> usize {
        let time = if has_one_writer {
            UNDIVIDED
        } else {
            UNDIVIDED_BESIDE
        };
        self.within(time).max(MIN_UNDIVIDED)
    }

    /// The weight that is committed within this time, at most [`MAX_WEIGHT`].
    fn within(&self, time: Duration) -> usize {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let weight = time.checked_div(self.each.max(1)).unwrap_or(u64::MAX);
        usize::try_from(weight)
            .unwrap_or(usize::MAX)
            .min(MAX_WEIGHT)
    }
}
