//! Resets, in sandbox mode: a tenant begins anew under the same API keys. Nothing is deleted. A fresh tenant is made, and
//! then the keys of the old tenant act for it.
//!
//! These are two commits, because a commit belongs to the books of its tenants, and a command to those of one: first the
//! fresh tenant is made ([`Succeed`]), then the old one hands its keys over ([`HandOver`]). Between the two there is a
//! tenant without a key, which nobody can use. The idempotency key of a request stands with both tenants, and names the
//! fresh one. So the same request again finds the answer, whichever tenant it is of by then, or the tenant that the first
//! one has made, and goes on.

mod http;
pub mod show;

use std::sync::Arc;

use diesel::prelude::*;
use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Loading, Tenant, set};
use sha2::{Digest, Sha256};
use store::bulk::Writes;
use store::rows::Single;
use store::{Error, Ids, TenantId};

use crate::provision::{Needs, Shelf};
use crate::schema::{api_key, tenant};
use crate::{Mode, ProvisionError};

edge::codes! {
    TENANT_WAS_RESET: "tenant_was_reset" 409 INVALID_REQUEST NEVER FREE "The tenant was reset meanwhile";
}

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: ALL,
};

/// The tenant that succeeds another one. With an idempotency key it is the same for every request with this key.
fn successor(old: TenantId, key: Option<&str>) -> Tenant {
    let id = match key {
        None => Ids::random().tenant(),
        Some(key) => {
            let mut digest = Sha256::new();
            digest.update(b"reset");
            digest.update(old.0.to_be_bytes());
            digest.update(key.as_bytes());
            let [a, b, c, d, e, f, ..]: [u8; 32] = digest.finalize().into();
            TenantId::of_bytes([a, b, c, d, e, f])
        }
    };
    Tenant {
        id,
        name: format!("t-{:x}", id.0).into(),
    }
}

/// Makes the tenant that succeeds another one. It has no key yet.
#[derive(Debug, Clone)]
pub struct Succeed {
    /// The mode of the books.
    pub mode: Mode,
    /// The name of the other tenant.
    pub predecessor: Arc<str>,
}

/// A tenant that has succeeded another one.
#[derive(Debug, Clone)]
pub struct Succeeded {
    /// The tenant.
    pub tenant: Tenant,
    /// The name of the tenant before it.
    pub predecessor: Arc<str>,
}

impl Command for Succeed {
    type Done = Succeeded;
    type Refusal = ProvisionError;

    fn asks(&self, asks: &mut Asks<'_>) {
        let name = asks.tenant.name.clone();
        if let Some(asked) = asks.of::<Shelf>() {
            *asked = Needs::of(name);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Succeeded>, ProvisionError> {
        let (tenant, now) = (book.tenant().clone(), book.now());
        let is_new = book.shelf_mut::<Shelf>().0.make(&tenant, self.mode, now)?;
        if is_new {
            book.begin_log();
            let delta = [
                set("mode", self.mode.name()),
                set("made_by_reset_of", &self.predecessor),
            ];
            let subject = ("tenant", &*tenant.name);
            book.record(&AuditEvent::done("tenant.provisioned", subject, &delta));
        }
        Ok(Decision::now(Succeeded {
            tenant,
            predecessor: Arc::clone(&self.predecessor),
        }))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "tenant.provision",
            kind: "tenant",
            id: String::new(),
        }
    }
}

/// Hands all API keys of the tenant over to another one.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// The other tenant.
    pub to: Tenant,
}

/// Why no key was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHandedOver {
    /// The tenant has no key.
    #[error("the tenant has no API key any more, because another request has reset it")]
    NoKeys,
    /// The other tenant does not exist yet.
    #[error("there is no tenant to hand the keys to")]
    NoHeir,
}

impl Command for HandOver {
    type Done = Succeeded;
    type Refusal = NotHandedOver;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(asked) = asks.of::<KeyShelf>() {
            asked.push(self.to.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Succeeded>, NotHandedOver> {
        let old = book.tenant().clone();
        let keys = &mut book.shelf_mut::<KeyShelf>().0.state.value;
        if keys.hashes.is_empty() || keys.heir.is_some() {
            return Err(NotHandedOver::NoKeys);
        }
        if !keys.heirs.contains(&self.to.id) {
            return Err(NotHandedOver::NoHeir);
        }
        keys.heir = Some(self.to.id);
        let delta = [set("succeeded_by", &self.to.name)];
        let subject = ("tenant", &*old.name);
        book.record(&AuditEvent::done("tenant.reset", subject, &delta));
        Ok(Decision::now(Succeeded {
            tenant: self.to.clone(),
            predecessor: old.name,
        }))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "tenant.reset",
            kind: "tenant",
            id: String::new(),
        }
    }
}

/// The API keys of a tenant, as a batch holds them.
#[derive(Debug, Default)]
pub struct KeyShelf {
    state: Single<State>,
}

store::savepoint!(KeyShelf { state });

#[derive(Debug, Default, Clone)]
struct State {
    hashes: Vec<Vec<u8>>,
    /// The other tenants that the commands of the batch name, as far as they exist.
    heirs: Vec<TenantId>,
    /// The tenant that the batch hands them to.
    heir: Option<TenantId>,
}

store::bulk_update! {
    /// An API key that acts for another tenant from now on.
    pub struct HandedRow in api_key {
        find { tenant_id: TenantId = tenant_id, hash: Vec<u8> = hash }
        set { heir: TenantId = tenant_id }
    }
}

impl engine::Shelf for KeyShelf {
    /// The tenants that may get the keys.
    type Asks = Vec<TenantId>;
    type Memory = ();

    fn must_lock(asks: &Vec<TenantId>) -> bool {
        !asks.is_empty()
    }

    fn is_nothing(asks: &Vec<TenantId>) -> bool {
        asks.is_empty()
    }

    fn load(&mut self, from: &mut Loading<'_>, asks: Vec<TenantId>) -> Result<(), Error> {
        let hashes = api_key::table
            .filter(api_key::tenant_id.eq(from.tenant))
            .order(api_key::hash)
            .select(api_key::hash);
        let heirs = tenant::table
            .filter(tenant::tenant_id.eq_any(&asks))
            .select(tenant::tenant_id);
        self.state.value = State {
            hashes: hashes.load(from.connection)?,
            heirs: heirs.load(from.connection)?,
            heir: None,
        };
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let State { hashes, heir, .. } = &self.state.value;
        if let Some(heir) = *heir {
            let row = |hash: &Vec<u8>| HandedRow {
                tenant_id,
                hash: hash.clone(),
                heir,
            };
            writes.add(Vec::from_iter(hashes.iter().map(row)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_successor_and_no_key_names_another_one_each_time() {
        let of = |old, key| successor(TenantId(old), key).id;
        assert_eq!(of(1, Some("k")), of(1, Some("k")));
        assert_ne!(of(1, Some("k")), of(2, Some("k")));
        assert_ne!(of(1, Some("k")), of(1, Some("l")));
        assert_ne!(of(1, None), of(1, None));
    }
}
