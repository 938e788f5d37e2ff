//! Changes of an account besides its balances: whether it takes postings, its limits, and its metadata.

use books::accounts::{AccountChange, ChangeAccount};
use edge::strict_json::{Alternative, Body, Fields, Reading, Slot, nullable, object, one_of};
use edge::{Problem, Reader, Response};
use ledger::AccountId;

use super::{ID, limit, limits, line};
use crate::metadata::{REPLACED, replaced};
use crate::server::{Asked, Call, Routes, Shared};
use crate::wire::texts;
use crate::{code, render, wire};

/// The routes that change an account.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/accounts/{id}/freeze",
        "freezeAccount",
        "Lets an account take no postings for now.",
        |api, call| turn(api, call, AccountChange::Freeze),
    )
    .segment("id", texts::AccountId::SHAPE, ID)
    .body(|known| nothing().describe(known))
    .gives::<wire::Account>(200, "The account, frozen")
    .refuses(404, "No such account", &[])
    .refuses(409, "It is not open", &[code::ACCOUNT_STATE_CONFLICT]);
    r.post(
        "/v1/accounts/{id}/unfreeze",
        "unfreezeAccount",
        "Lets a frozen account take postings again.",
        |api, call| turn(api, call, AccountChange::Unfreeze),
    )
    .segment("id", texts::AccountId::SHAPE, ID)
    .body(|known| nothing().describe(known))
    .gives::<wire::Account>(200, "The account, open")
    .refuses(404, "No such account", &[])
    .refuses(409, "It is not frozen", &[code::ACCOUNT_STATE_CONFLICT]);
    r.post(
        "/v1/accounts/{id}/close",
        "closeAccount",
        "Closes an account that holds nothing, for ever.",
        |api, call| turn(api, call, AccountChange::Close),
    )
    .segment("id", texts::AccountId::SHAPE, ID)
    .body(|known| nothing().describe(known))
    .gives::<wire::Account>(200, "The account, closed")
    .refuses(404, "No such account", &[])
    .refuses(
        409,
        "It is closed already, or holds something",
        &[code::ACCOUNT_STATE_CONFLICT],
    );
    r.patch(
        "/v1/accounts/{id}",
        "updateAccount",
        "Sets an account's limits, all three at once; or what is kept with it.",
        patch,
    )
    .segment("id", texts::AccountId::SHAPE, ID)
    .body(|known| new_state().describe(known))
    .gives::<wire::Account>(200, "The account as it is now")
    .refuses(404, "No such account", &[])
    .refuses(409, "It is closed", &[code::ACCOUNT_STATE_CONFLICT])
    .refuses(422, "A field is wrong", &[]);
}

async fn patch(api: Shared, call: Call) -> Result<Response, Problem> {
    change(api, call, |asked| asked.read_by(&new_state())).await
}

async fn turn(api: Shared, call: Call, wanted: AccountChange) -> Result<Response, Problem> {
    let read = |asked: &mut Asked| asked.read_by(&nothing()).map(|()| wanted);
    change(api, call, read).await
}

async fn change(
    api: Shared,
    call: Call,
    read: impl FnOnce(&mut Asked) -> Reading<AccountChange>,
) -> Result<Response, Problem> {
    let id = call.named::<AccountId>("id", code::NOT_FOUND);
    let mut asked = Asked::of(call)?;
    let id = id?;
    let change = read(&mut asked)?;
    let command = ChangeAccount { id, change };
    api.submit(asked, command, render::account_changed, render::tell)
        .await
}

/// Reads an empty object.
fn nothing() -> impl Body<Out = ()> {
    object("Nothing", "An empty object.", |_| Slot::together(()))
}

/// Reads what an account is changed to.
fn new_state() -> impl Body<Out = AccountChange> {
    let [name, says] = REPLACED;
    let limits = Alternative::new(
        false,
        "NewLimits",
        "An account's limits, in minor units; each must be there.",
        new_limits,
    );
    let metadata = Alternative::new(true, name, says, |fields: &mut Fields| {
        replaced(fields).map(AccountChange::SetMetadata)
    });
    one_of(
        "AccountPatch",
        "Changes an account: its three limits, or its metadata.",
        |fields| fields.has("metadata"),
        vec![
            limits.standing("All limits at once; null: no such limit."),
            metadata.standing("What you keep with it; null or an empty object: nothing."),
        ],
    )
}

/// Limits are set as a whole, so that nobody sets one beside another that has changed meanwhile.
fn new_limits(fields: &mut Fields) -> Slot<AccountChange> {
    let floor = limit().says("The least available balance.");
    let floor = fields.required("floor", nullable(floor));
    let ceiling = limit().says("The greatest possible balance.");
    let ceiling = fields.required("ceiling", nullable(ceiling));
    let credit_line = line().says("How far below the floor it may go.");
    let credit_line = fields.required("credit_line", nullable(credit_line));
    let bounds = Slot::together((floor, ceiling, credit_line));
    bounds.check(|bounds| Ok(AccountChange::SetLimits(limits(bounds)?)))
}
