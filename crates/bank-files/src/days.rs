//! Days as numbers since 1970, for callers that count them so.

use jiff::Span;
use jiff::civil::Date;

const EPOCH: Date = Date::constant(1970, 1, 1);

/// The day with this number; the last day that there is, if the number is too large.
#[must_use]
pub fn date_of(days: i32) -> Date {
    let span = Span::new().try_days(days);
    let date = span.and_then(|span| EPOCH.checked_add(span));
    date.unwrap_or(Date::MAX)
}

/// The number of a day.
#[must_use]
pub fn days_of(date: Date) -> i32 {
    // Dates go from -9999 to 9999, whose numbers fit.
    date.since(EPOCH).map_or(i32::MAX, |days| days.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_number_and_back() {
        for (days, date) in [
            (0, EPOCH),
            (-1, Date::constant(1969, 12, 31)),
            (20_788, Date::constant(2026, 12, 1)),
        ] {
            assert_eq!((date_of(days), days_of(date)), (date, days));
        }
        assert_eq!(date_of(i32::MAX), Date::MAX);
    }
}
