//! Tenants and the API keys that act for them.

use std::sync::Arc;

use diesel::prelude::*;
use sha2::{Digest, Sha256};
use store::bulk::Writes;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::{api_key, tenant};

store::bulk_insert! {
    /// A row of `tenant`.
    pub struct TenantRow in tenant {
        /// Its number.
        tenant_id: TenantId,
        /// Its name.
        name: String,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

store::bulk_insert! {
    /// A row of `api_key`.
    pub struct ApiKeyRow in api_key {
        /// For whom it acts.
        tenant_id: TenantId,
        /// SHA-256 of the key.
        hash: Vec<u8>,
        /// What the audit log calls it.
        label: String,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

/// Somebody who keeps books here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its number.
    pub id: TenantId,
    /// Its name, as the audit log shows it.
    pub name: Arc<str>,
}

/// Whoever showed a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For whom they act.
    pub tenant: Tenant,
    /// What the audit log calls the key.
    pub label: Arc<str>,
}

/// What is kept of an API key.
#[must_use]
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// What the audit log calls an API key: enough to find it, too little to use it.
#[must_use]
pub fn label(key: &str) -> String {
    let digest = hex::encode(hash(key));
    format!("key_{}", digest.get(..12).unwrap_or_default())
}

/// Whom a key belongs to.
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

/// Every tenant, by number.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn tenants(connection: &mut AnyConnection) -> Result<Vec<Tenant>, Error> {
    let rows: Vec<TenantRow> = tenant::table.order(tenant::tenant_id).load(connection)?;
    let tenant = |row: TenantRow| Tenant {
        id: row.tenant_id,
        name: row.name.into(),
    };
    Ok(rows.into_iter().map(tenant).collect())
}

/// What a batch holds of access in memory.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    exists: bool,
    hashes: Vec<Vec<u8>>,
    new_tenant: Option<TenantRow>,
    new_keys: Vec<ApiKeyRow>,
}

impl Shelf {
    pub(crate) fn load(connection: &mut AnyConnection, of: TenantId) -> Result<Self, Error> {
        let names: Vec<TenantRow> = tenant::table.find(of).load(connection)?;
        let hashes = api_key::table
            .filter(api_key::tenant_id.eq(of))
            .select(api_key::hash);
        Ok(Self {
            exists: !names.is_empty(),
            hashes: hashes.load(connection)?,
            ..Self::default()
        })
    }

    /// Makes what is missing; returns whether anything was.
    pub(crate) fn provision(
        &mut self,
        of: &Tenant,
        key: Option<&([u8; 32], String)>,
        now: Timestamp,
    ) -> bool {
        let mut changed = false;
        if !self.exists {
            self.exists = true;
            self.new_tenant = Some(TenantRow {
                tenant_id: of.id,
                name: of.name.to_string(),
                created_at: now.micros(),
            });
            changed = true;
        }
        if let Some((hash, label)) = key
            && !self.hashes.iter().any(|known| known == hash)
        {
            self.hashes.push(hash.to_vec());
            self.new_keys.push(ApiKeyRow {
                tenant_id: of.id,
                hash: hash.to_vec(),
                label: label.clone(),
                created_at: now.micros(),
            });
            changed = true;
        }
        changed
    }

    /// Adds what is new; returns the new tenant's empty audit log.
    pub(crate) fn save(&self, writes: &mut Writes) -> Option<audit_log::tables::Tip> {
        let log = self.new_tenant.as_ref().map(|row| {
            writes.add_first(vec![row.clone()]);
            let at = Timestamp::from_micros(row.created_at);
            audit_log::tables::create(writes, row.tenant_id, at)
        });
        writes.add(self.new_keys.clone());
        log
    }
}
