//! Statements as CSV, by a [`Mapping`]: which column means what, and how dates and amounts are written.
//!
//! Every bank has a CSV of its own, so nothing is guessed. A date or an amount that does not have the form of the
//! mapping is refused, and so is a row whose balance is not that of the row before it and the amount.

mod mapping;

use std::collections::HashMap;

use jiff::civil::Date;
use money::{Currency, MinorUnits};

use crate::error::Tally;
use crate::places::{Places, decoded, latin_1};
use crate::statement::Account;
use crate::{
    Balance, Counterpart, Entry, Kind, Place, Problem, ReadError, Statement, amounts, pages,
};

pub use mapping::{AmountColumns, Encoding, Mapping, Order, Source};

/// Greatest number of bytes of a file.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The statements of a file: one for each account, currency and statement number, in the order of the file.
///
/// # Errors
/// [`ReadError`], with the first problem of the file. Nothing of such a file may be used.
pub fn read(file: &[u8], mapping: &Mapping) -> Result<Vec<Statement>, ReadError> {
    mapping
        .check()
        .map_err(|right| Problem::Mapping { right }.at(Place::START))?;
    if file.len() > MAX_BYTES {
        return Err(Problem::TooLarge { most: MAX_BYTES }.at(Place::START));
    }
    let text = match mapping.encoding {
        Encoding::Utf8OrLatin1 => decoded(file),
        Encoding::Latin1 => latin_1(file),
    };
    let table = Table::of(&text, mapping)?;
    let mut groups: Groups = Groups::default();
    for row in table.rows()? {
        groups.take(table.line(&row)?);
    }
    groups.statements(mapping.order)
}

/// What a row says.
struct Row {
    key: (String, Currency, Option<String>),
    entry: Entry,
    balance: Option<(MinorUnits, Place)>,
}

/// The rows of each statement.
#[derive(Default)]
struct Groups {
    order: HashMap<(String, Currency, Option<String>), usize>,
    rows: Vec<Vec<Row>>,
}

impl Groups {
    fn take(&mut self, row: Row) {
        let at = *self.order.entry(row.key.clone()).or_insert(self.rows.len());
        match self.rows.get_mut(at) {
            Some(rows) => rows.push(row),
            None => self.rows.push(vec![row]),
        }
    }

    fn statements(self, order: Order) -> Result<Vec<Statement>, ReadError> {
        let all = self.rows.into_iter();
        all.filter_map(|rows| statement(rows, order).transpose())
            .collect()
    }
}

fn statement(rows: Vec<Row>, order: Order) -> Result<Option<Statement>, ReadError> {
    let mut in_time: Vec<&Row> = rows.iter().collect();
    if order == Order::NewestFirst {
        in_time.reverse();
    }
    let mut opening = None;
    let mut closing: Option<MinorUnits> = None;
    for row in in_time {
        let Some((balance, place)) = row.balance else {
            continue;
        };
        let too_large = || Problem::AmountTooLarge.at(place);
        let before = balance.checked_sub(row.entry.units).ok_or_else(too_large)?;
        let (_, currency, _) = row.key;
        if let Some(last) = closing
            && last != before
        {
            let sum = last.checked_add(row.entry.units).ok_or_else(too_large)?;
            let difference = balance.checked_sub(sum).ok_or_else(too_large)?;
            let written = |units: MinorUnits| units.to_decimal_string(currency);
            return Err(Problem::DoesNotTally(Box::new(Tally {
                currency,
                opening: written(last),
                entries: written(row.entry.units),
                sum: written(sum),
                closing: written(balance),
                difference: written(difference),
            }))
            .at(place));
        }
        opening = opening.or(Some(before));
        closing = Some(balance);
    }
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let (account, currency, id) = first.key.clone();
    let place = first.entry.place;
    let undated = |units| Balance { date: None, units };
    let mut entries: Vec<Entry> = rows.into_iter().map(|row| row.entry).collect();
    for (position, entry) in (1..).zip(&mut entries) {
        entry.position = position;
    }
    let statement = Statement {
        kind: Kind::Statement,
        account: Account::named(&account),
        id,
        currency,
        first_page: 1,
        last_page: 1,
        opening: opening.map(undated),
        closing: closing.map(undated),
        entries,
        expected: Vec::new(),
        has_first: true,
        has_last: true,
        place,
    };
    pages::tallies(&statement, place)?;
    Ok(Some(statement))
}

/// The rows of a file, with the places of the columns that the mapping names.
struct Table<'t> {
    mapping: &'t Mapping,
    text: &'t str,
    places: Places<'t>,
    /// Where the heading begins.
    start: usize,
    columns: HashMap<&'t str, usize>,
}

/// The fields of a row, and where it begins.
struct Fields {
    record: ::csv::StringRecord,
    start: usize,
}

