//! The replies about resets.

use edge::Problem;
use edge::reply::{json, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{HandOver, NotHandedOver, Succeed, Succeeded, TENANT_WAS_RESET};
use crate::ProvisionError;
use crate::tenants::codes::TENANT_EXISTS;

/// The tenant that the API key acts for after a reset.
#[derive(Debug, Serialize, ToSchema)]
pub struct SandboxReset {
    /// The id of the tenant: a number, written as a text of digits.
    pub id: String,
    /// Always `tenant`.
    pub object: &'static str,
    /// The name of the tenant.
    pub name: String,
    /// The name of the tenant for which the key acted before. It keeps its books.
    pub predecessor: String,
}

/// The tenant after a reset.
pub(super) fn reset(done: &Succeeded, _is_dry_run: bool) -> Reply {
    let shown = SandboxReset {
        id: done.tenant.id.to_string(),
        object: "tenant",
        name: done.tenant.name.to_string(),
        predecessor: done.predecessor.to_string(),
    };
    json(201, &shown)
}

pub(super) fn not_made(_command: &Succeed, rule: &ProvisionError) -> RefusalReply {
    let problem = Problem::new(TENANT_EXISTS).with_detail(rule.to_string());
    refusal_reply(&problem, TENANT_EXISTS.name)
}

pub(super) fn not_handed_over(_command: &HandOver, rule: &NotHandedOver) -> RefusalReply {
    let detail = format!("{rule}. Your key acts for the new tenant.");
    let problem = Problem::new(TENANT_WAS_RESET).with_detail(detail);
    refusal_reply(&problem, TENANT_WAS_RESET.name)
}
