//! Books as CSV: a heading, rows of accounts, and rows of entries, those of a transaction together.

use std::collections::{BTreeMap, HashMap};

use csv::{ReaderBuilder, StringRecord};
use ledger::{Metadata, NormalSide};
use money::{Amount, Currency, MinorUnits, Money};

use super::assembly::{Assembly, Heading, Movement, heading};
use super::{Fields, Mistakes, Reading, account, code, side_named};
use crate::csv::COLUMNS;

/// What all rows of a transaction say of it; those after the first may leave it out.
const OF_TRANSACTION: [&str; 7] = [
    "kind",
    "step",
    "about",
    "effective_at",
    "external_id",
    "description",
    "metadata",
];

type Columns = HashMap<&'static str, usize>;

struct Row<'a> {
    line: u64,
    cells: &'a StringRecord,
    columns: &'a Columns,
}

impl Row<'_> {
    fn cell(&self, field: &str) -> &str {
        let at = self.columns.get(field);
        at.and_then(|at| self.cells.get(*at)).unwrap_or_default()
    }
}

impl Fields for Row<'_> {
    fn line(&self) -> u64 {
        self.line
    }

    fn text(&self, field: &str) -> Result<Option<String>, String> {
        let cell = self.cell(field);
        Ok((!cell.is_empty()).then(|| cell.to_owned()))
    }

    fn units(&self, field: &str, currency: Currency) -> Result<Option<MinorUnits>, String> {
        match self.cell(field) {
            "" => Ok(None),
            text => MinorUnits::from_decimal(text, currency)
                .map(Some)
                .map_err(|error| error.to_string()),
        }
    }

    fn metadata(&self) -> Result<Option<Metadata>, String> {
        match self.cell("metadata") {
            "" => Ok(None),
            text => Metadata::from_json(text)
                .map(Some)
                .map_err(|error| error.to_string()),
        }
    }
}

/// A transaction whose rows are being read.
struct Open {
    name: String,
    line: u64,
    heading: Option<Heading>,
    said: [String; OF_TRANSACTION.len()],
    entries: BTreeMap<i16, Vec<Entry>>,
    /// Whether each of its rows could be read.
    is_whole: bool,
}

struct Entry {
    line: u64,
    side: NormalSide,
    account: String,
    money: Money,
}

pub(super) fn read(text: &[u8], assembly: &mut Assembly<'_>) {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text);
    let columns = match reader.headers() {
        Ok(heading) => columns(heading, &mut assembly.mistakes),
        Err(error) => return assembly.mistakes.add(1, "", error),
    };
    if columns.is_empty() {
        return;
    }
    let width = reader.headers().map_or(0, StringRecord::len);
    let mut open: Option<Open> = None;
    let mut cells = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut cells) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                let problem = "is not UTF-8";
                assembly.mistakes.add(line, "", problem);
                continue;
            }
        }
        let line = cells.position().map_or(line, csv::Position::line);
        if cells.len() != width {
            let problem = format!("has {} columns, the heading has {width}", cells.len());
            assembly.mistakes.add(line, "", problem);
            continue;
        }
        if assembly.mistakes.are_enough() {
            return;
        }
        let row = Row {
            line,
            cells: &cells,
            columns: &columns,
        };
        match row.cell("record") {
            "account" => {
                let account = account(&row, "account", &mut assembly.mistakes);
                assembly.add_account(account, "account");
            }
            "entry" => take_entry(&row, &mut open, assembly),
            _ => {
                let problem = "is account or entry";
                assembly.mistakes.add(line, "record", problem);
            }
        }
    }
    close(open, assembly);
}

/// Where each column is. Unknown ones are refused, so that a mistyped one is not ignored.
fn columns(heading: &StringRecord, mistakes: &mut Mistakes) -> Columns {
    let mut columns = Columns::new();
    for (at, name) in heading.iter().enumerate() {
        match COLUMNS.into_iter().find(|known| *known == name) {
            None => mistakes.add(1, name, "is no column of this form"),
            Some(known) => {
                if columns.insert(known, at).is_some() {
                    mistakes.add(1, name, "is there twice");
                }
            }
        }
    }
    for needed in ["record", "account", "currency"] {
        if !columns.contains_key(needed) {
            mistakes.add(1, needed, "is missing in the heading");
        }
    }
    if mistakes.0.is_empty() {
        columns
    } else {
        Columns::new()
    }
}

