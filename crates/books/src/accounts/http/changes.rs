//! The routes that change an account: its status, its limits, and its metadata.

use edge::strict_json::{Alternative, Body, Fields, Reading, Slot, nullable, object, one_of};
use edge::{Call, Problem, Reader, Response, Routes, Shared, Submission};
use ledger::AccountId;

use super::{ID, limit, limits, line};
use crate::accounts::{AccountChange, ChangeAccount, show};
use crate::metadata::{REPLACED, replaced};
use crate::{code, shapes, show_refusal};

/// The routes that change an account.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/accounts/{id}/freeze",
        "freezeAccount",
        "Freezes an account, so that it takes no postings until it is unfrozen.",
        |state, call| turn(state, call, AccountChange::Freeze),
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .body(|known| nothing().describe(known))
    .gives::<show::Account>(200, "The frozen account")
    .refuses(404, "No such account", &[])
    .refuses(
        409,
        "The account is not open",
        &[code::ACCOUNT_STATE_CONFLICT],
    );
    r.post(
        "/v1/accounts/{id}/unfreeze",
        "unfreezeAccount",
        "Unfreezes an account, so that it takes postings again.",
        |state, call| turn(state, call, AccountChange::Unfreeze),
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .body(|known| nothing().describe(known))
    .gives::<show::Account>(200, "The account, which is open again")
    .refuses(404, "No such account", &[])
    .refuses(
        409,
        "The account is not frozen",
        &[code::ACCOUNT_STATE_CONFLICT],
    );
    r.post(
        "/v1/accounts/{id}/close",
        "closeAccount",
        "Closes an account that holds nothing, for ever.",
        |state, call| turn(state, call, AccountChange::Close),
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .body(|known| nothing().describe(known))
    .gives::<show::Account>(200, "The closed account")
    .refuses(404, "No such account", &[])
    .refuses(
        409,
        "The account is closed already, or still holds something",
        &[code::ACCOUNT_STATE_CONFLICT],
    );
    r.patch(
        "/v1/accounts/{id}",
        "updateAccount",
        "Sets the three limits of an account together, or its metadata.",
        patch,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .body(|known| new_state().describe(known))
    .gives::<show::Account>(200, "The account as it is now")
    .refuses(404, "No such account", &[])
    .refuses(
        409,
        "The account is closed",
        &[code::ACCOUNT_STATE_CONFLICT],
    )
    .refuses(422, "A field is wrong", &[]);
}

async fn patch(state: Shared, call: Call) -> Result<Response, Problem> {
    change(state, call, |submission| submission.read_by(&new_state())).await
}

async fn turn(state: Shared, call: Call, wanted: AccountChange) -> Result<Response, Problem> {
    let read = |submission: &mut Submission| submission.read_by(&nothing()).map(|()| wanted);
    change(state, call, read).await
}

async fn change(
    state: Shared,
    call: Call,
    read: impl FnOnce(&mut Submission) -> Reading<AccountChange>,
) -> Result<Response, Problem> {
    let id = call.named::<AccountId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let change = read(&mut submission)?;
    let command = ChangeAccount { id, change };
    state
        .submit(submission, command, show::changed, show_refusal)
        .await
}

/// Reads an empty object.
fn nothing() -> impl Body<Out = ()> {
    object("Nothing", "An empty object.", |_| Slot::together(()))
}

/// Reads the body with the new limits or the new metadata.
fn new_state() -> impl Body<Out = AccountChange> {
    let [name, says] = REPLACED;
    let limits = Alternative::new(
        false,
        "NewLimits",
        "The limits of an account, in minor units. All three are required.",
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
            limits.standing("All three limits. Null: no such limit."),
            metadata.standing(
                "The metadata that you keep with it. Null or an empty object removes it.",
            ),
        ],
    )
}

/// Reads the limits. All three are set together, so that no client combines a new limit with another one that
/// was changed meanwhile.
fn new_limits(fields: &mut Fields) -> Slot<AccountChange> {
    let floor = limit().says("The least available balance.");
    let floor = fields.required("floor", nullable(floor));
    let ceiling = limit().says("The greatest possible balance.");
    let ceiling = fields.required("ceiling", nullable(ceiling));
    let credit_line = line().says("How far below the floor the available balance may go.");
    let credit_line = fields.required("credit_line", nullable(credit_line));
    let bounds = Slot::together((floor, ceiling, credit_line));
    bounds.check(|bounds| Ok(AccountChange::SetLimits(limits(bounds)?)))
}
