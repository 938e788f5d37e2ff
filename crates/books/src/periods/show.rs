//! The replies about periods.

use edge::reply::{json, moment};
use engine::Reply;
use serde::Serialize;
use store::Timestamp;
use utoipa::ToSchema;

use crate::shapes::*;

/// The closed part of the books.
#[derive(Debug, Serialize, ToSchema)]
pub struct Period {
    /// Always `period`.
    pub object: &'static str,
    /// The earliest moment that is open: nothing that happened before it is accepted any more. Null: everything
    /// is open.
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
