//! The amounts of an authorization, after the outcome of an operation on it. Each amount was reserved by the commit
//! that has submitted the operation, so nothing here can exceed the authorization.

use money::Amount;

use crate::{Operation, OperationKind, Payment, Refusal};

/// Checks that no other operation on the authorization is without an outcome. A provider that captures for the last
/// time, or voids, gives up all that is left; an operation that arrives after it would be too late.
pub(crate) const fn check_at_rest(payment: &Payment) -> Result<(), Refusal> {
    if payment.in_flight() > 0 || payment.incrementing > 0 {
        return Err(Refusal::InFlight);
    }
    Ok(())
}

/// The amounts after an operation has succeeded.
pub(crate) fn succeeded(payment: &mut Payment, operation: &Operation) {
    let amount = operation.money.amount;
    match operation.kind {
        OperationKind::Capture => {
            payment.captured = payment.captured.saturating_add(amount.get());
            payment.released = payment.released.saturating_add(operation.releases());
        }
        OperationKind::Void => {
            payment.released = payment.released.saturating_add(operation.releases());
        }
        OperationKind::Increment => {
            payment.incrementing = payment.incrementing.saturating_sub(amount.get());
            payment.authorized = payment.authorized.saturating_add(amount.get());
            payment.capturable = payment.capturable.saturating_add(amount.get());
            // The sum was checked before the increment was submitted.
            let demanded = payment.money.amount.get().max(payment.authorized);
            payment.money.amount = Amount::new(demanded).unwrap_or(payment.money.amount);
        }
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Refund
        | OperationKind::RefundReturn
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => {}
    }
}

/// The amounts after an operation has failed: what it had reserved can be used again.
pub(crate) const fn failed(payment: &mut Payment, operation: &Operation) {
    let amount = operation.money.amount.get();
    match operation.kind {
        OperationKind::Capture | OperationKind::Void => {
            payment.capturable = payment.capturable.saturating_add(operation.reserved);
        }
        OperationKind::Increment => {
            payment.incrementing = payment.incrementing.saturating_sub(amount);
        }
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Refund
        | OperationKind::RefundReturn
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => {}
    }
}
