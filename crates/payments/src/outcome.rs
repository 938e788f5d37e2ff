//! The outcome of an operation: the last of the three phases.
//!
//! Facts are monotone: the first final fact counts. The same fact again changes nothing, and a fact that differs from
//! it in any field is refused.

use money::Money;
use store::{Ids, Timestamp};

use crate::disputes::outcome as evidence;
use crate::state::{OperationEvent, OperationState, PaymentEvent};
use crate::{
    Fact, Operation, OperationId, OperationKind, OperationOwner, Payment, PaymentState, Record,
    Shelf,
};
use crate::{authorizations, payouts, postings, refunds};

/// The effect of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactEffect {
    /// The operation is final now.
    Finished,
    /// The outcome is still unknown.
    Open,
    /// The fact was known already.
    Known,
}

/// Why a fact was not believed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// The operation does not exist, or was not submitted yet.
    #[error("there is no such operation")]
    NotFound,
    /// The record is about another kind of operation.
    #[error("the provider speaks of a {}, a {} was asked for", said.name(), asked.name())]
    WrongKind {
        /// The kind in the record.
        said: OperationKind,
        /// The kind of the operation.
        asked: OperationKind,
    },
    /// The amount or the currency of the record is not the one of the operation.
    #[error("the provider speaks of {said}, {asked} was asked for")]
    WrongAmount {
        /// The money in the record.
        said: Money,
        /// The money of the operation.
        asked: Money,
    },
    /// The record names another payment.
    #[error("the provider names another payment than the operation is for")]
    WrongPayment,
    /// The record names another payment method.
    #[error("the provider names another payment method than was asked for")]
    WrongMethod,
    /// The fact contradicts the final state of the operation.
    #[error("the operation {state} already")]
    Contradiction {
        /// The state of the operation.
        state: &'static str,
    },
    /// There is a second record for one operation. If both succeeded, the money was moved twice.
    #[error("the provider names a second record for the operation, which {state} under another")]
    SecondRecord {
        /// The state of the operation, from the first record.
        state: &'static str,
    },
    /// The record already belongs to another operation: the money was moved once and is reported twice.
    #[error("the provider names a record that is operation {of}'s")]
    RecordOfAnother {
        /// The operation that has the record.
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
            Self::WrongKind { .. } => "about another kind of operation",
            Self::WrongAmount { .. } => "another amount or currency than was asked for",
            Self::WrongPayment => "about another payment",
            Self::WrongMethod => "another payment method than was asked for",
            Self::Contradiction { .. } => "contradicts what is final",
            Self::SecondRecord { .. } => "a second record for one operation",
            Self::RecordOfAnother { .. } => "the record of another operation",
            Self::OtherDeclineCode => "another decline code than before",
            Self::Ledger(_) => "refused by the ledger",
        }
    }
}

/// Records a fact, or refuses it. Every field is compared with the operation and with the first final fact. The
/// caller must have checked the lease, and undoes everything if the fact is refused. A fact about a final operation
/// needs no lease: nothing is written any more, and a worker whose lease has run out may be the only one that knows of
/// a second record.
///
/// # Errors
/// [`OutcomeError`] names the rule.
pub fn record_outcome(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    id: OperationId,
    fact: &Fact,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    let operation = shelf.operation(&id).ok_or(OutcomeError::NotFound)?.clone();
    let fact = &fact.about(operation.state);
    match operation.state {
        // The operation was not sent yet, so no answer can be right.
        OperationState::Created => return Err(OutcomeError::NotFound),
        OperationState::Failed
            if let Fact::Succeeded { record } = fact
                && operation.kind.takes_money() =>
        {
            return succeed_late(shelf, books, operation, record, ids, now);
        }
        OperationState::Succeeded | OperationState::Failed | OperationState::Canceled => {
            compare(&operation, fact)?;
            return match fact {
                Fact::Returned { .. } => come_back(shelf, books, &operation, ids, now),
                Fact::Succeeded { .. }
                | Fact::Failed { .. }
                | Fact::ActionRequired { .. }
                | Fact::Undone { .. }
                | Fact::Disputed(_)
                | Fact::Unknown { .. } => Ok(FactEffect::Known),
            };
        }
        OperationState::Submitted | OperationState::Unknown => {}
    }
    if let Some(record) = fact.record() {
        is_what_was_asked(&operation, record)?;
        is_its_own(shelf, &operation, record)?;
    }
    match fact {
        Fact::Succeeded { record } => succeed(shelf, books, operation, record, ids, now),
        // It must have succeeded first.
        Fact::Returned { .. } | Fact::Undone { .. } | Fact::Disputed(_) => {
            Err(OutcomeError::Contradiction {
                state: operation.state.name(),
            })
        }
        Fact::Failed {
            decline_code,
            record,
        } => {
            let outcome = (decline_code.as_str(), record.as_ref());
            fail(shelf, books, operation, outcome, ids, now)
        }
        Fact::ActionRequired { url, .. } if operation.kind.begins_attempt() => {
            wait_for_payer(shelf, operation, url, now)
        }
        Fact::ActionRequired { .. } | Fact::Unknown { .. } => {
            let mut operation = operation;
            Ok(lose(shelf, &mut operation, now))
        }
    }
}

