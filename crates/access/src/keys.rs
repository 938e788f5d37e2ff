//! API keys. A caller that has one may act for its tenant.

use std::time::Duration;

use diesel::prelude::*;
use edge::Caller;
use engine::Tenant;
use sha2::{Digest, Sha256};
use store::{AnyConnection, Error, TenantId};

use crate::mode::Mode;
use crate::schema::{api_key, tenant};

store::bulk_insert! {
    /// A row of `api_key`.
    pub struct ApiKeyRow in api_key {
        /// The tenant that the key acts for.
        tenant_id: TenantId,
        /// SHA-256 of the key.
        hash: Vec<u8>,
        /// Name of the key in the audit log.
        label: String,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

/// Time for which a server trusts a key without asking the database again, from the moment before it asks. A reset
/// answers only after this time, so it is short in sandbox mode; in live mode no key ever changes its tenant.
#[must_use]
pub const fn believed(mode: Mode) -> Duration {
    match mode {
        Mode::Sandbox => Duration::from_millis(500),
        Mode::Live => Duration::from_secs(2),
    }
}

/// The hash of an API key, which is stored instead of the key.
#[must_use]
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The name of an API key in the audit log: a part of the key that is enough to find it and too little to use it.
#[must_use]
pub fn label(key: &str) -> String {
    let digest = hex::encode(hash(key));
    format!("key_{}", digest.get(..12).unwrap_or_default())
}

/// A new API key: its mode, and 256 random bits. It is shown once.
#[must_use]
pub fn new_key(mode: Mode) -> String {
    format!("{}{}", mode.key_prefix(), hex::encode(store::id::secret()))
}

/// The caller that holds the key with this hash.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn caller(connection: &mut AnyConnection, hash: [u8; 32]) -> Result<Option<Caller>, Error> {
    let found: Option<(TenantId, String, String)> = api_key::table
        .inner_join(tenant::table.on(tenant::tenant_id.eq(api_key::tenant_id)))
        .filter(api_key::hash.eq(hash.to_vec()))
        .select((tenant::tenant_id, tenant::name, api_key::label))
        .first(connection)
        .optional()?;
    Ok(found.map(|(id, name, label)| Caller {
        tenant: Tenant {
            id,
            name: name.into(),
        },
        label: label.into(),
    }))
}
