//! Provisioning: the command that begins the books in one mode, makes a tenant, and allows a key to act for it.

use std::sync::Arc;

use diesel::prelude::*;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Loading, Tenant, set};
use store::bulk::Writes;
use store::rows::Single;
use store::{Error, TenantId, Timestamp};

use crate::keys::ApiKeyRow;
use crate::mode::{BooksRow, Mode, mode};
use crate::schema::{api_key, tenant};
use crate::tenants::TenantRow;

/// Ensures that the books have begun in this mode, that the tenant exists, and that a key may act for it.
#[derive(Debug, Clone)]
pub struct Provision {
    /// The mode of the books.
    pub mode: Mode,
    /// SHA-256 of an API key, and its name in the audit log.
    pub key: Option<([u8; 32], String)>,
}

/// Why nothing was provisioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    /// The books have this other mode.
    #[error("these are {} books", .0.name())]
    OtherMode(Mode),
    /// Another tenant has the name.
    #[error("another tenant has this name")]
    NameTaken,
}

impl Command for Provision {
    type Done = ();
    type Refusal = ProvisionError;

    fn asks(&self, asks: &mut Asks<'_>) {
        let name = asks.tenant.name.clone();
        if let Some(asked) = asks.of::<Shelf>() {
            *asked = Needs::of(name);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, ProvisionError> {
        let (tenant, now) = (book.tenant().clone(), book.now());
        let state = &mut book.shelf_mut::<Shelf>().0.state.value;
        let existed = state.exists;
        let changed = state.provision(&tenant, self.mode, self.key.as_ref(), now);
        let changed = changed?;
        if !existed {
            book.begin_log();
        }
        if changed {
            let label = self.key.as_ref().map_or("", |(_, label)| label.as_str());
            let delta = [set("mode", self.mode.name()), set("api_key", label)];
            let subject = ("tenant", &*tenant.name);
            book.record(&AuditEvent::done("tenant.provisioned", subject, &delta));
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "tenant.provision",
            kind: "tenant",
            id: String::new(),
        }
    }
}

/// The rows that a command needs of [`Shelf`].
#[derive(Debug, Default)]
pub struct Needs {
    /// Name of the tenant that the command may make.
    name: Option<Arc<str>>,
}

/// The mode of the books, the tenant and its keys, as a batch holds them.
#[derive(Debug, Default)]
pub struct Shelf {
    state: Single<State>,
}

store::savepoint!(Shelf { state });

#[derive(Debug, Default, Clone)]
struct State {
    mode: Option<Mode>,
    begun: Option<BooksRow>,
    exists: bool,
    /// True if another tenant has the name.
    name_is_taken: bool,
    hashes: Vec<Vec<u8>>,
    new_tenant: Option<TenantRow>,
    new_keys: Vec<ApiKeyRow>,
}

impl State {
    /// Adds the missing parts. Returns true if anything was missing.
    ///
    /// # Errors
    /// [`ProvisionError`]. The mode is checked first.
    fn provision(
        &mut self,
        of: &Tenant,
        mode: Mode,
        key: Option<&([u8; 32], String)>,
        now: Timestamp,
    ) -> Result<bool, ProvisionError> {
        match self.mode {
            Some(known) if known != mode => return Err(ProvisionError::OtherMode(known)),
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
        if !self.exists && self.name_is_taken {
            return Err(ProvisionError::NameTaken);
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
}

impl Needs {
    /// The rows that a command needs which may make a tenant of this name.
    pub(crate) fn of(name: Arc<str>) -> Self {
        Self { name: Some(name) }
    }
}

impl Shelf {
    /// Makes the tenant, without a key. Returns true if it did not exist.
    ///
    /// # Errors
    /// [`ProvisionError`]. The mode is checked first.
    pub(crate) fn make(
        &mut self,
        tenant: &Tenant,
        mode: Mode,
        now: Timestamp,
    ) -> Result<bool, ProvisionError> {
        self.state.value.provision(tenant, mode, None, now)
    }
}

impl engine::Shelf for Shelf {
    type Asks = Needs;
    type Memory = ();

    fn must_lock(asks: &Needs) -> bool {
        asks.name.is_some()
    }

    fn is_nothing(asks: &Needs) -> bool {
        asks.name.is_none()
    }

    fn load(&mut self, from: &mut Loading<'_>, asks: Needs) -> Result<(), Error> {
        let (connection, of) = (&mut *from.connection, from.tenant);
        let named: Vec<TenantId> = tenant::table
            .filter(tenant::name.eq(&*asks.name.unwrap_or_default()))
            .select(tenant::tenant_id)
            .load(connection)?;
        let own: Vec<TenantId> = tenant::table
            .find(of)
            .select(tenant::tenant_id)
            .load(connection)?;
        let hashes = api_key::table
            .filter(api_key::tenant_id.eq(of))
            .select(api_key::hash);
        self.state.value = State {
            mode: mode(connection)?,
            exists: !own.is_empty(),
            name_is_taken: named.iter().any(|id| *id != of),
            hashes: hashes.load(connection)?,
            ..State::default()
        };
        Ok(())
    }

    fn save(&self, _tenant: TenantId, writes: &mut Writes) {
        let state = &self.state.value;
        writes.add_first(Vec::from_iter(state.begun.clone()));
        writes.add_first(Vec::from_iter(state.new_tenant.clone()));
        writes.add(state.new_keys.clone());
    }
}
