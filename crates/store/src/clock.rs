//! Time as the database keeps it, and the one place that reads the machine's clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment and `seconds` more; the last representable moment if there is none.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This moment and `millis` more; the last representable moment if there is none.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000)))
    }
}

/// RFC 3339 in UTC with microseconds: `2026-11-21T09:30:00.000000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment:.6}"),
            Err(_out_of_range) => write!(f, "{}us", self.0),
        }
    }
}

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a moment is written as 2026-11-21T09:30:00Z, a day as 2026-11-21")]
pub struct TimestampError;

/// From RFC 3339, rounded down to microseconds; a day alone is its first moment in UTC.
impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let moment = if text.contains('T') {
            text.parse::<jiff::Timestamp>()
        } else {
            format!("{text}T00:00:00Z").parse()
        };
        let moment = moment.map_err(|_malformed| TimestampError)?;
        let micros = moment.as_nanosecond().div_euclid(1_000);
        i64::try_from(micros)
            .map(Self)
            .map_err(|_out_of_range| TimestampError)
    }
}

/// Where the time comes from: the machine, or a hand that a test moves.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still at `start` until it is [`set`](Clock::set).
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.0))))
    }

    /// Moves a manual clock; the machine's clock is not moved.
    pub fn set(&self, now: Timestamp) {
        if let Some(hand) = &self.0 {
            hand.store(now.0, Ordering::SeqCst);
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(hand) => Timestamp(hand.load(Ordering::SeqCst)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let micros = since.map_or(0, |since| since.as_micros());
                Timestamp(i64::try_from(micros).unwrap_or(i64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_shown_in_utc_with_microseconds() {
        let moment = Timestamp::from_micros(1_767_225_600_000_001);
        assert_eq!(moment.to_string(), "2026-01-01T00:00:00.000001Z");
        assert_eq!(
            Timestamp::from_micros(0).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
    }

    #[test]
    fn a_timestamp_is_read_back_and_a_day_is_its_first_moment() {
        for micros in [0, -1, 1_767_225_600_000_001] {
            let moment = Timestamp::from_micros(micros);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        assert_eq!(
            "1970-01-02".parse(),
            Ok(Timestamp::from_micros(86_400_000_000))
        );
        assert_eq!(
            "1970-01-01T01:00:00+01:00".parse(),
            Ok(Timestamp::from_micros(0))
        );
        for text in ["", "1970", "1970-02-30", "1970-01-01T00:00:00", "now"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_micros(5));
        assert_eq!(clock.now(), clock.now());
        clock.set(Timestamp::from_micros(7));
        assert_eq!(clock.now().micros(), 7);
    }
}
