//! `/sandbox/clock`.

use diesel::prelude::*;
use edge::strict_json::{Body, integer, object};
use edge::{
    Call, KeyRule, Problem, Reader, Response, Right, Routes, Shape, Shared, State, code, respond,
};

use super::{AdvanceClock, CLOCK_TOO_FAR, MOST_SECONDS, show};
use crate::schema::tenant;
use crate::{Mode, Operator};

/// Number of seconds by which a clock is moved.
const SECONDS: Shape = Shape::integer(1, MOST_SECONDS).example_number(86_400);

/// The routes of clocks.
pub(super) fn routes(r: &mut Routes) {
    r.tag(
        "sandbox",
        "The world around the books, played by a server in sandbox mode",
    );
    r.get(
        "/sandbox/clock",
        "getSandboxClock",
        "Shows the clock of the tenant.",
        read,
    )
    .gives::<show::SandboxClock>(200, "The clock")
    .refuses(404, "The server is in live mode", &[]);
    r.post(
        "/sandbox/clock/advance",
        "advanceSandboxClock",
        "Moves the clock of the tenant ahead, as if the time had passed.",
        advance,
    )
    .more("Authorizations expire, money becomes available, idempotency keys are forgotten: everything that depends on time follows. Only the clock of this tenant moves, it is stored, and it never goes back. Signatures of webhooks are still checked against the machine's clock.")
    .key(KeyRule::Optional)
    .may(Right::Admin)
    .body(|known| wanted().describe(known))
    .gives::<show::SandboxClock>(200, "The clock after the move")
    .refuses(404, "The server is in live mode", &[])
    .refuses(422, "A field is wrong, or the clock would be too far ahead", &[CLOCK_TOO_FAR]);
}

/// Refuses a request in live mode, in which there is no such route.
fn in_sandbox(state: &State) -> Result<(), Problem> {
    let operator: &Operator = state.part()?;
    match operator.mode {
        Mode::Sandbox => Ok(()),
        Mode::Live => Err(Problem::new(code::NOT_FOUND)),
    }
}

async fn read(state: Shared, call: Call) -> Result<Response, Problem> {
    in_sandbox(&state)?;
    let tenant = call.caller.tenant.id;
    let offset = state.read(move |connection| {
        let offset = tenant::table.find(tenant).select(tenant::clock_offset);
        Ok(offset.first::<i64>(connection)?)
    });
    let offset = offset.await?;
    let clock = state.engine.clock();
    clock.move_ahead(tenant, offset);
    let shown = show::clock(offset, clock.now_of(tenant));
    Ok(Response::json(200, &shown))
}

async fn advance(state: Shared, call: Call) -> Result<Response, Problem> {
    in_sandbox(&state)?;
    let mut submission = state.submission(call)?;
    let command = submission.read_by(&wanted())?;
    let tenant = submission.tenant().id;
    let request = submission.request(command, show::advanced, show::show_refusal);
    let outcome = state.engine.submit(request).await;
    let outcome = outcome.map_err(respond::lane_error)?;
    if let Some(Ok(done)) = &outcome.decided {
        state.engine.clock().move_ahead(tenant, done.offset);
    }
    respond::to_command(outcome.answer)
}

/// Reads the body that moves a clock.
fn wanted() -> impl Body<Out = AdvanceClock> {
    object("AdvanceSandboxClock", "Moves a clock.", |fields| {
        let seconds = integer(SECONDS)
            .says("Number of seconds by which the clock is moved ahead: at most 366 days.");
        let seconds = fields.required("seconds", seconds);
        seconds.map(|seconds| AdvanceClock { seconds })
    })
}
