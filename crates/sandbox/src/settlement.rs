//! A settlement: the provider sends the money of many records to the merchant's bank as one, and reports it line by
//! line. The bank's statement shows settlements and payouts.

use std::fmt::Write as _;

use money::{Currency, MinorUnits};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Number of seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// The fixed part of the provider's fee for a capture, in minor units. A hundredth of the amount is the other part.
const FIXED_FEE: i64 = 10;
/// The account at the bank; the currency follows.
const ACCOUNT: &str = "SANDBOX-";

/// A settlement: its lines, and the time at which it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settlement {
    pub(crate) id: String,
    /// Unix seconds.
    pub(crate) created: i64,
    pub(crate) lines: Vec<Line>,
}

/// What is settled by one line. Amounts are minor units; what the merchant loses is negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The record, or the event, that moved the money. It is settled once.
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: LineKind,
    /// The record that the merchant knows.
    pub(crate) reference: String,
    /// The merchant's own key of the record; empty for disputes.
    pub(crate) our_reference: String,
    pub(crate) gross: i64,
    pub(crate) fee: i64,
    pub(crate) currency: String,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineKind {
    Capture,
    Refund,
    RefundReturn,
    Dispute,
    DisputeReversal,
}

impl LineKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::RefundReturn => "refund_return",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
        }
    }
}

impl Line {
    const fn net(&self) -> i64 {
        self.gross.saturating_sub(self.fee)
    }
}

/// The provider's fee for a capture: a hundredth of the amount and 10, at most the amount.
pub(crate) fn fee_for_capture(amount: i64) -> i64 {
    let fee = amount.div_euclid(100).saturating_add(FIXED_FEE);
    fee.min(amount)
}

/// A movement on the bank's statement.
pub(crate) struct BankMove {
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) amount: i64,
    pub(crate) reference: String,
}

impl Settlement {
    /// The net amounts, in the order of the currencies.
    pub(crate) fn nets(&self) -> Vec<(String, i64)> {
        let mut nets: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
        for line in &self.lines {
            let sum = nets.entry(line.currency.clone()).or_default();
            *sum = sum.saturating_add(line.net());
        }
        nets.into_iter().collect()
    }

    pub(crate) fn shown(&self) -> serde_json::Value {
        let nets = self.nets();
        let nets: Vec<_> = nets
            .into_iter()
            .map(|(currency, net)| json!({ "currency": currency, "net": net }))
            .collect();
        json!({
            "object": "settlement",
            "id": self.id,
            "created": self.created,
            "lines": self.lines.len(),
            "totals": nets,
        })
    }

    /// The report: a row of names, and a row for each line.
    pub(crate) fn report(&self) -> String {
        let mut text =
            "id,type,reference,our_reference,gross,fee,net,currency,day,settlement\n".to_owned();
        let day = day(self.created);
        for line in &self.lines {
            let amount = |minor| decimal(minor, &line.currency);
            // Only the merchant's key may need quotes: all else are ids, numbers and codes.
            let _infallible = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{day},{}",
                line.id,
                line.kind.name(),
                line.reference,
                quoted(&line.our_reference),
                amount(line.gross),
                amount(line.fee),
                amount(line.net()),
                line.currency,
                self.id
            );
        }
        text
    }
}

/// A field of CSV, in quotes if it needs them (RFC 4180).
fn quoted(text: &str) -> String {
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// An amount in the units of its currency.
fn decimal(minor: i64, currency: &str) -> String {
    match Currency::from_code(currency) {
        Ok(currency) => MinorUnits::new(minor).to_decimal_string(currency),
        Err(_unknown) => minor.to_string(),
    }
}

/// The day of a time, as `2026-11-30`, by the civil calendar in UTC.
fn day(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a number of days since 1970 (the proleptic Gregorian calendar, counted in eras of 400 years
/// that begin in March).
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400;
    let year = if month <= 2 { year + 1 } else { year };
    (year, month, day)
}

/// The bank's statements as MT940, one for each currency: the opening balance is 0, and every movement since the
/// beginning is on it.
pub(crate) fn statements(moves: &[BankMove]) -> String {
    let mut currencies: Vec<&str> = moves.iter().map(|one| one.currency.as_str()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let mut text = String::new();
    for currency in currencies {
        let own: Vec<&BankMove> = moves
            .iter()
            .filter(|one| one.currency == currency)
            .collect();
        let short = |seconds: i64| day(seconds).replace('-', "").split_off(2);
        let (Some(first), Some(last)) = (own.first(), own.last()) else {
            continue;
        };
        let number = |minor: i64| {
            let decimal = decimal(minor.saturating_abs(), currency).replace('.', ",");
            if decimal.contains(',') {
                decimal
            } else {
                format!("{decimal},")
            }
        };
        let mark = |minor: i64| if minor < 0 { "D" } else { "C" };
        let zero = number(0);
        text += &format!(
            ":20:SANDBOX\r\n:25:{ACCOUNT}{currency}\r\n:28C:1/1\r\n:60F:C{}{currency}{zero}\r\n",
            short(first.created)
        );
        let mut balance = 0_i64;
        for one in &own {
            balance = balance.saturating_add(one.amount);
            let day = short(one.created);
            let booked = day.get(2..).unwrap_or_default();
            text += &format!(
                ":61:{day}{booked}{}{}NTRFNONREF\r\n:86:{}\r\n",
                mark(one.amount),
                number(one.amount),
                one.reference
            );
        }
        text += &format!(
            ":62F:{}{}{currency}{}\r\n-\r\n",
            mark(balance),
            short(last.created),
            number(balance)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_civil_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_796_083_199, "2026-11-30"),
            (1_796_083_200, "2026-12-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }

    #[test]
    fn a_statement_opens_with_nothing_and_closes_with_the_sum() {
        let one = |currency: &str, amount, reference: &str| BankMove {
            created: 1_796_000_000,
            currency: currency.to_owned(),
            amount,
            reference: reference.to_owned(),
        };
        let text = statements(&[
            one("EUR", 1_050, "st_1"),
            one("JPY", -7, "po_1"),
            one("EUR", -2_000, "po_2"),
        ]);
        assert!(
            text.contains(":60F:C261130EUR0,00\r\n:61:2611301130C10,50NTRFNONREF\r\n:86:st_1\r\n"),
            "{text}"
        );
        assert!(text.contains(":62F:D261130EUR9,50\r\n"), "{text}");
        assert!(
            text.contains(":61:2611301130D7,NTRFNONREF\r\n:86:po_1\r\n:62F:D261130JPY7,\r\n"),
            "{text}"
        );
    }

    #[test]
    fn a_fee_is_a_hundredth_and_ten_and_never_more_than_the_amount() {
        for (amount, fee) in [(1, 1), (10, 10), (11, 10), (1_099, 20), (10_000, 110)] {
            assert_eq!(fee_for_capture(amount), fee);
        }
    }
}
