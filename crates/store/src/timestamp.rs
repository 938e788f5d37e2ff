//! Moments: how they are stored, written and read, and the one range that is the same for every input.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, date};

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// Microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// A moment that a client names (in the API or an import) lies between [`EARLIEST`](Self::EARLIEST) and
/// [`LATEST`](Self::LATEST). Every program that reads an export can write these days and the day after them, and
/// so can [`Display`](fmt::Display).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment that may be named: `1900-01-01T00:00:00Z`.
    pub const EARLIEST: Self = Self(-2_208_988_800_000_000);
    /// The last moment that may be named: `9998-12-31T23:59:59.999999Z`.
    pub const LATEST: Self = Self(253_370_764_799_999_999);
    /// Before every moment. As the beginning of a span it means no bound.
    pub const BEFORE_ALL: Self = Self(i64::MIN);
    /// After every moment. As the end of a span it means no bound.
    pub const AFTER_ALL: Self = Self(i64::MAX);

    /// A moment from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Number of microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// A moment from RFC 3339, in the strict form for clients: with `T` and a zone of at most 23:59, at most
    /// microseconds, and no 60th second.
    ///
    /// # Errors
    /// [`TimestampError::Malformed`]; [`TimestampError::OutOfRange`] before [`Self::EARLIEST`] or after
    /// [`Self::LATEST`], in UTC.
    pub fn from_rfc3339(text: &str) -> Result<Self, TimestampError> {
        read(text)?.in_range()
    }

    /// As [`from_rfc3339`](Self::from_rfc3339), for a bound of a span. A moment before the range becomes
    /// [`Self::BEFORE_ALL`], a moment after it [`Self::AFTER_ALL`]: neither excludes anything that is in the books.
    ///
    /// # Errors
    /// [`TimestampError::Malformed`].
    pub fn bound_from_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let moment = read(text)?;
        Ok(if moment < Self::EARLIEST {
            Self::BEFORE_ALL
        } else if moment > Self::LATEST {
            Self::AFTER_ALL
        } else {
            moment
        })
    }

    /// This moment, or the nearer end of the range if it lies outside.
    #[must_use]
    pub fn clamped(self) -> Self {
        self.clamp(Self::EARLIEST, Self::LATEST)
    }

    /// Number of whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment plus `seconds`; the last representable moment if the result does not fit.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This moment plus `micros`; the last representable moment if the result does not fit.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This moment plus `millis`; the last representable moment if the result does not fit.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000)))
    }

    fn in_range(self) -> Result<Self, TimestampError> {
        if (Self::EARLIEST..=Self::LATEST).contains(&self) {
            Ok(self)
        } else {
            Err(TimestampError::OutOfRange)
        }
    }
}

/// RFC 3339 in UTC with microseconds: `2026-11-21T09:30:00.000000Z`. Moments of older books outside the range are
/// written in the same way, from the year -9999 to the end of the year 9999.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_micros(self.0)) {
            Ok(civil) => write!(f, "{civil:.6}Z"),
            Err(_out_of_range) => write!(f, "{}us", self.0),
        }
    }
}

/// Why a text is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text is not RFC 3339 in the strict form.
    #[error(
        "a time is RFC 3339 with a zone and at most microseconds, such as 2026-11-21T09:30:00Z, from 1900-01-01 to 9998-12-31"
    )]
    Malformed,
    /// The text is not in the form for files, where a day alone is allowed too.
    #[error(
        "a moment is written as 2026-11-21T09:30:00Z, a day as 2026-11-21, from 1900-01-01 to 9998-12-31"
    )]
    NeitherMomentNorDay,
    /// The moment is before the first or after the last moment that may be named.
    #[error("a time is from 1900-01-01 to 9998-12-31, in UTC")]
    OutOfRange,
}

/// The form of files: RFC 3339 as in [`Timestamp::from_rfc3339`], or a day alone, which means its first moment in
/// UTC.
impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let moment = if fits(text, "0000-00-00") {
            text.parse::<Date>()
                .ok()
                .and_then(|day| at(day.at(0, 0, 0, 0)))
        } else {
            read(text).ok()
        };
        moment
            .ok_or(TimestampError::NeitherMomentNorDay)?
            .in_range()
    }
}

