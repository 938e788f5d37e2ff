//! The payments that one batch holds in memory.

mod loading;
mod named;

use ledger::Metadata;
use store::rows::{Additions, Rows};
use store::{TenantId, Timestamp};

use crate::disputes::dispute::{Dispute, DisputeId};
use crate::payouts::payout::{Payout, PayoutId};
use crate::payouts::state::PayoutEvent;
use crate::provider_key::provider_key;
use crate::state::{OperationEvent, PaymentEvent};
use crate::{Operation, OperationId, Payment, PaymentId};

/// The payments and operations that a batch names, as they were locked, with the changes of the batch.
#[derive(Debug, Default)]
pub struct Shelf {
    /// The tenant whose rows these are.
    tenant: Option<TenantId>,
    payments: Rows<PaymentId, Versioned<Payment>>,
    payouts: Rows<PayoutId, Versioned<Payout>>,
    /// The disputes, by provider and reference.
    disputes: Rows<(String, String), Versioned<Dispute>>,
    operations: Rows<OperationId, ShelfRow<Operation>>,
    by_provider_key: Rows<String, OperationId>,
    /// The operation of each record of a provider, by provider and reference.
    records: Rows<(String, String), ShelfRow<OperationId>>,
    history: Rows<[u8; 16], i32>,
    /// The payment of each external id that the batch asks about.
    by_external_id: Rows<String, PaymentId>,
    /// The metadata that the batch found, of the payments, refunds and payouts whose metadata it sets, by id.
    seen_metadata: Rows<[u8; 16], Option<Metadata>>,
    transitions: Additions<Transition>,
}

store::savepoint!(Shelf {
    payments,
    payouts,
    disputes,
    operations,
    by_provider_key,
    records,
    history,
    by_external_id,
    seen_metadata,
    transitions
});

/// One edge that a state machine took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// `payment` or `operation`.
    pub machine: &'static str,
    /// Id of the payment or operation.
    pub subject: [u8; 16],
    /// Number of the edge in its history, from 1.
    pub ordinal: i32,
    /// The state before the edge.
    pub from: &'static str,
    /// The state after the edge.
    pub to: &'static str,
    /// Time of the edge.
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
struct ShelfRow<T> {
    row: T,
    change: Change,
}

/// A row with a version, and the version at which it was loaded.
#[derive(Debug, Clone)]
struct Versioned<T> {
    row: T,
    seen_version: i64,
    change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    New,
    Changed,
}

impl Shelf {
    /// A payment, with the changes of this batch.
    #[must_use]
    pub fn payment(&self, id: &PaymentId) -> Option<&Payment> {
        self.payments.get(id).map(|held| &held.row)
    }

    /// A payout, with the changes of this batch.
    #[must_use]
    pub fn payout(&self, id: &PayoutId) -> Option<&Payout> {
        self.payouts.get(id).map(|held| &held.row)
    }

    /// A dispute by the provider and its reference, with the changes of this batch.
    #[must_use]
    pub fn dispute(&self, provider: &str, reference: &str) -> Option<&Dispute> {
        let name = (provider.to_owned(), reference.to_owned());
        self.disputes.get(&name).map(|held| &held.row)
    }

    /// A dispute by its id, with the changes of this batch.
    #[must_use]
    pub fn dispute_with_id(&self, id: &DisputeId) -> Option<&Dispute> {
        let mut disputes = self.disputes.values().map(|held| &held.row);
        disputes.find(|dispute| dispute.id == *id)
    }

