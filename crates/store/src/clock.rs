//! The one place that reads the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::timestamp::Timestamp;

/// The source of the time: the machine's clock, or a manual clock that a test moves.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A manual clock that stands still at `start` until it is [`set`](Clock::set).
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.micros()))))
    }

    /// Sets a manual clock; does nothing to the machine's clock.
    pub fn set(&self, now: Timestamp) {
        if let Some(hand) = &self.0 {
            hand.store(now.micros(), Ordering::SeqCst);
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(hand) => Timestamp::from_micros(hand.load(Ordering::SeqCst)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let micros = since.map_or(0, |since| since.as_micros());
                Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_micros(5));
        assert_eq!(clock.now(), clock.now());
        clock.set(Timestamp::from_micros(7));
        assert_eq!(clock.now().micros(), 7);
    }
}
