//! Transactions in the order of their effective times, latest first.
//!
//! For most transactions the effective time is the recording time, which their ids contain. For them the order of ids
//! is the order of effective times, and no other index has this order. The few displaced transactions have an index
//! of their own. Both lists are merged, a stretch of each at a time. A transaction that is not displaced stands at
//! the beginning of its millisecond.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId};

use super::Place;
use super::stretch::{Ids, LAST, Stretch, made_at};
use crate::TransactionId;
use crate::schema::ledger_transaction as transaction;

/// A span of effective times in microseconds since 1970, and the ids of the transactions that were recorded within it.
#[derive(Clone, Copy)]
pub(super) struct EffectiveSpan {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) ids: Ids,
}

/// A row that is read by its id: its place, effective time and recording time.
type InPlace = (Place, i64, i64);

impl EffectiveSpan {
    /// The transactions after a place: at most `number` displaced ones, and at most `number` others.
    pub(super) fn read(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        after: Option<Place>,
        number: usize,
    ) -> Result<Stretch, Error> {
        let after = after.unwrap_or(Place {
            at: i64::MAX,
            id: LAST,
        });
        let limit = i64::try_from(number).unwrap_or(i64::MAX);
        let displaced = self.displaced(connection, tenant, after, limit)?;
        let by_ids = self.by_ids(connection, tenant, after, limit)?;
        let displaced_end = displaced.last().filter(|_| displaced.len() >= number);
        let ids_end = by_ids.last().filter(|_| by_ids.len() >= number);
        // Rows of one list that lie beyond the end of the other list are read again by the next stretch.
        let end = displaced_end
            .copied()
            .max(ids_end.map(|(place, ..)| *place));
        let count = displaced.len().saturating_add(by_ids.len());
        let in_place = by_ids
            .into_iter()
            .filter_map(|(place, effective, recorded)| {
                let is_within = effective >= self.from && effective < self.to;
                (effective == recorded && is_within).then_some(place)
            });
        let mut places: Vec<Place> = displaced.into_iter().chain(in_place).collect();
        places.retain(|place| end.is_none_or(|end| *place >= end));
        places.sort_unstable_by_key(|place| std::cmp::Reverse(*place));
        Ok(Stretch { places, count, end })
    }

    fn displaced(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        after: Place,
        limit: i64,
    ) -> Result<Vec<Place>, Error> {
        let displaced = || {
            transaction::table
                .filter(transaction::tenant_id.eq(tenant))
                .filter(transaction::effective_at.ne(transaction::recorded_at))
                .select((transaction::effective_at, transaction::id))
        };
        // First the transactions of the place's own moment are read, in the order of their ids, because there may be
        // many of them. Then the earlier ones are read.
        let mut rows: Vec<(i64, TransactionId)> = Vec::new();
        if (self.from..self.to).contains(&after.at) {
            // A span of one moment in this order makes planners use this index and not the index of ids.
            rows = displaced()
                .filter(transaction::effective_at.ge(after.at))
                .filter(transaction::effective_at.le(after.at))
                .filter(transaction::id.lt(after.id))
                .order((transaction::effective_at.desc(), transaction::id.desc()))
                .limit(limit)
                .load(connection)?;
        }
        let left = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(limit));
        if left > 0 {
            let earlier: Vec<(i64, TransactionId)> = displaced()
                .filter(transaction::effective_at.ge(self.from))
                .filter(transaction::effective_at.lt(after.at.min(self.to)))
                .order((transaction::effective_at.desc(), transaction::id.desc()))
                .limit(left)
                .load(connection)?;
            rows.extend(earlier);
        }
        Ok(rows.into_iter().map(|(at, id)| Place { at, id }).collect())
    }

    fn by_ids(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        after: Place,
        limit: i64,
    ) -> Result<Vec<InPlace>, Error> {
        let below = first_not_after(after).min(self.ids.to);
        let rows: Vec<(TransactionId, i64, i64)> = transaction::table
            .filter(transaction::tenant_id.eq(tenant))
            .filter(transaction::id.ge(self.ids.from))
            .filter(transaction::id.lt(below))
            .order(transaction::id.desc())
            .limit(limit)
            .select((
                transaction::id,
                transaction::effective_at,
                transaction::recorded_at,
            ))
            .load(connection)?;
        let rows = rows.into_iter().map(|(id, effective, recorded)| {
            let at = made_in(id).saturating_mul(1_000);
            (Place { at, id }, effective, recorded)
        });
        Ok(rows.collect())
    }
}

/// The least id that does not stand after the place. All lower ids stand after it.
fn first_not_after(place: Place) -> TransactionId {
    let millis = place.at.div_euclid(1_000);
    let next = made_at(millis.saturating_add(1));
    if place.at.rem_euclid(1_000) == 0 {
        place.id.clamp(made_at(millis), next)
    } else {
        next
    }
}

/// The millisecond since 1970 in which an id was made.
fn made_in(id: TransactionId) -> i64 {
    let bytes = id.bytes().into_iter().take(6);
    bytes.fold(0, |millis, byte| (millis << 8) | i64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_an_id_stands_after_its_place() {
        let id = |millis: i64| {
            let mut bytes = made_at(millis).bytes();
            if let Some(last) = bytes.last_mut() {
                *last = 7;
            }
            TransactionId::from_bytes(bytes)
        };
        let after = |at: i64, of: i64| first_not_after(Place { at, id: id(of) });
        assert_eq!(made_in(id(1_763_776_800_000)), 1_763_776_800_000);
        // Of the place's own millisecond only lower ids follow. No id of a later millisecond follows.
        assert_eq!(after(5_000, 5), id(5));
        assert_eq!(after(5_000, 4), made_at(5));
        assert_eq!(after(5_000, 9), made_at(6));
        // The place stands after the beginning of its millisecond, so all ids of that millisecond follow.
        assert_eq!(after(5_001, 4), made_at(6));
        assert_eq!(after(-1, 4), made_at(0));
        assert_eq!(after(i64::MAX, 4), made_at(i64::MAX));
    }
}
