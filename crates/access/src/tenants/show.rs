//! The replies about tenants.

use engine::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

/// A new tenant, with its first API key.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTenant {
    /// The id of the tenant: a number, written as a text of digits.
    pub id: String,
    /// Always `tenant`.
    pub object: &'static str,
    /// The name of the tenant.
    pub name: String,
    /// An API key that acts for the tenant. Only its hash is kept, so no later answer shows the key.
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
