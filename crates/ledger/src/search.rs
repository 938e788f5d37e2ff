//! Search for transactions by their properties.
//!
//! A search walks along one index, latest first, and keeps the transactions that match every filter. It
//! reads at most [`MAX_READ`] rows a page. So a page may be shorter than its limit, or empty, and still
//! say where the next page begins.
//!
//! | filter | index that is walked | order of the results |
//! |---|---|---|
//! | the external id | the external ids | one result at most |
//! | an account | the account's entries | entry numbers: order of recording |
//! | a metadata text | the texts | ids: recording time, to the millisecond |
//! | the effective time | the displaced transactions, and ids | effective time, to the millisecond |
//! | a metadata key, or the beginning of a text | the keys | ids |
//! | a subtree of one account | that account's entries | entry numbers: order of recording |
//! | a currency, an amount, a subtree of several accounts | all transactions, with their postings | ids |
//! | anything else | all transactions of the tenant | ids |
//!
//! With several filters, the first one in this table decides which index is walked.

mod effective_span;
mod entries;
mod matching;
mod stretch;
mod walk;

use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::read::posted;
use crate::{AccountId, HoldStatus, Kind, RecordedTransaction, TransactionId};
use money::Currency;

use matching::{Among, matching};
use stretch::Length;
use walk::Walk;

/// Greatest number of rows that one page reads. It limits the time that one question takes to some
/// milliseconds.
pub const MAX_READ: usize = 2_000;

/// The filters of a search; a transaction must match all that are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The transaction has this external id. At most one transaction has it.
    pub external_id: Option<String>,
    /// The transaction has an entry on this account.
    pub account: Option<AccountId>,
    /// The transaction has an entry on the account with this code, or on one below it.
    pub subtree: Option<String>,
    /// The transaction has this kind.
    pub kind: Option<Kind>,
    /// The present status. A transaction that never was pending is posted.
    pub status: Option<HoldStatus>,
    /// The transaction was recorded at this moment or later.
    pub from: Option<Timestamp>,
    /// The transaction was recorded before this moment.
    pub to: Option<Timestamp>,
    /// The transaction happened at this moment or later.
    pub effective_from: Option<Timestamp>,
    /// The transaction happened before this moment.
    pub effective_to: Option<Timestamp>,
    /// Demands on the metadata texts under these keys.
    pub metadata: Vec<(String, MetadataMatch)>,
    /// The transaction has a posting in this currency.
    pub currency: Option<Currency>,
    /// The transaction has a posting of at least this amount, in minor units.
    pub amount_min: Option<i64>,
    /// The transaction has a posting of at most this amount, in minor units. One single posting must match the
    /// amounts, the currency and the account (or the subtree).
    pub amount_max: Option<i64>,
}

/// A demand on the metadata text under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataMatch {
    /// Exactly this text.
    Text(String),
    /// A text that begins with this one.
    Prefix(String),
    /// Any text.
    Something,
}

/// The place after which a search goes on. The meaning of the numbers depends on the filters, so a place is
/// only valid for the same search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the entry, or microseconds since 1970; 0 in the order of ids.
    pub at: i64,
    /// The id of the transaction.
    pub id: TransactionId,
}

/// A page of a search.
#[derive(Debug, Clone)]
pub struct SearchPage {
    /// The transactions, latest first.
    pub transactions: Vec<RecordedTransaction>,
    /// The place after which the next page begins; `None` on the last page.
    pub next: Option<Place>,
}

/// The ids between which everything lies that was recorded from one moment on and before another: from the first id on,
/// and before the second. Other things may lie there too.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn ids_between(
    connection: &mut AnyConnection,
    tenant: TenantId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<[[u8; 16]; 2], Error> {
    let ids = walk::recorded_between(connection, tenant, from, to)?;
    Ok([ids.from.bytes(), ids.to.bytes()])
}

/// The transactions that match a search, after a place; at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn search(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    after: Option<Place>,
    limit: usize,
) -> Result<SearchPage, Error> {
    let walk = Walk::of(connection, tenant, wanted)?;
    let rest = walk.rest(wanted);
    // A row counts as several rows if other tables are looked at. So the work of a page is bounded.
    let per_row = walk.weight() + if rest.is_plain() { 0 } else { LOOK };
    let mut left = MAX_READ / per_row;
    // Few rows are read at first, because most pages are full soon.
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
                // Another entry of the same transaction: the next page begins after all of them.
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
    Ok(SearchPage { transactions, next })
}

/// Number of rows in the first part of a walk in which many rows may not match.
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

fn in_order(
    mut transactions: Vec<RecordedTransaction>,
    ids: &[TransactionId],
) -> Vec<RecordedTransaction> {
    let place = |posted: &RecordedTransaction| ids.iter().position(|id| *id == posted.id);
    transactions.sort_by_cached_key(place);
    for posted in &mut transactions {
        posted.postings.sort_unstable_by_key(|entry| entry.ordinal);
    }
    transactions
}

impl Search {
    /// Whether there is no filter on postings, except the account.
    fn has_no_posting(&self) -> bool {
        self.currency.is_none() && self.amount_min.is_none() && self.amount_max.is_none()
    }

    /// Whether there is a filter on the effective time.
    fn asks_when_it_happened(&self) -> bool {
        self.effective_from.is_some() || self.effective_to.is_some()
    }

    /// Removes the filters on postings, except the account.
    fn ask_no_posting(&mut self) {
        self.currency = None;
        (self.amount_min, self.amount_max) = (None, None);
    }

    /// Whether there are no filters.
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
