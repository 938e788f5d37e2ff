//! Tenants: the owners of books.

pub(crate) mod codes;
mod http;
pub mod show;

pub use http::Operator;

use diesel::prelude::*;
use edge::Capability;
use engine::Tenant;
use store::{AnyConnection, Error, TenantId};

use crate::schema::tenant;

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

store::bulk_insert! {
    /// A row of `tenant`.
    pub struct TenantRow in tenant {
        /// Id of the tenant.
        tenant_id: TenantId,
        /// Name of the tenant.
        name: String,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

/// Every tenant, by id.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn tenants(connection: &mut AnyConnection) -> Result<Vec<Tenant>, Error> {
    let rows: Vec<(TenantId, String)> = tenant::table
        .order(tenant::tenant_id)
        .select((tenant::tenant_id, tenant::name))
        .load(connection)?;
    let tenant = |(id, name): (_, String)| Tenant {
        id,
        name: name.into(),
    };
    Ok(rows.into_iter().map(tenant).collect())
}

/// Greatest length of a tenant's name, in characters.
pub const MAX_NAME_LENGTH: usize = 64;

/// Why a text cannot be the name of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name is 1 to 64 lower-case letters, digits, and - _ . between them")]
pub struct NameError;

/// Reads the name of a tenant. The name is used in URLs, file names and audit records.
///
/// # Errors
/// [`NameError`] if the text cannot be such a name.
pub fn parse_name(text: &str) -> Result<String, NameError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let all = bytes
        .iter()
        .all(|byte| is_plain(*byte) || matches!(byte, b'-' | b'_' | b'.'));
    let ends = [bytes.first(), bytes.last()];
    let ends = ends
        .into_iter()
        .all(|end| end.is_some_and(|byte| is_plain(*byte)));
    if all && ends && text.len() <= MAX_NAME_LENGTH {
        Ok(text.to_owned())
    } else {
        Err(NameError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_bounded() {
        for good in ["a", "acme", "acme-2", "a.b_c", &"x".repeat(64)] {
            assert_eq!(parse_name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "-a",
            "a-",
            ".",
            "Acme",
            "a b",
            "é",
            "a/b",
            &"x".repeat(65),
        ] {
            assert_eq!(parse_name(bad), Err(NameError), "{bad:?}");
        }
    }
}
