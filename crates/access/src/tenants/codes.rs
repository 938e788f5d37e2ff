//! The code of tenants.

edge::codes! {
    TENANT_EXISTS: "tenant_exists" 409 INVALID_REQUEST NEVER FREE "There is a tenant with this name already";
}
