//! The outcome of a refund.

use store::{Ids, Timestamp};

use super::key::return_key;
use crate::outcome::{FactEffect, OutcomeError};
use crate::payment::{NewOperation, submit};
use crate::state::OperationEvent;
use crate::{Operation, OperationKind, Payment, Shelf, postings};

/// The amounts after a refund has failed, or has come back: its amount can be refunded again.
pub(crate) fn failed(shelf: &mut Shelf, payment: &mut Payment, refund: &Operation) {
    let amount = refund.money.amount.get();
    let Some(late) = refund.gives_back else {
        payment.refunded = payment.refunded.saturating_sub(amount);
        return;
    };
    if let Some(mut late) = shelf.operation(&late).cloned() {
        late.given_back = late.given_back.saturating_sub(amount);
        shelf.change_operation(&mut late);
    }
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
    returned.gives_back = refund.gives_back;
    let (_, set, _) = postings::sets(returned.kind, returned.gives_back.is_some());
    if let Some(set) = set {
        postings::post(books, &returned, set, ids, now).map_err(OutcomeError::Ledger)?;
    }
    // After this point nothing may fail.
    returned.provider_key = key;
    shelf.put_new_operation(returned.clone());
    shelf.step_operation(&mut returned, OperationEvent::Succeeded, now);
    failed(shelf, &mut payment, refund);
    shelf.change_payment(&mut payment, now);
    Ok(FactEffect::Finished)
}
