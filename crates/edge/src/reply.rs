//! Replies: the bytes that are saved with a commit.

use engine::{RefusalReply, Reply};
use serde::Serialize;
use store::Timestamp;

use crate::Problem;

/// A reply with an outcome.
#[must_use]
pub fn json(status: u16, body: &impl Serialize) -> Reply {
    // Serialization of texts and integers cannot fail.
    Reply {
        status,
        body: serde_json::to_vec(body).unwrap_or_default(),
    }
}

/// A reply with a problem.
#[must_use]
pub fn problem(problem: &Problem) -> Reply {
    Reply {
        status: problem.status(),
        body: problem.to_saved_bytes(),
    }
}

/// The reply to a refused command, for the lane. `reason` is the code of the broken rule, for the audit log.
/// The code of the problem decides whether the refusal is kept.
#[must_use]
pub fn refusal_reply(refused: &Problem, reason: &'static str) -> RefusalReply {
    RefusalReply {
        is_kept: refused.code().kept,
        reason,
        reply: problem(refused),
    }
}

/// A moment on the wire: RFC 3339 in UTC with microseconds.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    at.to_string()
}

/// The moment that a question names. If it is beyond the range, it is no bound, and the end of the range is
/// shown.
#[must_use]
pub fn bound(at: Timestamp) -> String {
    moment(at.clamped())
}
