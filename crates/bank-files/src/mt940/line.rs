//! Field 61, the line of a statement.

use jiff::civil::Date;
use money::{Currency, MinorUnits};

use super::fields::Field;
use crate::{Place, Problem, ReadError, amounts};

/// What field 61 says.
pub(crate) struct Line {
    pub(crate) place: Place,
    pub(crate) value_on: Date,
    pub(crate) booked_on: Date,
    /// Positive is money in.
    pub(crate) units: MinorUnits,
    pub(crate) is_reversal: bool,
    pub(crate) own_reference: Option<String>,
    pub(crate) bank_reference: Option<String>,
    /// The second line.
    pub(crate) supplement: Option<String>,
}

/// Reads value date, date of entry, mark, funds code, amount, type, and the two references.
pub(crate) fn read(field: &Field<'_>, currency: Currency) -> Result<Line, ReadError> {
    let value = field.value();
    let mut cursor = Cursor { text: value, at: 0 };
    let read = |cursor: &mut Cursor<'_>| {
        let right = "YYMMDD, MMDD or nothing, C, D, RC or RD, an amount, a type of four, a reference: \
                     2601310131RC1234,56NTRFNONREF//BANKREF";
        let wrong = || Problem::malformed("the entry", value, right);
        let value_on = date(cursor.take(6).ok_or_else(wrong)?)?;
        let booked_on = match cursor.peek(4) {
            Some(day) if day.bytes().all(|byte| byte.is_ascii_digit()) => {
                let booked_on = nearest(value_on, day).ok_or_else(wrong)?;
                cursor.take(4);
                booked_on
            }
            Some(_) | None => value_on,
        };
        let (is_in, is_reversal) = if cursor.skips("RC") {
            (false, true)
        } else if cursor.skips("RD") {
            (true, true)
        } else if cursor.skips("C") {
            (true, false)
        } else if cursor.skips("D") {
            (false, false)
        } else {
            let mark = cursor.peek(1).unwrap_or_default();
            return Err(Problem::malformed("the mark", mark, "C, D, RC or RD"));
        };
        // The funds code, one letter of the currency, may stand in front of the amount.
        if cursor.rest().starts_with(|c: char| c.is_ascii_uppercase()) {
            cursor.take(1);
        }
        let end = cursor
            .rest()
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '.'));
        let written = cursor
            .peek(end.unwrap_or(cursor.rest().len()))
            .unwrap_or_default();
        let units = amounts::signed(amount(written, currency)?, is_in)?;
        cursor.take(written.len());
        let kind = cursor.take(4).filter(|kind| is_kind(kind)).ok_or_else(|| {
            let right = "S, N or F and three letters or digits: NTRF";
            Problem::malformed("the type of the entry", cursor.rest(), right)
        });
        kind?;
        Ok((value_on, booked_on, units, is_reversal))
    };
    let place = |cursor: &Cursor<'_>| {
        let start = field.value_place();
        let column = start.column.saturating_add(cursor.at);
        Place { column, ..start }
    };
    let (value_on, booked_on, units, is_reversal) =
        read(&mut cursor).map_err(|problem| problem.at(place(&cursor)))?;
    let (own, bank) = match cursor.rest().split_once("//") {
        Some((own, bank)) => (own, bank),
        None => (cursor.rest(), ""),
    };
    let reference = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let supplement: Vec<&str> = field.lines.iter().skip(1).map(|line| line.trim()).collect();
    Ok(Line {
        place: field.place,
        value_on,
        booked_on,
        units,
        is_reversal,
        own_reference: reference(own).filter(|own| own != "NONREF"),
        bank_reference: reference(bank).filter(|bank| bank != "NONREF"),
        supplement: reference(&supplement.join(" ")),
    })
}

fn is_kind(kind: &str) -> bool {
    kind.starts_with(['S', 'N', 'F'])
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A date as `YYMMDD`. Years from 80 are of the last century, as in SWIFT's rules.
pub(crate) fn date(text: &str) -> Result<Date, Problem> {
    let wrong = || Problem::malformed("the date", text, "a date as YYMMDD");
    let two = |at: usize| {
        let part = text.get(at..at.saturating_add(2))?;
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<i16>().ok()).flatten()
    };
    let read = || {
        let year = two(0)?;
        let century = if year >= 80 { 1_900 } else { 2_000 };
        let month = i8::try_from(two(2)?).ok()?;
        let day = i8::try_from(two(4)?).ok()?;
        Date::new(century + year, month, day).ok()
    };
    read().ok_or_else(wrong)
}

