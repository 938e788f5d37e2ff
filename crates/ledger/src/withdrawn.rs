//! What may still be entered in a currency that ISO 4217 has withdrawn.
//!
//! What happened while there was the currency is entered as in any other. What happens after its end only
//! empties balances: no account is left further from zero than it was, nor on the other side of it. Where
//! the same transaction moves another currency too, it is a conversion, and what one account gives, another
//! may collect: then the accounts together hold no more of it than before, signs aside. What an exchange
//! buys is never withdrawn. A reversal undoes what stands in the books and is always allowed; so is what a
//! provider has captured, because that is a fact.

use money::{Currency, Day, MinorUnits};
use store::Timestamp;

use crate::{Account, Phase, PostedPosting, Shelf};

const MICROS_OF_A_DAY: i64 = 86_400_000_000;

/// Since when there is no such currency, if there was none any more at this moment.
#[must_use]
pub fn withdrawn(currency: Currency, at: Timestamp) -> Option<Day> {
    let since = currency.withdrawn_since()?;
    let end = since.since_1970().saturating_mul(MICROS_OF_A_DAY);
    (at.micros() >= end).then_some(since)
}

/// An entry in a currency that there was no more.
pub(crate) struct TooLate {
    /// Which of the postings, from 0.
    pub(crate) posting: usize,
    pub(crate) currency: Currency,
    pub(crate) since: Day,
}

/// The first posting that does more than empty balances after the end of its currency. `accounts` are as
/// the transaction leaves them; `bought` is what an exchange buys.
pub(crate) fn too_late(
    shelf: &Shelf,
    accounts: &[Account],
    postings: &[PostedPosting],
    effective_at: Timestamp,
    bought: Option<usize>,
) -> Option<TooLate> {
    let ended = |posted: &PostedPosting| withdrawn(posted.posting.currency, effective_at);
    // Nearly every transaction is in currencies that there are.
    postings.iter().find(|posted| ended(posted).is_some())?;
    // What is only released is converted into nothing.
    let moves = |posted: &PostedPosting| posted.phase != Phase::Released;
    let converts = postings
        .iter()
        .any(|posted| moves(posted) && ended(posted).is_none());
    postings.iter().enumerate().find_map(|(posting, posted)| {
        let since = ended(posted)?;
        let currency = posted.posting.currency;
        let held = accounts
            .iter()
            .filter(|account| account.currency == currency);
        let balances = held.map(|account| {
            let before = shelf.account(&account.id);
            let before = before.map_or(0, |before| balance(before, posted.phase));
            (before, balance(account, posted.phase))
        });
        let is_empty_enough = if converts && bought != Some(posting) {
            holds_no_more(balances)
        } else {
            is_nearer_to_zero(balances)
        };
        (!is_empty_enough).then_some(TooLate {
            posting,
            currency,
            since,
        })
    })
}

/// What is promised counts with all that is pending, what is final without.
fn balance(account: &Account, phase: Phase) -> i128 {
    let balance: MinorUnits = match phase {
        Phase::Pending => account.pending(),
        Phase::Posted | Phase::Settled | Phase::Released => account.posted(),
    };
    i128::from(balance.get())
}

/// Each balance, before and after, is no further from zero and not past it.
fn is_nearer_to_zero(mut balances: impl Iterator<Item = (i128, i128)>) -> bool {
    balances.all(|(before, after)| {
        let (least, most) = (before.min(0), before.max(0));
        (least..=most).contains(&after)
    })
}

fn holds_no_more(balances: impl Iterator<Item = (i128, i128)>) -> bool {
    let (mut held, mut holds) = (0_u128, 0_u128);
    for (before, after) in balances {
        held = held.saturating_add(before.unsigned_abs());
        holds = holds.saturating_add(after.unsigned_abs());
    }
    holds <= held
}
