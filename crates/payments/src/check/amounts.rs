//! P1: the amounts of a payment follow from its operations.

use std::collections::BTreeMap;

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, disputes, payments, reserves, tick};
use crate::attempt::AttemptState;
use crate::schema::operation;
use crate::tables::{OperationRow, PaymentRow};
use crate::{Operation, OperationId, OperationKind, OperationOwner, OperationState};

/// The amounts of a payment, as its operations make them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Amounts {
    authorized: i128,
    captured: i128,
    released: i128,
    in_flight: i128,
    incrementing: i128,
    refunded: i128,
    /// What captures have brought the merchant, less what is pending and what was made available.
    used: i128,
    /// What refunds have taken from pending money.
    from_pending: i128,
    /// What failed refunds have given back of it, less what is pending and what was made available.
    given_again: i128,
    /// What refunds give back of the late money of each operation, less what the operation says of it.
    given_back: BTreeMap<OperationId, i128>,
}

/// P1: refunded ≤ captured ≤ authorized ≤ amount; each amount is what the payment's operations make it, in its
/// currency; the refunds of a payment count from the moment in which they are made; each attempt agrees with the charge or
/// the authorization that begins it. Returns the number of payments.
///
/// # Errors
/// [`CheckError::Broken`] names the first payment or operation that breaks this.
pub fn amounts_are_covered(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut payments = payments(tenant);
    let mut operations: Pages<OperationRow> = Pages::new(tenant, operations_by_payment_after);
    let mut examined = 0_u64;
    while let Some(payment) = payments.next(connection)? {
        let mut amounts = Amounts::default();
        while let Some(operation) = operations.next_if(connection, |operation| {
            operation.subject_id.as_slice() <= &payment.id.bytes()[..]
        })? {
            if operation.subject_id != payment.id.bytes() {
                return Err(orphan(&operation));
            }
            if operation.currency != payment.currency {
                let detail = format!(
                    "it is in {}, its payment in {}",
                    operation.currency, payment.currency
                );
                return Err(CheckError::broken(operation.id, detail));
            }
            let operation = operation.read()?;
            is_of_its_attempt(&payment, &operation)?;
            amounts.count(&operation);
        }
        check_amounts(&payment, &amounts)?;
        tick(&mut examined, progress);
    }
    if let Some(operation) = operations.next(connection)? {
        return Err(orphan(&operation));
    }
    disputes::disputed_amounts_fit(connection, tenant)?;
    reserves::reserves_add_up(connection, tenant)?;
    Ok(examined)
}

/// Checks that the charge or the authorization with which an attempt begins agrees with the attempt.
fn is_of_its_attempt(payment: &PaymentRow, operation: &Operation) -> Result<(), CheckError> {
    if !operation.kind.begins_attempt() {
        return Ok(());
    }
    let number = operation.attempt;
    let attempt = AttemptState::of(payment, number);
    if attempt.is_some_and(|attempt| attempt.may_have_begun_with(operation.state)) {
        return Ok(());
    }
    let name = attempt.map_or("not there", AttemptState::name);
    let state = operation.state.name();
    let detail = format!("it is {state}, and attempt {number} of its payment is {name}");
    Err(CheckError::broken(operation.id, detail))
}

