//! The open holds of an account: each hold that is part of its pending amounts.
//!
//! An account may have had millions of pending entries, of which only a few still hold an amount. The entries are
//! read from the newest on, by an index that has pending entries only. The account's counters say how much is held in
//! total; once that much is found, nothing older is read. A page reads a bounded number of entries, even if it finds
//! none, and says where the next page begins.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::posting;
use crate::tables::{HoldsOf, PostingRow};
use crate::{Account, AccountId, Hold, Side, TransactionId};

/// Greatest number of pending entries that are read for one page, and again to sum up earlier pages.
const MAX_READ: usize = 4_000;
/// Number of entries that are read first; later reads are longer.
const FIRST_READ: usize = 128;

/// The hold of one posting of a pending transaction, as seen by an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutstandingHold {
    /// The pending transaction.
    pub transaction: TransactionId,
    /// The ordinal of the posting.
    pub ordinal: i16,
    /// The number of the entry on the account.
    pub version: i64,
    /// The side of the account on which it is pending.
    pub side: Side,
    /// The posting's other account.
    pub other: AccountId,
    /// The amount that was reserved, in minor units.
    pub amount: i64,
    /// The amount that is still held, in minor units.
    pub remaining: i64,
    /// From this moment on the hold can no longer be fulfilled.
    pub expires_at: Option<Timestamp>,
}

/// The open holds of an account, newest first, before the entry `before`, at most `limit`; and the entry
/// before which the next page begins, if there is one. `account` must come from the same snapshot.
///
/// # Errors
/// [`Error`] if the database fails; [`Error::Refused`] for a row that this program never writes.
pub fn outstanding(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<OutstandingHold>, Option<i64>), Error> {
    let debits = i128::from(account.outstanding_debits());
    let mut left = Some(debits + i128::from(account.outstanding_credits()));
    if let Some(before) = before {
        let newer = newer(connection, tenant, account.id, before)?;
        left = left.zip(newer).map(|(all, newer)| all - newer);
    }
    let mut walk = Walk::from(tenant, account.id, before);
    let mut found: Vec<OutstandingHold> = Vec::new();
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

/// The amount held by the entries from this number on; `None` if they are too many to be read again.
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

/// Pending entries of an account from the newest to the oldest; only those that still hold an amount are returned.
struct Walk {
    tenant: TenantId,
    account: AccountId,
    /// All entries that were not read yet are older than this one.
    before: i64,
    read: usize,
    /// Whether there are no older entries.
    is_over: bool,
    /// Holds that were read and not returned yet; the newest is the last.
    held: Vec<OutstandingHold>,
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

    /// The next hold; `None` at the end, or when the greatest number was read.
    fn next(&mut self, connection: &mut AnyConnection) -> Result<Option<OutstandingHold>, Error> {
        while self.held.is_empty() && !self.is_over && self.read < MAX_READ {
            self.read_on(connection)?;
        }
        Ok(self.held.pop())
    }

    /// The entry before which the reading goes on; `None` if everything was read.
    const fn goes_on(&self) -> Option<i64> {
        if self.is_over {
            None
        } else {
            Some(self.before)
        }
    }

    fn read_on(&mut self, connection: &mut AnyConnection) -> Result<(), Error> {
        let number = self.read.saturating_mul(3).max(FIRST_READ);
        let number = number.min(MAX_READ.saturating_sub(self.read));
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
                self.held.push(OutstandingHold {
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

/// The pending postings of an account with the numbers of their entries, newest first. Each side is a range
/// of an index of its own. The phase is a literal in the statement, because a partial index is not used for
/// a parameter.
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
