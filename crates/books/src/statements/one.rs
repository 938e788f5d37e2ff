//! The balance of an account as of a moment, and its statements.

use edge::cursor::Cursor;
use edge::query::{PageQuery, Query, foreign_cursor, in_order, moment};
use edge::strict_json::Slot;
use edge::{Call, Problem, Response, Routes, Shared};
use ledger::{AccountId, By, Position, Span};
use money::MinorUnits;
use store::Timestamp;

use super::show;
use crate::accounts::http::ID;
use crate::query::{as_of, by};
use crate::{code, shapes};

/// The routes about the past of an account.
pub(crate) fn routes(r: &mut Routes) {
    r.get(
        "/v1/accounts/{id}/balance",
        "getAccountBalanceAsOf",
        "Reads the posted balance of an account as of a moment.",
        balance,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .asks(|query| drop(moment_of(query)))
    .gives::<show::PastBalance>(200, "The balance as of the moment")
    .refuses(400, "A parameter is wrong", &[])
    .refuses(404, "No such account", &[]);
    r.get(
        "/v1/accounts/{id}/statement",
        "getAccountStatement",
        "Lists the entries that moved the posted balance of an account within a span of time, oldest first.",
        statement,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .asks(|query| drop(span(query)))
    .gives::<show::Statement>(200, "A page of the statement")
    .refuses(400, "A parameter is wrong", &[])
    .refuses(404, "No such account", &[]);
}

/// The parameters of a balance.
fn moment_of(query: &mut Query) -> Slot<(Option<Timestamp>, By)> {
    let as_of = as_of(
        query,
        "RFC 3339: the moment of the balance, itself included; now, if absent",
    );
    let by = by(
        query,
        "The time that counts. `recorded` (the default): the time of recording, by which the balance never changes later. `effective`: the time when it happened",
    );
    Slot::together((as_of, by))
}

/// The parameters of a statement.
fn span(query: &mut Query) -> Slot<(Span, PageQuery)> {
    let shape = shapes::AskedMoment::SHAPE;
    let says = "RFC 3339: the first moment of the statement";
    let from = query.required("from", shape, says, moment);
    let says = "RFC 3339: the first moment after the statement";
    let to = query.required("to", shape, says, moment);
    let by = by(
        query,
        "The time that counts and by which the entries are ordered: `recorded` (the default) or `effective`",
    );
    let span = Slot::together((from, to, by)).check(|(from, to, by)| {
        in_order(("from", Some(&from)), ("to", Some(&to)))?;
        Ok(Span { from, to, by })
    });
    Slot::together((span, query.page()))
}

async fn balance(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (as_of, by) = call.query.ask(moment_of)?;
    let id = id(&call)?;
    let now = state.engine.clock().now_of(tenant);
    let found = state.read(move |connection| {
        let Some(account) = ledger::account(connection, tenant, id)? else {
            return Ok(None);
        };
        let posted = match (as_of, by) {
            // The whole balance, even if a process whose clock is ahead of this one has written to the account.
            (None, By::Recorded) => account.posted(),
            (Some(_) | None, _) => {
                let at = as_of.unwrap_or(now);
                ledger::balance_at(connection, tenant, &account, at, by)?
            }
        };
        Ok(Some((account, posted)))
    });
    let found = found.await?;
    let (account, posted) = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let shown = show::past_balance(&account, posted, as_of.unwrap_or(now), by);
    Ok(Response::json(200, &shown))
}

async fn statement(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (span, wanted) = call.query.ask(span)?;
    let id = id(&call)?;
    let after = wanted.cursor.map(position).transpose()?;
    let limit = i64::from(wanted.limit);
    let found = state.read(move |connection| {
        let Some(account) = ledger::account(connection, tenant, id)? else {
            return Ok(None);
        };
        let found = ledger::statement(connection, tenant, &account, span, after, limit)?;
        Ok(Some((account, found)))
    });
    let found = found.await?;
    let (account, found) = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let next = found.next.map(|position| wanted.next(cursor(position)));
    let shown = show::statement(&account, span, &found, next);
    Ok(Response::json(200, &shown))
}

fn id(call: &Call) -> Result<AccountId, Problem> {
    call.named("id", code::NOT_FOUND)
}

/// The cursor of a line: its time and version stand in place of an id, and its balance is the position.
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
