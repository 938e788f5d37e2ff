//! What one batch holds of the payments in memory.

use std::collections::BTreeMap;

use store::Timestamp;

use crate::{Operation, OperationId, Payment, PaymentId};

/// The payments and operations that a batch names, as they were locked, and what it has done to them.
#[derive(Debug, Default)]
pub struct Shelf {
    payments: BTreeMap<PaymentId, Held<Payment>>,
    operations: BTreeMap<OperationId, Held<Operation>>,
    by_provider_key: BTreeMap<String, OperationId>,
    /// By provider and reference.
    charges: BTreeMap<(String, String), Held<OperationId>>,
    history: BTreeMap<[u8; 16], i32>,
    transitions: Vec<Transition>,
}

/// One edge that a state machine took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// `payment` or `operation`.
    pub machine: &'static str,
    /// Which one.
    pub subject: [u8; 16],
    /// Its first, second … edge, from 1.
    pub ordinal: i32,
    /// The state it left.
    pub from: &'static str,
    /// The state it took.
    pub to: &'static str,
    /// When.
    pub at: Timestamp,
}

#[derive(Debug)]
struct Held<T> {
    row: T,
    change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    New,
    Changed,
}

impl Shelf {
    /// A payment, with what this batch has done to it so far.
    #[must_use]
    pub fn payment(&self, id: &PaymentId) -> Option<&Payment> {
        self.payments.get(id).map(|held| &held.row)
    }

    /// An operation, with what this batch has done to it so far.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.operations.get(id).map(|held| &held.row)
    }

    /// The operation that a provider knows by this key.
    #[must_use]
    pub fn by_provider_key(&self, key: &str) -> Option<OperationId> {
        self.by_provider_key.get(key).copied()
    }

    /// The operation whose charge this is, if a provider was believed so.
    #[must_use]
    pub fn charge_of(&self, provider: &str, reference: &str) -> Option<OperationId> {
        let name = (provider.to_owned(), reference.to_owned());
        self.charges.get(&name).map(|held| held.row)
    }

    /// What the outcome of the operations held needs of the books.
    #[must_use]
    pub fn needs_of_books(&self) -> ledger::tables::Needs {
        crate::postings::needs(self.operations.values().map(|held| &held.row))
    }

    /// The keys of the requests that wait for the payments held.
    #[must_use]
    pub fn idempotency_keys(&self) -> Vec<String> {
        let keys = self
            .payments
            .values()
            .map(|held| held.row.idempotency_key.clone());
        keys.filter(|key| !key.is_empty()).collect()
    }

    /// All operations held, in id order.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.operations
            .values()
            .map(|held| held.row.clone())
            .collect()
    }

    /// The edges that this batch has taken, in order.
    #[must_use]
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    pub(crate) fn attempts_of(&self, payment: &PaymentId) -> i16 {
        let of_payment = self
            .operations
            .values()
            .filter(|held| held.row.payment == *payment);
        of_payment.map(|held| held.row.attempt).max().unwrap_or(0)
    }

    pub(crate) fn record(
        &mut self,
        machine: &'static str,
        subject: [u8; 16],
        from: &'static str,
        to: &'static str,
        at: Timestamp,
    ) {
        let ordinal = self.history.entry(subject).or_insert(0);
        *ordinal = ordinal.saturating_add(1);
        let ordinal = *ordinal;
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
        self.payments.insert(
            row.id,
            Held {
                row,
                change: Change::None,
            },
        );
    }

    pub(crate) fn put_new_payment(&mut self, row: Payment) {
        self.payments.insert(
            row.id,
            Held {
                row,
                change: Change::New,
            },
        );
    }

    pub(crate) fn put_payment(&mut self, row: Payment) {
        if let Some(held) = self.payments.get_mut(&row.id) {
            held.row = row;
            if held.change == Change::None {
                held.change = Change::Changed;
            }
        }
    }

    pub(crate) fn put_loaded_operation(&mut self, row: Operation) {
        self.by_provider_key
            .insert(row.provider_key.clone(), row.id);
        self.operations.insert(
            row.id,
            Held {
                row,
                change: Change::None,
            },
        );
    }

    pub(crate) fn put_new_operation(&mut self, row: Operation) {
        self.by_provider_key
            .insert(row.provider_key.clone(), row.id);
        self.operations.insert(
            row.id,
            Held {
                row,
                change: Change::New,
            },
        );
    }

    pub(crate) fn put_operation(&mut self, row: Operation) {
        if let Some(held) = self.operations.get_mut(&row.id) {
            held.row = row;
            if held.change == Change::None {
                held.change = Change::Changed;
            }
        }
    }

    pub(crate) fn put_loaded_charge(
        &mut self,
        provider: String,
        reference: String,
        of: OperationId,
    ) {
        let held = Held {
            row: of,
            change: Change::None,
        };
        self.charges.insert((provider, reference), held);
    }

    pub(crate) fn put_charge(&mut self, provider: &str, reference: &str, of: OperationId) {
        let name = (provider.to_owned(), reference.to_owned());
        self.charges.entry(name).or_insert(Held {
            row: of,
            change: Change::New,
        });
    }

    /// The charges that this batch has believed, by provider and reference.
    pub(crate) fn new_charges(&self) -> impl Iterator<Item = (&str, &str, OperationId)> {
        let new = self
            .charges
            .iter()
            .filter(|(_, held)| held.change == Change::New);
        new.map(|((provider, reference), held)| (&**provider, &**reference, held.row))
    }

    pub(crate) fn put_history(&mut self, subject: [u8; 16], edges: i32) {
        let known = self.history.entry(subject).or_insert(0);
        *known = edges.max(*known);
    }

    pub(crate) fn payments_with(&self, change: Change) -> impl Iterator<Item = &Payment> {
        self.payments
            .values()
            .filter(move |held| held.change == change)
            .map(|held| &held.row)
    }

    pub(crate) fn operations_with(&self, change: Change) -> impl Iterator<Item = &Operation> {
        self.operations
            .values()
            .filter(move |held| held.change == change)
            .map(|held| &held.row)
    }

    /// Operations that this batch has submitted, for the worker.
    #[must_use]
    pub fn submitted(&self) -> Vec<Operation> {
        self.operations_with(Change::New).cloned().collect()
    }
}
