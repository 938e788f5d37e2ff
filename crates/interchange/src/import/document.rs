//! Import of books from one JSON document. Each account and each transaction is read on its own, so that the
//! mistakes of all are found.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use ledger::Metadata;
use money::{Amount, Currency, MinorUnits, Money};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::assembly::{Assembly, Movement, heading};
use super::legs::{Leg, matched};
use super::rows::number;
use super::{Fields, Mistakes, Reading, account, code, metadata, side_named};
use crate::json::VERSION;

const OF_ACCOUNT: [&str; 13] = [
    "id",
    "code",
    "name",
    "currency",
    "normal_side",
    "class",
    "floor",
    "ceiling",
    "credit_line",
    "status",
    "balance",
    "metadata",
    "opened_at",
];
const OF_TRANSACTION: [&str; 12] = [
    "id",
    "kind",
    "step",
    "about",
    "external_id",
    "description",
    "metadata",
    "effective_at",
    "recorded_at",
    "postings",
    "entries",
    "exchange",
];
const OF_POSTING: [&str; 5] = ["posting", "debit", "credit", "amount", "currency"];
const OF_ENTRY: [&str; 4] = ["account", "side", "amount", "currency"];

/// The document, with the unread text of its parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    format: String,
    version: u32,
    #[serde(default, rename = "tenant")]
    _tenant: Option<String>,
    #[serde(default, rename = "closed_before")]
    _closed_before: Option<String>,
    #[serde(borrow, default)]
    accounts: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    transactions: Vec<&'a RawValue>,
}

/// An object: the unread text of each of its fields, in order.
struct Object<'a> {
    line: u64,
    fields: Vec<(String, &'a RawValue)>,
}

/// The text of a whole document, from which the line of each part is found.
struct Lines<'a> {
    text: &'a str,
    /// A position in bytes, and its line. The line of a later position is counted from here.
    known: Cell<(usize, u64)>,
}

impl Lines<'_> {
    fn line_of(&self, part: &str) -> u64 {
        let at = part
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr());
        let (mut from, mut line) = self.known.get();
        if at < from {
            (from, line) = (0, 1);
        }
        let between = self.text.get(from..at).unwrap_or_default();
        let ends = between.bytes().filter(|byte| *byte == b'\n').count();
        line = line.saturating_add(u64::try_from(ends).unwrap_or(u64::MAX));
        self.known.set((at, line));
        line
    }
}

pub(super) fn read(text: &str, assembly: &mut Assembly) {
    let document: Document<'_> = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
            return assembly.mistakes.add(line, "", error);
        }
    };
    if document.format != "florin" || document.version != VERSION {
        let problem = format!("is \"florin\", version {VERSION}");
        return assembly.mistakes.add(1, "format", problem);
    }
    let lines = Lines {
        text,
        known: Cell::new((0, 1)),
    };
    for raw in document.accounts {
        let object = object(raw, &lines, &OF_ACCOUNT, &mut assembly.mistakes);
        let read = object.and_then(|object| account(&object, "code", &mut assembly.mistakes));
        assembly.add_account(read, "code");
    }
    for raw in document.transactions {
        if assembly.mistakes.are_enough() {
            return;
        }
        transaction(raw, &lines, assembly);
    }
}

fn transaction(raw: &RawValue, lines: &Lines<'_>, assembly: &mut Assembly) {
    let mistakes = &mut assembly.mistakes;
    let Some(object) = object(raw, lines, &OF_TRANSACTION, mistakes) else {
        return;
    };
    let name = object.text("id").ok().flatten();
    let heading = heading(&object, "id", mistakes);
    let movements = movements(&object, lines, mistakes);
    assembly.add_transaction(name, heading.zip(movements));
}

fn movements(
    object: &Object<'_>,
    lines: &Lines<'_>,
    mistakes: &mut Mistakes,
) -> Option<Vec<Movement>> {
    if let Some(entries) = object.raw("entries") {
        if object.raw("postings").is_some() {
            mistakes.add(object.line, "entries", "or postings are given, not both");
            return None;
        }
        return entered(object.line, entries, lines, mistakes);
    }
    let listed = object.raw("postings").map_or("[]", RawValue::get);
    let Ok(listed) = serde_json::from_str::<Vec<&RawValue>>(listed) else {
        mistakes.add(object.line, "postings", "is a list of postings");
        return None;
    };
    let mut movements = Vec::with_capacity(listed.len());
    let mut numbers = HashSet::with_capacity(listed.len());
    let mut is_whole = true;
    for (place, raw) in (0_i16..).zip(listed) {
        match movement(raw, place, lines, mistakes) {
            None => is_whole = false,
            Some(movement) => {
                if !numbers.insert(movement.number) {
                    mistakes.add(movement.line, "posting", "is there twice");
                    is_whole = false;
                }
                movements.push(movement);
            }
        }
    }
    is_whole.then_some(movements)
}

