//! Replies: the bytes that are saved with a commit.

use engine::{RefusalReply, Reply};
use serde::Serialize;
use store::Timestamp;

use crate::Problem;

/// A reply that tells of an outcome.
#[must_use]
pub fn json(status: u16, body: &impl Serialize) -> Reply {
    // Texts and integers alone cannot fail to be written.
    Reply {
        status,
        body: serde_json::to_vec(body).unwrap_or_default(),
    }
}

/// A reply that refuses.
#[must_use]
pub fn problem(problem: &Problem) -> Reply {
    Reply {
        status: problem.status(),
        body: problem.to_saved_bytes(),
    }
}

/// A refusal as the lane takes it. `reason` is the code of the broken rule, for the audit log; whether the
/// refusal is kept, the code of the problem says.
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

/// A moment that a question was asked about. Where it meant no bound, that is the end of the range.
#[must_use]
pub fn bound(at: Timestamp) -> String {
    moment(at.clamped())
}
