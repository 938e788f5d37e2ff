//! The query of a request: the parameters that its route knows, each at most once, and nothing else. Only a parameter
//! whose name ends with `[]` may be given several times.

mod decoding;
mod taking;

use std::collections::BTreeMap;

use crate::cursor::{self, Cursor, List};
use crate::problem::Problem;
use crate::strict_json::{FieldError, Slot, Slots as _};

pub use taking::{Query, broken, in_order, moment, positive};

/// The requested page of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery {
    /// Greatest number of items.
    pub limit: u16,
    /// The last item of the previous page.
    pub cursor: Option<Cursor>,
    list: List,
}

impl PageQuery {
    /// The `next_cursor` of this page.
    #[must_use]
    pub fn next(&self, after: Cursor) -> String {
        after.encode(self.list)
    }
}

/// The parameters of a query by name, and the list that they ask for.
#[derive(Debug, Clone)]
pub struct Parameters {
    given: BTreeMap<String, Vec<String>>,
    list: List,
}

impl Parameters {
    /// The parameters of a query. Each must be known.
    ///
    /// # Errors
    /// A 400 at the first parameter that cannot be read, that is not known, or that occurs twice.
    pub fn of(path: &str, query: &str, known: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in decoding::pairs(query).map_err(wrong)? {
            if !known(&name) {
                let detail = "there is no such parameter";
                return Err(wrong(named(&name, "unknown_parameter", detail)));
            }
            if given.contains_key(&name) && !name.ends_with("[]") {
                return Err(wrong(named(
                    &name,
                    "duplicate_parameter",
                    "it is given twice",
                )));
            }
            given.entry(name).or_default().push(value);
        }
        let asked = given.iter();
        let asked = asked.flat_map(|(name, values)| values.iter().map(|value| (&**name, &**value)));
        let list = List::of(path, asked);
        Ok(Self { given, list })
    }

    /// No parameters, for a route that reads no query.
    #[must_use]
    pub fn none() -> Self {
        Self {
            given: BTreeMap::new(),
            list: List::of("", std::iter::empty()),
        }
    }

    /// The requested page.
    ///
    /// # Errors
    /// A 400 at `limit` or at `cursor`.
    pub fn page(&self) -> Result<PageQuery, Problem> {
        self.read_page().map_err(wrong)
    }

    fn read_page(&self) -> Result<PageQuery, FieldError> {
        let cursor = self.text("cursor");
        Ok(PageQuery {
            limit: cursor::limit(self.text("limit"))?,
            cursor: cursor
                .map(|text| Cursor::parse(text, self.list))
                .transpose()?,
            list: self.list,
        })
    }

    /// The values that `ask` takes.
    ///
    /// # Errors
    /// A 400 at the first parameter that is wrong, in the order in which `ask` puts them together.
    pub fn ask<T>(&self, ask: impl FnOnce(&mut Query) -> Slot<T>) -> Result<T, Problem> {
        let mut query = Query::of(self);
        let slot = ask(&mut query);
        let read = slot.values().unwrap_or_else(|| Err(Vec::new()));
        read.map_err(Problem::invalid_query)
    }

    /// The text of a parameter.
    fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).first().map(String::as_str)
    }

    /// The texts of a parameter that may be given several times.
    fn texts(&self, name: &str) -> &[String] {
        self.given.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The parameters whose names begin with the prefix, by the rest of their names.
    fn below(&self, prefix: &str) -> Vec<(String, String)> {
        let rest = |(name, values): (&String, &Vec<String>)| {
            let name = name.strip_prefix(prefix)?.to_owned();
            Some((name, values.first()?.clone()))
        };
        self.given.iter().filter_map(rest).collect()
    }
}

fn wrong(error: FieldError) -> Problem {
    Problem::invalid_query(vec![error])
}

fn named(name: &str, code: &'static str, detail: &'static str) -> FieldError {
    decoding::at(name, (code, detail))
}

/// The error of a parameter that its route finds wrong.
#[must_use]
pub fn bad_parameter(name: &str, code: &'static str, detail: &'static str) -> FieldError {
    named(name, code, detail)
}

/// The problem of a cursor of another list.
pub fn foreign_cursor() -> Problem {
    let detail = "The cursor must be the next_cursor of an earlier page.";
    wrong(named("cursor", "malformed_cursor", detail))
}
