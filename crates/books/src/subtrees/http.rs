//! `/v1/accounts/freeze-below` and `/v1/accounts/unfreeze-below`.

use edge::strict_json::{Body, object};
use edge::{Call, Problem, Reader, Response, Routes, Shared};
use ledger::AccountCode;

use super::codes::{SUBTREE_EMPTY, SUBTREE_TOO_LARGE};
use super::{ChangeSubtree, show};
use crate::reading::account_code;

/// The routes that freeze and unfreeze a subtree of the chart. They belong to the group of accounts.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/accounts/freeze-below",
        "freezeBelow",
        "Freezes the account with a code, and all accounts below it, until they are unfrozen.",
        |state, call| change(state, call, true),
    )
    .body(|known| subtree().describe(known))
    .gives::<show::AccountChanges>(200, "The accounts that the request has frozen")
    .refuses(404, "No such account", &[SUBTREE_EMPTY])
    .refuses(409, "There are too many accounts", &[SUBTREE_TOO_LARGE])
    .refuses(422, "A field is wrong", &[]);
    r.post(
        "/v1/accounts/unfreeze-below",
        "unfreezeBelow",
        "Unfreezes the account with a code, and all accounts below it.",
        |state, call| change(state, call, false),
    )
    .body(|known| subtree().describe(known))
    .gives::<show::AccountChanges>(200, "The accounts that the request has unfrozen")
    .refuses(404, "No such account", &[SUBTREE_EMPTY])
    .refuses(409, "There are too many accounts", &[SUBTREE_TOO_LARGE])
    .refuses(422, "A field is wrong", &[]);
}

async fn change(state: Shared, call: Call, freezes: bool) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let code = submission.read_by(&subtree())?;
    let command = ChangeSubtree { code, freezes };
    state
        .submit(submission, command, show::changes, show::show_refusal)
        .await
}

/// Reads the body that names a subtree.
fn subtree() -> impl Body<Out = AccountCode> {
    object(
        "Subtree",
        "Names a subtree of the chart of accounts.",
        |fields| {
            let code =
                account_code().says("The code. All accounts below it belong to the subtree too.");
            fields.required("code", code)
        },
    )
}
