//! The query of a request: the parameters that its route knows, each at most once, and nothing else.

mod decoding;
mod named;

pub(crate) use named::in_order;

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use ledger::By;
use store::Timestamp;

use crate::cursor::{self, Cursor, List};
use crate::problem::Problem;
use crate::strict_json::FieldError;

/// Which page is wanted.
pub(crate) struct PageQuery {
    pub(crate) limit: u16,
    pub(crate) cursor: Option<Cursor>,
    list: List,
}

impl PageQuery {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Parameters::of(request, &["limit", "cursor"])?.page()
    }

    /// The `next_cursor` of this page.
    pub(crate) fn next(&self, after: Cursor) -> String {
        after.encode(self.list)
    }
}

/// The parameters of a query by name, and the list that they ask for.
pub(crate) struct Parameters {
    given: BTreeMap<String, String>,
    list: List,
}

impl Parameters {
    /// Those that are `known`. A known name that ends in a dot stands for all that begin with it.
    pub(crate) fn of(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for (name, value) in decoding::pairs(request.query_string()).map_err(wrong)? {
            let is_known =
                |known: &str| name == known || known.ends_with('.') && name.starts_with(known);
            if !known.iter().any(|known| is_known(known)) {
                let detail = "there is no such parameter";
                return Err(wrong(named(&name, "unknown_parameter", detail)));
            }
            if given.contains_key(&name) {
                return Err(wrong(named(
                    &name,
                    "duplicate_parameter",
                    "it is given twice",
                )));
            }
            given.insert(name, value);
        }
        let asked = given.iter().map(|(name, value)| (&**name, &**value));
        let list = List::of(request.path(), asked);
        Ok(Self { given, list })
    }

    pub(crate) fn page(&self) -> Result<PageQuery, Problem> {
        Ok(PageQuery {
            limit: cursor::limit(self.text("limit")).map_err(wrong)?,
            cursor: self
                .text("cursor")
                .map(|text| Cursor::parse(text, self.list))
                .transpose()
                .map_err(wrong)?,
            list: self.list,
        })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// Those that begin with this, by the rest of their names.
    pub(crate) fn below(&self, prefix: &str) -> Vec<(String, String)> {
        let rest = |(name, value): (&String, &String)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
        };
        self.given.iter().filter_map(rest).collect()
    }

    /// What `read` makes of it; a 400 with this code if it makes nothing of it.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        code: &'static str,
        detail: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let found = read(text).ok_or_else(|| wrong(named(name, code, detail)))?;
        Ok(Some(found))
    }

    /// One that must be there.
    pub(crate) fn required<T>(&self, name: &str, found: Option<T>) -> Result<T, Problem> {
        let missing = || wrong(named(name, "missing_parameter", "it must be given"));
        found.ok_or_else(missing)
    }

    /// A moment at which a question begins or ends. What lies beyond the range is no bound: a question from
    /// before it begins with the first there is, and one until after it ends with the last.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let detail = "a time is RFC 3339 with a zone, as 2026-11-21T09:30:00Z (a + is written %2B here), from 1900-01-01 to 9998-12-31; beyond that it is no bound";
        let read = |text: &str| Timestamp::bound_from_rfc3339(text).ok();
        self.read(name, "malformed_time", detail, read)
    }

    pub(crate) fn positive(&self, name: &str) -> Result<Option<i64>, Problem> {
        let detail = "it must be an integer in plain digits, 1 to 2^63 - 1";
        self.read(name, "out_of_range", detail, |text| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|n| plain && *n > 0)
        })
    }

    /// Which of a transaction's two times is meant: `recorded` if it is not said.
    pub(crate) fn by(&self) -> Result<By, Problem> {
        let detail = "it is recorded or effective";
        let by = self.read("by", "unknown_value", detail, |text| match text {
            "recorded" => Some(By::Recorded),
            "effective" => Some(By::Effective),
            _ => None,
        });
        Ok(by?.unwrap_or(By::Recorded))
    }
}

fn wrong(error: FieldError) -> Problem {
    Problem::invalid_query(vec![error])
}

fn named(name: &str, code: &'static str, detail: &'static str) -> FieldError {
    decoding::at(name, (code, detail))
}

/// A parameter that its own route finds wrong.
pub(crate) fn bad_parameter(name: &str, code: &'static str, detail: &'static str) -> Problem {
    wrong(named(name, code, detail))
}

/// A cursor of another list.
pub(crate) fn foreign_cursor() -> Problem {
    let detail = "The cursor must be the next_cursor of an earlier page.";
    wrong(named("cursor", "malformed_cursor", detail))
}

/// Cuts a page that was read with one row too many, to know whether there is a next one.
pub(crate) fn page<T, W: utoipa::ToSchema>(
    mut rows: Vec<T>,
    wanted: &PageQuery,
    show: impl Fn(&T) -> W,
    cursor: impl Fn(&T) -> Cursor,
) -> crate::wire::Page<W> {
    let more = rows.len() > usize::from(wanted.limit);
    rows.truncate(usize::from(wanted.limit));
    let last = rows.last().filter(|_| more);
    crate::wire::Page {
        next_cursor: last.map(|row| wanted.next(cursor(row))),
        data: rows.iter().map(show).collect(),
    }
}
