//! What a provider said of an operation: the last of the three phases.

use money::Money;
use store::{Ids, Timestamp};

use crate::state::{OperationEvent, OperationState, PaymentEvent};
use crate::{Charge, Operation, OperationId, Payment, Shelf, postings};

/// What a provider says became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// It was done.
    Succeeded {
        /// What was taken, and under which name.
        charge: Charge,
    },
    /// It was refused, for good.
    Failed {
        /// The provider's reason.
        decline_code: String,
        /// What was not taken; `None` where the provider has refused the request without making a charge.
        charge: Option<Charge>,
    },
    /// It is not known. `retry_at` is when to inquire.
    Unknown {
        /// The earliest time of the next inquiry.
        retry_at: Timestamp,
    },
}

impl Fact {
    /// The charge that it tells of, if it tells of one.
    #[must_use]
    pub const fn charge(&self) -> Option<&Charge> {
        match self {
            Self::Succeeded { charge } => Some(charge),
            Self::Failed { charge, .. } => charge.as_ref(),
            Self::Unknown { .. } => None,
        }
    }
}

/// What a fact changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactEffect {
    /// The payment moved on.
    Finished(Payment),
    /// The provider has not said yet: the payment goes on processing.
    Open(Payment),
    /// It was known already.
    Known,
}

/// Why a fact was not believed: the first of these rules that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// No such operation (yet).
    #[error("there is no such operation")]
    NotFound,
    /// The provider speaks of something else than was asked for.
    #[error("the provider speaks of {said}, {asked} was asked for")]
    WrongAmount {
        /// What the provider says.
        said: Money,
        /// What was asked.
        asked: Money,
    },
    /// The provider speaks of another payment.
    #[error("the provider names another payment than the operation is for")]
    WrongPayment,
    /// The provider speaks of another way to pay.
    #[error("the provider names another payment method than was asked for")]
    WrongMethod,
    /// A final fact is never undone.
    #[error("the operation {state} already")]
    Contradiction {
        /// What was known.
        state: &'static str,
    },
    /// There is a second charge for one operation. Where both succeeded, the money was taken twice.
    #[error("the provider names a second charge for the operation, which {state} under another")]
    SecondCharge {
        /// What was known of the first.
        state: &'static str,
    },
    /// The charge is another operation's already: the money was taken once, and is told of twice.
    #[error("the provider names a charge that is operation {of}'s")]
    ChargeOfAnother {
        /// The operation that has it.
        of: OperationId,
    },
    /// The provider gives another reason than before.
    #[error("the provider gives another decline code than before")]
    OtherDeclineCode,
    /// The books refused.
    #[error("the ledger refused: {0}")]
    Ledger(ledger::Refusal),
}

impl OutcomeError {
    /// The broken rule in a few words, for whoever looks through what was put aside.
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

/// Believes a fact, or says why not. Every field of it is compared: with what was asked for, and with
/// the first final fact, which stands. Whoever speaks under a lease must have
/// shown it; what is final already needs none: nothing is written any more, and a worker whose lease has run out
/// may be the only one that heard of a second charge.
///
/// # Errors
/// [`OutcomeError`] names the rule; both shelves are then as they were.
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
        // Nobody was asked yet, so nobody can have answered.
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

/// Whether a charge is the one that the operation asked for, as far as the provider says.
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

/// Whether a charge is no other operation's.
fn is_its_own(shelf: &Shelf, operation: &Operation, charge: &Charge) -> Result<(), OutcomeError> {
    match shelf.charge_of(&operation.provider, charge.reference.as_str()) {
        Some(of) if of != operation.id => Err(OutcomeError::ChargeOfAnother { of }),
        Some(_) | None => Ok(()),
    }
}

/// Whether a fact says of a final operation what is known of it.
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
    // What is older than the column, or was refused without a charge, has nothing to compare with.
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
    // After this point it must succeed.
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
