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

/// The values of a row.
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
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use proptest::prelude::*;

    use super::*;

    const GERMAN: &str = "\
Kontoauszug;erstellt
IBAN;Buchung;Valuta;Name;Konto;Text;Betrag;W\u{e4}hrung;Saldo
DE89370400440532013000;31.03.2026;01.04.2026;Erika Mustermann;AT611904300234573201;\"Rechnung; \"\"1\"\"\";1.234,50;EUR;1.334,50
DE89370400440532013000;31.03.2026;;;;Geb\u{fc}hr;-34,5;EUR;1.300,00
7654321;30.03.2026;;;;Zinsen;1;JPY;1
";

    fn german() -> Mapping {
        Mapping {
            delimiter: ';',
            encoding: Encoding::Utf8OrLatin1,
            heading_line: 2,
            order: Order::OldestFirst,
            account: Source::Column("IBAN".to_owned()),
            currency: Source::Column("W\u{e4}hrung".to_owned()),
            statement: None,
            booking_date: "Buchung".to_owned(),
            value_date: Some("Valuta".to_owned()),
            date_format: "%d.%m.%Y".to_owned(),
            amount: AmountColumns::Signed {
                column: "Betrag".to_owned(),
                negative_is_in: false,
            },
            decimal: ',',
            thousands: Some('.'),
            balance: Some("Saldo".to_owned()),
            bank_reference: None,
            own_reference: None,
            end_to_end_id: None,
            name: Some("Name".to_owned()),
            counterpart_account: Some("Konto".to_owned()),
            remittance: vec!["Text".to_owned()],
        }
    }

    fn refused(text: &str, mapping: &Mapping) -> String {
        read(text.as_bytes(), mapping).unwrap_err().to_string()
    }

    fn units(text: &str, mapping: &Mapping) -> Vec<i64> {
        let statements = read(text.as_bytes(), mapping).unwrap();
        let entries = statements.iter().flat_map(|one| &one.entries);
        entries.map(|entry| entry.units.get()).collect()
    }

    #[test]
    fn a_file_is_read_by_its_mapping() {
        let statements = read(GERMAN.as_bytes(), &german()).unwrap();
        assert_eq!(statements.len(), 2);
        let statement = &statements[0];
        assert_eq!(statement.account.key(), "DE89370400440532013000");
        assert_eq!(statement.opening.unwrap().units.get(), 10_000);
        assert_eq!(statement.closing.unwrap().units.get(), 130_000);
        let entry = &statement.entries[0];
        assert_eq!(entry.units.get(), 123_450);
        assert_eq!(entry.booked_on.to_string(), "2026-03-31");
        assert_eq!(entry.value_on.unwrap().to_string(), "2026-04-01");
        assert_eq!(entry.remittance.as_deref(), Some("Rechnung; \"1\""));
        assert_eq!(entry.counterpart.name.as_deref(), Some("Erika Mustermann"));
        assert_eq!(entry.place, Place { line: 3, column: 1 });
        assert_eq!(statement.entries[1].units.get(), -3_450);
        assert_eq!(statement.entries[1].position, 2);
        assert_eq!(statements[1].currency.code(), "JPY");
    }

    #[test]
    fn the_encoding_is_utf_8_or_else_iso_8859_1() {
        let latin: Vec<u8> = GERMAN
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        let expected = read(GERMAN.as_bytes(), &german()).unwrap();
        assert_eq!(read(&latin, &german()).unwrap(), expected);
        let marked = format!("\u{feff}{GERMAN}");
        assert_eq!(read(marked.as_bytes(), &german()).unwrap(), expected);
        let windows = GERMAN.replace('\n', "\r\n");
        assert_eq!(units(&windows, &german()), units(GERMAN, &german()));
    }

    #[test]
    fn rows_may_go_backward_in_time() {
        let mut lines: Vec<&str> = GERMAN.lines().collect();
        lines.swap(2, 3);
        let text = lines.join("\n");
        assert!(refused(&text, &german()).contains("does not tally"));
        let backward = Mapping {
            order: Order::NewestFirst,
            ..german()
        };
        let statements = read(text.as_bytes(), &backward).unwrap();
        assert_eq!(statements[0].opening.unwrap().units.get(), 10_000);
        assert_eq!(
            statements[0].entries[0].units.get(),
            -3_450,
            "the order of the file"
        );
    }

    #[test]
    fn the_direction_is_told_by_a_sign_by_a_mark_or_by_two_columns() {
        let plain = |amount| Mapping {
            delimiter: ',',
            heading_line: 1,
            account: Source::Fixed("1".to_owned()),
            currency: Source::Fixed("USD".to_owned()),
            booking_date: "Date".to_owned(),
            value_date: None,
            date_format: "%m/%d/%Y".to_owned(),
            amount,
            decimal: '.',
            thousands: Some(','),
            balance: None,
            name: None,
            counterpart_account: None,
            remittance: Vec::new(),
            ..german()
        };
        let own = str::to_owned;
        let card = plain(AmountColumns::Signed {
            column: own("Amount"),
            negative_is_in: true,
        });
        assert_eq!(
            units(
                "Date,Amount\n03/31/2026,\"1,234.50\"\n03/31/2026,-1\n",
                &card
            ),
            [-123_450, 100]
        );
        let marked = plain(AmountColumns::Marked {
            column: own("Amount"),
            mark: own("Side"),
            r#in: vec![own("CR")],
            out: vec![own("DR")],
        });
        assert_eq!(
            units(
                "Date,Amount,Side\n03/31/2026,1.50,CR\n3/31/2026,2,DR\n",
                &marked
            ),
            [150, -200]
        );
        assert_eq!(
            refused("Date,Amount,Side\n03/31/2026,1.50,XX\n", &marked),
            "line 2, column 17: the mark is \"XX\"; right is one of CR, DR"
        );
        assert!(
            refused("Date,Amount,Side\n03/31/2026,-1.50,CR\n", &marked).contains("without a sign")
        );
        let split = plain(AmountColumns::Split {
            r#in: own("In"),
            out: own("Out"),
        });
        let text = "Date,In,Out\n03/31/2026,1.50,\n03/31/2026,,2.25\n03/31/2026,0.00,-3\n";
        assert_eq!(units(text, &split), [150, -225, -300]);
        for row in ["03/31/2026,,", "03/31/2026,1,2"] {
            let said = refused(&format!("Date,In,Out\n{row}\n"), &split);
            assert_eq!(
                said,
                "line 2, column 1: a row needs one amount in \"In\" or in \"Out\""
            );
        }
    }

    #[test]
    fn a_separator_of_thousands_is_never_taken_for_one_of_decimal_places() {
        let mapping = german();
        let read = |text: &str, code: &str| {
            mapping
                .number(text, Currency::from_code(code).unwrap())
                .map(MinorUnits::get)
        };
        for (text, code, expected) in [
            ("1.234.567,89", "EUR", 123_456_789),
            ("1234567,89", "EUR", 123_456_789),
            ("-0,5", "EUR", -50),
            ("12,50-", "EUR", -1_250),
            ("\u{2212}12,50", "EUR", -1_250),
            ("+12", "EUR", 1_200),
            ("1,234", "KWD", 1_234),
            ("1.000", "JPY", 1_000),
        ] {
            assert_eq!(read(text, code), Ok(expected), "{text}");
        }
        for text in [
            "12.50",
            "1.2345,00",
            "1234.567,00",
            ".500",
            "1,",
            "",
            "-",
            "1,5 EUR",
            "1,2,3",
            "1,-5",
        ] {
            assert!(
                matches!(read(text, "EUR"), Err(Problem::Malformed { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            read("1,505", "EUR"),
            Err(Problem::TooPrecise { .. })
        ));
        let blanks = Mapping {
            thousands: Some(' '),
            ..german()
        };
        let eur = Currency::from_code("EUR").unwrap();
        for text in ["1 234,50", "1\u{a0}234,50", "1\u{202f}234,50"] {
            assert_eq!(blanks.number(text, eur).map(MinorUnits::get), Ok(123_450));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_column() {
        let with = |from: &str, to: &str| {
            assert!(GERMAN.contains(from), "{from}");
            GERMAN.replacen(from, to, 1)
        };
        for (text, says) in [
            (
                String::new(),
                "line 1, column 1: there is nothing here: a heading",
            ),
            (
                with("Betrag", "Summe"),
                "line 2, column 1: the heading has the column \"Betrag\" 0 times, and it must be there once; it has IBAN, Buchung",
            ),
            (
                with("Valuta", "Text"),
                "line 2, column 1: the heading has the column \"Valuta\" 0 times",
            ),
            (
                with("Valuta;Name", "Name;Name"),
                "line 2, column 1: the heading has the column \"Valuta\" 0 times",
            ),
            (
                with("Konto;Text", "Text;Text"),
                "line 2, column 1: the heading has the column \"Konto\" 0 times",
            ),
            (
                with("31.03.2026", "2026-03-31"),
                "line 3, column 24: the date is \"2026-03-31\"; right is a date as %d.%m.%Y",
            ),
            (
                with("31.03.2026", "31.02.2026"),
                "line 3, column 24: the date is \"31.02.2026\"",
            ),
            (
                with("1.234,50", "1234.50"),
                "line 3, column 102: the amount is \"1234.50\"; right is an amount as 1.234,56",
            ),
            (
                with("-34,5;EUR", "-34,5;EURO"),
                "line 4, column 51: \"EURO\" is not the code of a currency",
            ),
            (
                with("-34,5;", "-34,6;"),
                "line 4, column 55: the statement does not tally: opening 1334.50 and entries -34.60 make 1299.90, and closing is 1300.00; the difference is 0.10 EUR",
            ),
            (
                with("-34,5;EUR;1.300,00", "-34,5;EUR;"),
                "line 4, column 55: the amount is \"\"",
            ),
            (
                with(";EUR;1.300,00", ";EUR"),
                "line 4, column 1: the row is",
            ),
            (
                with("7654321;30", ";30"),
                "line 5, column 1: a row needs an account",
            ),
        ] {
            let said = refused(&text, &german());
            assert!(said.starts_with(says), "{said}\n{says}");
        }
    }

    #[test]
    fn a_mapping_that_contradicts_itself_is_refused() {
        for mapping in [
            Mapping {
                date_format: "%d.%m".to_owned(),
                ..german()
            },
            Mapping {
                date_format: "%Q".to_owned(),
                ..german()
            },
            Mapping {
                thousands: Some(','),
                ..german()
            },
            Mapping {
                decimal: '0',
                ..german()
            },
            Mapping {
                delimiter: '\u{20ac}',
                ..german()
            },
            Mapping {
                heading_line: 0,
                ..german()
            },
        ] {
            let said = refused(GERMAN, &mapping);
            assert!(
                said.starts_with("line 1, column 1: the mapping is wrong: "),
                "{said}"
            );
        }
    }

    #[test]
    fn the_mapping_of_the_page_is_read() {
        let page = include_str!("../../../docs/bank-files.md");
        let (_, rest) = page.split_once("```json\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let mapping: Mapping = serde_json::from_str(example).unwrap();
        let own = Mapping {
            currency: Source::Fixed("EUR".to_owned()),
            ..german()
        };
        assert_eq!(mapping, own);
        let wrong = example.replace("\"name\"", "\"nmae\"");
        assert!(serde_json::from_str::<Mapping>(&wrong).is_err());
    }

    proptest! {
        #[test]
        fn no_change_of_a_file_makes_the_reader_stop(
            at in 0..GERMAN.len(),
            length in 0..60_usize,
            with in "[;\"\n\r.,0-9\u{e9}-]{0,8}",
        ) {
            let end = (at + length).min(GERMAN.len());
            let (from, to) = (GERMAN.floor_char_boundary(at), GERMAN.floor_char_boundary(end));
            let text = format!("{}{with}{}", &GERMAN[..from], &GERMAN[to..]);
            let _ = read(text.as_bytes(), &german());
        }
    }
}
