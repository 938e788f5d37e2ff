//! The replies about the clock of a tenant.

use edge::Problem;
use edge::reply::{json, moment, refusal_reply};
use edge::shapes::*;
use engine::{RefusalReply, Reply};
use serde::Serialize;
use store::Timestamp;
use utoipa::ToSchema;

use super::{AdvanceClock, Advanced, CLOCK_TOO_FAR, TooFar};

/// The clock of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct SandboxClock {
    /// Always `sandbox_clock`.
    pub object: &'static str,
    /// The time of the tenant.
    #[schema(value_type = Moment)]
    pub now: String,
    /// Number of seconds by which the clock of the tenant is ahead.
    #[schema(value_type = Count)]
    pub offset_seconds: i64,
}

/// A clock that is ahead by `offset` microseconds.
pub(super) fn clock(offset: i64, now: Timestamp) -> SandboxClock {
    SandboxClock {
        object: "sandbox_clock",
        now: moment(now),
        offset_seconds: offset.div_euclid(1_000_000),
    }
}

pub(super) fn advanced(done: &Advanced, _is_dry_run: bool) -> Reply {
    json(200, &clock(done.offset, done.now))
}

pub(super) fn show_refusal(_command: &AdvanceClock, rule: &TooFar) -> RefusalReply {
    let problem = Problem::new(CLOCK_TOO_FAR).with_detail(rule.to_string());
    refusal_reply(&problem.at("/seconds"), CLOCK_TOO_FAR.name)
}
