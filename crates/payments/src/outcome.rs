//! The outcome of an operation: the last of the three phases.

use money::Money;
use store::{Ids, Timestamp};

use crate::state::{OperationEvent, OperationState, PaymentEvent};
use crate::{Charge, Operation, OperationId, Payment, Shelf, postings};

/// A provider's report on the outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The operation succeeded.
    Succeeded {
        /// The charge that was made.
        charge: Charge,
    },
    /// The operation was refused for ever.
    Failed {
        /// The provider's reason.
        decline_code: String,
        /// The failed charge; `None` if the provider has refused the request without making a charge.
        charge: Option<Charge>,
    },
    /// The outcome is not known.
    Unknown {
        /// The earliest time of the next inquiry.
        retry_at: Timestamp,
    },
}

impl Fact {
    /// The charge in the fact, if there is one.
    #[must_use]
    pub const fn charge(&self) -> Option<&Charge> {
        match self {
            Self::Succeeded { charge } => Some(charge),
            Self::Failed { charge, .. } => charge.as_ref(),
            Self::Unknown { .. } => None,
        }
    }
}

/// The effect of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactEffect {
    /// The operation is final, and the payment has changed its state.
    Finished(Payment),
    /// The outcome is still unknown, and the payment stays in processing.
    Open(Payment),
    /// The fact was known already.
    Known,
}

/// Why a fact was not believed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// The operation does not exist, or was not submitted yet.
    #[error("there is no such operation")]
    NotFound,
    /// The amount or the currency of the charge is not the one of the operation.
    #[error("the provider speaks of {said}, {asked} was asked for")]
    WrongAmount {
        /// The money in the charge.
        said: Money,
        /// The money of the operation.
        asked: Money,
    },
    /// The charge names another payment.
    #[error("the provider names another payment than the operation is for")]
    WrongPayment,
    /// The charge names another payment method.
    #[error("the provider names another payment method than was asked for")]
    WrongMethod,
    /// The fact contradicts the final state of the operation.
    #[error("the operation {state} already")]
    Contradiction {
        /// The state of the operation.
        state: &'static str,
    },
    /// There is a second charge for one operation. If both succeeded, the money was taken twice.
    #[error("the provider names a second charge for the operation, which {state} under another")]
    SecondCharge {
        /// The state of the operation, from the first charge.
        state: &'static str,
    },
    /// The charge already belongs to another operation: the money was taken once and is reported twice.
    #[error("the provider names a charge that is operation {of}'s")]
    ChargeOfAnother {
        /// The operation that has the charge.
        of: OperationId,
    },
    /// The reason of the refusal differs from the first one.
    #[error("the provider gives another decline code than before")]
    OtherDeclineCode,
    /// The books refused the postings.
    #[error("the ledger refused: {0}")]
    Ledger(ledger::Refusal),
}

impl OutcomeError {
    /// The broken rule in a few words, for the person who reads the quarantine.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::NotFound => "about no operation",
            Self::WrongAmount { .. } => "another amount or currency than was asked for",
            Self::WrongPayment => "about another payment",
            Self::WrongMethod => "another payment method than was asked for",
            Self::Contradiction { .. } => "contradicts what is final",
            Self::SecondCharge { .. } => "a second charge for one operation",
            Self::ChargeOfAnother { .. } => "the charge of another operation",
            Self::OtherDeclineCode => "another decline code than before",
            Self::Ledger(_) => "refused by the ledger",
        }
    }
}

/// Records a fact, or refuses it. Every field is compared with the operation and with the first final fact. The
/// caller must have checked the lease. A fact about a final operation needs no lease: nothing is written any
/// more, and a worker whose lease has run out may be the only one that knows of a second charge.
///
/// # Errors
/// [`OutcomeError`] names the rule; both shelves are then unchanged.
pub fn record_outcome(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    id: OperationId,
    fact: &Fact,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    let operation = shelf.operation(&id).ok_or(OutcomeError::NotFound)?.clone();
    let payment = shelf
        .payment(&operation.payment)
        .ok_or(OutcomeError::NotFound)?
        .clone();
    match operation.state {
        // The operation was not sent yet, so no answer can be right.
        OperationState::Created => return Err(OutcomeError::NotFound),
        OperationState::Succeeded | OperationState::Failed => {
            compare(&operation, fact)?;
            return Ok(FactEffect::Known);
        }
        OperationState::Submitted | OperationState::Unknown => {}
    }
    match fact {
        Fact::Succeeded { charge } => {
            is_what_was_asked(&operation, charge)?;
            is_its_own(shelf, &operation, charge)?;
            succeed(shelf, books, operation, payment, charge, ids, now)
        }
        Fact::Failed {
            decline_code,
            charge,
        } => {
            if let Some(charge) = charge {
                is_what_was_asked(&operation, charge)?;
                is_its_own(shelf, &operation, charge)?;
            }
            let charge = charge.as_ref();
            Ok(fail(shelf, operation, payment, decline_code, charge, now))
        }
        Fact::Unknown { .. } => Ok(lose(shelf, operation, payment, now)),
    }
}