fn take_entry(row: &Row<'_>, open: &mut Option<Open>, assembly: &mut Assembly<'_>) {
    let name = row.cell("transaction");
    if name.is_empty() {
        let problem = "is missing: it tells which entries belong together";
        return assembly.mistakes.add(row.line, "transaction", problem);
    }
    if open.as_ref().is_none_or(|open| open.name != name) {
        close(open.take(), assembly);
    }
    let mistakes = &mut assembly.mistakes;
    let open = open.get_or_insert_with(|| {
        let heading = heading(row, "transaction", mistakes);
        Open {
            name: name.to_owned(),
            line: row.line,
            is_whole: true,
            heading,
            said: OF_TRANSACTION.map(|field| row.cell(field).to_owned()),
            entries: BTreeMap::new(),
        }
    });
    for (field, said) in OF_TRANSACTION.into_iter().zip(&open.said) {
        let cell = row.cell(field);
        if !cell.is_empty() && cell != said {
            let problem = format!("is another than on line {}", open.line);
            mistakes.add(row.line, field, problem);
            open.is_whole = false;
        }
    }
    match entry(row, mistakes) {
        Some((number, entry)) => open.entries.entry(number).or_default().push(entry),
        None => open.is_whole = false,
    }
}

fn entry(row: &Row<'_>, mistakes: &mut Mistakes) -> Option<(i16, Entry)> {
    let mut reading = Reading {
        fields: row,
        mistakes,
    };
    let account = reading.required("account", code);
    let currency = reading.required("currency", |text| Currency::from_stored(&text));
    let side = reading.required("side", side_named);
    let number = reading.optional("posting", |text| number(&text));
    let currency = currency?;
    let money = reading.required("amount", |text| Money::from_decimal(&text, currency));
    let entry = Entry {
        line: row.line,
        side: side?,
        account: account?,
        money: money?,
    };
    Some((number?.unwrap_or(0), entry))
}

/// The number of a posting.
pub(super) fn number(text: &str) -> Result<i16, &'static str> {
    let number = text.parse::<u8>().map(i16::from);
    number.map_err(|_no_number| "is a small number, from 0")
}

/// Puts the entries of each posting together.
fn close(open: Option<Open>, assembly: &mut Assembly<'_>) {
    let Some(open) = open else { return };
    let mut movements = Vec::with_capacity(open.entries.len());
    let mut is_whole = open.is_whole;
    for (number, entries) in open.entries {
        match movement(number, entries) {
            Ok(movement) => movements.push(movement),
            // Where an entry could not be read, another cannot have its counterpart.
            Err(_) if !open.is_whole => {}
            Err((line, problem)) => {
                assembly.mistakes.add(line, "posting", problem);
                is_whole = false;
            }
        }
    }
    let parts = open.heading.filter(|_| is_whole);
    let parts = parts.map(|heading| (heading, movements));
    assembly.add_transaction(Some(open.name), parts);
}

/// A posting of its two entries: a debit and a credit of the same money.
fn movement(number: i16, entries: Vec<Entry>) -> Result<Movement, (u64, &'static str)> {
    let line = entries.first().map_or(0, |entry| entry.line);
    let [one, other] = <[Entry; 2]>::try_from(entries).map_err(|_others| {
        (
            line,
            "has two entries of the same number: a debit and a credit",
        )
    })?;
    if one.money != other.money {
        return Err((
            other.line,
            "has two entries of the same amount and currency",
        ));
    }
    let (debit, credit) = match (one.side, other.side) {
        (NormalSide::Debit, NormalSide::Credit) => (one, other),
        (NormalSide::Credit, NormalSide::Debit) => (other, one),
        (NormalSide::Debit, NormalSide::Debit) | (NormalSide::Credit, NormalSide::Credit) => {
            return Err((other.line, "has one debit and one credit"));
        }
    };
    let amount: Amount = debit.money.amount;
    Ok(Movement {
        line,
        number,
        amount,
        currency: debit.money.currency,
        debit: debit.account,
        credit: credit.account,
    })
}
