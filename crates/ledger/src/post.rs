//! Here a new transaction is decided, final or pending.

use crate::entries::{self, Movement};
use crate::refusal::order;
use crate::transaction::{MAX_POSTINGS, RELEASES_FROM, check_moment};
use crate::withdrawn::{TooLate, too_late};
use crate::{
    Account, AccountId, Hold, NewTransaction, Phase, Posting, RecordedPosting, RecordedTransaction,
    Refusal, Shelf, Step, condition, limits,
};

/// Posts a transaction, final or pending: all of it or nothing.
///
/// # Errors
/// The first broken rule of [`order::POST`]; the shelf is then unchanged.
pub fn post(shelf: &mut Shelf, new: NewTransaction) -> Result<RecordedTransaction, Refusal> {
    post_buying(shelf, new, None).map_err(|refusal| refusal.among(order::POST))
}

/// Posts a transaction; if it is an exchange, `bought` is the position of the posting that is bought.
pub(crate) fn post_buying(
    shelf: &mut Shelf,
    new: NewTransaction,
    bought: Option<usize>,
) -> Result<RecordedTransaction, Refusal> {
    let (step, phase) = match new.pending {
        None => (Step::Posted, Phase::Posted),
        Some(_) => (Step::Pending, Phase::Pending),
    };
    shelf.check_external_id(new.external_id.as_ref())?;
    check_shape(&new, step)?;
    let mut accounts = entries::copies(shelf, new.postings.iter())?;
    check_currencies(&accounts, &new.postings)?;
    entries::check_open(&accounts, |_| true)?;
    shelf.check_period(new.effective_at, new.recorded_at)?;
    condition::check_versions(&new.conditions, &accounts)?;
    let numbered = (0..RELEASES_FROM).zip(&new.postings);
    let movements = numbered.map(|(ordinal, posting)| Movement {
        ordinal,
        phase,
        posting: *posting,
    });
    let postings = entries::apply(&mut accounts, movements)?;
    check_withdrawn(shelf, &accounts, &postings, &new, bought)?;
    if !new.beyond_limits {
        limits::check(shelf, &accounts)?;
    }
    condition::check_available(&new.conditions, &accounts)?;
    // After this point it must succeed.
    let posted = RecordedTransaction {
        id: new.id,
        kind: new.kind,
        step,
        about: None,
        expires_at: new.pending.and_then(|pending| pending.expires_at),
        postings,
        external_id: new.external_id,
        description: new.description,
        metadata: new.metadata,
        effective_at: new.effective_at,
        recorded_at: new.recorded_at,
    };
    for promised in &posted.postings {
        if promised.phase == Phase::Pending {
            shelf.put_hold(Hold::of(posted.id, promised, posted.expires_at));
        }
    }
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_shape(new: &NewTransaction, step: Step) -> Result<(), Refusal> {
    if new.postings.is_empty() {
        return Err(Refusal::NoPostings);
    }
    if new.postings.len() > MAX_POSTINGS {
        return Err(Refusal::TooManyPostings);
    }
    for (posting, p) in new.postings.iter().enumerate() {
        if p.debit == p.credit {
            return Err(Refusal::SameAccount { posting });
        }
    }
    let moves = |id: &AccountId| new.postings.iter().any(|p| p.names(id));
    condition::check_accounts(&new.conditions, step, moves)?;
    if let Some(expires_at) = new.pending.and_then(|pending| pending.expires_at)
        && expires_at <= new.recorded_at
    {
        return Err(Refusal::ExpiresTooSoon { expires_at });
    }
    check_moment(new.effective_at, new.recorded_at)
}

fn check_currencies(accounts: &[Account], postings: &[Posting]) -> Result<(), Refusal> {
    for (posting, p) in postings.iter().enumerate() {
        for account in accounts {
            if p.names(&account.id) && account.currency != p.currency {
                return Err(Refusal::CurrencyMismatch {
                    posting,
                    account: account.id,
                    holds: account.currency,
                    asked: p.currency,
                });
            }
        }
    }
    Ok(())
}

fn check_withdrawn(
    shelf: &Shelf,
    accounts: &[Account],
    postings: &[RecordedPosting],
    new: &NewTransaction,
    bought: Option<usize>,
) -> Result<(), Refusal> {
    // The steps of a payment are facts: the provider has taken the money, even if the currency was withdrawn since.
    if new.kind.is_of_payments() {
        return Ok(());
    }
    match too_late(shelf, accounts, postings, new.effective_at, bought) {
        Some(TooLate {
            posting,
            currency,
            since,
        }) => Err(Refusal::CurrencyWithdrawn {
            posting: Some(posting),
            currency,
            since,
        }),
        None => Ok(()),
    }
}