/// The date with this month and day that is nearest to another one, of its year, the year before and the year after.
fn nearest(to: Date, month_and_day: &str) -> Option<Date> {
    let (month, day) = month_and_day.split_at_checked(2)?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    let year = to.year();
    let years = [year, year.saturating_sub(1), year.saturating_add(1)];
    let dates = years
        .into_iter()
        .filter_map(|year| Date::new(year, month, day).ok());
    dates.min_by_key(|date| {
        let (early, late) = if *date < to { (*date, to) } else { (to, *date) };
        (late - early).get_days()
    })
}

/// An amount: digits, a comma, and at most as many digits as the currency has decimal places.
pub(crate) fn amount(text: &str, currency: Currency) -> Result<MinorUnits, Problem> {
    const RIGHT: &str = "digits with one comma: 1234,56";
    let parts = text.split_once(',');
    let Some((whole, fraction)) = parts.filter(|(whole, _)| !whole.is_empty()) else {
        return Err(Problem::malformed("the amount", text, RIGHT));
    };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(Problem::malformed("the amount", text, RIGHT));
    }
    amounts::units(&format!("{whole}.{fraction}"), currency, RIGHT)
}

/// A text that is read from its beginning.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, count: usize) -> Option<&'t str> {
        self.rest().get(..count)
    }

    fn take(&mut self, count: usize) -> Option<&'t str> {
        let taken = self.peek(count)?;
        self.at = self.at.saturating_add(count);
        Some(taken)
    }

    fn skips(&mut self, word: &str) -> bool {
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at = self.at.saturating_add(word.len());
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn the_year_of_an_entry_is_the_one_that_brings_it_nearest_to_the_value_date() {
        for (value_on, entry, booked_on) in [
            ("251231", "0101", "2026-01-01"),
            ("260102", "1231", "2025-12-31"),
            ("260315", "0315", "2026-03-15"),
            ("240228", "0229", "2024-02-29"),
            ("250101", "0701", "2025-07-01"),
            ("250101", "0703", "2024-07-03"),
        ] {
            let found = nearest(date(value_on).unwrap(), entry).unwrap();
            assert_eq!(found.to_string(), booked_on, "{value_on}/{entry}");
        }
        assert_eq!(nearest(date("260315").unwrap(), "1332"), None);
    }

    #[test]
    fn a_year_of_two_digits_is_between_1980_and_2079() {
        assert_eq!(date("791231").unwrap().to_string(), "2079-12-31");
        assert_eq!(date("800101").unwrap().to_string(), "1980-01-01");
        for text in ["260230", "26013", "+60101", "26-1-1", "\u{e9}1231"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_amount_has_a_comma_and_the_decimal_places_of_its_currency() {
        let read =
            |text, code| amount(text, Currency::from_code(code).unwrap()).map(MinorUnits::get);
        for (text, code, units) in [
            ("1,234", "KWD", 1_234),
            ("1000,", "JPY", 1_000),
            ("0,5", "EUR", 50),
            ("1234,00", "EUR", 123_400),
            ("000001234,56", "EUR", 123_456),
        ] {
            assert_eq!(read(text, code), Ok(units), "{text} {code}");
        }
        for (text, code) in [
            ("1,234", "EUR"),
            ("1,2345", "KWD"),
            ("1,0", "JPY"),
            ("1,500", "EUR"),
        ] {
            let found = text.replace(',', ".");
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(
                read(text, code),
                Err(Problem::TooPrecise { found, currency })
            );
        }
        for text in [
            "", ",", ",50", "1234", "12.50", "1.234,50", "1,2,3", "-1,00",
        ] {
            assert!(
                matches!(read(text, "EUR"), Err(Problem::Malformed { .. })),
                "{text}"
            );
        }
    }
}
