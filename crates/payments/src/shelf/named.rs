//! The parts of the shelf about the names of payments, and about metadata.

use ledger::Metadata;
use store::{TenantId, Timestamp};

use super::{Change, Shelf};
use crate::customers::{CustomerId, SavedMethodId};
use crate::described::{DescribedId, DescribedThing};
use crate::payouts::state::PayoutState;
use crate::texts::{Described, TextChanges};
use crate::{OperationId, OperationKind, PaymentId, PaymentState, refusal};

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

    /// Replaces the metadata of a thing. Returns the thing as it is now, and the metadata before; `None` if there is no
    /// such thing.
    pub(crate) fn describe(
        &mut self,
        id: DescribedId,
        metadata: Option<Metadata>,
        now: Timestamp,
    ) -> Option<(DescribedThing, Option<Metadata>)> {
        let (thing, before) = match id {
            DescribedId::Payment(id) => {
                let mut payment = self.payment(&id)?.clone();
                let before = std::mem::replace(&mut payment.metadata, metadata);
                self.change_payment(&mut payment, now);
                (DescribedThing::Payment(payment), before)
            }
            DescribedId::Refund(id) => {
                let refund = self.operation(&OperationId::from_bytes(id.bytes()))?;
                let refund = (refund.kind == OperationKind::Refund).then_some(refund);
                let mut refund = refund?.clone();
                let before = std::mem::replace(&mut refund.metadata, metadata);
                self.change_operation(&mut refund);
                (DescribedThing::Refund(refund), before)
            }
            DescribedId::Payout(id) => {
                let mut payout = self.payout(&id)?.clone();
                let before = std::mem::replace(&mut payout.metadata, metadata);
                self.change_payout(&mut payout, now);
                (DescribedThing::Payout(payout), before)
            }
        };
        if !self.seen_metadata.contains(&id.bytes()) {
            self.seen_metadata.put(id.bytes(), before.clone());
        }
        Some((thing, before))
    }

    /// The texts by which things are found, as far as the batch changes them.
    pub(crate) fn text_changes(&self, tenant: TenantId) -> [TextChanges; 3] {
        let payments = self.payments.values();
        let payments = payments.map(|it| (it.row.id.bytes(), it.change, &it.row.metadata));
        let refunds = self.operations.values();
        let refunds = refunds.map(|it| (it.row.id.bytes(), it.change, &it.row.metadata));
        let payouts = self.payouts.values();
        let payouts = payouts.map(|it| (it.row.id.bytes(), it.change, &it.row.metadata));
        [
            self.changes_of(TextChanges::of(tenant, Described::Payment), payments),
            self.changes_of(TextChanges::of(tenant, Described::Refund), refunds),
            self.changes_of(TextChanges::of(tenant, Described::Payout), payouts),
        ]
    }

    fn changes_of<'a>(
        &self,
        mut changes: TextChanges,
        things: impl Iterator<Item = ([u8; 16], Change, &'a Option<Metadata>)>,
    ) -> TextChanges {
        for (id, change, after) in things {
            match (change, self.seen_metadata.get(&id)) {
                (Change::New, _) => changes.note(id, None, after.as_ref()),
                (Change::Changed, Some(before)) => {
                    changes.note(id, before.as_ref(), after.as_ref());
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
