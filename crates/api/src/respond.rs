//! From what the lane answers to an HTTP answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use engine::{Answer, LaneError, Repeated, Reply};
use store::Error;

use crate::problem::{self, Code, Problem};

/// The answer to a command that has a reply.
pub(crate) fn to_command(answer: Answer) -> Result<HttpResponse, Problem> {
    match answer {
        Answer::Replied { reply, is_replay } => Ok(saved(reply, is_replay)),
        Answer::InFlight { .. } => Err(Problem::new(Code::IdempotencyKeyInUse).with_retry_after(1)),
        Answer::KeyReused { resource, reply } => {
            let resource = resource.or_else(|| reply.as_ref().and_then(resource_of));
            Err(Problem::idempotency_key_reused(resource))
        }
    }
}

/// The lane had no answer.
pub(crate) fn lane_error(error: LaneError) -> Problem {
    match error {
        LaneError::Overloaded => Problem::new(Code::Overloaded).with_retry_after(1),
        LaneError::Unavailable => Problem::new(Code::DatabaseUnavailable).with_retry_after(1),
        LaneError::Failed => Problem::new(Code::Internal),
    }
}

/// A question had no answer. The one place where its cause is logged.
pub(crate) fn unavailable(error: &Error) -> Problem {
    match error {
        Error::Unavailable(_) | Error::Busy(_) | Error::Conflict(_) => {
            static FAILED: Repeated = Repeated::new();
            if let Some(times) = FAILED.due() {
                tracing::warn!(%error, times, "a read failed");
            }
            Problem::new(Code::DatabaseUnavailable).with_retry_after(1)
        }
        Error::Refused(_) => {
            tracing::error!(%error, "a read failed");
            Problem::new(Code::Internal)
        }
    }
}

/// A page, a resource or a receipt.
pub(crate) fn json(status: StatusCode, body: &impl serde::Serialize) -> HttpResponse {
    HttpResponse::build(status).json(body)
}

fn saved(reply: Reply, replayed: bool) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    let content_type = if status.is_success() {
        "application/json"
    } else {
        problem::CONTENT_TYPE
    };
    response.insert_header((header::CONTENT_TYPE, content_type));
    if replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response.body(reply.body)
}

/// What a saved reply is about: a resource names itself `id`, a problem names it `resource`.
fn resource_of(reply: &Reply) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    let id = body.get("id").or_else(|| body.get("resource"))?;
    id.as_str().map(str::to_owned)
}
