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

    /// From RFC 3339 as strangers must write it: `T` and a zone, at most microseconds, the years 1970
    /// to 9999, and no 60th second.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        if !is_rfc3339(text) {
            return None;
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        let micros = moment.as_microsecond();
        (micros >= 0).then_some(Self(micros))
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

/// As files have it: RFC 3339, rounded down to microseconds, before 1970 too; a day alone is its first
/// moment in UTC.
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

/// The shape alone: whether the day exists, the calendar knows.
fn is_rfc3339(text: &str) -> bool {
    let fits = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, place)| {
                if place == b'0' {
                    byte.is_ascii_digit()
                } else {
                    byte == place
                }
            })
    };
    let Some((whole, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let zone = rest
        .find(['Z', '+', '-'])
        .and_then(|at| rest.split_at_checked(at));
    let Some((fraction, zone)) = zone else {
        return false;
    };
    let digits = fraction.strip_prefix('.').unwrap_or("");
    let is_fraction = fraction.is_empty()
        || ((1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let is_zone = zone == "Z" || fits(zone, "+00:00") || fits(zone, "-00:00");
    fits(whole, "0000-00-00T00:00:00") && !whole.ends_with("60") && is_fraction && is_zone
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
    fn a_moment_is_read_back_in_every_zone() {
        let moment = Timestamp::from_micros(1_767_225_600_000_001);
        for text in [
            &moment.to_string(),
            "2026-01-01T01:00:00.000001+01:00",
            "2025-12-31T18:30:00.000001-05:30",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), Some(moment), "{text}");
        }
        let whole = Timestamp::from_micros(1_767_225_600_000_000);
        for text in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0Z"] {
            assert_eq!(Timestamp::from_rfc3339(text), Some(whole), "{text}");
        }
    }

    #[test]
    fn what_could_be_meant_in_two_ways_is_no_moment() {
        for text in [
            "",
            "now",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01t00:00:00z",
            "2026-01-01T00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T23:59:60Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.0000001Z",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:00+01",
            "2026-01-01T00:00:00+0100",
            "2026-01-01T00:00:00+99:00",
            "2026-01-01T00:00:00Z[UTC]",
            "+002026-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "10000-01-01T00:00:00Z",
            "\u{661}026-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
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
