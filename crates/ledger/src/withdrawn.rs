//! Rules for currencies that ISO 4217 has withdrawn.
//!
//! Transactions from the time when the currency existed are recorded as in any other currency. Transactions after its
//! end may only empty balances: no account is left further from zero than it was, nor on the other side of zero. If
//! the same transaction also moves another currency, it is a conversion: one account may collect what another gives,
//! and the sum of their balances, each without its sign, must not grow. An exchange never buys a withdrawn currency.
//! A reversal is always allowed, because it undoes what stands in the books. A capture by a provider is always
//! allowed too, because it is a fact.

use money::{Currency, Day, MinorUnits};
use store::Timestamp;

use crate::{Account, Phase, RecordedPosting, Shelf};

const MICROS_OF_A_DAY: i64 = 86_400_000_000;

/// The first day without the currency, if it no longer existed at this moment.
#[must_use]
pub fn withdrawn(currency: Currency, at: Timestamp) -> Option<Day> {
    let since = currency.withdrawn_since()?;
    let end = since.since_1970().saturating_mul(MICROS_OF_A_DAY);
    (at.micros() >= end).then_some(since)
}

/// A posting in a currency that no longer existed.
pub(crate) struct TooLate {
    /// Position of the posting, from 0.
    pub(crate) posting: usize,
    pub(crate) currency: Currency,
    pub(crate) since: Day,
}

/// The first posting that does more than empty balances after the end of its currency. `accounts` are as the
/// transaction leaves them; `bought` is the position of the posting that an exchange buys.
pub(crate) fn too_late(
    shelf: &Shelf,
    accounts: &[Account],
    postings: &[RecordedPosting],
    effective_at: Timestamp,
    bought: Option<usize>,
) -> Option<TooLate> {
    let ended = |posted: &RecordedPosting| withdrawn(posted.posting.currency, effective_at);
    // Nearly all transactions are in currencies that still exist.
    postings.iter().find(|posted| ended(posted).is_some())?;
    // A release converts nothing.
    let moves = |posted: &RecordedPosting| posted.phase != Phase::Released;
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

/// The balance that counts: with pending amounts for a pending posting, without them for a final one.
fn balance(account: &Account, phase: Phase) -> i128 {
    let balance: MinorUnits = match phase {
        Phase::Pending => account.pending(),
        Phase::Posted | Phase::Fulfilled | Phase::Released => account.posted(),
    };
    i128::from(balance.get())
}

/// Whether the transaction moves no balance further from zero or to the other side of zero.
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
