//! `/v1/periods`: the closed part of the books.

use edge::strict_json::{Body, object};
use edge::{Call, Problem, Reader, Response, Right, Routes, Shared};
use store::Timestamp;

use super::{ClosePeriod, show};
use crate::reading::any_moment;
use crate::{code, show_refusal};

/// Every route of periods.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("periods", "The closed part of the books");
    r.get(
        "/v1/periods",
        "getPeriod",
        "Tells up to which moment the books are closed.",
        read,
    )
    .gives::<show::Period>(200, "The closed part of the books");
    r.post(
        "/v1/periods/close",
        "closePeriod",
        "Closes the books for everything that happened before a moment, for ever.",
        close,
    )
    .may(Right::Admin)
    .body(|known| close_period().describe(known))
    .gives::<show::Period>(200, "The period was closed")
    .refuses(
        409,
        "The books are closed up to this moment already, or up to a later one",
        &[code::PERIOD_CLOSED],
    )
    .refuses(422, "The moment is malformed, or in the future", &[]);
}

async fn close(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let before = submission.read_by(&close_period())?;
    let command = ClosePeriod { before };
    state
        .submit(submission, command, show::closed, show_refusal)
        .await
}

async fn read(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let closed = state
        .read(move |connection| ledger::closed_before(connection, tenant))
        .await?;
    Ok(Response::json(200, &show::period(closed)))
}

/// Reads the body that closes a period.
fn close_period() -> impl Body<Out = Timestamp> {
    let says = "Closes the books for everything that happened before a moment.";
    object("ClosePeriod", says, |fields| {
        let before =
            any_moment().says("The earliest moment that stays open (RFC 3339), not in the future.");
        fields.required("closed_before", before)
    })
}
