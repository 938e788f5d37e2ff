//! HTTP responses made from the answers of the lane.

use crash_points::{Point, here};
use engine::{Answer, LaneError, RepeatedWarning, Reply};
use store::Error;

use crate::{Problem, Response, code, problem};

/// The answer to a command that has a reply.
///
/// # Errors
/// The key is in use, or names another request.
pub fn to_command(answer: Answer) -> Result<Response, Problem> {
    here(Point::ReplyBefore);
    match answer {
        Answer::Replied { reply, is_replay } => Ok(saved(reply, is_replay)),
        Answer::InFlight { .. } => {
            Err(Problem::new(code::IDEMPOTENCY_KEY_IN_USE).with_retry_after(1))
        }
        Answer::KeyReused { resource, reply } => {
            let resource = resource.or_else(|| reply.as_ref().and_then(resource_of));
            Err(Problem::idempotency_key_reused(resource))
        }
    }
}

/// The problem if the lane has no answer.
pub fn lane_error(error: LaneError) -> Problem {
    match error {
        LaneError::Overloaded => Problem::new(code::OVERLOADED).with_retry_after(1),
        LaneError::Unavailable => Problem::new(code::DATABASE_UNAVAILABLE).with_retry_after(1),
        LaneError::Failed => Problem::new(code::INTERNAL),
    }
}

/// The problem if a question has no answer. This is the one place where the cause is logged.
pub fn unavailable(error: &Error) -> Problem {
    match error {
        Error::Unavailable(_) | Error::Busy(_) | Error::Conflict(_) => {
            static FAILED: RepeatedWarning = RepeatedWarning::new();
            if let Some(times) = FAILED.due() {
                tracing::warn!(%error, times, "a read failed");
            }
            Problem::new(code::DATABASE_UNAVAILABLE).with_retry_after(1)
        }
        Error::Refused(_) => {
            tracing::error!(%error, "a read failed");
            Problem::new(code::INTERNAL)
        }
    }
}

fn saved(reply: Reply, replayed: bool) -> Response {
    let response = match reply.status {
        200..300 => Response::of(reply.status, "application/json", reply.body),
        _ => {
            let code = code_of(&reply);
            let response = Response::of(reply.status, problem::CONTENT_TYPE, reply.body);
            match code {
                Some(code) => problem::described_by(response, &code),
                None => response,
            }
        }
    };
    if replayed {
        return response.with("idempotent-replayed", "true");
    }
    response
}

/// The code of a saved problem.
fn code_of(reply: &Reply) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    body.get("code")?.as_str().map(str::to_owned)
}

/// The id of the resource that a saved reply is about: `id` in a resource, `resource` in a problem.
fn resource_of(reply: &Reply) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    let id = body.get("id").or_else(|| body.get("resource"))?;
    id.as_str().map(str::to_owned)
}
