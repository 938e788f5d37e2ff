//! The reply about background work.

use edge::shapes::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::Unfinished;

/// The background work of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct SandboxDrain {
    /// Always `sandbox_drain`.
    pub object: &'static str,
    /// True if all background work is finished.
    pub finished: bool,
    /// Number of operations that wait for their provider.
    #[schema(value_type = Count)]
    pub operations: usize,
    /// Number of other errands that are due.
    #[schema(value_type = Count)]
    pub errands: usize,
    /// Number of webhooks that are not delivered, or not applied although their cause is known.
    #[schema(value_type = Count)]
    pub webhooks: usize,
}

pub(super) fn drain(left: &Unfinished) -> SandboxDrain {
    SandboxDrain {
        object: "sandbox_drain",
        finished: left.is_nothing(),
        operations: left.operations.len(),
        errands: left.errands,
        webhooks: left.webhooks,
    }
}