/// Checks the fields of a record against the operation, as far as the provider names them.
fn is_what_was_asked(operation: &Operation, record: &Record) -> Result<(), OutcomeError> {
    if let Some(said) = record.kind
        && said != operation.kind
    {
        let asked = operation.kind;
        return Err(OutcomeError::WrongKind { said, asked });
    }
    if record.money != operation.money {
        return Err(OutcomeError::WrongAmount {
            said: record.money,
            asked: operation.money,
        });
    }
    if let Some(payment) = &record.payment
        && *payment != operation.reference()
    {
        return Err(OutcomeError::WrongPayment);
    }
    if let Some(method) = &record.payment_method
        && *method != operation.payment_method
    {
        return Err(OutcomeError::WrongMethod);
    }
    Ok(())
}

/// Checks that a record belongs to no other operation.
fn is_its_own(shelf: &Shelf, operation: &Operation, record: &Record) -> Result<(), OutcomeError> {
    match shelf.record_of(&operation.provider, record.reference.as_str()) {
        Some(of) if of != operation.id => Err(OutcomeError::RecordOfAnother { of }),
        Some(_) | None => Ok(()),
    }
}

/// Compares a fact about a final operation with what is known of the operation.
fn compare(operation: &Operation, fact: &Fact) -> Result<(), OutcomeError> {
    let state = operation.state;
    if let Some(record) = fact.record() {
        is_what_was_asked(operation, record)?;
    }
    let ending = match fact {
        // Older than the outcome that is known.
        Fact::Unknown { .. } | Fact::ActionRequired { .. } => return Ok(()),
        Fact::Succeeded { .. } | Fact::Returned { .. } | Fact::Disputed(_) => {
            OperationState::Succeeded
        }
        Fact::Failed { .. } | Fact::Undone { .. } => OperationState::Failed,
    };
    if ending != state {
        return Err(OutcomeError::Contradiction {
            state: state.name(),
        });
    }
    if let Some(record) = fact.record() {
        is_the_known_record(operation, record)?;
    }
    if let (Some(known), Fact::Failed { decline_code, .. }) = (&operation.decline_code, fact)
        && known != decline_code
    {
        return Err(OutcomeError::OtherDeclineCode);
    }
    Ok(())
}

