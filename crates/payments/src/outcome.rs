//! What a provider said of an operation: the last of the three phases.

use money::Money;
use store::{Ids, Timestamp};

use crate::state::{OperationEvent, OperationState, PaymentEvent};
use crate::{Operation, OperationId, Payment, Shelf, postings};

/// What a provider says became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// It was done.
    Succeeded {
        /// The provider's name for what it did.
        reference: String,
        /// What was taken.
        money: Money,
    },
    /// It was refused, for good.
    Failed {
        /// The provider's reason.
        decline_code: String,
    },
    /// It is not known. `retry_at` is when to inquire.
    Unknown {
        /// The earliest time of the next inquiry.
        retry_at: Timestamp,
    },
}

/// What a fact changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The payment moved on.
    Settled(Payment),
    /// The provider has not said yet: the payment goes on processing.
    Open(Payment),
    /// It was known already.
    Known,
}

/// Why a fact was not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// No such operation (yet).
    #[error("there is no such operation")]
    NotFound,
    /// Another worker has taken over since.
    #[error("the lease is {held}, the caller's is {shown}")]
    StaleLease {
        /// The newest lease.
        held: i32,
        /// The one that the caller holds.
        shown: i32,
    },
    /// A final fact is never undone.
    #[error("the operation {state} already")]
    Contradiction {
        /// What was known.
        state: &'static str,
    },
    /// The provider took something else than was asked for.
    #[error("the provider speaks of {said}, {asked} was asked for")]
    WrongAmount {
        /// What the provider says.
        said: Money,
        /// What was asked.
        asked: Money,
    },
    /// The books refused.
    #[error("the ledger refused: {0}")]
    Ledger(ledger::PostError),
}

/// Believes a fact, or says why not. `epoch` is the lease of a worker; a webhook has none, because
/// it speaks for the provider and not for a worker.
///
/// # Errors
/// [`OutcomeError`] names the rule; both shelves are then as they were.
pub fn record_outcome(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    id: OperationId,
    epoch: Option<i32>,
    fact: &Fact,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<Recorded, OutcomeError> {
    let operation = shelf.operation(&id).ok_or(OutcomeError::NotFound)?.clone();
    let payment = shelf
        .payment(&operation.payment)
        .ok_or(OutcomeError::NotFound)?
        .clone();
    if let Some(shown) = epoch
        && shown != operation.lease_epoch
    {
        return Err(OutcomeError::StaleLease {
            held: operation.lease_epoch,
            shown,
        });
    }
    match (operation.state, fact) {
        // Nobody was asked yet, so nobody can have answered.
        (OperationState::Created, _) => Err(OutcomeError::NotFound),
        (OperationState::Succeeded, Fact::Succeeded { money, .. }) if *money != operation.money => {
            Err(OutcomeError::WrongAmount {
                said: *money,
                asked: operation.money,
            })
        }
        (OperationState::Succeeded, Fact::Succeeded { .. } | Fact::Unknown { .. })
        | (OperationState::Failed, Fact::Failed { .. } | Fact::Unknown { .. }) => {
            Ok(Recorded::Known)
        }
        (OperationState::Succeeded, Fact::Failed { .. })
        | (OperationState::Failed, Fact::Succeeded { .. }) => Err(OutcomeError::Contradiction {
            state: operation.state.name(),
        }),
        (
            OperationState::Submitted | OperationState::Unknown,
            Fact::Succeeded { reference, money },
        ) => succeed(
            shelf, books, operation, payment, reference, *money, ids, now,
        ),
        (OperationState::Submitted | OperationState::Unknown, Fact::Failed { decline_code }) => {
            Ok(fail(shelf, operation, payment, decline_code, now))
        }
        (OperationState::Submitted | OperationState::Unknown, Fact::Unknown { retry_at }) => {
            Ok(lose(shelf, operation, payment, *retry_at, now))
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the one caller has matched these out of one fact"
)]
fn succeed(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    mut operation: Operation,
    mut payment: Payment,
    reference: &str,
    money: Money,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<Recorded, OutcomeError> {
    if money != operation.money {
        return Err(OutcomeError::WrongAmount {
            said: money,
            asked: operation.money,
        });
    }
    postings::capture(books, &operation, ids, now).map_err(OutcomeError::Ledger)?;
    // After this point it must succeed.
    step(shelf, &mut operation, OperationEvent::Succeeded, now);
    operation.provider_ref = Some(reference.to_owned());
    shelf.put_operation(operation);
    payment.authorized = money.amount.get();
    payment.captured = money.amount.get();
    Ok(settle(shelf, payment, PaymentEvent::Succeeded, now))
}

fn fail(
    shelf: &mut Shelf,
    mut operation: Operation,
    mut payment: Payment,
    decline_code: &str,
    now: Timestamp,
) -> Recorded {
    step(shelf, &mut operation, OperationEvent::Failed, now);
    shelf.put_operation(operation);
    payment.decline_code = Some(decline_code.to_owned());
    settle(shelf, payment, PaymentEvent::Failed, now)
}

fn lose(
    shelf: &mut Shelf,
    mut operation: Operation,
    payment: Payment,
    retry_at: Timestamp,
    now: Timestamp,
) -> Recorded {
    step(shelf, &mut operation, OperationEvent::Lost, now);
    operation.leased_until = retry_at;
    shelf.put_operation(operation);
    Recorded::Open(payment)
}

/// Moves an operation along an edge that the caller has made sure of.
fn step(shelf: &mut Shelf, operation: &mut Operation, event: OperationEvent, now: Timestamp) {
    if let Ok(to) = operation.state.on(event)
        && to != operation.state
    {
        let from = operation.state.name();
        shelf.record("operation", operation.id.bytes(), from, to.name(), now);
        operation.state = to;
    }
}

fn settle(
    shelf: &mut Shelf,
    mut payment: Payment,
    event: PaymentEvent,
    now: Timestamp,
) -> Recorded {
    if let Ok(to) = payment.state.on(event) {
        shelf.record(
            "payment",
            payment.id.bytes(),
            payment.state.name(),
            to.name(),
            now,
        );
        payment.state = to;
    }
    payment.updated_at = now;
    shelf.put_payment(payment.clone());
    Recorded::Settled(payment)
}