impl<'t> Table<'t> {
    fn of(text: &'t str, mapping: &'t Mapping) -> Result<Self, ReadError> {
        let before = mapping.heading_line.saturating_sub(1);
        let skipped = text.split_inclusive('\n').take(before).map(str::len);
        let mut table = Self {
            mapping,
            text,
            places: Places::of(text),
            start: skipped.sum(),
            columns: HashMap::new(),
        };
        let heading = table.records().next().transpose()?;
        let right = "a heading with the names of the columns";
        let heading = heading.ok_or_else(|| Problem::Empty { right }.at(Place::START))?;
        let names: Vec<&str> = heading.record.iter().map(str::trim).collect();
        for wanted in mapping.columns() {
            let mut found = names
                .iter()
                .enumerate()
                .filter(|(_, name)| **name == wanted);
            let at = found.next();
            let times = usize::from(at.is_some()).saturating_add(found.count());
            match at {
                Some((at, _)) if times == 1 => {
                    table.columns.insert(wanted, at);
                }
                Some(_) | None => {
                    return Err(Problem::Column {
                        column: wanted.to_owned(),
                        times,
                        found: names.join(", "),
                    }
                    .at(table.places.at(heading.start)));
                }
            }
        }
        Ok(table)
    }

    /// The rows, the heading among them.
    fn records(&self) -> impl Iterator<Item = Result<Fields, ReadError>> {
        let text = self.text.get(self.start..).unwrap_or_default();
        let reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(self.mapping.delimiter())
            .from_reader(text.as_bytes());
        reader.into_records().map(|record| {
            let offset = |position: Option<&::csv::Position>| {
                let byte = position.map_or(0, ::csv::Position::byte);
                let start = usize::try_from(byte).unwrap_or(usize::MAX);
                let rest = text.get(start..).unwrap_or_default();
                let blank = rest
                    .len()
                    .saturating_sub(rest.trim_start_matches(['\r', '\n']).len());
                self.start.saturating_add(start).saturating_add(blank)
            };
            match record {
                Ok(record) => {
                    let start = offset(record.position());
                    Ok(Fields { record, start })
                }
                Err(error) => {
                    let place = self.places.at(offset(error.position()));
                    Err(Problem::malformed("the row", &error.to_string(), RIGHT_ROW).at(place))
                }
            }
        })
    }

    /// The rows after the heading.
    fn rows(&self) -> Result<Vec<Fields>, ReadError> {
        self.records().skip(1).collect()
    }

