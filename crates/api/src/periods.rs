//! `/v1/periods`: what of the books is closed.

pub(crate) mod codes;

use books::periods::ClosePeriod;
use edge::strict_json::{Body, object};
use edge::{Problem, Reader, Response, Right};
use store::Timestamp;

use crate::reading::any_moment;
use crate::server::{Asked, Call, Routes, Shared};
use crate::{code, render, respond, wire};

/// Every route of periods.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("periods", "What of the books is closed");
    r.get(
        "/v1/periods",
        "getPeriod",
        "Up to which moment the books are closed.",
        read,
    )
    .gives::<wire::Period>(200, "What is closed");
    r.post(
        "/v1/periods/close",
        "closePeriod",
        "Closes everything that happened before a moment, for ever.",
        close,
    )
    .may(Right::Admin)
    .body(|known| close_period().describe(known))
    .gives::<wire::Period>(200, "Closed")
    .refuses(
        409,
        "As much, or more, is closed already",
        &[code::PERIOD_CLOSED],
    )
    .refuses(422, "The moment is malformed, or in the future", &[]);
}

async fn close(api: Shared, call: Call) -> Result<Response, Problem> {
    let mut asked = Asked::of(call)?;
    let before = asked.read_by(&close_period())?;
    let command = ClosePeriod { before };
    api.submit(asked, command, render::period_closed, render::tell)
        .await
}

async fn read(api: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let closed = api
        .engine
        .read(move |connection| ledger::closed_before(connection, tenant))
        .await
        .map_err(|error| respond::unavailable(&error))?;
    Ok(Response::json(200, &render::period(closed)))
}

/// Reads what closes a period.
fn close_period() -> impl Body<Out = Timestamp> {
    let says = "Closes everything that happened before a moment.";
    object("ClosePeriod", says, |fields| {
        let before =
            any_moment().says("The earliest moment that stays open (RFC 3339), not in the future.");
        fields.required("closed_before", before)
    })
}