impl Amounts {
    /// Adds an operation.
    fn count(&mut self, operation: &Operation) {
        let amount = i128::from(operation.money.amount.get());
        let (reserved, releases) = (operation.reserved, i128::from(operation.releases()));
        let kept = i128::from(operation.unreleased) + i128::from(operation.made_available);
        let (fee, from_pending) = (
            i128::from(operation.fee),
            i128::from(operation.from_pending),
        );
        let has_succeeded = operation.state == OperationState::Succeeded;
        let has_failed = operation.state == OperationState::Failed;
        match (operation.kind, operation.gives_back) {
            (OperationKind::Charge | OperationKind::Capture, _) if has_failed => {
                let allocated = i128::from(operation.allocated);
                let fee = if allocated > 0 { fee } else { 0 };
                self.used += allocated - fee - kept;
                *self.given_back.entry(operation.id).or_default() -=
                    i128::from(operation.given_back);
                return;
            }
            (OperationKind::Refund, Some(late)) => {
                let counted = if has_failed { 0 } else { amount };
                *self.given_back.entry(late).or_default() += counted;
                return;
            }
            (OperationKind::RefundReturn, Some(late)) if has_succeeded => {
                *self.given_back.entry(late).or_default() -= amount;
                return;
            }
            (_, _) => {}
        }
        match operation.kind {
            OperationKind::Charge if has_succeeded => {
                self.authorized += amount;
                self.captured += amount;
                self.used += amount - fee - kept;
            }
            OperationKind::Authorize | OperationKind::Increment if has_succeeded => {
                self.authorized += amount;
            }
            OperationKind::Capture if has_succeeded => {
                self.captured += amount;
                self.released += releases;
                self.used += amount - fee - kept;
            }
            OperationKind::Void if has_succeeded => self.released += releases,
            OperationKind::Increment if operation.is_unfinished() => self.incrementing += amount,
            OperationKind::Capture | OperationKind::Void if operation.is_unfinished() => {
                self.in_flight += i128::from(reserved);
            }
            OperationKind::Refund => {
                let given_back = if has_failed { from_pending } else { 0 };
                self.refunded += if has_failed { 0 } else { amount };
                self.from_pending += from_pending;
                self.given_again += given_back - kept;
            }
            OperationKind::RefundReturn if has_succeeded => self.refunded -= amount,
            OperationKind::Charge
            | OperationKind::Authorize
            | OperationKind::Capture
            | OperationKind::Void
            | OperationKind::Increment
            | OperationKind::RefundReturn
            | OperationKind::Payout
            | OperationKind::PayoutReturn
            | OperationKind::Evidence => {}
        }
    }
}

fn check_amounts(payment: &PaymentRow, made: &Amounts) -> Result<(), CheckError> {
    let order = [
        ("refunded", payment.refunded, "captured", payment.captured),
        (
            "captured",
            payment.captured,
            "authorized",
            payment.authorized,
        ),
        ("authorized", payment.authorized, "amount", payment.amount),
    ];
    for (less_name, less, more_name, more) in order {
        if less < 0 || less > more {
            let detail = format!("{less_name} is {less}, {more_name} is {more}");
            return Err(CheckError::broken(payment.id, detail));
        }
    }
    let left = made.authorized - made.captured - made.released - made.in_flight;
    let rows = [
        ("authorized", payment.authorized, made.authorized),
        ("captured", payment.captured, made.captured),
        ("capturable", payment.capturable, left),
        ("released", payment.released, made.released),
        ("incrementing", payment.incrementing, made.incrementing),
        ("refunded", payment.refunded, made.refunded),
    ];
    for (name, stored, made) in rows {
        if i128::from(stored) != made {
            let detail = format!("{name} is {stored}, its operations make it {made}");
            return Err(CheckError::broken(payment.id, detail));
        }
    }
    let (used, from_pending, given_again) = (made.used, made.from_pending, made.given_again);
    // A refund takes pending money of captures, and of refunds that have failed before.
    if used + given_again != from_pending {
        let detail = format!(
            "of what it has brought the merchant {used} is gone, and {given_again} of what failed refunds gave back; \
             refunds took {from_pending}"
        );
        return Err(CheckError::broken(payment.id, detail));
    }
    let mut wrong = made.given_back.iter().filter(|(_, rest)| **rest != 0);
    match wrong.next() {
        Some((late, _)) => {
            let detail = "its refunds do not add up to what was given back of its late money";
            Err(CheckError::broken(*late, detail))
        }
        None => Ok(()),
    }
}

fn orphan(operation: &OperationRow) -> CheckError {
    CheckError::broken(operation.id, "its payment does not exist")
}

/// The operations after a given one, by payment: first the rest of the same payment, then those of later
/// payments. Each step is a plain range of the unique key.
fn operations_by_payment_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&OperationRow>,
) -> Result<Vec<OperationRow>, Error> {
    let of_others = OperationKind::ALL.into_iter();
    let of_others = of_others.filter(|kind| kind.owner() != OperationOwner::Payment);
    let of_others: Vec<&str> = of_others.map(OperationKind::name).collect();
    let operations = || {
        operation::table
            .filter(operation::tenant_id.eq(tenant))
            .filter(operation::kind.ne_all(of_others.clone()))
            .order((operation::subject_id, operation::ordinal))
            .limit(PAGE)
    };
    let Some(last) = after else {
        return Ok(operations().load(connection)?);
    };
    let rest: Vec<OperationRow> = operations()
        .filter(operation::subject_id.eq(&last.subject_id))
        .filter(operation::ordinal.gt(last.ordinal))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(operations()
        .filter(operation::subject_id.gt(&last.subject_id))
        .load(connection)?)
}
