//! `/v1/approvals`.

use edge::strict_json::{Body, nullable, object, prose};
use edge::{Call, Problem, Reader, Response, Routes, Shared, code};
use text::Identifier;

use super::codes::{APPROVAL_DECIDED, SECOND_PERSON_REQUIRED};
use super::{ApprovalId, DecideApproval, Verdict, shelf, show};
use crate::customers::codes::CUSTOMER_MAY_NOT;
use crate::{answers, begun, shapes};

/// The reason of a decision.
type Reason = Identifier<255>;

/// Every route of approvals.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "approvals",
        "What is too much for one person, and is decided by another",
    );
    r.post(
        "/v1/approvals/{id}/approve",
        "grantApproval",
        "Approves what somebody else has proposed; it is done at once.",
        |state, call| decide(state, call, Verdict::Approve),
    )
    .segment("id", shapes::ApprovalId::SHAPE, "apr_…")
    .body(|known| decision().describe(known))
    .gives::<show::Approval>(200, "It is approved")
    .refuses(
        403,
        "Somebody else has to decide, or the customer may not be paid. In the latter case it still waits",
        &[SECOND_PERSON_REQUIRED, CUSTOMER_MAY_NOT],
    )
    .refuses(
        404,
        "No such approval, or the account that should pay does not exist",
        &[books::code::ACCOUNT_NOT_FOUND],
    )
    .refuses(
        409,
        "It was decided already, or an account does not take postings. In the latter case it still waits",
        &[
            APPROVAL_DECIDED,
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, or the books refuse what was proposed. In the latter case it still waits",
        &[
            books::code::CURRENCY_MISMATCH,
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.post(
        "/v1/approvals/{id}/reject",
        "rejectApproval",
        "Rejects what somebody else has proposed.",
        |state, call| decide(state, call, Verdict::Reject),
    )
    .segment("id", shapes::ApprovalId::SHAPE, "apr_…")
    .body(|known| decision().describe(known))
    .gives::<show::Approval>(200, "It is rejected")
    .refuses(
        403,
        "Somebody else has to decide",
        &[SECOND_PERSON_REQUIRED],
    )
    .refuses(404, "No such approval", &[])
    .refuses(409, "It was decided already", &[APPROVAL_DECIDED])
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/v1/approvals/{id}",
        "getApproval",
        "Reads one approval.",
        |state, call| answers::one(state, call, shelf::approval, show::approval),
    )
    .segment("id", shapes::ApprovalId::SHAPE, "apr_…")
    .gives::<show::Approval>(200, "The approval")
    .refuses(404, "No such approval", &[]);
    r.get(
        "/v1/approvals",
        "listApprovals",
        "Lists approvals, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                shelf::approvals,
                show::approval,
                ApprovalId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<show::Approval>("A page of approvals");
}

async fn decide(state: Shared, call: Call, verdict: Verdict) -> Result<Response, Problem> {
    let id = call.named::<ApprovalId>("id", code::NOT_FOUND);
    let by = call.caller.label.to_string();
    let mut submission = state.submission(call)?;
    let id = id?;
    let reason = submission.read_by(&decision())?;
    let command = DecideApproval {
        id,
        verdict,
        by,
        reason: reason.map(String::from),
        providers: begun::providers(&state)?,
    };
    state
        .submit(submission, command, show::decided, show::show_refusal)
        .await
}

/// Reads the body of a decision.
fn decision() -> impl Body<Out = Option<Reason>> {
    object("ApprovalDecision", "Decides on an approval.", |fields| {
        let reason =
            prose::<Reason>(shapes::ShortText::SHAPE).says("The reason: at most 255 characters.");
        fields
            .optional("reason", nullable(reason))
            .map(Option::flatten)
    })
}
