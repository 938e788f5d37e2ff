//! Import of books from CSV: a heading, rows of accounts, and rows of entries. The entries of a transaction stand
//! together.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use ledger::{Metadata, NormalSide};
use money::{Currency, MinorUnits, Money};

use super::assembly::{Assembly, Heading, Movement, heading};
use super::legs::{Leg, matched};
use super::table::{Flaw, Table};
use super::{Fields, Mistakes, Reading, account, code, metadata, side_named};
use crate::csv::COLUMNS;

/// Columns that are the same in all rows of a transaction; rows after the first may leave them out.
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
    cells: &'a [Cow<'a, str>],
    columns: &'a Columns,
}

impl Row<'_> {
    fn cell(&self, field: &str) -> &str {
        let at = self.columns.get(field);
        at.and_then(|at| self.cells.get(*at))
            .map_or("", |cell| &**cell)
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
            text => metadata(text),
        }
    }
}

/// A transaction whose rows are being read.
struct Open {
    name: String,
    line: u64,
    heading: Option<Heading>,
    said: [String; OF_TRANSACTION.len()],
    entries: Vec<(Option<i16>, Leg)>,
    /// True if all rows of the transaction could be read.
    is_whole: bool,
}

pub(super) fn read(text: &str, assembly: &mut Assembly) {
    let mut table = match Table::of(text) {
        Ok(table) => table,
        Err(flaw) => return flawed(&flaw, assembly),
    };
    let heading = match table.next() {
        Some(Ok(heading)) => heading,
        Some(Err(flaw)) => return flawed(&flaw, assembly),
        None => return,
    };
    let columns = columns(&heading.cells, &mut assembly.mistakes);
    if columns.is_empty() {
        return;
    }
    let width = heading.cells.len();
    let mut open: Option<Open> = None;
    while let Some(record) = table.next() {
        let record = match record {
            Ok(record) => record,
            // The beginning of the next row is not known.
            Err(flaw) => return flawed(&flaw, assembly),
        };
        let line = record.line;
        if assembly.mistakes.are_enough() {
            return;
        }
        if record.cells.len() != width {
            let problem = format!(
                "has {} columns, the heading has {width}",
                record.cells.len()
            );
            assembly.mistakes.add(line, "", problem);
            continue;
        }
        let row = Row {
            line,
            cells: &record.cells,
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

fn flawed(flaw: &Flaw, assembly: &mut Assembly) {
    let problem = format!("column {}: {}", flaw.column, flaw.problem);
    assembly.mistakes.add(flaw.line, "", problem);
}

/// The position of each column. Unknown columns are refused, so that a mistyped name is not ignored.
fn columns(heading: &[Cow<'_, str>], mistakes: &mut Mistakes) -> Columns {
    let mut columns = Columns::new();
    for (at, name) in heading.iter().enumerate() {
        match COLUMNS.into_iter().find(|known| known == name) {
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

fn take_entry(row: &Row<'_>, open: &mut Option<Open>, assembly: &mut Assembly) {
    let name = match row.cell("transaction") {
        "" => row.cell("external_id"),
        name => name,
    };
    if name.is_empty() {
        let problem = "is missing, and external_id too: it tells which entries belong together";
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
            entries: Vec::new(),
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
        Some(entry) => open.entries.push(entry),
        None => open.is_whole = false,
    }
}

fn entry(row: &Row<'_>, mistakes: &mut Mistakes) -> Option<(Option<i16>, Leg)> {
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
    let leg = Leg {
        line: row.line,
        side: side?,
        account: account?,
        money: money?,
    };
    Some((number?, leg))
}

/// The number of a posting.
pub(super) fn number(text: &str) -> Result<i16, &'static str> {
    let number = text.parse::<u16>().ok();
    let number = number.and_then(|number| i16::try_from(number).ok());
    number.ok_or("is a small number, from 0")
}

/// Ends a transaction: makes postings from its entries, and adds the transaction.
fn close(open: Option<Open>, assembly: &mut Assembly) {
    let Some(open) = open else { return };
    let movements = if open.is_whole {
        // If an entry could not be read, another entry has no counterpart.
        movements(open.entries, &mut assembly.mistakes)
    } else {
        None
    };
    let parts = open.heading.zip(movements);
    assembly.add_transaction(Some(open.name), parts);
}

/// The postings. The entries are matched by their numbers if they have any, and otherwise as [`matched`] does it.
fn movements(entries: Vec<(Option<i16>, Leg)>, mistakes: &mut Mistakes) -> Option<Vec<Movement>> {
    if entries.iter().all(|(number, _)| number.is_none()) {
        let legs = entries.into_iter().map(|(_, leg)| leg).collect();
        let matched = matched(legs).map_err(|(line, problem)| {
            mistakes.add(line, "posting", problem);
        });
        return matched.ok();
    }
    let mut numbered: BTreeMap<i16, Vec<Leg>> = BTreeMap::new();
    let mut is_whole = true;
    for (number, leg) in entries {
        match number {
            Some(number) => numbered.entry(number).or_default().push(leg),
            None => {
                let problem = "is missing: other entries of the transaction have one";
                mistakes.add(leg.line, "posting", problem);
                is_whole = false;
            }
        }
    }
    let mut movements = Vec::with_capacity(numbered.len());
    for (number, legs) in numbered {
        match movement(number, legs) {
            Ok(movement) => movements.push(movement),
            Err((line, problem)) => {
                mistakes.add(line, "posting", problem);
                is_whole = false;
            }
        }
    }
    is_whole.then_some(movements)
}

/// A posting from its two entries: a debit and a credit of the same amount.
fn movement(number: i16, legs: Vec<Leg>) -> Result<Movement, (u64, &'static str)> {
    let line = legs.first().map_or(0, |leg| leg.line);
    let [one, other] = <[Leg; 2]>::try_from(legs).map_err(|_others| {
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
    Ok(Movement {
        line,
        number,
        amount: debit.money.amount,
        currency: debit.money.currency,
        debit: debit.account,
        credit: credit.account,
    })
}
