//! MT940: statements of SWIFT's Customer Statement Message, as banks give them to their customers.
//!
//! Each message is a page of a statement of one account. Amounts are checked to the last digit: the opening balance and
//! the entries of each page must make its closing balance.
//!
//! Source of the form: SWIFT Standards MT, Category 9, MT940; of the German field 86: Deutsche Kreditwirtschaft, DFÜ
//! agreement, annex 3, chapter 8.

mod fields;
mod line;
mod narrative;

use jiff::civil::Date;
use money::{Currency, MinorUnits};

use crate::pages;
use crate::places::decoded;
use crate::statement::Account;
use crate::{Balance, Counterpart, Entry, Kind, Place, Problem, ReadError, Statement, amounts};

use fields::{Field, Message};
use line::Line;
use narrative::Narrative;

/// Greatest number of bytes of a file.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The statements of a file, in the order of the file. Pages of one statement become one.
///
/// # Errors
/// [`ReadError`], with the first problem of the file. Nothing of such a file may be used.
pub fn read(file: &[u8]) -> Result<Vec<Statement>, ReadError> {
    if file.len() > MAX_BYTES {
        return Err(Problem::TooLarge { most: MAX_BYTES }.at(Place::START));
    }
    let text = decoded(file);
    let messages = fields::messages(&text)?;
    let pages: Result<Vec<Statement>, ReadError> = messages.iter().map(page).collect();
    pages::of_file(pages?)
}

/// A balance with its mark, its currency and its place.
struct MarkedBalance {
    balance: Balance,
    currency: Currency,
    /// Whether it is the first opening or the last closing balance, and not one between two pages.
    is_final: bool,
    place: Place,
}

fn page(message: &Message<'_>) -> Result<Statement, ReadError> {
    let mut parts = Parts::default();
    for field in &message.fields {
        parts.take(field)?;
    }
    let missing = |what: &str| {
        let what = what.to_owned();
        let inside = "a statement";
        Problem::Missing { what, inside }.at(message.place)
    };
    let account = parts.account.ok_or_else(|| missing(":25:"))?;
    let (number, page) = parts.number.ok_or_else(|| missing(":28C:"))?;
    let opening = parts.opening.ok_or_else(|| missing(":60F: or :60M:"))?;
    let closing = parts.closing.ok_or_else(|| missing(":62F: or :62M:"))?;
    let mut entries = Vec::new();
    for (position, (line, narrative)) in (1..).zip(parts.entries) {
        entries.push(entry(position, line, &narrative));
    }
    let statement = Statement {
        kind: Kind::Statement,
        account,
        id: Some(number),
        currency: opening.currency,
        first_page: page,
        last_page: page,
        opening: Some(opening.balance),
        closing: Some(closing.balance),
        entries,
        expected: Vec::new(),
        has_first: opening.is_final,
        has_last: closing.is_final,
        place: message.place,
    };
    pages::tallies(&statement, closing.place)?;
    Ok(statement)
}

/// What has been read of a message.
#[derive(Default)]
struct Parts<'t> {
    has_reference: bool,
    account: Option<Account>,
    number: Option<(String, u32)>,
    opening: Option<MarkedBalance>,
    entries: Vec<(Line, Vec<&'t str>)>,
    /// Whether the last field belongs to an entry, so that a field 86 tells about it.
    is_in_entry: bool,
    closing: Option<MarkedBalance>,
}

