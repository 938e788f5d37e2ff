//! Scripted faults of calls: pauses, and answers in the place of the right ones.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use faults::{Answer, CallFaults, Desk, Operation, When};
use serde_json::json;
use tokio::time::sleep;

use crate::provider::Cut;
use crate::refusal::Refusal;
use crate::request::Tenant;

/// Answers a call, with the faults that its tenant has scripted. The call is what the provider does for it.
///
/// With a fault the call runs in a task of its own. So what is done depends on the fault only, and not on how long the
/// caller waits.
pub(crate) async fn scripted(
    desk: &Desk,
    tenant: Option<&Tenant>,
    operation: Operation,
    call: impl Future<Output = Result<HttpResponse, Refusal>> + 'static,
) -> Result<HttpResponse, Refusal> {
    let faults = tenant.map(|tenant| desk.call(tenant.as_str(), operation));
    match faults {
        None => call.await,
        Some(faults) if faults == CallFaults::default() => call.await,
        Some(faults) => {
            let played = actix_web::rt::spawn(play(faults, call)).await;
            played.unwrap_or_else(|_panic| Ok(HttpResponse::Ok().body(Cut)))
        }
    }
}

async fn play(
    faults: CallFaults,
    call: impl Future<Output = Result<HttpResponse, Refusal>>,
) -> Result<HttpResponse, Refusal> {
    let pause = |millis: u32| sleep(Duration::from_millis(u64::from(millis)));
    pause(faults.pause_before).await;
    let right = match faults.answer {
        Some((When::Before, _)) => None,
        Some((When::After, _)) | None => Some(call.await),
    };
    pause(faults.pause_after).await;
    match (faults.answer, right) {
        (Some((_, answer)), _) => Ok(instead(answer)),
        (None, Some(right)) => right,
        (None, None) => Ok(HttpResponse::Ok().body(Cut)),
    }
}

fn instead(answer: Answer) -> HttpResponse {
    match answer {
        Answer::Closed => HttpResponse::Ok().body(Cut),
        Answer::Status {
            status,
            retry_after,
        } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = HttpResponse::build(status);
            if let Some(seconds) = retry_after {
                response.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            response.json(json!({ "error": "scripted_fault" }))
        }
    }
}
