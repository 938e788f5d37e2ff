//! Rows for displaced entries: entries that move the posted balance and whose effective time is earlier or later
//! than their recording time.
//!
//! For every other entry the order of recording is the order of effective times, and the balance stored with it is
//! the balance at its effective time. So the posted balance at a moment by the effective time is the balance by the
//! recording time, plus the displaced entries that happened up to the moment, less the displaced entries that were
//! recorded up to it. Both sums are read from buckets. A bucket is a span of time; the shortest is one microsecond
//! long, and 256 buckets of a level make one of the next level. Amounts are added to the row of a bucket without
//! reading it first, so two writers are no conflict. The version of the account proves that nobody else has posted to
//! the account in the meantime.

use std::collections::BTreeMap;

use store::bulk::Writes;
use store::{TenantId, Timestamp};

use super::rows::{BucketRow, DisplacedRow};
use crate::{AccountId, RecordedPosting, RecordedTransaction};

/// Number of levels of buckets. The longest buckets are 2^48 microseconds, nearly nine years.
pub(crate) const LEVELS: i16 = 7;
/// Number of bits by which the buckets of a level are longer than those of the level below.
const BITS: i16 = 8;

/// The start of the bucket of this level that contains a moment.
pub(crate) fn start_of(level: i16, micros: i64) -> i64 {
    let span = 1_i64 << (level * BITS);
    // Rounds down, also before 1970.
    micros & !(span - 1)
}

/// Adds the rows for the displaced entries of these transactions.
pub(super) fn save(writes: &mut Writes, tenant: TenantId, posted: &[RecordedTransaction]) {
    let mut rows = Vec::new();
    let mut buckets = BTreeMap::new();
    for transaction in posted {
        if transaction.effective_at == transaction.recorded_at {
            continue;
        }
        let times = (transaction.effective_at, transaction.recorded_at);
        for entry in transaction.postings.iter().filter(|p| p.phase.is_final()) {
            for row in rows_of(tenant, times, entry) {
                put(&mut buckets, &row);
                rows.push(row);
            }
        }
    }
    writes.add_early(rows);
    let row = |((level, account_id, start), sums): (Place, Sums)| BucketRow {
        tenant_id: tenant,
        level,
        account_id,
        start,
        debits_effective: sums.debits_effective,
        credits_effective: sums.credits_effective,
        debits_recorded: sums.debits_recorded,
        credits_recorded: sums.credits_recorded,
    };
    // The rows are in the order of their keys, so two processes may wait for each other, but never in a circle.
    writes.add(buckets.into_iter().map(row).collect());
}

/// The rows of a displaced posting: one for the debited account and one for the credited account.
pub(crate) fn rows_of(
    tenant: TenantId,
    (effective_at, recorded_at): (Timestamp, Timestamp),
    entry: &RecordedPosting,
) -> [DisplacedRow; 2] {
    let posting = entry.posting;
    let amount = posting.amount.get();
    let row = |account_id, version, debit, credit| DisplacedRow {
        tenant_id: tenant,
        account_id,
        version,
        effective_at: effective_at.micros(),
        recorded_at: recorded_at.micros(),
        debit,
        credit,
    };
    [
        row(posting.debit, entry.debit_version, amount, 0),
        row(posting.credit, entry.credit_version, 0, amount),
    ]
}

type Place = (i16, AccountId, i64);

/// The sums of a bucket. No sum is more than the account's own counter, which was checked.
#[derive(Default)]
struct Sums {
    debits_effective: i64,
    credits_effective: i64,
    debits_recorded: i64,
    credits_recorded: i64,
}

fn put(buckets: &mut BTreeMap<Place, Sums>, row: &DisplacedRow) {
    for level in 0..LEVELS {
        let place = |micros| (level, row.account_id, start_of(level, micros));
        let effective = buckets.entry(place(row.effective_at)).or_default();
        effective.debits_effective = effective.debits_effective.saturating_add(row.debit);
        effective.credits_effective = effective.credits_effective.saturating_add(row.credit);
        let recorded = buckets.entry(place(row.recorded_at)).or_default();
        recorded.debits_recorded = recorded.debits_recorded.saturating_add(row.debit);
        recorded.credits_recorded = recorded.credits_recorded.saturating_add(row.credit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_is_256_of_the_level_below() {
        assert_eq!(start_of(0, -1), -1);
        assert_eq!(start_of(1, -1), -256);
        assert_eq!(start_of(1, 511), 256);
        assert_eq!(start_of(2, 65_536), 65_536);
        assert_eq!(start_of(LEVELS - 1, 1_763_776_800_000_000), 6 << 48);
        assert_eq!(start_of(LEVELS - 1, i64::MIN), i64::MIN);
    }
}
