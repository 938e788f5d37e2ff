//! Here a pending transaction ends without being fulfilled: it is voided, or it expires. Amounts that were
//! fulfilled before stay posted. No limit forbids a release, and neither does a frozen account.

use store::Timestamp;

use crate::entries::{self, Movement};
use crate::refusal::order;
use crate::transaction::RELEASES_FROM;
use crate::{
    AccountId, Condition, Heading, Hold, HoldStatus, Phase, RecordedPosting, RecordedTransaction,
    Refusal, Shelf, Step, TransactionId, condition, hold,
};

/// A request to void or to expire a pending transaction.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The pending transaction.
    pub pending: TransactionId,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// Releases all that a pending transaction still holds, on request.
///
/// # Errors
/// The first broken rule of [`order::RELEASE`]; the shelf is then unchanged.
pub fn void(shelf: &mut Shelf, new: NewRelease) -> Result<RecordedTransaction, Refusal> {
    release(shelf, new, Step::Void).map_err(|refusal| refusal.among(order::RELEASE))
}

/// Releases all that a pending transaction still holds, because its time of expiry has come.
///
/// # Errors
/// The first broken rule of [`order::RELEASE`]; the shelf is then unchanged.
pub fn expire(shelf: &mut Shelf, new: NewRelease) -> Result<RecordedTransaction, Refusal> {
    release(shelf, new, Step::Expiry).map_err(|refusal| refusal.among(order::RELEASE))
}

fn release(shelf: &mut Shelf, new: NewRelease, step: Step) -> Result<RecordedTransaction, Refusal> {
    shelf.check_external_id(new.heading.external_id.as_ref())?;
    new.heading.check_moment()?;
    let transaction = new.pending;
    let (postings, mut accounts) = entries::concerned(shelf, transaction)?;
    let held = hold::held(shelf, &transaction, &postings)?;
    let heading = &new.heading;
    let ends = check_time(&held, heading.recorded_at, step)?;
    let conditions = &new.conditions;
    let left = || held.iter().filter(|(_, hold)| hold.remaining() > 0);
    let moves = |id: &AccountId| left().any(|(posted, _)| posted.posting.names(id));
    condition::check_accounts(conditions, step, moves)?;
    shelf.check_period(heading.effective_at, heading.recorded_at)?;
    condition::check_versions(conditions, &accounts)?;
    let movements = held.iter().filter_map(|(p, hold)| {
        let ordinal = p.ordinal.saturating_add(RELEASES_FROM);
        Movement::of(p.posting, ordinal, Phase::Released, hold.remaining())
    });
    let postings = entries::apply(&mut accounts, movements)?;
    condition::check_available(conditions, &accounts)?;
    // After this point it must succeed.
    for (_, hold) in held {
        shelf.put_hold(hold.moved_on(0, hold.remaining(), ends));
    }
    let posted = new.heading.becomes(step, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

/// Checks that the step is allowed at this moment. Returns the status with which the holds will end.
fn check_time(
    held: &[(RecordedPosting, Hold)],
    now: Timestamp,
    step: Step,
) -> Result<HoldStatus, Refusal> {
    match (step == Step::Expiry, hold::expired_at(held, now)) {
        (true, Some(_)) => Ok(HoldStatus::Expired),
        (true, None) => Err(Refusal::NotExpired),
        (false, Some(expires_at)) => Err(Refusal::Expired { expires_at }),
        (false, None) => Ok(HoldStatus::Voided),
    }
}
