//! What the columns of a CSV file mean.

use jiff::civil::Date;
use money::{Currency, MinorUnits};
use serde::Deserialize;

use crate::{Problem, amounts};

/// What the columns of a bank's CSV file mean, and how its values are written. It can be read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The character between two fields.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// The encoding of the file.
    #[serde(default)]
    pub encoding: Encoding,
    /// The number of the line with the names of the columns; the first is 1. What stands before it is not read.
    #[serde(default = "one")]
    pub heading_line: usize,
    /// Whether the rows go forward or backward in time. It matters only if there are balances.
    #[serde(default)]
    pub order: Order,
    /// The account of the statement.
    pub account: Source,
    /// The currency of the account.
    pub currency: Source,
    /// The bank's number of the statement.
    #[serde(default)]
    pub statement: Option<Source>,
    /// The column with the date of booking.
    pub booking_date: String,
    /// The column with the value date.
    #[serde(default)]
    pub value_date: Option<String>,
    /// The form of all dates, with `%d` for the day, `%m` for the month, `%Y` for a year of four digits, and `%y` for
    /// one of two: `%d.%m.%Y`.
    pub date_format: String,
    /// The columns with the amount.
    pub amount: AmountColumns,
    /// The character in front of the decimal places.
    #[serde(default = "point")]
    pub decimal: char,
    /// The character between thousands. A blank stands for every white space.
    #[serde(default)]
    pub thousands: Option<char>,
    /// The column with the balance after the row. If it is there, every row must tally.
    #[serde(default)]
    pub balance: Option<String>,
    /// The column with the bank's reference.
    #[serde(default)]
    pub bank_reference: Option<String>,
    /// The column with the reference of the account's owner.
    #[serde(default)]
    pub own_reference: Option<String>,
    /// The column with the payer's reference that goes through to the payee.
    #[serde(default)]
    pub end_to_end_id: Option<String>,
    /// The column with the name of the other side.
    #[serde(default)]
    pub name: Option<String>,
    /// The column with the account of the other side.
    #[serde(default)]
    pub counterpart_account: Option<String>,
    /// The columns with the text. Several are joined by a blank.
    #[serde(default)]
    pub remittance: Vec<String>,
}

/// Where a value comes from that may be the same in the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The column with this name.
    Column(String),
    /// This value, in every row.
    Fixed(String),
}

/// How a file tells money in from money out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AmountColumns {
    /// One column, whose sign tells the direction.
    Signed {
        /// The column.
        column: String,
        /// Whether a minus sign means money in, as on statements of cards. Without it, it means money out.
        #[serde(default)]
        negative_is_in: bool,
    },
    /// One column without a sign, and one whose value tells the direction.
    Marked {
        /// The column with the amount.
        column: String,
        /// The column with the mark.
        mark: String,
        /// The marks that mean money in.
        r#in: Vec<String>,
        /// The marks that mean money out.
        out: Vec<String>,
    },
    /// Two columns, one for each direction. One of them is filled in each row; the other one is empty or zero.
    Split {
        /// The column for money in.
        r#in: String,
        /// The column for money out, with or without a minus sign.
        out: String,
    },
}

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Encoding {
    /// UTF-8, or ISO 8859-1 if the file is no UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8OrLatin1,
    /// ISO 8859-1.
    #[serde(rename = "iso-8859-1")]
    Latin1,
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Later rows are later in time.
    #[default]
    OldestFirst,
    /// Later rows are earlier in time.
    NewestFirst,
}

const fn comma() -> char {
    ','
}

const fn one() -> usize {
    1
}

const fn point() -> char {
    '.'
}

