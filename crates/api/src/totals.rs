//! `/v1/trial-balance` and `/v1/balances`: what many accounts hold together.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use ledger::{AccountId, By, Scope, Standing};
use store::Timestamp;

use crate::cursor::Cursor;
use crate::problem::Problem;
use crate::query::{Parameters, foreign_cursor};
use crate::request::answer;
use crate::server::Api;
use crate::{render, respond, wire};

/// All accounts' balances as debits and credits, by code, and what they come to per currency.
#[utoipa::path(
    get, path = "/v1/trial-balance", tag = "accounts", operation_id = "getTrialBalance",
    params(
        ("as_of" = Option<wire::texts::AskedMoment>, Query, description = "RFC 3339; as they stand, if absent. Given and by `recorded`, all pages are of one state"),
        ("by" = Option<wire::texts::TimeKind>, Query, description = "`recorded` (if absent) or `effective`"),
        ("limit" = Option<u16>, Query, description = "Accounts a page: 1 to 100, 25 if absent. The totals are of all accounts, and on the first page"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "The totals (without a cursor), and a page of accounts", body = wire::TrialBalance),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub(crate) async fn trial_balance(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let asked = Parameters::of(&request, &["as_of", "by", "limit", "cursor"])?;
        let (wanted, as_of) = (asked.page()?, as_of(&api, &asked)?);
        let scope = Scope {
            subtree: None,
            as_of,
        };
        let last = wanted.cursor.map(|cursor| AccountId::from_bytes(cursor.id));
        let more = i64::from(wanted.limit).saturating_add(1);
        let found = api.engine.read(move |connection| {
            let Some(last) = last else {
                let standings = ledger::standings(connection, tenant, &scope, None, more)?;
                let totals = ledger::totals(connection, tenant, &scope)?;
                return Ok(Some((standings, Some(totals))));
            };
            // A page in the middle costs what it shows: it leaves the totals to the first one.
            let Some(after) = ledger::account(connection, tenant, last)? else {
                return Ok(None);
            };
            let after = Some(after.code.as_str());
            let standings = ledger::standings(connection, tenant, &scope, after, more)?;
            Ok(Some((standings, None)))
        });
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let (mut standings, totals) = found.ok_or_else(foreign_cursor)?;
        let goes_on = standings.len() > usize::from(wanted.limit);
        standings.truncate(usize::from(wanted.limit));
        let cursor = |standing: &Standing| Cursor {
            id: standing.account.id.bytes(),
            position: None,
        };
        let last = standings.last().filter(|_| goes_on);
        let next = last.map(|standing| wanted.next(cursor(standing)));
        let shown = render::trial_balance(&standings, totals.as_deref(), as_of, next);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}

/// What the accounts of a subtree hold, per currency.
#[utoipa::path(
    get, path = "/v1/balances", tag = "accounts", operation_id = "getBalances",
    params(
        ("code" = wire::texts::AccountCode, Query, description = "The account with this code and all below it"),
        ("as_of" = Option<wire::texts::AskedMoment>, Query, description = "RFC 3339; as they stand, if absent"),
        ("by" = Option<wire::texts::TimeKind>, Query, description = "`recorded` (if absent) or `effective`"),
    ),
    responses(
        (status = 200, description = "What they hold; nothing, if there are none", body = wire::SubtreeBalances),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub(crate) async fn balances(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let asked = Parameters::of(&request, &["code", "as_of", "by"])?;
        let code = asked.required("code", asked.subtree("code")?)?;
        let code = String::from(code);
        let as_of = as_of(&api, &asked)?;
        let scope = Scope {
            subtree: Some(code.clone()),
            as_of,
        };
        let found = api
            .engine
            .read(move |connection| ledger::totals(connection, tenant, &scope));
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let shown = render::subtree_balances(code, &found, as_of);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}

/// By the time of recording, what is not said means as they stand; by the time of happening, now.
fn as_of(api: &Api, asked: &Parameters) -> Result<Option<(Timestamp, By)>, Problem> {
    let by = asked.by()?;
    Ok(match (asked.moment("as_of")?, by) {
        (None, By::Recorded) => None,
        (None, By::Effective) => Some((api.engine.clock().now(), by)),
        (Some(at), _) => Some((at, by)),
    })
}