impl<'t> Parts<'t> {
    fn take(&mut self, field: &Field<'t>) -> Result<(), ReadError> {
        let misplaced = |right| {
            let what = format!(":{}:", field.tag);
            Err(Problem::Misplaced { what, right }.at(field.place))
        };
        let is_head = self.opening.is_none();
        let is_body = self.opening.is_some() && self.closing.is_none();
        if field.lines.len() > 1 && !matches!(field.tag, "25P" | "61" | "86" | "NS") {
            return misplaced("this field is one line");
        }
        match field.tag {
            "20" if !self.has_reference => self.has_reference = true,
            "21" | "13D" if is_head => {}
            "25" | "25P" if is_head && self.account.is_none() => {
                self.account = Some(Account::named(field.needs_value("an account")?));
            }
            "28C" | "28" if is_head && self.number.is_none() => self.number = Some(number(field)?),
            "60F" | "60M" if is_head => self.opening = Some(balance(field)?),
            "61" if is_body => {
                let opening = self.opening.as_ref().map(|opening| opening.currency);
                if let Some(currency) = opening {
                    self.entries
                        .push((line::read(field, currency)?, Vec::new()));
                    self.is_in_entry = true;
                }
            }
            "86" if self.is_in_entry => {
                if let Some((_, narrative)) = self.entries.last_mut() {
                    narrative.extend(&field.lines);
                }
            }
            "62F" | "62M" if is_body => {
                let closing = balance(field)?;
                if let Some(opening) = &self.opening
                    && opening.currency != closing.currency
                {
                    let (found, right) = (closing.currency, opening.currency);
                    return Err(Problem::OtherCurrency { found, right }.at(field.place));
                }
                self.closing = Some(closing);
                self.is_in_entry = false;
            }
            // Available and forward balances, and texts about the statement, are not needed.
            "64" | "65" | "86" if self.closing.is_some() => {}
            "NS" => {}
            "20" | "21" | "13D" | "25" | "25P" | "28" | "28C" | "60F" | "60M" | "61" | "62F"
            | "62M" | "64" | "65" | "86" => {
                return misplaced(
                    "the order is :20: :25: :28C: :60F: :61: :86: :62F: :64: :65: :86:",
                );
            }
            _ => return misplaced("MT940 has no such field"),
        }
        Ok(())
    }
}

/// The number of the statement and of the page. Without a page it is the first.
fn number(field: &Field<'_>) -> Result<(String, u32), ReadError> {
    let value = field.value();
    let right = "a number, perhaps a slash and the number of the page: 123/1";
    let wrong = || Problem::malformed("the number of the statement", value, right).at(field.place);
    let (number, page) = value.split_once('/').unwrap_or((value, "1"));
    let is_number = |text: &str| {
        !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(number) || !is_number(page) {
        return Err(wrong());
    }
    Ok((
        number.to_owned(),
        page.parse().map_err(|_too_large| wrong())?,
    ))
}

/// A balance: `C`, `D`, date, currency, amount.
fn balance(field: &Field<'_>) -> Result<MarkedBalance, ReadError> {
    let value = field.value();
    let read = || {
        let right = "C or D, a date as YYMMDD, a currency and an amount: C260131EUR1234,56";
        let wrong = || Problem::malformed("the balance", value, right);
        let (mark, rest) = value.split_at_checked(1).ok_or_else(wrong)?;
        let (date, rest) = rest.split_at_checked(6).ok_or_else(wrong)?;
        let (code, amount) = rest.split_at_checked(3).ok_or_else(wrong)?;
        let is_in = match mark {
            "C" => true,
            "D" => false,
            _ => return Err(wrong()),
        };
        let date = line::date(date)?;
        let currency = amounts::currency(code)?;
        let units = amounts::signed(line::amount(amount, currency)?, is_in)?;
        Ok((date, units, currency))
    };
    let (date, units, currency): (Date, MinorUnits, Currency) =
        read().map_err(|problem| problem.at(field.value_place()))?;
    Ok(MarkedBalance {
        balance: Balance {
            date: Some(date),
            units,
        },
        currency,
        is_final: field.tag.ends_with('F'),
        place: field.place,
    })
}

fn entry(position: usize, line: Line, narrative: &[&str]) -> Entry {
    let Narrative {
        counterpart,
        end_to_end_id,
        remittance,
    } = match narrative {
        [] => Narrative {
            counterpart: Counterpart::default(),
            end_to_end_id: None,
            remittance: line.supplement,
        },
        lines => narrative::read(lines),
    };
    Entry {
        position,
        place: line.place,
        booked_on: line.booked_on,
        value_on: Some(line.value_on),
        units: line.units,
        is_reversal: line.is_reversal,
        bank_reference: line.bank_reference,
        own_reference: line.own_reference,
        end_to_end_id,
        counterpart,
        remittance,
        details: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
