//! The answers of routes that only read: one thing by the id in the path, and a page of things, newest first.

use std::str::FromStr;

use edge::cursor::Cursor;
use edge::{Call, Problem, Response, Shared, code, page};
use serde::Serialize;
use store::{AnyConnection, Error, TenantId};
use utoipa::ToSchema;

/// Answers with the thing whose id the path has.
///
/// # Errors
/// A 404 if the tenant has no such thing; a 503 or a 500 if there is no answer.
pub(crate) async fn one<I, T, S>(
    state: Shared,
    call: Call,
    read: fn(&mut AnyConnection, TenantId, I) -> Result<Option<T>, Error>,
    show: fn(&T) -> S,
) -> Result<Response, Problem>
where
    I: FromStr + Send + 'static,
    T: Send + 'static,
    S: Serialize,
{
    let tenant = call.caller.tenant.id;
    let id: I = call.named("id", code::NOT_FOUND)?;
    let found = state
        .read(move |connection| read(connection, tenant, id))
        .await?;
    let thing = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    Ok(Response::json(200, &show(&thing)))
}

/// Answers with a page of things, newest first. `read` gets the id before which the page begins, and the greatest number
/// of rows. `id` makes the id of the cursor's bytes, and `bytes` does the reverse.
///
/// # Errors
/// A 400 if the page is not asked for rightly; a 503 or a 500 if there is no answer.
pub(crate) async fn list<I, T, S, R>(
    state: Shared,
    call: Call,
    read: R,
    show: fn(&T) -> S,
    id: fn([u8; 16]) -> I,
    bytes: fn(&T) -> [u8; 16],
) -> Result<Response, Problem>
where
    R: FnOnce(&mut AnyConnection, TenantId, Option<I>, i64) -> Result<Vec<T>, Error>
        + Send
        + 'static,
    I: Send + 'static,
    T: Send + 'static,
    S: Serialize + ToSchema,
{
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let before = wanted.cursor.map(|cursor| id(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| read(connection, tenant, before, more))
        .await?;
    let cursor = |row: &T| Cursor {
        id: bytes(row),
        position: None,
    };
    let page = page(found, &wanted, show, cursor);
    Ok(Response::json(200, &page))
}
