//! Transactions by what is known of them.
//!
//! A search walks along one index, latest first, and keeps of what it passes whatever is so in every way
//! that was asked for. It reads at most [`READ_AT_MOST`] rows a page: a page may be shorter than its
//! limit, or empty, and yet say where the next one goes on.
//!
//! | asked for | walks along | in the order of |
//! |---|---|---|
//! | the external id | its index | one at most |
//! | an account, or a subtree of one account | the account's entries | their numbers: recording |
//! | a text of metadata | the texts | ids: recording, to the millisecond |
//! | when it happened | the displaced, and ids | that time, to the millisecond |
//! | a key of metadata, or how a text begins | the keys | ids |
//! | anything else | all of the tenant's | ids |
//!
//! Where two are asked for, the first of the table is walked along.

mod happened;
mod matching;
mod walk;

use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::read::posted;
use crate::{AccountId, HoldStatus, Kind, Posted, TransactionId};
use money::Currency;

use matching::matching;
use walk::{Passed, Stretch, Walk};

/// A page is made of at most so many candidates. It bounds how long a reader is busy with one question:
/// some ten milliseconds.
pub const READ_AT_MOST: usize = 2_000;

/// What is asked for: all that is given must be so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// It bears this name, which one transaction at most does.
    pub external_id: Option<String>,
    /// It has an entry on this account.
    pub account: Option<AccountId>,
    /// It has an entry on an account with this code, or with one below it.
    pub subtree: Option<String>,
    /// What it is for.
    pub kind: Option<Kind>,
    /// What has become of it. One that is not pending, and never was, is posted.
    pub status: Option<HoldStatus>,
    /// It was recorded at this moment or later.
    pub from: Option<Timestamp>,
    /// It was recorded before this moment.
    pub to: Option<Timestamp>,
    /// It happened at this moment or later.
    pub effective_from: Option<Timestamp>,
    /// It happened before this moment.
    pub effective_to: Option<Timestamp>,
    /// What its metadata has under each of these names.
    pub metadata: Vec<(String, Told)>,
    /// It has a posting in this currency.
    pub currency: Option<Currency>,
    /// It has a posting of at least so many minor units.
    pub amount_min: Option<i64>,
    /// It has a posting of at most so many minor units. The amounts, the currency and the account (or the
    /// subtree) are those of one and the same posting.
    pub amount_max: Option<i64>,
}

/// What metadata has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This text.
    Text(String),
    /// A text that begins so.
    Prefix(String),
    /// Any text.
    Something,
}

/// Where a search goes on: after this transaction, in its order. Which numbers stand here depends on what
/// is asked for: it goes on with the same search alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the entry, or microseconds since 1970; 0 in the order of ids.
    pub at: i64,
    /// The transaction.
    pub id: TransactionId,
}

/// A page of a search.
#[derive(Debug, Clone)]
pub struct Found {
    /// Latest first.
    pub transactions: Vec<Posted>,
    /// Where the next page begins; `None`: there is no more.
    pub next: Option<Place>,
}

/// The transactions of a search after a place, at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn search(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    after: Option<Place>,
    limit: usize,
) -> Result<Found, Error> {
    let walk = Walk::of(connection, tenant, wanted)?;
    let rest = walk.rest(wanted);
    // What needs no second look is read once; else a few at first, because most of what is asked for is
    // found soon.
    let mut step = limit.saturating_add(1);
    if !rest.is_plain() {
        step = step.max(FIRST_STRETCH);
    }
    let (mut found, mut after, mut read): (Vec<Place>, _, _) = (Vec::new(), after, 0_usize);
    let next = loop {
        let stretch = walk.read(connection, tenant, after, step, rest.is_plain())?;
        let Stretch { passed, count, end } = stretch;
        let most = limit.saturating_add(1).saturating_sub(found.len());
        for place in kept(connection, tenant, &rest, passed, most)? {
            match found.last_mut() {
                // Another entry of the same transaction: a page goes on after all of them.
                Some(last) if last.id == place.id => *last = place,
                Some(_) | None => found.push(place),
            }
        }
        if found.len() > limit {
            found.truncate(limit);
            break found.last().copied();
        }
        let Some(end) = end else { break None };
        read = read.saturating_add(count);
        if read >= READ_AT_MOST {
            break Some(end);
        }
        after = Some(end);
        step = step
            .saturating_mul(GROWTH)
            .min(READ_AT_MOST.saturating_sub(read));
    };
    let ids: Vec<TransactionId> = found.iter().map(|place| place.id).collect();
    let transactions = in_order(posted(connection, tenant, &ids)?, &ids);
    Ok(Found { transactions, next })
}

/// Candidates of the first stretch, where each must be looked at.
const FIRST_STRETCH: usize = 200;
/// Each stretch is so many times longer than the one before.
const GROWTH: usize = 3;

/// Those that were passed and are as they should be, in the order in which they were passed.
fn kept(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rest: &Search,
    passed: Passed,
    most: usize,
) -> Result<Vec<Place>, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    match passed {
        Passed::Each(places) if rest.is_plain() || places.is_empty() => Ok(places),
        Passed::Each(places) => {
            let mut ids: Vec<TransactionId> = places.iter().map(|place| place.id).collect();
            ids.sort_unstable();
            ids.dedup();
            let mut right = matching(connection, tenant, rest, matching::Among::These(&ids))?;
            right.sort_unstable();
            let is_right = |place: &Place| right.binary_search(&place.id).is_ok();
            Ok(places.into_iter().filter(is_right).collect())
        }
        Passed::Between(floor, ceiling) => {
            let among = matching::Among::Between(floor, ceiling, most);
            let right = matching(connection, tenant, rest, among)?;
            Ok(right.into_iter().map(|id| Place { at: 0, id }).collect())
        }
    }
}

fn in_order(mut transactions: Vec<Posted>, ids: &[TransactionId]) -> Vec<Posted> {
    let place = |posted: &Posted| ids.iter().position(|id| *id == posted.id);
    transactions.sort_by_cached_key(place);
    for posted in &mut transactions {
        posted.postings.sort_unstable_by_key(|entry| entry.ordinal);
    }
    transactions
}

impl Search {
    /// Whether nothing is asked of a posting but its account.
    fn has_no_posting(&self) -> bool {
        self.currency.is_none() && self.amount_min.is_none() && self.amount_max.is_none()
    }

    /// Whether nothing is asked for.
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
