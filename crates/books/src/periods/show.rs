//! The replies about periods.

use edge::reply::{json, moment};
use engine::Reply;
use serde::Serialize;
use store::Timestamp;
use utoipa::ToSchema;

use crate::shapes::*;

/// What of the books is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Period {
    /// Always `period`.
    pub object: &'static str,
    /// Nothing that happened before is accepted any more; null: all is open.
    #[schema(value_type = Option<Moment>, required)]
    pub closed_before: Option<String>,
}

/// The reply with a period that was closed.
pub(crate) fn closed(before: &Timestamp, _is_dry_run: bool) -> Reply {
    json(200, &period(Some(*before)))
}

/// The closed period, which ends at this moment; `None`: nothing is closed.
pub(crate) fn period(closed_before: Option<Timestamp>) -> Period {
    Period {
        object: "period",
        closed_before: closed_before.map(moment),
    }
}
