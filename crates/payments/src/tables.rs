//! The tables of payments: the loading of the rows that a batch names, and the saving of its changes.

mod rows;

use books::Books;
use engine::Asks;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId};

use crate::disputes::dispute::DisputeId;
use crate::disputes::rows as dispute_rows;
use crate::payouts::payout::PayoutId;
use crate::payouts::rows as payout_rows;
use crate::providers::About;
use crate::refunds::key::return_key;
use crate::shelf::Change;
use crate::terms::TermsShelf;
use crate::{Fact, OperationId, OperationOwner, PaymentId, Shelf, postings, texts};

pub use rows::{
    ByExternalId, ByOrdinal, ByPayment, ByProviderKey, ByReference, BySubject, OperationById,
    OperationChange, OperationRow, PaymentById, PaymentChange, PaymentRow, ProviderRecordRow,
    TransitionRow,
};

/// The rows that a batch needs of the payments.
#[derive(Debug, Default)]
pub struct Needs {
    /// Payments by id.
    pub payments: Vec<PaymentId>,
    /// Operations by id.
    pub operations: Vec<OperationId>,
    /// Operations by provider key.
    pub provider_keys: Vec<String>,
    /// Payments whose captures are needed too, as far as their money is not available yet.
    pub pending_of: Vec<PaymentId>,
    /// Refunds that wait for money, with what the funding of each needs.
    pub refunds: Vec<OperationId>,
    /// Payouts by id.
    pub payouts: Vec<PayoutId>,
    /// Payouts whose operations are needed too.
    pub operations_of: Vec<PayoutId>,
    /// Disputes, by the references of the providers.
    pub disputes: Vec<String>,
    /// Disputes by id.
    pub dispute_ids: Vec<DisputeId>,
    /// Records of providers, by the references of the providers.
    pub records: Vec<String>,
    /// External ids that new payments want.
    pub external_ids: Vec<String>,
    /// Records of providers whose operations are needed too, by the references of the providers.
    pub owners: Vec<String>,
}

/// Asks for all that a fact about this operation needs.
pub(crate) fn ask_fact(asks: &mut Asks<'_>, about: &About, fact: &Fact) {
    if let Some(needs) = asks.of::<Shelf>() {
        match about {
            About::Key(provider_key) => {
                needs.provider_keys.push(provider_key.clone());
                if matches!(fact, Fact::Returned { .. } | Fact::Undone { .. }) {
                    needs.provider_keys.push(return_key(provider_key));
                }
            }
            About::Record(reference) => needs.owners.push(reference.clone()),
        }
        if let Fact::Disputed(dispute) = fact {
            needs.disputes.push(dispute.reference.clone());
        }
        needs.add_record(fact);
    }
    if let Fact::Disputed(dispute) = fact {
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all = true;
        }
        if let Some(needs) = asks.of::<Books>() {
            postings::name(needs, &postings::OF_DISPUTES, dispute.money.currency);
        }
    }
}

impl Needs {
    /// Asks for the operation that has the record of a fact.
    pub(crate) fn add_record(&mut self, fact: &Fact) {
        let record = fact.record().map(|record| record.reference.to_string());
        self.records.extend(record);
    }

    /// True if nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes_nothing() && self.external_ids.is_empty()
    }

    /// True if no row is asked for that may be changed.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.payments.is_empty()
            && self.operations.is_empty()
            && self.provider_keys.is_empty()
            && self.pending_of.is_empty()
            && self.refunds.is_empty()
            && self.payouts.is_empty()
            && self.operations_of.is_empty()
            && self.disputes.is_empty()
            && self.dispute_ids.is_empty()
            && self.records.is_empty()
            && self.owners.is_empty()
    }
}