    /// An operation, with the changes of this batch.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.operations.get(id).map(|held| &held.row)
    }

    /// The provider key of a new operation.
    pub(crate) fn provider_key(&self, operation: OperationId) -> String {
        let local = TenantId(0);
        provider_key(self.tenant.unwrap_or(local), operation)
    }

    /// The operation with this provider key.
    #[must_use]
    pub fn by_provider_key(&self, key: &str) -> Option<OperationId> {
        self.by_provider_key.get(key).copied()
    }

    /// The operation that a provider's record belongs to, if there is one.
    #[must_use]
    pub fn record_of(&self, provider: &str, reference: &str) -> Option<OperationId> {
        let name = (provider.to_owned(), reference.to_owned());
        self.records.get(&name).map(|held| held.row)
    }

    /// The rows of the books that these payments and operations may need.
    #[must_use]
    pub fn needs_of_books(&self) -> ledger::tables::Needs {
        let payments = self.payments.values().map(|held| &held.row);
        let payouts = self.payouts.values().map(|held| &held.row);
        let operations = self.operations.values().map(|held| &held.row);
        crate::postings::needs(payments, payouts, operations)
    }

    /// The keys of the requests that wait for these operations.
    #[must_use]
    pub fn idempotency_keys(&self) -> Vec<String> {
        let unfinished = self
            .operations
            .values()
            .filter(|held| held.row.is_unfinished());
        let keys = unfinished.map(|held| held.row.idempotency_key.clone());
        keys.filter(|key| !key.is_empty()).collect()
    }

    /// All operations on the shelf, in the order of their ids.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.operations
            .values()
            .map(|held| held.row.clone())
            .collect()
    }

    /// The operations of a payment whose money is not available yet, in the order of their ids.
    pub(crate) fn pending_of(&self, payment: &PaymentId) -> Vec<Operation> {
        let pending = self.operations.values().map(|held| &held.row);
        let pending = pending.filter(|row| row.payment() == *payment && row.unreleased > 0);
        pending.cloned().collect()
    }

    /// The operation of a payout that has no outcome yet.
    pub(crate) fn unfinished_of(&self, payout: &PayoutId) -> Option<&Operation> {
        let mut operations = self.operations.values().map(|held| &held.row);
        operations.find(|row| row.payout() == *payout && row.is_unfinished())
    }

    /// The edges that this batch has taken, in order.
    #[must_use]
    pub fn transitions(&self) -> &[Transition] {
        self.transitions.as_slice()
    }

    pub(crate) fn record(
        &mut self,
        machine: &'static str,
        subject: [u8; 16],
        from: &'static str,
        to: &'static str,
        at: Timestamp,
    ) {
        let edges = self.history.get(&subject).copied().unwrap_or(0);
        let ordinal = edges.saturating_add(1);
        self.history.put(subject, ordinal);
        self.transitions.push(Transition {
            machine,
            subject,
            ordinal,
            from,
            to,
            at,
        });
    }

    pub(crate) fn put_loaded_payment(&mut self, row: Payment) {
        let held = Versioned {
            seen_version: row.version,
            change: Change::None,
            row,
        };
        self.payments.put(held.row.id, held);
    }

    pub(crate) fn put_new_payment(&mut self, row: Payment) {
        self.put_taken(row.external_id.clone(), row.id);
        let held = Versioned {
            seen_version: row.version,
            change: Change::New,
            row,
        };
        self.payments.put(held.row.id, held);
    }

    pub(crate) fn put_payment(&mut self, row: Payment) {
        if let Some(held) = self.payments.get_mut(&row.id) {
            held.row = row;
            if held.change == Change::None {
                held.change = Change::Changed;
            }
        }
    }

    /// Stores a changed payment as its next version.
    pub(crate) fn change_payment(&mut self, payment: &mut Payment, now: Timestamp) {
        payment.version = payment.version.saturating_add(1);
        payment.updated_at = now;
        self.put_payment(payment.clone());
    }

    /// Takes an edge of a payment. The payment itself is stored by the caller.
    pub(crate) fn step_payment(
        &mut self,
        payment: &mut Payment,
        event: PaymentEvent,
        now: Timestamp,
    ) {
        if let Ok(to) = payment.state.on(event) {
            let (from, id) = (payment.state.name(), payment.id.bytes());
            self.record("payment", id, from, to.name(), now);
            payment.state = to;
        }
    }

    /// Takes an edge of an operation, and stores the operation in its present version.
    pub(crate) fn step_operation(
        &mut self,
        operation: &mut Operation,
        event: OperationEvent,
        now: Timestamp,
    ) {
        // A repeated loss leads nowhere, so it is not in the history.
        if let Ok(to) = operation.state.on(event)
            && to != operation.state
        {
            let (from, id) = (operation.state.name(), operation.id.bytes());
            self.record("operation", id, from, to.name(), now);
            operation.state = to;
        }
        self.put_operation(operation.clone());
    }

    /// Brings the state of a payment into line with the amounts of its authorization.
    pub(crate) fn follow_amounts(&mut self, payment: &mut Payment, now: Timestamp) {
        if let Some(event) = payment.event_of_amounts() {
            self.step_payment(payment, event, now);
        }
    }

    pub(crate) fn put_loaded_operation(&mut self, row: Operation) {
        self.by_provider_key.put(row.provider_key.clone(), row.id);
        self.operations.put(
            row.id,
            ShelfRow {
                row,
                change: Change::None,
            },
        );
    }

    pub(crate) fn put_new_operation(&mut self, row: Operation) {
        self.by_provider_key.put(row.provider_key.clone(), row.id);
        self.operations.put(
            row.id,
            ShelfRow {
                row,
                change: Change::New,
            },
        );
    }

    fn put_operation(&mut self, row: Operation) {
        if let Some(held) = self.operations.get_mut(&row.id) {
            held.row = row;
            if held.change == Change::None {
                held.change = Change::Changed;
            }
        }
    }

    /// Stores a changed operation as its next version. An operation that this batch has made keeps its first one.
    pub(crate) fn change_operation(&mut self, operation: &mut Operation) {
        let held = self.operations.get(&operation.id);
        if held.is_some_and(|held| held.change != Change::New) {
            operation.version = operation.version.saturating_add(1);
        }
        self.put_operation(operation.clone());
    }

    pub(crate) fn put_loaded_record(
        &mut self,
        provider: String,
        reference: String,
        of: OperationId,
    ) {
        let held = ShelfRow {
            row: of,
            change: Change::None,
        };
        self.records.put((provider, reference), held);
    }

    pub(crate) fn put_record(&mut self, provider: &str, reference: &str, of: OperationId) {
        let name = (provider.to_owned(), reference.to_owned());
        if !self.records.contains(&name) {
            let change = Change::New;
            self.records.put(name, ShelfRow { row: of, change });
        }
    }

    /// The records of providers that this batch has accepted, by provider and reference.
    pub(crate) fn new_records(&self) -> impl Iterator<Item = (&str, &str, OperationId)> {
        let new = self
            .records
            .iter()
            .filter(|(_, held)| held.change == Change::New);
        new.map(|((provider, reference), held)| (&**provider, &**reference, held.row))
    }

    pub(crate) fn put_history(&mut self, subject: [u8; 16], edges: i32) {
        let known = self.history.get(&subject).copied().unwrap_or(0);
        self.history.put(subject, edges.max(known));
    }

    pub(crate) fn put_loaded_payout(&mut self, row: Payout) {
        let (seen_version, change) = (row.version, Change::None);
        let held = Versioned {
            row,
            seen_version,
            change,
        };
        self.payouts.put(held.row.id, held);
    }

    pub(crate) fn put_new_payout(&mut self, row: Payout) {
        let (seen_version, change) = (row.version, Change::New);
        let held = Versioned {
            row,
            seen_version,
            change,
        };
        self.payouts.put(held.row.id, held);
    }

    /// Stores a changed payout as its next version.
    pub(crate) fn change_payout(&mut self, payout: &mut Payout, now: Timestamp) {
        payout.version = payout.version.saturating_add(1);
        payout.updated_at = now;
        self.put_payout(payout.clone());
    }

    pub(crate) fn put_payout(&mut self, row: Payout) {
        if let Some(held) = self.payouts.get_mut(&row.id) {
            held.row = row;
            if held.change == Change::None {
                held.change = Change::Changed;
            }
        }
    }

    /// Takes an edge of a payout. The payout itself is stored by the caller.
    pub(crate) fn step_payout(&mut self, payout: &mut Payout, event: PayoutEvent, now: Timestamp) {
        if let Ok(to) = payout.state.on(event) {
            let (from, id) = (payout.state.name(), payout.id.bytes());
            self.record("payout", id, from, to.name(), now);
            payout.state = to;
        }
    }

    pub(crate) fn new_payouts(&self) -> impl Iterator<Item = &Payout> {
        let new = self.payouts.values();
        new.filter(|held| held.change == Change::New)
            .map(|held| &held.row)
    }

    /// The changed payouts, each with the version at which it was loaded.
    pub(crate) fn changed_payouts(&self) -> impl Iterator<Item = (&Payout, i64)> {
        let changed = self.payouts.values();
        changed
            .filter(|held| held.change == Change::Changed)
            .map(|held| (&held.row, held.seen_version))
    }

    pub(crate) fn put_loaded_dispute(&mut self, row: Dispute) {
        self.put_dispute(row, Change::None);
    }

    pub(crate) fn put_new_dispute(&mut self, row: Dispute) {
        self.put_dispute(row, Change::New);
    }

    fn put_dispute(&mut self, row: Dispute, change: Change) {
        let name = (row.provider.clone(), row.reference.clone());
        let seen_version = row.version;
        let held = Versioned {
            row,
            seen_version,
            change,
        };
        self.disputes.put(name, held);
    }

    /// Stores a changed dispute as its next version.
    pub(crate) fn change_dispute(&mut self, dispute: &mut Dispute, now: Timestamp) {
        dispute.version = dispute.version.saturating_add(1);
        dispute.updated_at = now;
        let name = (dispute.provider.clone(), dispute.reference.clone());
        if let Some(held) = self.disputes.get_mut(&name) {
            held.row = dispute.clone();
            if held.change == Change::None {
                held.change = Change::Changed;
            }
        }
    }

    pub(crate) fn new_disputes(&self) -> impl Iterator<Item = &Dispute> {
        let new = self.disputes.values();
        new.filter(|held| held.change == Change::New)
            .map(|held| &held.row)
    }

    /// The changed disputes, each with the version at which it was loaded.
    pub(crate) fn changed_disputes(&self) -> impl Iterator<Item = (&Dispute, i64)> {
        let changed = self.disputes.values();
        changed
            .filter(|held| held.change == Change::Changed)
            .map(|held| (&held.row, held.seen_version))
    }

    pub(crate) fn new_payments(&self) -> impl Iterator<Item = &Payment> {
        let new = self.payments.values();
        new.filter(|held| held.change == Change::New)
            .map(|held| &held.row)
    }

    /// The changed payments, each with the version at which it was loaded.
    pub(crate) fn changed_payments(&self) -> impl Iterator<Item = (&Payment, i64)> {
        let changed = self.payments.values();
        changed
            .filter(|held| held.change == Change::Changed)
            .map(|held| (&held.row, held.seen_version))
    }

    pub(crate) fn operations_with(&self, change: Change) -> impl Iterator<Item = &Operation> {
        self.operations
            .values()
            .filter(move |held| held.change == change)
            .map(|held| &held.row)
    }
}
