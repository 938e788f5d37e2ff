//! The outcome of a refund.

use store::{Ids, Timestamp};

use super::key::return_key;
use crate::outcome::{FactEffect, OutcomeError};
use crate::payment::{NewOperation, submit};
use crate::state::OperationEvent;
use crate::{Operation, OperationKind, Payment, Shelf, postings};

/// The amounts of a payment after a refund has failed: its amount can be refunded again.
pub(crate) const fn failed(payment: &mut Payment, refund: &Operation) {
    let amount = refund.money.amount.get();
    payment.refunded = payment.refunded.saturating_sub(amount);
}

/// Records that a refund came back after it had succeeded. The second report of it changes nothing.
pub(crate) fn come_back(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    refund: &Operation,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    let key = return_key(&refund.provider_key);
    if shelf.by_provider_key(&key).is_some() {
        return Ok(FactEffect::Known);
    }
    let payment = shelf
        .payment(&refund.payment())
        .ok_or(OutcomeError::NotFound)?;
    let mut payment = payment.clone();
    let new = NewOperation {
        kind: OperationKind::RefundReturn,
        amount: refund.money.amount,
        reserved: 0,
        provider: refund.provider.clone(),
        charge_ref: refund.charge_ref.clone(),
        terms: None,
        payment_method: refund.payment_method.clone(),
        reason: None,
        idempotency_key: String::new(),
    };
    let mut returned = submit(shelf, &mut payment, new, ids, now);
    postings::post(books, &returned, postings::REFUND_RETURNED, ids, now)
        .map_err(OutcomeError::Ledger)?;
    // After this point nothing may fail.
    returned.provider_key = key;
    shelf.put_new_operation(returned.clone());
    shelf.step_operation(&mut returned, OperationEvent::Succeeded, now);
    payment.refunded = payment.refunded.saturating_sub(refund.money.amount.get());
    shelf.change_payment(&mut payment, now);
    Ok(FactEffect::Finished)
}
