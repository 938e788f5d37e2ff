//! `/sandbox/drain`.

use std::time::{Duration, Instant};

use edge::strict_json::{Body, Slot, object};
use edge::{
    Call, KeyRule, Problem, Reader as _, Response, Right, Routes, Shared, code, headers, respond,
};
use engine::{Request, pause};

use super::{Deliveries, HurryOperations, Unfinished, show, unfinished};

/// Time between two looks at the work.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Time between two inquiries of one operation.
const HURRY_AGAIN: Duration = Duration::from_secs(1);

/// The route of draining.
pub(super) fn routes(r: &mut Routes) {
    r.post(
        "/sandbox/drain",
        "drainSandboxWork",
        "Finishes all background work of the tenant now.",
        drain,
    )
    .more("Work that waits for a later time by the tenant's clock is not due: move the clock first. An operation that waits for the payer stays. If the work is not finished in time, `finished` is false and the numbers tell what is left.")
    .key(KeyRule::None)
    .may(Right::Admin)
    .waits()
    .body(|known| nothing().describe(known))
    .gives::<show::SandboxDrain>(200, "The work that is left")
    .refuses(404, "The server is in live mode", &[]);
}

async fn drain(state: Shared, call: Call) -> Result<Response, Problem> {
    let Deliveries(Some(deliveries)) = state.part()? else {
        return Err(Problem::new(code::NOT_FOUND));
    };
    let until = Instant::now() + headers::prefer_wait(&call.headers);
    let tenant = call.caller.tenant.clone();
    let mut submission = state.submission(call)?;
    submission.read_by(&nothing())?;
    let mut hurried: Option<Instant> = None;
    loop {
        let (of, clock) = (tenant.id, state.engine.clock().clone());
        let undelivered = deliveries();
        let found = state.read(move |connection| unfinished(connection, of, &clock));
        let mut left: Unfinished = found.await?;
        left.webhooks = left.webhooks.saturating_add(undelivered);
        if left.is_nothing() || Instant::now() >= until {
            return Ok(Response::json(200, &show::drain(&left)));
        }
        let is_time = hurried.is_none_or(|at| at.elapsed() >= HURRY_AGAIN);
        if is_time && !left.operations.is_empty() {
            hurried = Some(Instant::now());
            let operations = left.operations;
            let request =
                Request::of_system(tenant.clone(), "drain", HurryOperations { operations });
            let hurried = state.engine.submit(request).await;
            hurried.map_err(respond::lane_error)?;
        }
        pause(LOOK_AGAIN).await;
    }
}

/// Reads a body without fields.
fn nothing() -> impl Body<Out = ()> {
    object("DrainSandboxWork", "Finishes background work.", |_fields| {
        Slot::together(())
    })
}