/// Reads debits and credits without a statement which of them belong together.
fn entered(
    line: u64,
    listed: &RawValue,
    lines: &Lines<'_>,
    mistakes: &mut Mistakes,
) -> Option<Vec<Movement>> {
    let Ok(listed) = serde_json::from_str::<Vec<&RawValue>>(listed.get()) else {
        mistakes.add(line, "entries", "is a list of entries");
        return None;
    };
    let count = listed.len();
    let legs: Vec<Leg> = listed
        .into_iter()
        .filter_map(|raw| leg(raw, lines, mistakes))
        .collect();
    if legs.len() < count {
        return None;
    }
    let matched = matched(legs).map_err(|(line, problem)| mistakes.add(line, "entries", problem));
    matched.ok()
}

fn leg(raw: &RawValue, lines: &Lines<'_>, mistakes: &mut Mistakes) -> Option<Leg> {
    let object = object(raw, lines, &OF_ENTRY, mistakes)?;
    let mut reading = Reading {
        fields: &object,
        mistakes,
    };
    let account = reading.required("account", code);
    let side = reading.required("side", side_named);
    let currency = reading.required("currency", |text| Currency::from_stored(&text));
    let currency = currency?;
    let units = reading.units("amount", currency)?;
    let units = reading.note("amount", units.ok_or("is missing"))?;
    let amount = reading.note("amount", Amount::new(units.get()))?;
    Some(Leg {
        line: object.line,
        side: side?,
        account: account?,
        money: Money { amount, currency },
    })
}

fn movement(
    raw: &RawValue,
    place: i16,
    lines: &Lines<'_>,
    mistakes: &mut Mistakes,
) -> Option<Movement> {
    let object = object(raw, lines, &OF_POSTING, mistakes)?;
    let given = object.raw("posting").map(|raw| number(raw.get()));
    let mut reading = Reading {
        fields: &object,
        mistakes,
    };
    let number = reading.note("posting", given.unwrap_or(Ok(place)));
    let debit = reading.required("debit", code);
    let credit = reading.required("credit", code);
    let currency = reading.required("currency", |text| Currency::from_stored(&text));
    let units = reading.units("amount", currency?)?;
    let units = reading.note("amount", units.ok_or("is missing"))?;
    let amount = reading.note("amount", Amount::new(units.get()));
    Some(Movement {
        line: object.line,
        number: number?,
        debit: debit?,
        credit: credit?,
        amount: amount?,
        currency: currency?,
    })
}

/// Reads an object without unknown fields, and without a field that occurs twice.
fn object<'a>(
    raw: &'a RawValue,
    lines: &Lines<'_>,
    known: &[&str],
    mistakes: &mut Mistakes,
) -> Option<Object<'a>> {
    let line = lines.line_of(raw.get());
    let Ok(Members(fields)) = serde_json::from_str::<Members<'a>>(raw.get()) else {
        mistakes.add(line, "", "is an object");
        return None;
    };
    let mut seen = HashSet::with_capacity(fields.len());
    let mut is_good = true;
    for (name, raw) in &fields {
        if !known.contains(&name.as_str()) {
            mistakes.add(line, name, "is no field of this form");
            is_good = false;
        } else if !seen.insert(name.as_str()) {
            mistakes.add(line, name, "is there twice");
            is_good = false;
        } else if raw.get().starts_with('{')
            && let Some(problem) = doubled(raw.get())
        {
            mistakes.add(lines.line_of(raw.get()), name, problem);
            is_good = false;
        }
    }
    is_good.then_some(Object { line, fields })
}

impl<'a> Object<'a> {
    /// The unread text of a field; `None` for `null`.
    fn raw(&self, field: &str) -> Option<&'a RawValue> {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")
    }
}

impl Fields for Object<'_> {
    fn line(&self) -> u64 {
        self.line
    }

    fn text(&self, field: &str) -> Result<Option<String>, String> {
        let text = self.raw(field).map(|raw| serde_json::from_str(raw.get()));
        text.transpose().map_err(|_no_text| "is a text".to_owned())
    }

    fn units(&self, field: &str, _currency: Currency) -> Result<Option<MinorUnits>, String> {
        let number = self.raw(field).map(|raw| serde_json::from_str(raw.get()));
        let number: Option<i64> = number.transpose().map_err(|_no_integer| {
            "is an integer of minor units, from -2^63 to 2^63 - 1".to_owned()
        })?;
        Ok(number.map(MinorUnits::new))
    }

    fn metadata(&self) -> Result<Option<Metadata>, String> {
        let given = self.raw("metadata");
        given.map_or(Ok(None), |raw| metadata(raw.get()))
    }
}

/// The mistake that a key occurs twice, in this object or in an object inside it. Otherwise only the last value would
/// count.
pub(super) fn doubled(json: &str) -> Option<String> {
    // If the text is not an object, its reader reports that.
    let Members(fields) = serde_json::from_str(json).ok()?;
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().find_map(|(name, raw)| {
        if !seen.insert(name) {
            return Some(format!("has the key {name:?} twice"));
        }
        match raw.get().as_bytes() {
            [b'{', ..] => doubled(raw.get()),
            [b'[', ..] => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
                items.iter().find_map(|item| doubled(item.get()))
            }
            _ => None,
        }
    })
}

/// The fields of an object as they are written: a map would hide a key that occurs twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}
