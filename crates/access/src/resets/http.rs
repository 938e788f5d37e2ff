//! `/sandbox/reset`.

use std::sync::Arc;

use edge::strict_json::{Body, Slot, object};
use edge::{
    Call, KeyRule, Problem, Reader as _, Response, Right, Routes, Shared, State, code, respond,
};
use engine::{Answer, Key, pause};

use super::{HandOver, NotHandedOver, Succeed, TENANT_WAS_RESET, show, successor};
use crate::keys::believed;
use crate::tenants::codes::TENANT_EXISTS;
use crate::{Mode, Operator};

/// The route of resets.
pub(super) fn routes(r: &mut Routes) {
    r.post(
        "/sandbox/reset",
        "resetSandbox",
        "Begins anew: the API keys of the tenant act for a fresh tenant from now on.",
        reset,
    )
    .more("Nothing is deleted: the old tenant keeps its books, and its work in the background goes on. The new tenant has empty books, no scripted fault, and the machine's time. After the answer no server acts for the old tenant under these keys. With an idempotency key the same request again gets the same answer, until the new tenant is reset itself.")
    .key(KeyRule::Optional)
    .may(Right::Admin)
    .body(|known| nothing().describe(known))
    .gives::<show::SandboxReset>(201, "The new tenant")
    .refuses(404, "The server is in live mode", &[])
    .refuses(409, "Another request has reset the tenant, or the name is taken", &[TENANT_WAS_RESET, TENANT_EXISTS])
    .refuses(422, "A field is wrong", &[]);
}

async fn reset(state: Shared, call: Call) -> Result<Response, Problem> {
    let mode = in_sandbox(&state)?;
    let mut submission = state.submission(call)?;
    submission.read_by(&nothing())?;
    let old = submission.tenant();
    let to = successor(old.id, submission.key().map(Key::as_str));
    let hand_over = async || {
        let command = HandOver { to: to.clone() };
        let tenant = old.clone();
        let request = submission.request_for(tenant, command, show::reset, show::not_handed_over);
        state
            .engine
            .submit(request)
            .await
            .map_err(respond::lane_error)
    };
    if submission.key().is_some() {
        // An earlier request may have done all of it, or have made the tenant.
        let handed = hand_over().await?;
        match handed.decided {
            Some(Err(NotHandedOver::NoHeir)) => {}
            // Another request was quicker. If it had the same key, its answer is there by now.
            Some(Err(NotHandedOver::NoKeys)) => {
                return answer(mode, hand_over().await?.answer).await;
            }
            Some(Ok(_)) | None => return answer(mode, handed.answer).await,
        }
    }
    let command = Succeed {
        mode,
        predecessor: Arc::clone(&old.name),
    };
    let request = submission.request_for(to.clone(), command, show::reset, show::not_made);
    let made = state.engine.submit(request).await;
    let made = made.map_err(respond::lane_error)?.answer;
    if !matches!(&made, Answer::Replied { reply, .. } if reply.status == 201) {
        return respond::to_command(made);
    }
    let mut handed = hand_over().await?;
    if submission.key().is_some() && matches!(handed.decided, Some(Err(NotHandedOver::NoKeys))) {
        handed = hand_over().await?;
    }
    answer(mode, handed.answer).await
}

/// Answers when every server has forgotten for whom the keys acted before.
async fn answer(mode: Mode, answer: Answer) -> Result<Response, Problem> {
    pause(believed(mode)).await;
    respond::to_command(answer)
}

/// The mode, which is that of the sandbox. In live mode there is no such route.
fn in_sandbox(state: &State) -> Result<Mode, Problem> {
    let operator: &Operator = state.part()?;
    match operator.mode {
        Mode::Sandbox => Ok(Mode::Sandbox),
        Mode::Live => Err(Problem::new(code::NOT_FOUND)),
    }
}

/// Reads a body without fields.
fn nothing() -> impl Body<Out = ()> {
    object("ResetSandbox", "Begins anew.", |_fields| Slot::together(()))
}
