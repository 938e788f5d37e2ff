//! `/v1/trial-balance` and `/v1/balances`: the sums over many accounts.

use edge::cursor::Cursor;
use edge::query::{PageQuery, Query, foreign_cursor};
use edge::strict_json::Slot;
use edge::{Call, Problem, Response, Routes, Shared, State};
use ledger::{AccountBalance, AccountCode, AccountId, By, Scope};
use store::{TenantId, Timestamp};

use super::show;
use crate::query::{as_of, by, subtree};
use crate::shapes;

/// The routes about many accounts.
pub(crate) fn routes(r: &mut Routes) {
    r.get(
        "/v1/trial-balance",
        "getTrialBalance",
        "Reads the balances of all accounts, by code, as debits and credits, with the totals per currency.",
        trial_balance,
    )
    .asks(|query| drop(of_all(query)))
    .gives::<show::TrialBalance>(200, "A page of accounts, and the totals if no cursor is given")
    .refuses(400, "A parameter is wrong", &[]);
    r.get(
        "/v1/balances",
        "getBalances",
        "Reads the total balances of the accounts of a subtree, per currency.",
        balances,
    )
    .asks(|query| drop(of_subtree(query)))
    .gives::<show::SubtreeBalances>(200, "The totals; none if the subtree has no accounts")
    .refuses(400, "A parameter is wrong", &[]);
}

/// The parameters of the trial balance.
fn of_all(query: &mut Query) -> Slot<(PageQuery, By, Option<Timestamp>)> {
    let as_of = as_of(
        query,
        "RFC 3339: the moment of the balances, itself included; if absent, the present balances. With a moment and by `recorded`, all pages show the same state",
    );
    let by = by(
        query,
        "The time that counts: `recorded` (the default) or `effective`",
    );
    Slot::together((query.page(), by, as_of))
}

/// The parameters of a subtree's balances.
fn of_subtree(query: &mut Query) -> Slot<(AccountCode, By, Option<Timestamp>)> {
    let says = "The code of the subtree: the account with this code, and all accounts below it";
    let code = query.required("code", shapes::AccountCode::SHAPE, says, subtree);
    let as_of = as_of(
        query,
        "RFC 3339: the moment of the balances, itself included; if absent, the present balances",
    );
    let by = by(
        query,
        "The time that counts: `recorded` (the default) or `effective`",
    );
    Slot::together((code, by, as_of))
}

async fn trial_balance(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (wanted, by, as_of) = call.query.ask(of_all)?;
    let as_of = standing(&state, tenant, as_of, by);
    let scope = Scope {
        subtree: None,
        as_of,
    };
    let last = wanted.cursor.map(|cursor| AccountId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state.read(move |connection| {
        let Some(last) = last else {
            let standings = ledger::standings(connection, tenant, &scope, None, more)?;
            let totals = ledger::totals(connection, tenant, &scope)?;
            return Ok(Some((standings, Some(totals))));
        };
        // A later page has no totals, so that it costs only its own accounts.
        let Some(after) = ledger::account(connection, tenant, last)? else {
            return Ok(None);
        };
        let after = Some(after.code.as_str());
        let standings = ledger::standings(connection, tenant, &scope, after, more)?;
        Ok(Some((standings, None)))
    });
    let found = found.await?;
    let (mut standings, totals) = found.ok_or_else(foreign_cursor)?;
    let goes_on = standings.len() > usize::from(wanted.limit);
    standings.truncate(usize::from(wanted.limit));
    let cursor = |standing: &AccountBalance| Cursor {
        id: standing.account.id.bytes(),
        position: None,
    };
    let last = standings.last().filter(|_| goes_on);
    let next = last.map(|standing| wanted.next(cursor(standing)));
    let shown = show::trial_balance(&standings, totals.as_deref(), as_of, next);
    Ok(Response::json(200, &shown))
}

async fn balances(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (code, by, as_of) = call.query.ask(of_subtree)?;
    let code = String::from(code);
    let as_of = standing(&state, tenant, as_of, by);
    let scope = Scope {
        subtree: Some(code.clone()),
        as_of,
    };
    let found = state.read(move |connection| ledger::totals(connection, tenant, &scope));
    let found = found.await?;
    let shown = show::subtree_balances(code, &found, as_of);
    Ok(Response::json(200, &shown))
}

/// The moment of a question. If the question names none, it is the present moment for the effective time, and
/// `None` for the recording time, which means the present balances.
fn standing(
    state: &State,
    tenant: TenantId,
    as_of: Option<Timestamp>,
    by: By,
) -> Option<(Timestamp, By)> {
    match (as_of, by) {
        (None, By::Recorded) => None,
        (None, By::Effective) => Some((state.engine.clock().now_of(tenant), by)),
        (Some(at), _) => Some((at, by)),
    }
}
