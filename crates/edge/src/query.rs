//! The query of a request: the parameters that its route knows, each at most once, and nothing else.

mod decoding;

use std::collections::BTreeMap;

use store::Timestamp;

use crate::cursor::{self, Cursor, List};
use crate::problem::Problem;
use crate::strict_json::{BrokenRule, FieldError};

/// The page that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery {
    /// The most items it may have.
    pub limit: u16,
    /// The last item of the page before.
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
    given: BTreeMap<String, String>,
    list: List,
}

impl Parameters {
    /// Those of a query, of which each must be known.
    ///
    /// # Errors
    /// A 400 at the first parameter that cannot be read, that is not known, or that stands twice.
    pub fn of(path: &str, query: &str, known: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for (name, value) in decoding::pairs(query).map_err(wrong)? {
            if !known(&name) {
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
        let list = List::of(path, asked);
        Ok(Self { given, list })
    }

    /// None, for a route that reads no query.
    #[must_use]
    pub fn none() -> Self {
        Self {
            given: BTreeMap::new(),
            list: List::of("", std::iter::empty()),
        }
    }

    /// The page that is asked for.
    ///
    /// # Errors
    /// A 400 at `limit` or at `cursor`.
    pub fn page(&self) -> Result<PageQuery, Problem> {
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

    /// One as it was given.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// Those that begin with this, by the rest of their names.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Vec<(String, String)> {
        let rest = |(name, value): (&String, &String)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
        };
        self.given.iter().filter_map(rest).collect()
    }

    /// The value that `read` makes of it.
    ///
    /// # Errors
    /// A 400 with this code if it makes nothing of it.
    pub fn read<T>(
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
    ///
    /// # Errors
    /// `missing_parameter`.
    pub fn required<T>(&self, name: &str, found: Option<T>) -> Result<T, Problem> {
        let missing = || wrong(named(name, "missing_parameter", "it must be given"));
        found.ok_or_else(missing)
    }

    /// A moment at which a question begins or ends. What lies beyond the range is no bound: a question from
    /// before it begins with the first there is, and one until after it ends with the last.
    ///
    /// # Errors
    /// `malformed_time`.
    pub fn moment(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let detail = "a time is RFC 3339 with a zone, as 2026-11-21T09:30:00Z (a + is written %2B here), from 1900-01-01 to 9998-12-31; beyond that it is no bound";
        let read = |text: &str| Timestamp::bound_from_rfc3339(text).ok();
        self.read(name, "malformed_time", detail, read)
    }

    /// The value that a type of the domain makes of it.
    ///
    /// # Errors
    /// A 400 under the code of the rule that it breaks.
    pub fn guarded<T, E: Into<BrokenRule>>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let read = self.text(name).map(parse).transpose();
        read.map_err(|rule| broken(name, rule))
    }

    /// A whole number from 1.
    ///
    /// # Errors
    /// `out_of_range`.
    pub fn positive(&self, name: &str) -> Result<Option<i64>, Problem> {
        let detail = "it must be an integer in plain digits, 1 to 2^63 - 1";
        self.read(name, "out_of_range", detail, |text| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|n| plain && *n > 0)
        })
    }
}

fn wrong(error: FieldError) -> Problem {
    Problem::invalid_query(vec![error])
}

fn named(name: &str, code: &'static str, detail: &'static str) -> FieldError {
    decoding::at(name, (code, detail))
}

/// A parameter that its own route finds wrong.
pub fn bad_parameter(name: &str, code: &'static str, detail: &'static str) -> Problem {
    wrong(named(name, code, detail))
}

/// A cursor of another list.
pub fn foreign_cursor() -> Problem {
    let detail = "The cursor must be the next_cursor of an earlier page.";
    wrong(named("cursor", "malformed_cursor", detail))
}

/// A parameter that breaks a rule of the domain.
pub fn broken(name: &str, rule: impl Into<BrokenRule>) -> Problem {
    let rule = rule.into();
    wrong(decoding::at(name, (rule.code, rule.detail)))
}

/// Two ends of a range that are not the wrong way round; each with its parameter's name.
///
/// # Errors
/// A 400 at the name of the upper end.
pub fn in_order<T: PartialOrd>(
    (lower_name, lower): (&str, Option<&T>),
    (upper_name, upper): (&str, Option<&T>),
) -> Result<(), Problem> {
    let is_reversed = lower.zip(upper).is_some_and(|(lower, upper)| lower > upper);
    if !is_reversed {
        return Ok(());
    }
    let detail = format!("{upper_name} must not be less than {lower_name}");
    Err(wrong(decoding::at(upper_name, ("range_reversed", detail))))
}