/// Loads the rows and locks them in the order of their ids: operations first, then their payments.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut needs: Needs,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    let unlocked = Lock::Nothing;
    load_records(connection, tenant, &mut needs, &mut shelf)?;
    name_operations_of(connection, tenant, &mut needs)?;
    needs.provider_keys.sort_unstable();
    needs.provider_keys.dedup();
    let keys: Vec<ByProviderKey> = needs
        .provider_keys
        .into_iter()
        .map(|provider_key| ByProviderKey { provider_key })
        .collect();
    let named = ByProviderKey::find(connection, unlocked, tenant, &keys)?;
    needs.operations.extend(named.iter().map(|row| row.id));
    let refunds: Vec<OperationById> = needs
        .refunds
        .iter()
        .map(|id| OperationById { id: *id })
        .collect();
    let waiting = OperationById::find(connection, unlocked, tenant, &refunds)?;
    needs.operations.append(&mut needs.refunds);
    needs
        .pending_of
        .extend(waiting.iter().filter_map(OperationRow::payment));
    needs.pending_of.sort_unstable();
    needs.pending_of.dedup();
    let of_payments: Vec<ByPayment> = needs
        .pending_of
        .iter()
        .map(|id| ByPayment {
            subject_id: id.bytes().to_vec(),
        })
        .collect();
    let theirs = ByPayment::find(connection, unlocked, tenant, &of_payments)?;
    let pending = theirs.iter().filter(|row| row.may_have_pending());
    needs.operations.extend(pending.map(|row| row.id));
    needs.payments.append(&mut needs.pending_of);
    needs.operations.sort_unstable();
    needs.operations.dedup();
    let ids: Vec<OperationById> = needs
        .operations
        .into_iter()
        .map(|id| OperationById { id })
        .collect();
    let mut subjects: Vec<BySubject> = Vec::new();
    for row in locked(connection, tenant, &ids)? {
        subjects.push(BySubject {
            subject: row.id.bytes().to_vec(),
        });
        let operation = row.read()?;
        match operation.kind.owner() {
            OperationOwner::Payment => needs.payments.push(operation.payment()),
            OperationOwner::Payout => needs.payouts.push(operation.payout()),
            OperationOwner::Dispute => needs.dispute_ids.push(operation.dispute()),
        }
        shelf.put_loaded_operation(operation);
    }
    needs.payments.sort_unstable();
    needs.payments.dedup();
    let ids: Vec<PaymentById> = needs
        .payments
        .into_iter()
        .map(|id| PaymentById { id })
        .collect();
    for row in PaymentById::find(connection, Lock::Rows, tenant, &ids)? {
        subjects.push(BySubject {
            subject: row.id.bytes().to_vec(),
        });
        shelf.put_loaded_payment(row.read()?);
    }
    needs.payouts.sort_unstable();
    needs.payouts.dedup();
    for payout in payout_rows::load(connection, tenant, &needs.payouts)? {
        subjects.push(BySubject {
            subject: payout.id.bytes().to_vec(),
        });
        shelf.put_loaded_payout(payout);
    }
    for dispute in dispute_rows::load(connection, tenant, needs.disputes, needs.dispute_ids)? {
        subjects.push(BySubject {
            subject: dispute.id.bytes().to_vec(),
        });
        shelf.put_loaded_dispute(dispute);
    }
    load_taken(connection, tenant, needs.external_ids, &mut shelf)?;
    for edge in BySubject::find(connection, unlocked, tenant, &subjects)? {
        if let Ok(subject) = edge.subject.try_into() {
            shelf.put_history(subject, edge.ordinal);
        }
    }
    Ok(shelf)
}

/// Asks for the operations of payouts.
fn name_operations_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    needs: &mut Needs,
) -> Result<(), Error> {
    needs.operations_of.sort_unstable();
    needs.operations_of.dedup();
    let of_payouts: Vec<ByPayment> = needs
        .operations_of
        .iter()
        .map(|id| ByPayment {
            subject_id: id.bytes().to_vec(),
        })
        .collect();
    let theirs = ByPayment::find(connection, Lock::Nothing, tenant, &of_payouts)?;
    needs.operations.extend(theirs.iter().map(|row| row.id));
    needs.payouts.append(&mut needs.operations_of);
    Ok(())
}

