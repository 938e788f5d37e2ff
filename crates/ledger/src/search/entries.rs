//! The walk along one account's entries.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::matching::as_asked;
use super::stretch::{FIRST, Length, Stretch, limit};
use super::{Place, Search};
use crate::as_of::last_number_by;
use crate::read::account;
use crate::schema::posting;
use crate::{AccountId, TransactionId};

/// The numbers of the account's entries that were recorded within the wanted span: after the first one, up to the
/// last one. `None` if there is no such account.
pub(super) fn numbers(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    id: AccountId,
) -> Result<Option<(i64, i64)>, Error> {
    let Some(account) = account(connection, tenant, id)? else {
        return Ok(None);
    };
    // Entries are numbered in the order in which they were recorded.
    let mut number_before = |moment: Timestamp| {
        let at = Timestamp::from_micros(moment.micros().saturating_sub(1));
        last_number_by(connection, tenant, &account, at)
    };
    let first = wanted.from.map_or(Ok(0), &mut number_before)?;
    let last = wanted.to.map_or(Ok(account.version), &mut number_before)?;
    Ok(Some((first, last)))
}

/// The entries of one side of an account with numbers in a range, latest first.
macro_rules! one_side {
    ($account:ident, $version:ident, $of:expr, $numbers:expr, $wanted:expr, $most:expr) => {
        posting::table
            .filter(posting::tenant_id.eq($of.0))
            .filter(posting::$account.eq($of.1))
            .filter(posting::$version.gt($numbers.0))
            .filter(posting::$version.lt($numbers.1))
            .filter(as_asked!($wanted))
            .order(posting::$version.desc())
            .limit($most)
            .select((posting::$version, posting::transaction_id))
    };
}

/// The account's entries that match. Entries are numbered without a gap, and each side has an index of the
/// numbers, so the length of a range of numbers is known.
pub(super) fn entries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    (account, (first, last)): (AccountId, (i64, i64)),
    (after, length): (Option<Place>, Length),
) -> Result<Stretch, Error> {
    let next = last.saturating_add(1);
    let before = after.map_or(next, |after| after.at.min(next));
    let low = before.saturating_sub(1).saturating_sub(limit(length.rows));
    let low = low.max(first);
    let (of, numbers, most) = ((tenant, account), (low, before), limit(length.most));
    let mut found: Vec<(i64, TransactionId)> =
        one_side!(debit_account, debit_version, of, numbers, wanted, most).load(connection)?;
    let credits: Vec<(i64, TransactionId)> =
        one_side!(credit_account, credit_version, of, numbers, wanted, most).load(connection)?;
    found.extend(credits);
    let mut places: Vec<Place> = found.into_iter().map(|(at, id)| Place { at, id }).collect();
    places.sort_unstable_by_key(|place| std::cmp::Reverse(place.at));
    places.truncate(length.most);
    let latest = places.last().copied();
    let end = match latest.filter(|_| places.len() >= length.most) {
        Some(latest) => Some(latest),
        None if low > first => Some(Place {
            at: low.saturating_add(1),
            // The entries of one transaction follow each other, so this transaction may have more entries in the next
            // stretch.
            id: latest.or(after).map_or(FIRST, |place| place.id),
        }),
        None => None,
    };
    // If the previous stretch ended within a transaction, it has returned this transaction already.
    places.retain(|place| after.is_none_or(|after| after.id != place.id));
    Ok(Stretch {
        places,
        count: length.rows,
        end,
    })
}
