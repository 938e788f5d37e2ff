//! The replies about tenants.

use engine::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

/// A tenant that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTenant {
    /// Its id, which is a number in digits.
    pub id: String,
    /// Always `tenant`.
    pub object: &'static str,
    /// Its name.
    pub name: String,
    /// An API key that acts for it. Only its hash is kept, so it is shown this once.
    pub api_key: String,
}

/// A tenant that was made, with its first API key.
pub(super) fn made(tenant: &Tenant, api_key: String) -> NewTenant {
    NewTenant {
        id: tenant.id.to_string(),
        object: "tenant",
        name: tenant.name.to_string(),
        api_key,
    }
}