/// Checks that a record is the one that is known, if one is. An operation that is older than the column, or that was
/// refused without a record, has no reference to compare.
fn is_the_known_record(operation: &Operation, record: &Record) -> Result<(), OutcomeError> {
    match &operation.provider_ref {
        Some(known) if known != record.reference.as_str() => Err(OutcomeError::SecondRecord {
            state: operation.state.name(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Records that the money of a failed operation was taken after all. What is final stays: the operation has failed, and
/// its payment may have been paid in another attempt. So the money is nobody's until a person decides.
fn succeed_late(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    mut operation: Operation,
    record: &Record,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    is_what_was_asked(&operation, record)?;
    is_the_known_record(&operation, record)?;
    is_its_own(shelf, &operation, record)?;
    if operation.unallocated > 0 {
        return Ok(FactEffect::Known);
    }
    postings::post(books, &operation, postings::TAKEN_LATE, ids, now)
        .map_err(OutcomeError::Ledger)?;
    // After this point nothing may fail.
    if operation.provider_ref.is_none() {
        keep_record(shelf, &mut operation, record);
    }
    operation.unallocated = operation.money.amount.get();
    shelf.change_operation(&mut operation);
    Ok(FactEffect::Finished)
}

fn succeed(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    mut operation: Operation,
    record: &Record,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    let (_, set, _) = postings::sets(operation.kind, operation.gives_back.is_some());
    if let Some(set) = set {
        postings::post(books, &operation, set, ids, now).map_err(OutcomeError::Ledger)?;
    }
    // After this point nothing may fail.
    shelf.step_operation(&mut operation, OperationEvent::Succeeded, now);
    keep_record(shelf, &mut operation, record);
    if let Some(delay) = operation.delay {
        operation.available_on = Some(delay.available_on(now));
        let amount = operation.money.amount.get();
        operation.unreleased = amount.saturating_sub(operation.fee);
    }
    shelf.change_operation(&mut operation);
    match operation.kind.owner() {
        OperationOwner::Payout => {
            payouts::outcome::succeeded(shelf, &operation, now);
            return Ok(FactEffect::Finished);
        }
        OperationOwner::Dispute => {
            evidence::taken(shelf, &operation, now);
            return Ok(FactEffect::Finished);
        }
        OperationOwner::Payment => {}
    }
    let mut payment = payment_of(shelf, &operation)?;
    let amount = operation.money.amount.get();
    match operation.kind {
        OperationKind::Charge => {
            payment.authorized = amount;
            payment.captured = amount;
            begin(shelf, &mut payment, PaymentEvent::Captured, record, now);
        }
        OperationKind::Authorize => {
            payment.authorized = amount;
            payment.capturable = amount;
            begin(shelf, &mut payment, PaymentEvent::Authorized, record, now);
        }
        OperationKind::Capture | OperationKind::Void | OperationKind::Increment => {
            authorizations::succeeded(&mut payment, &operation);
            shelf.follow_amounts(&mut payment, now);
        }
        OperationKind::Refund
        | OperationKind::RefundReturn
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => {}
    }
    shelf.change_payment(&mut payment, now);
    Ok(FactEffect::Finished)
}

/// Ends the beginning of an attempt: the payment has a charge now.
fn begin(
    shelf: &mut Shelf,
    payment: &mut Payment,
    event: PaymentEvent,
    record: &Record,
    now: Timestamp,
) {
    payment.charge_ref = Some(record.reference.to_string());
    payment.action_url = None;
    shelf.step_payment(payment, event, now);
}

fn fail(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    mut operation: Operation,
    (decline_code, record): (&str, Option<&Record>),
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    let (_, _, failed) = postings::sets(operation.kind, operation.gives_back.is_some());
    if let Some(set) = failed {
        postings::post(books, &operation, set, ids, now).map_err(OutcomeError::Ledger)?;
    }
    // After this point nothing may fail.
    shelf.step_operation(&mut operation, OperationEvent::Failed, now);
    if let Some(record) = record {
        keep_record(shelf, &mut operation, record);
    }
    operation.decline_code = Some(decline_code.to_owned());
    // What came from pending money is pending again, until the day on which it would have been available.
    operation.unreleased = operation.from_pending;
    shelf.change_operation(&mut operation);
    match operation.kind.owner() {
        OperationOwner::Payout => {
            payouts::outcome::failed(shelf, &operation, decline_code, now);
            return Ok(FactEffect::Finished);
        }
        OperationOwner::Dispute => {
            evidence::refused(shelf, &operation, decline_code, now);
            return Ok(FactEffect::Finished);
        }
        OperationOwner::Payment => {}
    }
    let mut payment = payment_of(shelf, &operation)?;
    match operation.kind {
        OperationKind::Charge | OperationKind::Authorize => {
            payment.decline_code = Some(decline_code.to_owned());
            payment.action_url = None;
            shelf.step_payment(&mut payment, PaymentEvent::Failed, now);
        }
        OperationKind::Capture | OperationKind::Void | OperationKind::Increment => {
            authorizations::failed(&mut payment, &operation);
            shelf.follow_amounts(&mut payment, now);
        }
        OperationKind::Refund => refunds::outcome::failed(shelf, &mut payment, &operation),
        OperationKind::RefundReturn
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => {}
    }
    shelf.change_payment(&mut payment, now);
    Ok(FactEffect::Finished)
}

/// Keeps the record, by its reference, for the comparison with later facts.
fn keep_record(shelf: &mut Shelf, operation: &mut Operation, record: &Record) {
    let reference = record.reference.to_string();
    shelf.put_record(&operation.provider, &reference, operation.id);
    operation.provider_ref = Some(reference);
}

/// Records that the outcome is not known.
fn lose(shelf: &mut Shelf, operation: &mut Operation, now: Timestamp) -> FactEffect {
    let before = operation.state;
    shelf.step_operation(operation, OperationEvent::Lost, now);
    if operation.state != before {
        shelf.change_operation(operation);
    }
    FactEffect::Open
}

/// Sends the payer to the provider. The operation has no outcome until they have been there.
fn wait_for_payer(
    shelf: &mut Shelf,
    mut operation: Operation,
    url: &str,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    lose(shelf, &mut operation, now);
    let mut payment = payment_of(shelf, &operation)?;
    if payment.state == PaymentState::Processing {
        payment.action_url = Some(url.to_owned());
        shelf.step_payment(&mut payment, PaymentEvent::ActionRequired, now);
        shelf.change_payment(&mut payment, now);
    }
    Ok(FactEffect::Open)
}

/// Records that what had succeeded came back.
fn come_back(
    shelf: &mut Shelf,
    books: &mut ledger::Shelf,
    operation: &Operation,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<FactEffect, OutcomeError> {
    match operation.kind {
        OperationKind::Refund => refunds::outcome::come_back(shelf, books, operation, ids, now),
        OperationKind::Payout => payouts::outcome::come_back(shelf, books, operation, ids, now),
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Capture
        | OperationKind::Void
        | OperationKind::Increment
        | OperationKind::RefundReturn
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => Err(OutcomeError::WrongKind {
            said: OperationKind::Refund,
            asked: operation.kind,
        }),
    }
}

/// The payment that an operation belongs to.
fn payment_of(shelf: &Shelf, operation: &Operation) -> Result<Payment, OutcomeError> {
    let payment = shelf.payment(&operation.payment());
    payment.cloned().ok_or(OutcomeError::NotFound)
}
