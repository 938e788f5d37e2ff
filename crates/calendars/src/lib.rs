//! The business days of payment systems: TARGET (SEPA), Fedwire (also FedACH), CHAPS (also Bacs), plain weekdays, and
//! every day.
//!
//! A holiday is a rule where the system publishes one, and a list where a government decides year by year. A calendar
//! with such a list is known up to a date. Beyond it the rule still gives an answer, and the answer says that it is
//! only the rule's ([`Beyond`]).
//!
//! ```
//! use calendars::{Calendar, Date};
//!
//! let saturday = Date::constant(2026, 11, 28);
//! // A date is first moved to a business day, and then the days are added.
//! assert_eq!(Calendar::Target.after(saturday, 0)?, Date::constant(2026, 11, 30));
//! assert_eq!(Calendar::Target.after(saturday, 1)?, Date::constant(2026, 12, 1));
//! # Ok::<(), calendars::Beyond>(())
//! ```
//!
//! Sources: the TARGET calendar of the European Central Bank (closing days since 2002); the holiday schedule of the
//! Federal Reserve Banks; bank holidays in England and Wales, as the Bank of England's CHAPS keeps them.

use jiff::ToSpan as _;
use jiff::civil::Weekday;

pub use jiff::civil::Date;

/// The version of the lists of holidays.
pub const DATA_VERSION: &str = "2026-11";

/// A calendar of business days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calendar {
    /// Every day.
    EveryDay,
    /// Monday to Friday.
    Weekdays,
    /// TARGET, for the euro. It has no substitute days and no national days.
    Target,
    /// Fedwire, for the US dollar. A holiday on a Sunday is kept on Monday, one on a Saturday is not moved.
    Fedwire,
    /// CHAPS, for sterling: the bank holidays of England and Wales.
    Chaps,
}

/// The answer is the rule's alone: beyond this date, holidays that are decided year by year are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calendar {} is known up to {known_until}; by its rule the answer is {by_rule}", calendar.name())]
pub struct Beyond {
    /// The calendar.
    pub calendar: Calendar,
    /// The last date that is known.
    pub known_until: Date,
    /// The answer, by the rule.
    pub by_rule: Date,
}

impl Calendar {
    /// Every calendar.
    pub const ALL: [Self; 5] = [
        Self::EveryDay,
        Self::Weekdays,
        Self::Target,
        Self::Fedwire,
        Self::Chaps,
    ];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EveryDay => "every_day",
            Self::Weekdays => "weekdays",
            Self::Target => "target",
            Self::Fedwire => "fedwire",
            Self::Chaps => "chaps",
        }
    }

    /// The calendar with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|calendar| calendar.name() == name)
    }

    /// The calendar of the payment system of a currency; plain weekdays if it is not one of these.
    #[must_use]
    pub fn of_currency(code: &str) -> Self {
        match code {
            "EUR" => Self::Target,
            "USD" => Self::Fedwire,
            "GBP" => Self::Chaps,
            _ => Self::Weekdays,
        }
    }

    /// The last date up to which the calendar is known; `None` if it is a rule for ever.
    #[must_use]
    pub const fn known_until(self) -> Option<Date> {
        match self {
            Self::EveryDay | Self::Weekdays | Self::Target => None,
            Self::Fedwire => Some(Date::constant(2030, 12, 31)),
            Self::Chaps => Some(Date::constant(2028, 12, 31)),
        }
    }

    /// True if the payment system works on this day.
    #[must_use]
    pub fn is_business_day(self, date: Date) -> bool {
        let is_weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let is_holiday = match self {
            Self::EveryDay => return true,
            Self::Weekdays => false,
            Self::Target => is_target_holiday(date),
            Self::Fedwire => is_fed_holiday(date),
            Self::Chaps => is_english_holiday(date),
        };
        !is_weekend && !is_holiday
    }

    /// The business day that is `days` business days after a date. The date is first moved forward to a business day.
    ///
    /// # Errors
    /// [`Beyond`], with the answer of the rule, if the day lies beyond what is known.
    pub fn after(self, date: Date, days: u16) -> Result<Date, Beyond> {
        let mut day = self.this_or_next(date);
        for _ in 0..days {
            day = self.this_or_next(next(day));
        }
        match self.known_until() {
            Some(known_until) if day > known_until => Err(Beyond {
                calendar: self,
                known_until,
                by_rule: day,
            }),
            Some(_) | None => Ok(day),
        }
    }

    fn this_or_next(self, date: Date) -> Date {
        let mut day = date;
        while !self.is_business_day(day) && day < Date::MAX {
            day = next(day);
        }
        day
    }
}

/// Number of days from 1970-01-01 to a date.
#[must_use]
pub fn days_of(date: Date) -> i32 {
    let span = date - Date::constant(1970, 1, 1);
    span.get_days()
}