    /// The value of a column, without blanks around it, and its place.
    fn field<'f>(&self, fields: &'f Fields, column: &str) -> (&'f str, Place) {
        let index = self.columns.get(column).copied().unwrap_or(usize::MAX);
        let value = fields.record.get(index).unwrap_or_default().trim();
        let row = self.text.get(fields.start..).unwrap_or_default();
        let offset = fields
            .start
            .saturating_add(offset_of(row, index, self.mapping.delimiter));
        (value, self.places.at(offset))
    }

    fn optional(&self, fields: &Fields, column: Option<&String>) -> Option<String> {
        let (value, _) = self.field(fields, column?);
        Some(value.to_owned()).filter(|value| !value.is_empty())
    }

    /// The value of a source: the same in all rows, or that of a column.
    fn source(&self, fields: &Fields, source: &Source) -> (String, Place) {
        match source {
            Source::Fixed(value) => (value.clone(), self.places.at(fields.start)),
            Source::Column(column) => {
                let (value, place) = self.field(fields, column);
                (value.to_owned(), place)
            }
        }
    }

    fn line(&self, fields: &Fields) -> Result<Row, ReadError> {
        let mapping = self.mapping;
        let (account, place) = self.source(fields, &mapping.account);
        if account.is_empty() {
            let (what, inside) = ("an account".to_owned(), "a row");
            return Err(Problem::Missing { what, inside }.at(place));
        }
        let (code, place) = self.source(fields, &mapping.currency);
        let currency = amounts::currency(&code).map_err(|problem| problem.at(place))?;
        let id = mapping
            .statement
            .as_ref()
            .map(|source| self.source(fields, source).0);
        let booked_on = self.date(fields, &mapping.booking_date)?;
        let value_on = match &mapping.value_date {
            Some(column) if !self.field(fields, column).0.is_empty() => {
                Some(self.date(fields, column)?)
            }
            Some(_) | None => None,
        };
        let remittance: Vec<&str> = mapping
            .remittance
            .iter()
            .map(|column| self.field(fields, column).0)
            .filter(|text| !text.is_empty())
            .collect();
        let remittance = remittance.join(" ");
        let account_of_other = self.optional(fields, mapping.counterpart_account.as_ref());
        let balance = match &mapping.balance {
            Some(column) => {
                let (value, place) = self.field(fields, column);
                let units = mapping.number(value, currency);
                Some((units.map_err(|problem| problem.at(place))?, place))
            }
            None => None,
        };
        let entry = Entry {
            position: 0,
            place: self.places.at(fields.start),
            booked_on,
            value_on,
            units: self.units(fields, currency)?,
            is_reversal: false,
            bank_reference: self.optional(fields, mapping.bank_reference.as_ref()),
            own_reference: self.optional(fields, mapping.own_reference.as_ref()),
            end_to_end_id: self.optional(fields, mapping.end_to_end_id.as_ref()),
            counterpart: Counterpart {
                name: self.optional(fields, mapping.name.as_ref()),
                account: account_of_other.map(|account| Account::named(&account)),
            },
            remittance: Some(remittance).filter(|text| !text.is_empty()),
            details: Vec::new(),
        };
        Ok(Row {
            key: (account, currency, id),
            entry,
            balance,
        })
    }

    fn date(&self, fields: &Fields, column: &str) -> Result<Date, ReadError> {
        let (value, place) = self.field(fields, column);
        let read = Date::strptime(&self.mapping.date_format, value);
        read.map_err(|_unreadable| {
            let right = format!("a date as {}", self.mapping.date_format);
            Problem::malformed("the date", value, right).at(place)
        })
    }

    /// The amount with its sign: positive is money in.
    fn units(&self, fields: &Fields, currency: Currency) -> Result<MinorUnits, ReadError> {
        let mapping = self.mapping;
        let number = |column: &str| {
            let (value, place) = self.field(fields, column);
            let units = mapping.number(value, currency);
            units
                .map_err(|problem| problem.at(place))
                .map(|units| (units, place))
        };
        let signed = |units, is_in, place| {
            amounts::signed(units, is_in).map_err(|problem: Problem| problem.at(place))
        };
        match &mapping.amount {
            AmountColumns::Signed {
                column,
                negative_is_in,
            } => {
                let (units, place) = number(column)?;
                signed(units, !negative_is_in, place)
            }
            AmountColumns::Marked {
                column,
                mark,
                r#in,
                out,
            } => {
                let (units, place) = number(column)?;
                let (value, mark_at) = self.field(fields, mark);
                let is_in = if r#in.iter().any(|word| word == value) {
                    true
                } else if out.iter().any(|word| word == value) {
                    false
                } else {
                    let words: Vec<&str> = r#in.iter().chain(out).map(String::as_str).collect();
                    let right = format!("one of {}", words.join(", "));
                    return Err(Problem::malformed("the mark", value, right).at(mark_at));
                };
                self.unsigned(fields, column, units)?;
                signed(units, is_in, place)
            }
            AmountColumns::Split { r#in, out } => {
                let given = |column: &str| !self.field(fields, column).0.is_empty();
                let read = |column: &str| {
                    if given(column) {
                        number(column)
                    } else {
                        Ok((MinorUnits::ZERO, Place::START))
                    }
                };
                let ((into, at_in), (from, at_out)) = (read(r#in)?, read(out)?);
                self.unsigned(fields, r#in, into)?;
                let is_both = into != MinorUnits::ZERO && from != MinorUnits::ZERO;
                if is_both || !given(r#in) && !given(out) {
                    let what = format!("one amount in {in:?} or in {out:?}", r#in = r#in);
                    let inside = "a row";
                    let place = self.places.at(fields.start);
                    return Err(Problem::Missing { what, inside }.at(place));
                }
                // Some banks write a minus sign in the column of debits too.
                let is_negative = from < MinorUnits::ZERO;
                let from = signed(from, is_negative, at_out)?;
                let units = into.checked_add(from);
                units.ok_or_else(|| Problem::AmountTooLarge.at(at_in))
            }
        }
    }

    /// Refuses a minus sign where the direction is told by something else.
    fn unsigned(&self, fields: &Fields, column: &str, units: MinorUnits) -> Result<(), ReadError> {
        if units >= MinorUnits::ZERO {
            return Ok(());
        }
        let (value, place) = self.field(fields, column);
        let right = "an amount without a sign, because something else tells the direction";
        Err(Problem::malformed("the amount", value, right).at(place))
    }
}

/// The right form of a row, for errors.
const RIGHT_ROW: &str = "as many fields as the heading has";

/// The offset of a field in the text of a row.
fn offset_of(row: &str, index: usize, delimiter: char) -> usize {
    let (mut left, mut is_quoted) = (index, false);
    for (at, character) in row.char_indices() {
        if left == 0 {
            return at;
        }
        if character == '"' {
            is_quoted = !is_quoted;
        } else if character == delimiter && !is_quoted {
            left = left.saturating_sub(1);
        }
    }
    row.len()
}

#[cfg(test)]
mod tests;
