//! The parts of the shelf about the names and the metadata of payments.

use ledger::Metadata;
use store::{TenantId, Timestamp};

use super::{Change, Shelf};
use crate::customers::{CustomerId, SavedMethodId};
use crate::payouts::state::PayoutState;
use crate::texts::{Described, TextChanges};
use crate::{Payment, PaymentId, PaymentState, refusal};

impl Shelf {
    /// The payment with this external id.
    #[must_use]
    pub fn payment_named(&self, external_id: &str) -> Option<PaymentId> {
        self.by_external_id.get(external_id).copied()
    }

    pub(crate) fn put_taken(&mut self, external_id: Option<String>, by: PaymentId) {
        if let Some(external_id) = external_id {
            self.by_external_id.put(external_id, by);
        }
    }

    /// Replaces the metadata of a payment. Returns the payment as it is now, and the metadata before; `None` if there
    /// is no such payment.
    pub(crate) fn describe_payment(
        &mut self,
        id: PaymentId,
        metadata: Option<Metadata>,
        now: Timestamp,
    ) -> Option<(Payment, Option<Metadata>)> {
        let mut payment = self.payment(&id)?.clone();
        let before = std::mem::replace(&mut payment.metadata, metadata);
        if !self.seen_metadata.contains(&id) {
            self.seen_metadata.put(id, before.clone());
        }
        self.change_payment(&mut payment, now);
        Some((payment, before))
    }

    /// The texts by which payments are found, as far as the batch changes them.
    pub(crate) fn text_changes(&self, tenant: TenantId) -> TextChanges {
        let mut changes = TextChanges::of(tenant, Described::Payment);
        for held in self.payments.values() {
            let id = held.row.id;
            let after = held.row.metadata.as_ref();
            match (held.change, self.seen_metadata.get(&id)) {
                (Change::New, _) => changes.note(id.bytes(), None, after),
                (Change::Changed, Some(before)) => {
                    changes.note(id.bytes(), before.as_ref(), after);
                }
                (Change::Changed | Change::None, _) => {}
            }
        }
        changes
    }

    /// The customers of payments and payouts for which a request may move money.
    pub(super) fn customers_to_ask(&self) -> Vec<CustomerId> {
        let payments = self.payments.values().map(|held| &held.row);
        let payments = payments.filter(|row| refusal::may_ask_for_money(row.state));
        let payouts = self.payouts.values().map(|held| &held.row);
        let payouts = payouts.filter(|row| row.state == PayoutState::RequiresApproval);
        let of_payments = payments.filter_map(|row| row.customer);
        of_payments
            .chain(payouts.filter_map(|row| row.customer))
            .collect()
    }

    /// The saved payment methods of payments that were not sent to a provider yet.
    pub(super) fn methods_to_use(&self) -> Vec<SavedMethodId> {
        let payments = self.payments.values().map(|held| &held.row);
        let waiting = payments.filter(|row| row.state == PaymentState::RequiresConfirmation);
        waiting.filter_map(|row| row.saved_method).collect()
    }
}
