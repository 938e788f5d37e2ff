//! The mode of the books, tenants, and the API keys that act for them.

use std::sync::Arc;

use diesel::prelude::*;
use sha2::{Digest, Sha256};
use store::bulk::Writes;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::{api_key, books, tenant};

/// Whether the money in the books is real. Books have one mode from their first day, and keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is pretended: the key is known to everybody.
    Sandbox,
    /// It is real.
    Live,
}

impl Mode {
    /// As in `sk_live_…` and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Sandbox => Self::Live,
            Self::Live => Self::Sandbox,
        }
    }

    /// What the keys of this mode begin with.
    #[must_use]
    pub const fn key_prefix(self) -> &'static str {
        match self {
            Self::Sandbox => "sk_sandbox_",
            Self::Live => "sk_live_",
        }
    }

    const fn number(self) -> i16 {
        match self {
            Self::Sandbox => 1,
            Self::Live => 2,
        }
    }

    fn from_number(number: i16) -> Result<Self, Error> {
        let known = [Self::Sandbox, Self::Live]
            .into_iter()
            .find(|mode| mode.number() == number);
        known.ok_or_else(|| Error::Refused(format!("there is no mode {number} of books")))
    }
}

store::bulk_insert! {
    /// The row of `books`.
    pub struct BooksRow in books {
        /// Always 1: there is one row.
        number: i16,
        /// 1 sandbox, 2 live.
        mode: i16,
        /// Microseconds since 1970.
        begun_at: i64,
    }
}

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

/// The mode of the books; `None` before their first day.
///
/// # Errors
/// [`Error`] as the database gives it, and for a mode that this program does not know.
pub fn mode(connection: &mut AnyConnection) -> Result<Option<Mode>, Error> {
    let number: Option<i16> = books::table
        .select(books::mode)
        .first(connection)
        .optional()?;
    number.map(Mode::from_number).transpose()
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
    mode: Option<Mode>,
    begun: Option<BooksRow>,
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
            mode: mode(connection)?,
            exists: !names.is_empty(),
            hashes: hashes.load(connection)?,
            ..Self::default()
        })
    }

    /// Makes what is missing; returns whether anything was.
    ///
    /// # Errors
    /// The mode that the books are in, if it is another one.
    pub(crate) fn provision(
        &mut self,
        of: &Tenant,
        mode: Mode,
        key: Option<&([u8; 32], String)>,
        now: Timestamp,
    ) -> Result<bool, Mode> {
        match self.mode {
            Some(known) if known != mode => return Err(known),
            Some(_) => {}
            None => {
                self.mode = Some(mode);
                self.begun = Some(BooksRow {
                    number: 1,
                    mode: mode.number(),
                    begun_at: now.micros(),
                });
            }
        }
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
        Ok(changed)
    }

    /// Adds what is new; returns the new tenant's empty audit log.
    pub(crate) fn save(&self, writes: &mut Writes) -> Option<audit_log::tables::Tip> {
        writes.add_first(Vec::from_iter(self.begun.clone()));
        let log = self.new_tenant.as_ref().map(|row| {
            writes.add_first(vec![row.clone()]);
            let at = Timestamp::from_micros(row.created_at);
            audit_log::tables::create(writes, row.tenant_id, at)
        });
        writes.add(self.new_keys.clone());
        log
    }
}