/// Checks the fields of a charge against the operation, as far as the provider names them.
fn is_what_was_asked(operation: &Operation, charge: &Charge) -> Result<(), OutcomeError> {
    if charge.money != operation.money {
        return Err(OutcomeError::WrongAmount {
            said: charge.money,
            asked: operation.money,
        });
    }
    if let Some(payment) = &charge.payment
        && *payment != operation.payment.to_string()
    {
        return Err(OutcomeError::WrongPayment);
    }
    if let Some(method) = &charge.payment_method
        && *method != operation.payment_method
    {
        return Err(OutcomeError::WrongMethod);
    }
    Ok(())
}

/// Checks that a charge belongs to no other operation.
fn is_its_own(shelf: &Shelf, operation: &Operation, charge: &Charge) -> Result<(), OutcomeError> {
    match shelf.charge_of(&operation.provider, charge.reference.as_str()) {
        Some(of) if of != operation.id => Err(OutcomeError::ChargeOfAnother { of }),
        Some(_) | None => Ok(()),
    }
}

/// Compares a fact about a final operation with what is known of the operation.
fn compare(operation: &Operation, fact: &Fact) -> Result<(), OutcomeError> {
    let state = operation.state;
    let (charge, ending) = match fact {
        Fact::Unknown { .. } => return Ok(()),
        Fact::Succeeded { charge } => (Some(charge), OperationState::Succeeded),
        Fact::Failed { charge, .. } => (charge.as_ref(), OperationState::Failed),
    };
    if let Some(charge) = charge {
        is_what_was_asked(operation, charge)?;
    }
    if ending != state {
        return Err(OutcomeError::Contradiction {
            state: state.name(),
        });
    }
    // An operation that is older than the column, or that was refused without a charge, has no reference to
    // compare.
    if let (Some(known), Some(charge)) = (&operation.provider_ref, charge)
        && known != charge.reference.as_str()
    {
        return Err(OutcomeError::SecondCharge {
            state: state.name(),
        });
    }
    if let (Some(known), Fact::Failed { decline_code, .. }) = (&operation.decline_code, fact)
        && known != decline_code
    {
        return Err(OutcomeError::OtherDeclineCode);
    }
    Ok(())
}

fn succeed(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    mut operation: Operation,
    mut payment: Payment,
    charge: &Charge,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    postings::capture(books, &operation, ids, now).map_err(OutcomeError::Ledger)?;
    // After this point nothing may fail.
    step(shelf, &mut operation, OperationEvent::Succeeded, now);
    keep_charge(shelf, &mut operation, charge);
    shelf.put_operation(operation);
    payment.authorized = charge.money.amount.get();
    payment.captured = charge.money.amount.get();
    Ok(finish(shelf, payment, PaymentEvent::Succeeded, now))
}

fn fail(
    shelf: &mut Shelf,
    mut operation: Operation,
    mut payment: Payment,
    decline_code: &str,
    charge: Option<&Charge>,
    now: Timestamp,
) -> FactEffect {
    step(shelf, &mut operation, OperationEvent::Failed, now);
    if let Some(charge) = charge {
        keep_charge(shelf, &mut operation, charge);
    }
    operation.decline_code = Some(decline_code.to_owned());
    shelf.put_operation(operation);
    payment.decline_code = Some(decline_code.to_owned());
    finish(shelf, payment, PaymentEvent::Failed, now)
}

fn keep_charge(shelf: &mut Shelf, operation: &mut Operation, charge: &Charge) {
    let reference = charge.reference.as_str();
    shelf.put_charge(&operation.provider, reference, operation.id);
    operation.provider_ref = Some(reference.to_owned());
}

fn lose(
    shelf: &mut Shelf,
    mut operation: Operation,
    payment: Payment,
    now: Timestamp,
) -> FactEffect {
    step(shelf, &mut operation, OperationEvent::Lost, now);
    shelf.put_operation(operation);
    FactEffect::Open(payment)
}

/// Moves an operation along an edge that the caller has checked.
fn step(shelf: &mut Shelf, operation: &mut Operation, event: OperationEvent, now: Timestamp) {
    if let Ok(to) = operation.state.on(event)
        && to != operation.state
    {
        let from = operation.state.name();
        shelf.record("operation", operation.id.bytes(), from, to.name(), now);
        operation.state = to;
    }
}

fn finish(
    shelf: &mut Shelf,
    mut payment: Payment,
    event: PaymentEvent,
    now: Timestamp,
) -> FactEffect {
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
    FactEffect::Finished(payment)
}