impl Mapping {
    /// Checks that the mapping does not contradict itself. The error says what would be right.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let day = Date::constant(2026, 3, 31);
        let written = jiff::fmt::strtime::format(&self.date_format, day).ok();
        let reads_back = written.and_then(|day| Date::strptime(&self.date_format, &day).ok());
        if reads_back != Some(day) {
            return Err("a date has a day, a month and a year: %d.%m.%Y");
        }
        let marks = [Some(self.delimiter), Some(self.decimal), self.thousands];
        let is_sign =
            |mark: char| mark.is_alphanumeric() || matches!(mark, '"' | '-' | '+' | '\n' | '\r');
        if marks.into_iter().flatten().any(is_sign) {
            return Err(
                "a delimiter or a separator is no letter, digit, quote, sign or end of a line",
            );
        }
        if !self.delimiter.is_ascii() {
            return Err("the delimiter is a character of ASCII");
        }
        if self.thousands == Some(self.decimal) {
            return Err("thousands and decimal places have two separators");
        }
        if self.heading_line == 0 {
            return Err("the first line has the number 1");
        }
        if let AmountColumns::Marked { r#in, out, .. } = &self.amount
            && r#in.iter().any(|mark| out.contains(mark))
        {
            return Err("a mark means money in or money out, and not both");
        }
        Ok(())
    }

    /// The delimiter as a byte, after it was checked.
    pub(super) fn delimiter(&self) -> u8 {
        u8::try_from(u32::from(self.delimiter)).unwrap_or(b',')
    }

    /// The names of all columns.
    pub(super) fn columns(&self) -> Vec<&str> {
        let mut columns = vec![self.booking_date.as_str()];
        let sources = [
            Some(&self.account),
            Some(&self.currency),
            self.statement.as_ref(),
        ];
        columns.extend(
            sources
                .into_iter()
                .flatten()
                .filter_map(|source| match source {
                    Source::Column(column) => Some(column.as_str()),
                    Source::Fixed(_) => None,
                }),
        );
        match &self.amount {
            AmountColumns::Signed { column, .. } => columns.push(column),
            AmountColumns::Marked { column, mark, .. } => {
                columns.extend([column, mark].map(String::as_str))
            }
            AmountColumns::Split { r#in, out } => columns.extend([r#in, out].map(String::as_str)),
        }
        let optional = [
            &self.value_date,
            &self.balance,
            &self.bank_reference,
            &self.own_reference,
            &self.end_to_end_id,
            &self.name,
            &self.counterpart_account,
        ];
        columns.extend(optional.into_iter().flatten().map(String::as_str));
        columns.extend(self.remittance.iter().map(String::as_str));
        columns
    }

    /// A number with an optional sign in front or behind.
    pub(super) fn number(&self, text: &str, currency: Currency) -> Result<MinorUnits, Problem> {
        let malformed = || Problem::malformed("the amount", text, self.right());
        let minus = ['-', '\u{2212}'];
        let (is_negative, bare) = match (text.strip_prefix(minus), text.strip_suffix(minus)) {
            (Some(bare), _) | (None, Some(bare)) => (true, bare),
            (None, None) => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match bare.trim().split_once(self.decimal) {
            Some((_, "")) => return Err(malformed()),
            Some(parts) => parts,
            None => (bare.trim(), ""),
        };
        let whole = self.joined(whole).ok_or_else(malformed)?;
        let decimal = match fraction {
            "" => whole,
            fraction => format!("{whole}.{fraction}"),
        };
        let units = amounts::units(&decimal, currency, "").map_err(|problem| {
            if matches!(problem, Problem::Malformed { .. }) {
                malformed()
            } else {
                problem
            }
        })?;
        amounts::signed(units, !is_negative)
    }

    /// The digits in front of the decimal places. Groups of thousands have three digits each: so a separator of
    /// thousands is never taken for one of decimal places.
    fn joined(&self, whole: &str) -> Option<String> {
        let Some(mark) = self.thousands else {
            return Some(whole.to_owned());
        };
        let separates = |c: char| c == mark || mark == ' ' && c.is_whitespace();
        let groups: Vec<&str> = whole.split(separates).collect();
        let (first, rest) = groups.split_first()?;
        let is_grouped = rest.iter().all(|group| group.len() == 3)
            && (rest.is_empty() || (1..=3).contains(&first.len()));
        is_grouped.then(|| groups.concat())
    }

    /// The right form of a number.
    fn right(&self) -> String {
        let thousands = self.thousands.map(String::from).unwrap_or_default();
        format!("an amount as 1{thousands}234{}56", self.decimal)
    }
}
