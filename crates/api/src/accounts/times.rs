//! An account's balance as of a moment, and its statements.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use ledger::{AccountId, By, Position, Span};
use money::MinorUnits;
use store::Timestamp;

use crate::cursor::Cursor;
use crate::problem::{Code, Problem};
use crate::query::{Parameters, foreign_cursor, in_order};
use crate::request::answer;
use crate::server::Api;
use crate::{render, respond, wire};

/// What was posted on an account as of a moment.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/balance", tag = "accounts", operation_id = "getAccountBalanceAsOf",
    params(
        ("id" = wire::texts::AccountId, Path, description = "acc_…"),
        ("as_of" = Option<wire::texts::AskedMoment>, Query, description = "RFC 3339; what was so by then, that moment included. Now, if absent"),
        ("by" = Option<wire::texts::TimeKind>, Query, description = "`recorded` (if absent): by the time it was written, which never changes later; `effective`: by the time it happened"),
    ),
    responses(
        (status = 200, description = "Its balance then", body = wire::PastBalance),
        (status = 400, description = "A parameter is wrong"),
        (status = 404, description = "No such account"),
    )
)]
pub(crate) async fn balance(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let asked = Parameters::of(&request, &["as_of", "by"])?;
        let (as_of, by, id) = (asked.moment("as_of")?, asked.by()?, account_id(&id)?);
        let now = api.engine.clock().now();
        let found = api.engine.read(move |connection| {
            let Some(account) = ledger::account(connection, tenant, id)? else {
                return Ok(None);
            };
            let posted = match (as_of, by) {
                // All there is, even if another process that wrote it has a clock that is ahead.
                (None, By::Recorded) => account.posted(),
                (Some(_) | None, _) => {
                    let at = as_of.unwrap_or(now);
                    ledger::balance_at(connection, tenant, &account, at, by)?
                }
            };
            Ok(Some((account, posted)))
        });
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let (account, posted) = found.ok_or_else(|| Problem::new(Code::NotFound))?;
        let shown = render::past_balance(&account, posted, as_of.unwrap_or(now), by);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}

/// What moved the posted balance of an account within a span of time, oldest first.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/statement", tag = "accounts", operation_id = "getAccountStatement",
    params(
        ("id" = wire::texts::AccountId, Path, description = "acc_…"),
        ("from" = wire::texts::AskedMoment, Query, description = "RFC 3339; the first moment that belongs to it"),
        ("to" = wire::texts::AskedMoment, Query, description = "RFC 3339; the first moment after it"),
        ("by" = Option<wire::texts::TimeKind>, Query, description = "`recorded` (if absent) or `effective`: which time counts, and in which order the entries stand"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = wire::Statement),
        (status = 400, description = "A parameter is wrong"),
        (status = 404, description = "No such account"),
    )
)]
pub(crate) async fn statement(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let asked = Parameters::of(&request, &["from", "to", "by", "limit", "cursor"])?;
        let span = Span {
            from: asked.required("from", asked.moment("from")?)?,
            to: asked.required("to", asked.moment("to")?)?,
            by: asked.by()?,
        };
        in_order(("from", Some(&span.from)), ("to", Some(&span.to)))?;
        let (wanted, id) = (asked.page()?, account_id(&id)?);
        let after = wanted.cursor.map(position).transpose()?;
        let limit = i64::from(wanted.limit);
        let found = api.engine.read(move |connection| {
            let Some(account) = ledger::account(connection, tenant, id)? else {
                return Ok(None);
            };
            let found = ledger::statement(connection, tenant, &account, span, after, limit)?;
            Ok(Some((account, found)))
        });
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let (account, found) = found.ok_or_else(|| Problem::new(Code::NotFound))?;
        let next = found.next.map(|position| wanted.next(cursor(position)));
        let shown = render::statement(&account, span, &found, next);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}

fn account_id(text: &str) -> Result<AccountId, Problem> {
    let malformed = |_malformed| Problem::new(Code::NotFound);
    text.parse().map_err(malformed)
}

/// The time and the number of a line stand where other lists have an id, and its balance is the
/// position.
fn cursor(position: Position) -> Cursor {
    let place = (i128::from(position.at.micros()) << 64) | i128::from(position.version);
    Cursor {
        id: place.to_be_bytes(),
        position: Some(position.balance.get()),
    }
}

fn position(cursor: Cursor) -> Result<Position, Problem> {
    let place = i128::from_be_bytes(cursor.id);
    let low = place & i128::from(u64::MAX);
    let (at, version) = (i64::try_from(place >> 64), i64::try_from(low));
    match (at, version, cursor.position) {
        (Ok(at), Ok(version), Some(balance)) => Ok(Position {
            at: Timestamp::from_micros(at),
            version,
            balance: MinorUnits::new(balance),
        }),
        (Ok(_) | Err(_), Ok(_) | Err(_), Some(_) | None) => Err(foreign_cursor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_statement_goes_on_is_read_back() {
        for (at, balance) in [(-1, i64::MIN), (0, 0), (1_763_776_800_000_000, i64::MAX)] {
            let given = Position {
                at: Timestamp::from_micros(at),
                version: 17,
                balance: MinorUnits::new(balance),
            };
            assert_eq!(position(cursor(given)).ok(), Some(given));
        }
        let of_a_list = Cursor {
            id: [7; 16],
            position: None,
        };
        assert!(position(of_a_list).is_err());
    }
}