/// Reads RFC 3339 of any year. The calendar checks whether the day exists.
fn read(text: &str) -> Result<Timestamp, TimestampError> {
    let moment = || {
        let (whole, rest) = text.split_at_checked(19)?;
        let (fraction, zone) = rest.split_at_checked(rest.find(['Z', '+', '-'])?)?;
        let digits = fraction.strip_prefix('.').unwrap_or("");
        let is_fraction = fraction.is_empty()
            || ((1..=6).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit()));
        if !fits(whole, "0000-00-00T00:00:00") || whole.ends_with("60") || !is_fraction {
            return None;
        }
        let local: DateTime = text.strip_suffix(zone)?.parse().ok()?;
        let ahead = offset_seconds(zone)?;
        Some(at(local)?.plus_seconds(0_i64.checked_sub(ahead)?))
    };
    moment().ok_or(TimestampError::Malformed)
}

/// The difference of a zone from UTC in seconds, at most 23:59.
fn offset_seconds(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, clock) = zone.split_at_checked(1)?;
    if !fits(clock, "00:00") {
        return None;
    }
    let (hours, minutes) = clock.split_once(':')?;
    let within = |text: &str, most: i64| text.parse().ok().filter(|n: &i64| *n <= most);
    let (hours, minutes) = (within(hours, 23)?, within(minutes, 59)?);
    let seconds = hours
        .checked_mul(3_600)?
        .checked_add(minutes.checked_mul(60)?)?;
    match sign {
        "+" => Some(seconds),
        "-" => seconds.checked_neg(),
        _ => None,
    }
}

fn at(civil: DateTime) -> Option<Timestamp> {
    let micros = civil.duration_since(EPOCH).as_micros();
    i64::try_from(micros).ok().map(Timestamp)
}

