//! The customers and payment methods that a batch holds in memory.

use engine::Loading;
use ledger::Metadata;
use store::bulk::Writes;
use store::find::Lock;
use store::rows::Rows;
use store::{Error, TenantId, Timestamp};

use super::rows::{
    CustomerByExternalId, CustomerById, CustomerChange, CustomerRow, SavedMethodById,
    SavedMethodDetached, SavedMethodRow,
};
use super::{Customer, CustomerId, SavedMethod, SavedMethodId};
use crate::texts::{self, Described, TextChanges};
use crate::{ChosenMethod, Refusal};

/// The rows that a batch needs of customers.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Customers by id.
    pub customers: Vec<CustomerId>,
    /// External ids that new customers want.
    pub external_ids: Vec<String>,
    /// Payment methods by id.
    pub methods: Vec<SavedMethodId>,
    /// True if the batch may change the rows that it names.
    pub changes: bool,
    /// True if the batch moves money for the customers that it names. Their standing must then be that of its commit.
    pub moves: bool,
}

/// The customers and payment methods that a batch names, with its changes.
#[derive(Debug, Default)]
pub struct CustomerShelf {
    customers: Rows<CustomerId, HeldCustomer>,
    by_external_id: Rows<String, CustomerId>,
    methods: Rows<SavedMethodId, HeldMethod>,
}

store::savepoint!(CustomerShelf {
    customers,
    by_external_id,
    methods
});

#[derive(Debug, Clone)]
struct HeldCustomer {
    row: Customer,
    /// The version and the metadata in the database; `None` if the customer is new.
    found: Option<(i64, Option<Metadata>)>,
}

#[derive(Debug, Clone)]
struct HeldMethod {
    row: SavedMethod,
    /// Whether it is detached in the database; `None` if it is new.
    found: Option<bool>,
}

impl Wanted {
    /// Asks for a customer for whom money is moved.
    pub(crate) fn moves_for(&mut self, customer: Option<CustomerId>) {
        self.moves |= customer.is_some();
        self.customers.extend(customer);
    }
}

impl CustomerShelf {
    /// A customer, with the changes of this batch.
    #[must_use]
    pub fn customer(&self, id: &CustomerId) -> Option<&Customer> {
        self.customers.get(id).map(|held| &held.row)
    }

    /// The customer with this external id.
    #[must_use]
    pub fn named(&self, external_id: &str) -> Option<CustomerId> {
        self.by_external_id.get(external_id).copied()
    }

    /// A payment method, with the changes of this batch.
    #[must_use]
    pub fn method(&self, id: &SavedMethodId) -> Option<&SavedMethod> {
        self.methods.get(id).map(|held| &held.row)
    }

    /// A payment method with which a payment of this customer may be made.
    ///
    /// # Errors
    /// [`Refusal::NoSavedMethod`] if the customer does not have it, or not any more.
    pub fn chosen(
        &self,
        id: &SavedMethodId,
        customer: Option<CustomerId>,
    ) -> Result<ChosenMethod, Refusal> {
        let method = self.method(id);
        let method = method.filter(|method| method.detached_at.is_none());
        let method = method.filter(|method| Some(method.customer) == customer);
        let method = method.ok_or(Refusal::NoSavedMethod)?;
        Ok(ChosenMethod {
            token: method.token.clone(),
            saved: Some(*id),
            provider: method.provider.clone(),
        })
    }

    pub(super) fn add(&mut self, row: Customer) {
        if let Some(name) = &row.external_id {
            self.by_external_id.put(name.clone(), row.id);
        }
        self.customers
            .put(row.id, HeldCustomer { row, found: None });
    }

    pub(super) fn change(&mut self, mut row: Customer, now: Timestamp) -> Customer {
        row.version = row.version.saturating_add(1);
        row.updated_at = now;
        if let Some(held) = self.customers.get_mut(&row.id) {
            held.row = row.clone();
        }
        row
    }

    pub(super) fn attach(&mut self, row: SavedMethod) {
        self.methods.put(row.id, HeldMethod { row, found: None });
    }

    pub(super) fn detach(&mut self, id: &SavedMethodId, now: Timestamp) {
        if let Some(held) = self.methods.get_mut(id) {
            held.row.detached_at = Some(now);
        }
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}

impl engine::Shelf for CustomerShelf {
    type Asks = Wanted;
    type Memory = ();

    fn must_lock(asks: &Wanted) -> bool {
        asks.changes || asks.moves
    }

    fn is_nothing(asks: &Wanted) -> bool {
        asks.customers.is_empty() && asks.external_ids.is_empty() && asks.methods.is_empty()
    }

    fn load(&mut self, from: &mut Loading<'_>, asks: Wanted) -> Result<(), Error> {
        let lock = match asks.changes || asks.moves {
            true => Lock::Rows,
            false => Lock::Nothing,
        };
        let ids = sorted(asks.customers).into_iter();
        let ids: Vec<CustomerById> = ids.map(|id| CustomerById { id }).collect();
        for row in CustomerById::find(from.connection, lock, from.tenant, &ids)? {
            let row = row.read()?;
            let found = Some((row.version, row.metadata.clone()));
            self.customers.put(row.id, HeldCustomer { row, found });
        }
        let names = sorted(asks.external_ids).into_iter();
        let names: Vec<CustomerByExternalId> = names
            .map(|external_id| CustomerByExternalId { external_id })
            .collect();
        let unlocked = Lock::Nothing;
        for row in CustomerByExternalId::find(from.connection, unlocked, from.tenant, &names)? {
            if let Some(name) = row.external_id {
                self.by_external_id.put(name, row.id);
            }
        }
        let ids = sorted(asks.methods).into_iter();
        let ids: Vec<SavedMethodById> = ids.map(|id| SavedMethodById { id }).collect();
        for row in SavedMethodById::find(from.connection, lock, from.tenant, &ids)? {
            let row = row.read();
            let found = Some(row.detached_at.is_some());
            self.methods.put(row.id, HeldMethod { row, found });
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let mut texts = TextChanges::of(tenant_id, Described::Customer);
        for held in self.customers.values() {
            let after = held.row.metadata.as_ref();
            match &held.found {
                None => {
                    new.push(CustomerRow::of(tenant_id, &held.row));
                    texts.note(held.row.id.bytes(), None, after);
                }
                Some((seen_version, before)) if *seen_version != held.row.version => {
                    changed.push(CustomerChange {
                        tenant_id,
                        id: held.row.id,
                        seen_version: *seen_version,
                        description: held.row.description.clone(),
                        metadata: texts::stored(after),
                        standing: held.row.standing.name().to_owned(),
                        next_version: held.row.version,
                        updated_at: held.row.updated_at.micros(),
                    });
                    texts.note(held.row.id.bytes(), before.as_ref(), after);
                }
                Some(_) => {}
            }
        }
        writes.add(new);
        writes.add(changed);
        texts.save(writes);
        let (mut attached, mut detached) = (Vec::new(), Vec::new());
        for held in self.methods.values() {
            match held.found {
                None => attached.push(SavedMethodRow::of(tenant_id, &held.row)),
                Some(false) if held.row.detached_at.is_some() => {
                    detached.push(SavedMethodDetached {
                        tenant_id,
                        id: held.row.id,
                        detached_at: held.row.detached_at.map(Timestamp::micros),
                    });
                }
                Some(_) => {}
            }
        }
        writes.add(attached);
        writes.add(detached);
    }
}