/// The date that is this number of days after 1970-01-01. A date that cannot be written is the nearest one that can.
#[must_use]
pub fn date_of(days: i32) -> Date {
    let days = i64::from(days).clamp(-4_000_000, 4_000_000);
    Date::constant(1970, 1, 1).saturating_add(days.days())
}

fn next(date: Date) -> Date {
    date.saturating_add(1.day())
}

fn is(date: Date, month: i8, day: i8) -> bool {
    (date.month(), date.day()) == (month, day)
}

/// True if the date is the `nth` such weekday of its month.
fn is_nth(date: Date, nth: i8, weekday: Weekday) -> bool {
    date.nth_weekday_of_month(nth, weekday)
        .is_ok_and(|found| found == date)
}

/// True if the date is this number of days after Easter Sunday of its year.
fn is_after_easter(date: Date, days: i64) -> bool {
    easter(date.year()).is_some_and(|easter| easter.saturating_add(days.days()) == date)
}

/// Easter Sunday in the Gregorian calendar (the anonymous algorithm of 1876).
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let correction = (century + 8) / 25;
    let epact = (19 * golden + century - century / 4 - (century - correction + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    let month = i8::try_from(days / 31).ok()?;
    let day = i8::try_from(days % 31 + 1).ok()?;
    Date::new(i16::try_from(year).ok()?, month, day).ok()
}

fn is_target_holiday(date: Date) -> bool {
    is(date, 1, 1)
        || is(date, 5, 1)
        || is(date, 12, 25)
        || is(date, 12, 26)
        || is_after_easter(date, -2)
        || is_after_easter(date, 1)
}

fn is_fed_holiday(date: Date) -> bool {
    use Weekday::{Monday, Sunday, Thursday};
    // Days of the year. One that falls on a Sunday is kept on the Monday after it.
    let is_kept = |month, day| {
        let before = date.saturating_sub(1.day());
        is(date, month, day)
            || (date.weekday() == Monday && before.weekday() == Sunday && is(before, month, day))
    };
    is_kept(1, 1)
        || (date.month() == 1 && is_nth(date, 3, Monday))
        || (date.month() == 2 && is_nth(date, 3, Monday))
        || (date.month() == 5 && is_nth(date, -1, Monday))
        || (date.year() >= 2022 && is_kept(6, 19))
        || is_kept(7, 4)
        || (date.month() == 9 && is_nth(date, 1, Monday))
        || (date.month() == 10 && is_nth(date, 2, Monday))
        || is_kept(11, 11)
        || (date.month() == 11 && is_nth(date, 4, Thursday))
        || is_kept(12, 25)
}

/// Bank holidays that were or will be kept only once, or on another day than usual.
const ENGLISH_ONCE: [Date; 7] = [
    Date::constant(2020, 5, 8),
    Date::constant(2022, 6, 2),
    Date::constant(2022, 6, 3),
    Date::constant(2022, 9, 19),
    Date::constant(2023, 5, 8),
    Date::constant(2011, 4, 29),
    Date::constant(2012, 6, 5),
];

/// Mondays that are not kept, because another day was kept in their place.
const ENGLISH_MOVED: [Date; 3] = [
    Date::constant(2020, 5, 4),
    Date::constant(2022, 5, 30),
    Date::constant(2012, 5, 28),
];

fn is_english_holiday(date: Date) -> bool {
    use Weekday::Monday;
    if ENGLISH_MOVED.contains(&date) {
        return false;
    }
    ENGLISH_ONCE.contains(&date)
        || is_substituted(date, 1, 1)
        || is_after_easter(date, -2)
        || is_after_easter(date, 1)
        || (date.month() == 5 && (is_nth(date, 1, Monday) || is_nth(date, -1, Monday)))
        || (date.month() == 8 && is_nth(date, -1, Monday))
        || is_christmas(date)
        || date == Date::constant(2012, 6, 4)
}

/// True on the day, or on the Monday after it if the day falls on a weekend.
fn is_substituted(date: Date, month: i8, day: i8) -> bool {
    let back = |days: i64| date.saturating_sub(days.days());
    is(date, month, day)
        || (date.weekday() == Weekday::Monday
            && (is(back(1), month, day) || is(back(2), month, day)))
}

/// Christmas Day and Boxing Day. Those that fall on a weekend are kept on the next Monday and Tuesday.
fn is_christmas(date: Date) -> bool {
    let Ok(christmas) = Date::new(date.year(), 12, 25) else {
        return false;
    };
    let kept: [i8; 2] = match christmas.weekday() {
        Weekday::Friday => [25, 28],
        Weekday::Saturday => [27, 28],
        Weekday::Sunday => [26, 27],
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday => [25, 26],
    };
    date.month() == 12 && kept.contains(&date.day())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn is_open(calendar: Calendar, text: &str) -> bool {
        calendar.is_business_day(day(text))
    }

    #[test]
    fn target_is_closed_on_its_six_days_and_never_on_substitutes() {
        for closed in [
            "2026-01-01",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-12-25",
            "2027-03-26",
            "2027-03-29",
            "2028-04-14",
            "2028-04-17",
            "2028-05-01",
            "2028-12-25",
            "2028-12-26",
        ] {
            assert!(!is_open(Calendar::Target, closed), "{closed}");
        }
        // 26 December 2026 is a Saturday, and 1 May 2027 too; nothing is kept in their place. National days are open.
        for open in [
            "2026-12-28",
            "2027-05-03",
            "2026-12-24",
            "2026-05-25",
            "2026-10-03",
            "2026-07-14",
            "2026-08-31",
        ] {
            let is_weekday = Calendar::Weekdays.is_business_day(day(open));
            assert_eq!(is_open(Calendar::Target, open), is_weekday, "{open}");
        }
    }

    #[test]
    fn fedwire_keeps_sundays_on_monday_and_does_not_move_saturdays() {
        for closed in [
            "2026-01-01",
            "2026-01-19",
            "2026-02-16",
            "2026-05-25",
            "2026-06-19",
            "2026-09-07",
            "2026-10-12",
            "2026-11-11",
            "2026-11-26",
            "2026-12-25",
            "2027-07-05",
            "2028-01-17",
            "2023-01-02",
            "2022-06-20",
            "2022-12-26",
        ] {
            assert!(!is_open(Calendar::Fedwire, closed), "{closed}");
        }
        for open in [
            "2026-07-03",
            "2027-06-18",
            "2027-12-24",
            "2027-12-31",
            "2028-11-10",
            "2021-06-18",
            "2020-06-19",
            "2026-04-03",
        ] {
            assert!(is_open(Calendar::Fedwire, open), "{open}");
        }
    }

    #[test]
    fn chaps_keeps_the_bank_holidays_of_england_and_wales() {
        for closed in [
            "2026-01-01",
            "2026-04-03",
            "2026-04-06",
            "2026-05-04",
            "2026-05-25",
            "2026-08-31",
            "2026-12-25",
            "2026-12-28",
            "2027-12-27",
            "2027-12-28",
            "2028-01-03",
            "2023-05-08",
            "2022-09-19",
            "2022-06-02",
            "2022-06-03",
            "2020-05-08",
            "2022-12-26",
            "2022-12-27",
        ] {
            assert!(!is_open(Calendar::Chaps, closed), "{closed}");
        }
        for open in [
            "2022-05-30",
            "2020-05-04",
            "2026-12-29",
            "2026-12-24",
            "2028-01-04",
            "2026-05-01",
        ] {
            assert!(is_open(Calendar::Chaps, open), "{open}");
        }
    }

    #[test]
    fn a_date_is_moved_to_a_business_day_before_days_are_added() {
        for (calendar, from, days, expected) in [
            (Calendar::EveryDay, "2026-11-28", 1, "2026-11-29"),
            (Calendar::Weekdays, "2026-11-28", 0, "2026-11-30"),
            (Calendar::Weekdays, "2026-11-28", 1, "2026-12-01"),
            (Calendar::Weekdays, "2026-11-27", 1, "2026-11-30"),
            (Calendar::Target, "2026-12-24", 1, "2026-12-28"),
            (Calendar::Chaps, "2026-12-24", 1, "2026-12-29"),
            (Calendar::Fedwire, "2026-11-25", 2, "2026-11-30"),
        ] {
            let case = format!("{calendar:?} {from} + {days}");
            assert_eq!(calendar.after(day(from), days), Ok(day(expected)), "{case}");
        }
    }

    #[test]
    fn a_calendar_says_where_its_knowledge_ends() {
        let beyond = Calendar::Chaps.after(day("2028-12-29"), 1).unwrap_err();
        assert_eq!(beyond.known_until, day("2028-12-31"));
        // 1 January 2029 is a Monday.
        assert_eq!(beyond.by_rule, day("2029-01-02"));
        assert_eq!(
            Calendar::Target.after(day("2099-12-31"), 1),
            Ok(day("2100-01-04"))
        );
    }

    #[test]
    fn a_date_is_a_number_of_days_and_back() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2026-11-30", 20_787),
            ("1969-12-31", -1),
        ] {
            assert_eq!(days_of(day(text)), days);
            assert_eq!(date_of(days), day(text));
        }
        assert_eq!(date_of(i32::MAX), Date::MAX);
    }

    #[test]
    fn easter_is_where_the_church_has_it() {
        for easter_sunday in [
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2019-04-21",
            "2024-03-31",
            "2026-04-05",
            "2038-04-25",
            "2049-04-18",
        ] {
            let date = day(easter_sunday);
            assert_eq!(easter(date.year()), Some(date));
        }
    }
}
