//! Here the fulfilment of a pending transaction is decided: wholly or in part, once or several times.
//!
//! For the amount that is held, no limit is checked: limits were checked when the transaction became pending,
//! so fulfilling it cannot break them. If the request allows it, more than the held amount can be posted. The
//! excess is posted at once and is checked like any new posting. (An excess that was first made pending in the
//! same commit would have the same effect, because nobody could see it pending.) If an account was frozen in the
//! meantime, nothing can be fulfilled on it; the hold expires or is voided. A closed account holds nothing.

mod movements;

use store::Timestamp;

use self::movements::{advance, movements, moves};
use crate::refusal::order;
use crate::transaction::{Part, check_amounts};
use crate::withdrawn::{TooLate, too_late};
use crate::{
    Account, AccountId, Condition, Heading, Hold, RecordedPosting, RecordedTransaction, Refusal,
    Shelf, Step, TransactionId, condition, entries, hold, limits,
};

/// A request to fulfil a pending transaction.
#[derive(Debug, Clone)]
pub struct NewFulfilment {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The pending transaction.
    pub pending: TransactionId,
    /// The amounts by posting; `None`: all that remains.
    pub amounts: Option<Vec<Part>>,
    /// Whether the rest is released afterwards.
    pub last: bool,
    /// Whether an amount may be more than its posting still holds.
    pub exceed: bool,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// Fulfils a pending transaction, or a part of it.
///
/// # Errors
/// The first broken rule of [`order::FULFIL`]; the shelf is then unchanged.
pub fn fulfil(shelf: &mut Shelf, new: NewFulfilment) -> Result<RecordedTransaction, Refusal> {
    decide(shelf, new).map_err(|refusal| refusal.among(order::FULFIL))
}

fn decide(shelf: &mut Shelf, new: NewFulfilment) -> Result<RecordedTransaction, Refusal> {
    shelf.check_external_id(new.heading.external_id.as_ref())?;
    let named = new.amounts.as_deref();
    named.map_or(Ok(()), |parts| check_amounts(parts, Step::Fulfilment))?;
    new.heading.check_moment()?;
    let transaction = new.pending;
    let (postings, mut accounts) = entries::concerned(shelf, transaction)?;
    check_named(named, &postings)?;
    let held = hold::held(shelf, &transaction, &postings)?;
    if let Some(expires_at) = hold::expired_at(&held, new.heading.recorded_at) {
        return Err(Refusal::Expired { expires_at });
    }
    if !new.exceed {
        check_remaining(named, &held)?;
    }
    let conditions = &new.conditions;
    let moved = |id: &AccountId| moves(named, new.last, &held, id);
    condition::check_accounts(conditions, Step::Fulfilment, moved)?;
    // Only accounts whose posted balance moves must be open, because a release is always allowed.
    entries::check_open(&accounts, |id| moves(named, false, &held, id))?;
    let heading = &new.heading;
    shelf.check_period(heading.effective_at, heading.recorded_at)?;
    condition::check_versions(conditions, &accounts)?;
    let next: Vec<(RecordedPosting, Hold, Hold)> = held
        .iter()
        .map(|(posted, hold)| (*posted, *hold, advance(*hold, named, new.last)))
        .collect();
    let postings = entries::apply(&mut accounts, movements(&next, named))?;
    check_withdrawn(shelf, &accounts, &postings, heading.effective_at)?;
    // Fulfilling a hold lowers no available balance and raises no possible balance. So only an excess can break
    // the limits.
    limits::check(shelf, &accounts)?;
    condition::check_available(conditions, &accounts)?;
    // After this point it must succeed.
    for (_, _, hold) in next {
        shelf.put_hold(hold);
    }
    let posted = new.heading.becomes(Step::Fulfilment, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_named(named: Option<&[Part]>, postings: &[RecordedPosting]) -> Result<(), Refusal> {
    for (ordinal, _) in named.unwrap_or_default() {
        if !postings.iter().any(|posted| posted.ordinal == *ordinal) {
            return Err(Refusal::PostingNotFound {
                ordinal: *ordinal,
                step: Step::Fulfilment,
            });
        }
    }
    Ok(())
}

fn check_remaining(
    named: Option<&[Part]>,
    held: &[(RecordedPosting, Hold)],
) -> Result<(), Refusal> {
    for (ordinal, amount) in named.unwrap_or_default() {
        let of_it = held.iter().find(|(_, hold)| hold.ordinal == *ordinal);
        let remaining = of_it.map_or(0, |(_, hold)| hold.remaining());
        if amount.get() > remaining {
            return Err(Refusal::ExceedsPending {
                ordinal: *ordinal,
                remaining,
            });
        }
    }
    Ok(())
}

/// Checks the rules for withdrawn currencies. A released amount moves no posted balance, so it breaks none of them.
fn check_withdrawn(
    shelf: &Shelf,
    accounts: &[Account],
    postings: &[RecordedPosting],
    effective_at: Timestamp,
) -> Result<(), Refusal> {
    match too_late(shelf, accounts, postings, effective_at, None) {
        Some(TooLate {
            posting: _,
            currency,
            since,
        }) => Err(Refusal::CurrencyWithdrawn {
            posting: None,
            currency,
            since,
        }),
        None => Ok(()),
    }
}
