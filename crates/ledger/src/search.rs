//! Transactions by what is known of them.
//!
//! A search walks along one index, latest first, and keeps the transactions that match every filter. It
//! reads at most [`READ_AT_MOST`] rows a page: a page may be shorter than its
//! limit, or empty, and yet say where the next one goes on.
//!
//! | asked for | walks along | in the order of |
//! |---|---|---|
//! | the external id | its index | one at most |
//! | an account | the account's entries | their numbers: recording |
//! | a text of metadata | the texts | ids: recording, to the millisecond |
//! | when it happened | the displaced, and ids | that time, to the millisecond |
//! | a key of metadata, or how a text begins | the keys | ids |
//! | a subtree of one account | that account's entries | their numbers: recording |
//! | a currency, an amount, a subtree of several accounts | the postings | ids |
//! | anything else | all of the tenant's | ids |
//!
//! With several filters, the first one in this table decides.

mod entries;
mod happened;
mod matching;
mod walk;

use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::read::posted;
use crate::{AccountId, HoldStatus, Kind, Posted, TransactionId};
use money::Currency;

use matching::{Among, matching};
use walk::{Length, Walk};

/// The most rows that one page reads. It bounds how long a reader is busy with one question: some
/// milliseconds.
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
    // The cost of one row: more where other tables are looked at, so that the work of a page is bounded.
    let per_row = walk.weight() + if rest.is_plain() { 0 } else { LOOK };
    let mut left = READ_AT_MOST / per_row;
    // Few rows at first: most questions have their page soon.
    let mut rows = limit.saturating_add(1);
    if !(walk.takes_most(wanted) && rest.is_plain()) {
        rows = rows.max(FIRST_STRETCH);
    }
    let (mut found, mut after): (Vec<Place>, _) = (Vec::new(), after);
    let next = loop {
        rows = rows.min(left).max(1);
        let mut length = Length { rows, most: rows };
        if rest.is_plain() {
            length.most = limit.saturating_add(1).saturating_sub(found.len());
        }
        let stretch = walk.read(connection, tenant, wanted, after, length)?;
        for place in kept(connection, tenant, &rest, stretch.places)? {
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
        left = left.saturating_sub(stretch.count);
        match stretch.end {
            end @ Some(_) if left > 0 => after = end,
            end => break end,
        }
        rows = rows.saturating_mul(GROWTH);
    };
    let ids: Vec<TransactionId> = found.iter().map(|place| place.id).collect();
    let transactions = in_order(posted(connection, tenant, &ids)?, &ids);
    Ok(Found { transactions, next })
}

/// Rows of the first part of a walk in which many rows may not match.
const FIRST_STRETCH: usize = 200;
/// Factor by which each part of a walk is longer than the one before.
const GROWTH: usize = 3;
/// The cost of checking one candidate in other tables, in rows.
const LOOK: usize = 6;

/// The candidates that match the remaining filters, in the same order.
fn kept(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rest: &Search,
    places: Vec<Place>,
) -> Result<Vec<Place>, Error> {
    if rest.is_plain() || places.is_empty() {
        return Ok(places);
    }
    let mut ids: Vec<TransactionId> = places.iter().map(|place| place.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut right = matching(connection, tenant, rest, Among::These(&ids))?;
    right.sort_unstable();
    let is_right = |place: &Place| right.binary_search(&place.id).is_ok();
    Ok(places.into_iter().filter(is_right).collect())
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

    /// Whether there is a filter on the effective time.
    fn asks_when_it_happened(&self) -> bool {
        self.effective_from.is_some() || self.effective_to.is_some()
    }

    /// Removes the filters on postings, but for the account.
    fn ask_no_posting(&mut self) {
        self.currency = None;
        (self.amount_min, self.amount_max) = (None, None);
    }

    /// Whether nothing is asked for.
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
