//! What is pending on an account now: each hold that makes up its pending amounts.
//!
//! An account may have had millions of pending entries, of which few hold anything still. They are read
//! from the newest on, by an index that has pending entries alone, and the account's counters say how much there
//! is to be found: once it is found, nothing older is read. A page reads a bounded number of entries, whatever
//! it finds among them, and says where to go on.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::posting;
use crate::tables::{HoldsOf, PostingRow};
use crate::{Account, AccountId, Hold, Side, TransactionId};

/// At most so many pending entries are read for one page, and as many to know what earlier pages told.
const MOST_READ: usize = 4_000;
/// So many are read first; then ever more at a time.
const FIRST_READ: usize = 128;

/// What one posting of a pending transaction holds on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outstanding {
    /// The pending transaction.
    pub transaction: TransactionId,
    /// Its posting.
    pub ordinal: i16,
    /// The number of the entry on the account.
    pub version: i64,
    /// The side of the account on which it is pending.
    pub side: Side,
    /// The posting's other account.
    pub other: AccountId,
    /// What was promised, in minor units.
    pub amount: i64,
    /// What is still held of it, in minor units.
    pub remaining: i64,
    /// From when on it can no longer be posted.
    pub expires_at: Option<Timestamp>,
}

/// What is pending on an account, newest first, before the entry `before`, at most `limit` of it; and before
/// which entry to go on, unless all is told. `account` is as the same snapshot has it.
///
/// # Errors
/// [`Error`] as the database gives it; [`Error::Refused`] for a row that this program would never have
/// written.
pub fn outstanding(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<Outstanding>, Option<i64>), Error> {
    let debits = i128::from(account.outstanding_debits());
    let mut left = Some(debits + i128::from(account.outstanding_credits()));
    if let Some(before) = before {
        let newer = newer(connection, tenant, account.id, before)?;
        left = left.zip(newer).map(|(all, newer)| all - newer);
    }
    let mut walk = Walk::from(tenant, account.id, before);
    let mut found: Vec<Outstanding> = Vec::new();
    while left != Some(0) {
        let Some(held) = walk.next(connection)? else {
            return Ok((found, walk.goes_on()));
        };
        if found.len() == limit {
            let last = found.last().map(|last| last.version);
            return Ok((found, last));
        }
        left = left.map(|left| left - i128::from(held.remaining));
        found.push(held);
    }
    Ok((found, None))
}

/// How much is held by the entries from this one on; `None` if they are too many to be read again.
fn newer(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    version: i64,
) -> Result<Option<i128>, Error> {
    let mut walk = Walk::from(tenant, account, None);
    let mut sum = 0_i128;
    while let Some(held) = walk.next(connection)? {
        if held.version < version {
            return Ok(Some(sum));
        }
        sum += i128::from(held.remaining);
    }
    let is_past = walk.goes_on().is_none_or(|next| next <= version);
    Ok(is_past.then_some(sum))
}

/// An account's pending entries from the newest to the oldest, those that hold something.
struct Walk {
    tenant: TenantId,
    account: AccountId,
    /// What is not read yet is older than this entry.
    before: i64,
    read: usize,
    /// Whether there are no older ones.
    is_over: bool,
    /// Read and not told, the newest last.
    held: Vec<Outstanding>,
}

impl Walk {
    fn from(tenant: TenantId, account: AccountId, before: Option<i64>) -> Self {
        Self {
            tenant,
            account,
            before: before.unwrap_or(i64::MAX),
            read: 0,
            is_over: false,
            held: Vec::new(),
        }
    }

    /// The next one; `None` at the end, or when enough was read.
    fn next(&mut self, connection: &mut AnyConnection) -> Result<Option<Outstanding>, Error> {
        while self.held.is_empty() && !self.is_over && self.read < MOST_READ {
            self.read_on(connection)?;
        }
        Ok(self.held.pop())
    }

    /// Before which entry to go on, if there are more than were read.
    const fn goes_on(&self) -> Option<i64> {
        if self.is_over {
            None
        } else {
            Some(self.before)
        }
    }

    fn read_on(&mut self, connection: &mut AnyConnection) -> Result<(), Error> {
        let number = self.read.saturating_mul(3).max(FIRST_READ);
        let number = number.min(MOST_READ.saturating_sub(self.read));
        let rows = promised(connection, self.tenant, self.account, self.before, number)?;
        self.read = self.read.saturating_add(rows.len());
        self.is_over = rows.len() < number;
        if let Some((last, _)) = rows.last() {
            self.before = *last;
        }
        let holds = holds_of(connection, self.tenant, &rows)?;
        for (version, row) in rows.into_iter().rev() {
            let side = if row.debit_account == self.account {
                Side::Debit
            } else {
                Side::Credit
            };
            let other = match side {
                Side::Debit => row.credit_account,
                Side::Credit => row.debit_account,
            };
            let key = (row.transaction_id, row.ordinal);
            let promised = row.read()?;
            let hold = holds.get(&key).copied();
            let hold = hold.unwrap_or_else(|| Hold::of(key.0, &promised, None));
            if hold.remaining() > 0 {
                self.held.push(Outstanding {
                    transaction: key.0,
                    ordinal: key.1,
                    version,
                    side,
                    other,
                    amount: hold.amount,
                    remaining: hold.remaining(),
                    expires_at: hold.expires_at,
                });
            }
        }
        Ok(())
    }
}

/// An account's pending postings by their entries' numbers on it, the newest first. Each side is a range of
/// an index of its own; the phase is written out, because no index of some rows alone is used for a
/// parameter.
fn promised(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    before: i64,
    number: usize,
) -> Result<Vec<(i64, PostingRow)>, Error> {
    let limit = i64::try_from(number).unwrap_or(i64::MAX);
    let debits: Vec<PostingRow> = posting::table
        .filter(posting::debit_account.eq(account))
        .filter(posting::debit_version.lt(before))
        .filter(posting::tenant_id.eq(tenant))
        .filter(sql::<Bool>("phase = 1"))
        .order(posting::debit_version.desc())
        .limit(limit)
        .load(connection)?;
    let credits: Vec<PostingRow> = posting::table
        .filter(posting::credit_account.eq(account))
        .filter(posting::credit_version.lt(before))
        .filter(posting::tenant_id.eq(tenant))
        .filter(sql::<Bool>("phase = 1"))
        .order(posting::credit_version.desc())
        .limit(limit)
        .load(connection)?;
    let debits = debits.into_iter().map(|row| (row.debit_version, row));
    let credits = credits.into_iter().map(|row| (row.credit_version, row));
    let mut rows: Vec<(i64, PostingRow)> = debits.chain(credits).collect();
    rows.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
    rows.truncate(number);
    Ok(rows)
}

fn holds_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rows: &[(i64, PostingRow)],
) -> Result<HashMap<(TransactionId, i16), Hold>, Error> {
    let mut ids: Vec<TransactionId> = rows.iter().map(|(_, row)| row.transaction_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let keys: Vec<HoldsOf> = ids
        .into_iter()
        .map(|transaction_id| HoldsOf { transaction_id })
        .collect();
    let rows = HoldsOf::find(connection, Lock::Nothing, tenant, &keys)?;
    rows.iter()
        .map(|row| Ok(((row.transaction_id, row.ordinal), row.read()?)))
        .collect()
}
