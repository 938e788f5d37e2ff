//! `/v1/accounts/freeze-below` and `/v1/accounts/unfreeze-below`.

use edge::strict_json::{Body, object};
use edge::{Call, Problem, Reader, Response, Routes, Shared};
use ledger::AccountCode;

use super::codes::{SUBTREE_EMPTY, SUBTREE_TOO_LARGE};
use super::{TurnSubtree, show};
use crate::reading::account_code;

/// The routes that freeze and unfreeze a subtree of the chart. They belong to the group of accounts.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/accounts/freeze-below",
        "freezeBelow",
        "Lets the account with a code, and all below it, take no postings for now.",
        |state, call| turn(state, call, true),
    )
    .body(|known| subtree().describe(known))
    .gives::<show::TurnedAccounts>(200, "The accounts that are frozen now")
    .refuses(404, "No such account", &[SUBTREE_EMPTY])
    .refuses(409, "There are too many", &[SUBTREE_TOO_LARGE])
    .refuses(422, "A field is wrong", &[]);
    r.post(
        "/v1/accounts/unfreeze-below",
        "unfreezeBelow",
        "Lets the frozen account with a code, and all below it, take postings again.",
        |state, call| turn(state, call, false),
    )
    .body(|known| subtree().describe(known))
    .gives::<show::TurnedAccounts>(200, "The accounts that are open again")
    .refuses(404, "No such account", &[SUBTREE_EMPTY])
    .refuses(409, "There are too many", &[SUBTREE_TOO_LARGE])
    .refuses(422, "A field is wrong", &[]);
}

async fn turn(state: Shared, call: Call, freezes: bool) -> Result<Response, Problem> {
    let mut asked = state.asked(call)?;
    let code = asked.read_by(&subtree())?;
    let command = TurnSubtree { code, freezes };
    state.submit(asked, command, show::turned, show::tell).await
}

/// Reads what names a subtree.
fn subtree() -> impl Body<Out = AccountCode> {
    object(
        "Subtree",
        "Names a subtree of the chart of accounts.",
        |fields| {
            let code = account_code().says("The code; all accounts below it are meant too.");
            fields.required("code", code)
        },
    )
}
