//! The tenant whose books a verb is about: the one that `--tenant` names, or the only one.

use engine::Tenant;
use store::AnyConnection;

/// Why the tenant is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TenantError {
    #[error("{0}; see that the database runs and --database-url names it")]
    Database(#[from] store::Error),
    #[error("there is no tenant {asked:?}: --tenant is one of {known}")]
    NoSuchTenant { asked: String, known: String },
    #[error("choose whose books with --tenant: {known}")]
    WhichTenant { known: String },
    #[error("there are no books yet: start `florin serve` once")]
    NoTenant,
}

/// The tenant with the requested name, or the only tenant.
pub(crate) fn chosen(
    connection: &mut AnyConnection,
    asked: Option<&str>,
) -> Result<Tenant, TenantError> {
    let mut tenants = access::tenants(connection)?;
    let known: Vec<&str> = tenants.iter().map(|tenant| &*tenant.name).collect();
    let known = known.join(", ");
    match (asked, tenants.len()) {
        (_, 0) => Err(TenantError::NoTenant),
        (Some(asked), _) => {
            let found = tenants.into_iter().find(|tenant| &*tenant.name == asked);
            let asked = asked.to_owned();
            found.ok_or(TenantError::NoSuchTenant { asked, known })
        }
        (None, 1) => tenants.pop().ok_or(TenantError::NoTenant),
        (None, _) => Err(TenantError::WhichTenant { known }),
    }
}
