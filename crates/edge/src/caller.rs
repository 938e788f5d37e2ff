//! The caller, as handlers see it.

use std::sync::Arc;

use engine::Tenant;

/// A caller who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that the caller acts for.
    pub tenant: Tenant,
    /// Name of the caller's key in the audit log.
    pub label: Arc<str>,
}
