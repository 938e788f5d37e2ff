//! The route that lists the pending holds of an account, with its balances.

use edge::cursor::Cursor;
use edge::query::foreign_cursor;
use edge::{Call, Problem, Response, Routes, Shared};
use ledger::AccountId;

use super::ID;
use crate::accounts::show;
use crate::{code, shapes};

/// The route that lists the pending holds.
pub(crate) fn routes(r: &mut Routes) {
    r.get(
        "/v1/accounts/{id}/pending",
        "listPending",
        "Lists the pending holds of an account, newest first, with its balances from the same snapshot.",
        list,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .page()
    .gives::<show::PendingPage>(200, "A page of holds, with the balances")
    .refuses(404, "No such account", &[]);
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let id: AccountId = call.named("id", code::NOT_FOUND)?;
    let before = match wanted.cursor {
        None => None,
        Some(cursor) if cursor.id == id.bytes() && cursor.position.is_some() => cursor.position,
        Some(_) => return Err(foreign_cursor()),
    };
    let limit = usize::from(wanted.limit);
    let found = state.read(move |connection| {
        let Some(account) = ledger::account(connection, tenant, id)? else {
            return Ok(None);
        };
        let told = ledger::outstanding(connection, tenant, &account, before, limit)?;
        Ok(Some((account, told)))
    });
    let found = found.await?;
    let (account, (held, next)) = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let next_cursor = next.map(|version| {
        wanted.next(Cursor {
            id: id.bytes(),
            position: Some(version),
        })
    });
    let shown = show::pending_page(&account, &held, next_cursor);
    Ok(Response::json(200, &shown))
}