/// Notes the payments that have these external ids.
fn load_taken(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut names: Vec<String>,
    shelf: &mut Shelf,
) -> Result<(), Error> {
    names.sort_unstable();
    names.dedup();
    let names: Vec<ByExternalId> = names
        .into_iter()
        .map(|external_id| ByExternalId { external_id })
        .collect();
    for row in ByExternalId::find(connection, Lock::Nothing, tenant, &names)? {
        shelf.put_taken(row.external_id, row.id);
    }
    Ok(())
}

/// Loads the records of providers, and asks for the operations of those that are owners.
fn load_records(
    connection: &mut AnyConnection,
    tenant: TenantId,
    needs: &mut Needs,
    shelf: &mut Shelf,
) -> Result<(), Error> {
    needs.records.extend_from_slice(&needs.owners);
    needs.records.sort_unstable();
    needs.records.dedup();
    let records: Vec<ByReference> = std::mem::take(&mut needs.records)
        .into_iter()
        .map(|provider_ref| ByReference { provider_ref })
        .collect();
    for row in ByReference::find(connection, Lock::Nothing, tenant, &records)? {
        if needs.owners.contains(&row.provider_ref) {
            needs.operations.push(row.operation_id);
        }
        shelf.put_loaded_record(row.provider, row.provider_ref, row.operation_id);
    }
    Ok(())
}

/// The operations with these ids, and those whose late money one of them gives back, because its outcome changes them.
fn locked(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[OperationById],
) -> Result<Vec<OperationRow>, Error> {
    let mut rows = OperationById::find(connection, Lock::Rows, tenant, ids)?;
    let mut late: Vec<OperationId> = rows.iter().filter_map(|row| row.gives_back).collect();
    late.retain(|id| rows.iter().all(|row| row.id != *id));
    late.sort_unstable();
    late.dedup();
    let late: Vec<OperationById> = late.into_iter().map(|id| OperationById { id }).collect();
    let late = OperationById::find(connection, Lock::Rows, tenant, &late)?;
    rows.extend(late);
    Ok(rows)
}

/// Adds the writes of the batch. If another writer has changed one of the payments meanwhile, the batch is a
/// conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let new: Vec<PaymentRow> = shelf
        .new_payments()
        .map(|row| PaymentRow::of(tenant, row))
        .collect();
    writes.add(new);
    for changes in shelf.text_changes(tenant) {
        changes.save(writes);
    }
    let new: Vec<OperationRow> = shelf
        .operations_with(Change::New)
        .map(|row| OperationRow::of(tenant, row))
        .collect();
    writes.add(new);
    let changed: Vec<PaymentChange> = shelf
        .changed_payments()
        .map(|(row, seen_version)| PaymentChange::of(tenant, row, seen_version))
        .collect();
    writes.add(changed);
    let changed: Vec<OperationChange> = shelf
        .operations_with(Change::Changed)
        .map(|row| OperationChange {
            tenant_id: tenant,
            id: row.id,
            status: row.state.name().to_owned(),
            available_on: row.available_on,
            unreleased: row.unreleased,
            made_available: row.made_available,
            from_pending: row.from_pending,
            unallocated: row.unallocated,
            allocated: row.allocated,
            given_back: row.given_back,
            provider_ref: row.provider_ref.clone(),
            decline_code: row.decline_code.clone(),
            metadata: texts::stored(row.metadata.as_ref()),
            version: row.version,
        })
        .collect();
    writes.add(changed);
    let records: Vec<ProviderRecordRow> = shelf
        .new_records()
        .map(|(provider, reference, operation_id)| ProviderRecordRow {
            tenant_id: tenant,
            operation_id,
            provider: provider.to_owned(),
            provider_ref: reference.to_owned(),
        })
        .collect();
    writes.add(records);
    payout_rows::save(writes, tenant, shelf);
    dispute_rows::save(writes, tenant, shelf);
    let transitions: Vec<TransitionRow> = shelf
        .transitions()
        .iter()
        .map(|edge| TransitionRow {
            tenant_id: tenant,
            subject: edge.subject.to_vec(),
            ordinal: edge.ordinal,
            machine: edge.machine.to_owned(),
            from_state: edge.from.to_owned(),
            to_state: edge.to.to_owned(),
            at: edge.at.micros(),
        })
        .collect();
    writes.add(transitions);
}