/// Whether a text has this shape, in which each 0 stands for a digit.
fn fits(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, place)| {
            if place == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == place
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MALFORMED: Result<Timestamp, TimestampError> = Err(TimestampError::Malformed);
    const OUT_OF_RANGE: Result<Timestamp, TimestampError> = Err(TimestampError::OutOfRange);

    #[test]
    fn a_timestamp_is_shown_in_utc_with_microseconds() {
        for (micros, text) in [
            (1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"),
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
        }
    }

    #[test]
    fn what_older_books_have_beyond_the_range_is_shown_as_a_time() {
        for (micros, text) in [
            (253_402_207_200_000_001, "9999-12-30T22:00:00.000001Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
            (-62_167_219_200_000_001, "-000001-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
        }
    }

    #[test]
    fn the_range_ends_where_it_says_whatever_the_zone() {
        assert_eq!(
            Timestamp::EARLIEST.to_string(),
            "1900-01-01T00:00:00.000000Z"
        );
        assert_eq!(Timestamp::LATEST.to_string(), "9998-12-31T23:59:59.999999Z");
        for text in [
            "1900-01-01T00:00:00Z",
            "1900-01-01T00:00:00.000000-00:00",
            "1900-01-01T23:59:00+23:59",
            "1899-12-31T00:01:00-23:59",
        ] {
            assert_eq!(
                Timestamp::from_rfc3339(text),
                Ok(Timestamp::EARLIEST),
                "{text}"
            );
        }
        for text in [
            "9998-12-31T23:59:59.999999Z",
            "9999-01-01T23:58:59.999999+23:59",
            "9998-12-31T00:00:59.999999-23:59",
        ] {
            assert_eq!(
                Timestamp::from_rfc3339(text),
                Ok(Timestamp::LATEST),
                "{text}"
            );
        }
        for text in [
            "1899-12-31T23:59:59.999999Z",
            "1900-01-01T00:00:00+00:01",
            "9999-01-01T00:00:00Z",
            "9998-12-31T23:59:00-00:01",
            "9999-12-30T22:00:00.000001Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.999999-23:59",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), OUT_OF_RANGE, "{text}");
            assert_eq!(text.parse(), OUT_OF_RANGE, "{text}");
        }
    }

    #[test]
    fn an_end_of_a_question_beyond_the_range_is_no_bound() {
        let bound = |text| Timestamp::bound_from_rfc3339(text);
        for text in ["0000-01-01T00:00:00+23:59", "1899-12-31T23:59:59.999999Z"] {
            assert_eq!(bound(text), Ok(Timestamp::BEFORE_ALL), "{text}");
        }
        for text in ["9999-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59"] {
            assert_eq!(bound(text), Ok(Timestamp::AFTER_ALL), "{text}");
        }
        assert_eq!(bound("1900-01-01T00:00:00Z"), Ok(Timestamp::EARLIEST));
        assert_eq!(bound("9998-12-31T23:59:59.999999Z"), Ok(Timestamp::LATEST));
        assert_eq!(bound("9999-12-31"), MALFORMED);
        assert_eq!(Timestamp::BEFORE_ALL.clamped(), Timestamp::EARLIEST);
        assert_eq!(Timestamp::AFTER_ALL.clamped(), Timestamp::LATEST);
    }

    #[test]
    fn a_timestamp_is_read_back_and_a_day_is_its_first_moment() {
        for micros in [0, -1, 1_767_225_600_000_001] {
            let moment = Timestamp::from_micros(micros);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        for moment in [Timestamp::EARLIEST, Timestamp::LATEST] {
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        for (day, micros) in [
            ("1970-01-02", 86_400_000_000),
            ("1900-01-01", Timestamp::EARLIEST.micros()),
            (
                "9998-12-31",
                Timestamp::LATEST.micros() - 86_400_000_000 + 1,
            ),
        ] {
            assert_eq!(day.parse(), Ok(Timestamp::from_micros(micros)), "{day}");
        }
        assert_eq!(
            "1970-01-01T01:00:00+01:00".parse(),
            Ok(Timestamp::from_micros(0))
        );
        for day in ["1899-12-31", "9999-01-01", "0000-12-31", "0001-01-01"] {
            assert_eq!(day.parse(), OUT_OF_RANGE, "{day}");
        }
        for text in [
            "",
            "1970",
            "1970-02-30",
            "1970-01-01T00:00:00",
            "now",
            "-000001-01-01",
            "-000001-01-01T00:00:00Z",
            "1970-01-01T00:00:00.0000001Z",
            "1970-01-01T00:00:00+25:59",
            "1970-01-01t00:00:00z",
        ] {
            let refused = Err(TimestampError::NeitherMomentNorDay);
            assert_eq!(text.parse::<Timestamp>(), refused, "{text}");
        }
    }

    #[test]
    fn a_moment_is_read_back_in_every_zone() {
        let moment = Timestamp::from_micros(1_767_225_600_000_001);
        for text in [
            &moment.to_string(),
            "2026-01-01T01:00:00.000001+01:00",
            "2025-12-31T18:30:00.000001-05:30",
            "2026-01-01T23:59:00.000001+23:59",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), Ok(moment), "{text}");
        }
        let whole = Timestamp::from_micros(1_767_225_600_000_000);
        for text in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0Z"] {
            assert_eq!(Timestamp::from_rfc3339(text), Ok(whole), "{text}");
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
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00-24:00",
            "2026-01-01T00:00:00+25:59",
            "2026-01-01T00:00:00+23:60",
            "2026-01-01T00:00:00+99:00",
            "2026-01-01T00:00:00Z+01:00",
            "2026-01-01T00:00:00Z[UTC]",
            "+002026-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "\u{661}026-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), MALFORMED, "{text}");
            assert_eq!(Timestamp::bound_from_rfc3339(text), MALFORMED, "{text}");
        }
    }

    #[test]
    fn each_refusal_says_the_range() {
        for refusal in [
            TimestampError::Malformed,
            TimestampError::NeitherMomentNorDay,
            TimestampError::OutOfRange,
        ] {
            assert!(
                refusal.to_string().contains("1900-01-01 to 9998-12-31"),
                "{refusal}"
            );
        }
    }
}
