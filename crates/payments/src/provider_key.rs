//! The provider key of an operation: the name under which its provider knows it, and by which a webhook finds the tenant.
//!
//! One account at a provider may serve many tenants, and its webhooks all come to one address. So the key of an
//! operation names the tenant after a full stop: `op_….t1843`. The first tenants of books have local numbers, which
//! say nothing elsewhere; their keys name no tenant.

use store::TenantId;

use crate::OperationId;

/// The beginning of the part that names the tenant.
const TENANT: &str = ".t";

/// The provider key of a new operation.
pub(crate) fn provider_key(tenant: TenantId, operation: OperationId) -> String {
    if tenant.is_local() {
        operation.to_string()
    } else {
        format!("{operation}{TENANT}{tenant}")
    }
}

/// The tenant that a provider key names, if it names one.
pub(crate) fn tenant_in(key: &str) -> Option<TenantId> {
    let (_, named) = key.rsplit_once(TENANT)?;
    // What follows a colon belongs to a return.
    let digits = named.split_once(':').map_or(named, |(digits, _)| digits);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let tenant = TenantId(digits.parse().ok().filter(|_| is_plain)?);
    (!tenant.is_local()).then_some(tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_tenant_unless_its_number_is_local() {
        let operation = OperationId::from_bytes([7; 16]);
        assert_eq!(provider_key(TenantId(1), operation), operation.to_string());
        let tenant = TenantId(140_737_488_355_327);
        let key = provider_key(tenant, operation);
        assert_eq!(tenant_in(&key), Some(tenant));
        assert_eq!(
            tenant_in(&crate::refunds::key::return_key(&key)),
            Some(tenant)
        );
        for other in [
            "",
            "op_1",
            "op_1.t",
            "op_1.t1",
            "op_1.t-140737488355327",
            "op_1.t+140737488355327",
            "op_1.t99999999999999999999",
        ] {
            assert_eq!(tenant_in(other), None, "{other}");
        }
    }
}
