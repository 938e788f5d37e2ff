//! Questions about the books, answered from one snapshot. No decision about money relies on them.

use std::collections::HashMap;

use diesel::prelude::*;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema;
use crate::tables::{AccountRow, ByTransaction, TransactionById};
use crate::{Account, AccountId, Posted, PostedPosting, TransactionId};

/// The side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The account was debited.
    Debit,
    /// The account was credited.
    Credit,
}

/// A posting as one of its accounts sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number on the account, from 1.
    pub version: i64,
    /// Debit or credit.
    pub side: Side,
    /// Minor units, positive.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The account's posted balance afterwards, in minor units.
    pub balance: i64,
    /// The transaction it belongs to.
    pub transaction: TransactionId,
    /// When that transaction was written.
    pub recorded_at: Timestamp,
}

/// One account, if the tenant has it.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn account(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: AccountId,
) -> Result<Option<Account>, Error> {
    let row: Option<AccountRow> = schema::account::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(AccountRow::read).transpose()
}

/// The account with this code, if the tenant has one.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn find_by_code(
    connection: &mut AnyConnection,
    tenant: TenantId,
    code: &str,
) -> Result<Option<Account>, Error> {
    let row: Option<AccountRow> = schema::account::table
        .filter(schema::account::tenant_id.eq(tenant))
        .filter(schema::account::code.eq(code))
        .first(connection)
        .optional()?;
    row.map(AccountRow::read).transpose()
}

/// Accounts, newest first, before the account `before`; at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn accounts(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Account>, Error> {
    let newest = AccountId::from_bytes([0xff; 16]);
    let rows: Vec<AccountRow> = schema::account::table
        .filter(schema::account::tenant_id.eq(tenant))
        .filter(schema::account::id.lt(before.unwrap_or(newest)))
        .order(schema::account::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(AccountRow::read).collect()
}

/// The entries of an account, newest first, before the entry `before`; at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn entries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    use schema::{entry, ledger_transaction};
    type Row = (i64, i16, i64, String, i64, TransactionId, i64);
    let rows: Vec<Row> = entry::table
        .inner_join(
            ledger_transaction::table.on(ledger_transaction::tenant_id
                .eq(entry::tenant_id)
                .and(ledger_transaction::id.eq(entry::transaction_id))),
        )
        .filter(entry::tenant_id.eq(tenant))
        .filter(entry::account_id.eq(account))
        .filter(entry::version.lt(before.unwrap_or(i64::MAX)))
        .order(entry::version.desc())
        .limit(limit)
        .select((
            entry::version,
            entry::side,
            entry::amount,
            entry::currency,
            entry::balance,
            entry::transaction_id,
            ledger_transaction::recorded_at,
        ))
        .load(connection)?;
    let entry = |(version, side, amount, currency, balance, transaction, at): Row| Entry {
        version,
        side: if side == 1 { Side::Debit } else { Side::Credit },
        amount,
        currency,
        balance,
        transaction,
        recorded_at: Timestamp::from_micros(at),
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// These transactions as they were posted, in no order.
///
/// # Errors
/// [`Error`] as the database gives it; [`Error::Refused`] for a row that this program would never
/// have written.
pub fn posted(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<Vec<Posted>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let named: Vec<TransactionById> = ids.iter().map(|id| TransactionById { id: *id }).collect();
    let theirs: Vec<ByTransaction> = ids
        .iter()
        .map(|id| ByTransaction {
            transaction_id: *id,
        })
        .collect();
    let transactions = TransactionById::find(connection, Lock::Nothing, tenant, &named)?;
    let mut postings = ByTransaction::find(connection, Lock::Nothing, tenant, &theirs)?;
    postings.sort_unstable_by_key(|row| (row.transaction_id, row.ordinal));
    let mut by_transaction: HashMap<TransactionId, Vec<PostedPosting>> = HashMap::new();
    for row in postings {
        by_transaction
            .entry(row.transaction_id)
            .or_default()
            .push(row.read()?);
    }
    transactions
        .into_iter()
        .map(|row| {
            let postings = by_transaction.remove(&row.id).unwrap_or_default();
            row.read(postings)
        })
        .collect()
}
