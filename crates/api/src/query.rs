//! The query of a list: `limit` and `cursor`, each at most once, and nothing else.

use actix_web::HttpRequest;
use actix_web::web::Query;

use crate::cursor::{self, Cursor};
use crate::problem::Problem;
use crate::strict_json::FieldError;

/// Which page is wanted.
pub(crate) struct PageQuery {
    pub(crate) limit: u16,
    pub(crate) cursor: Option<Cursor>,
}

impl PageQuery {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let wrong = |error: FieldError| Problem::invalid_query(vec![error]);
        let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map_err(|_malformed| {
            wrong(FieldError::here(
                "malformed_query",
                "the query is not name=value pairs",
            ))
        })?;
        let (mut limit, mut after) = (None, None);
        for (name, value) in pairs.into_inner() {
            let slot = match name.as_str() {
                "limit" => &mut limit,
                "cursor" => &mut after,
                _ => {
                    return Err(wrong(named(
                        &name,
                        "unknown_parameter",
                        "there is no such parameter",
                    )));
                }
            };
            if slot.replace(value).is_some() {
                return Err(wrong(named(
                    &name,
                    "duplicate_parameter",
                    "it is given twice",
                )));
            }
        }
        Ok(Self {
            limit: cursor::limit(limit.as_deref()).map_err(wrong)?,
            cursor: after
                .as_deref()
                .map(Cursor::parse)
                .transpose()
                .map_err(wrong)?,
        })
    }
}

fn named(name: &str, code: &'static str, detail: &'static str) -> FieldError {
    let mut error = FieldError::here(code, detail);
    error.pointer = name.chars().take(64).collect();
    error
}

/// Cuts a page that was read with one row too many, to know whether there is a next one.
pub(crate) fn page<T, W: utoipa::ToSchema>(
    mut rows: Vec<T>,
    limit: u16,
    show: impl Fn(&T) -> W,
    cursor: impl Fn(&T) -> Cursor,
) -> crate::wire::Page<W> {
    let more = rows.len() > usize::from(limit);
    rows.truncate(usize::from(limit));
    crate::wire::Page {
        next_cursor: rows.last().filter(|_| more).map(|row| cursor(row).encode()),
        data: rows.iter().map(show).collect(),
    }
}
