//! The outcome of a payout.

use store::{Ids, Timestamp};

use super::payout::operation_of;
use super::state::PayoutEvent;
use crate::outcome::{FactEffect, OutcomeError};
use crate::refunds::key::return_key;
use crate::state::OperationEvent;
use crate::{Operation, OperationId, OperationKind, Shelf, postings};

/// The payout of this operation was paid.
pub(crate) fn succeeded(shelf: &mut Shelf, operation: &Operation, now: Timestamp) {
    end(shelf, operation, PayoutEvent::Paid, None, now);
}

/// The provider has refused the payout of this operation.
pub(crate) fn failed(shelf: &mut Shelf, operation: &Operation, decline_code: &str, now: Timestamp) {
    let decline_code = Some(decline_code.to_owned());
    end(shelf, operation, PayoutEvent::Failed, decline_code, now);
}

fn end(
    shelf: &mut Shelf,
    operation: &Operation,
    event: PayoutEvent,
    decline_code: Option<String>,
    now: Timestamp,
) {
    if let Some(mut payout) = shelf.payout(&operation.payout()).cloned() {
        shelf.step_payout(&mut payout, event, now);
        payout.decline_code = decline_code;
        shelf.change_payout(&mut payout, now);
    }
}

/// Records that a payout came back after it was paid. The second report of it changes nothing.
pub(crate) fn come_back(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    paid: &Operation,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    let key = return_key(&paid.provider_key);
    if shelf.by_provider_key(&key).is_some() {
        return Ok(FactEffect::Known);
    }
    let payout = shelf.payout(&paid.payout());
    let mut payout = payout.ok_or(OutcomeError::NotFound)?.clone();
    let id = OperationId::from_bytes(ids.next(now));
    let mut returned = Operation {
        kind: OperationKind::PayoutReturn,
        provider_key: key,
        ..operation_of(&payout, id, now)
    };
    shelf.put_new_operation(returned.clone());
    postings::post(books, &returned, postings::PAYOUT_RETURNED, ids, now)
        .map_err(OutcomeError::Ledger)?;
    // After this point nothing may fail.
    shelf.step_operation(&mut returned, OperationEvent::Submitted, now);
    shelf.step_operation(&mut returned, OperationEvent::Succeeded, now);
    payout.operations = returned.ordinal;
    payout.is_returned = true;
    shelf.change_payout(&mut payout, now);
    Ok(FactEffect::Finished)
}
