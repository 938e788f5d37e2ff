//! Questions about the books, answered from one snapshot. No decision about money relies on the answers.

use std::collections::HashMap;

use diesel::prelude::*;
use money::Currency;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::tables::{
    AccountRow, AssetRow, ByTransaction, CorrectionRow, CorrectionsOf, ExchangeBy, ExchangeRow,
    HoldsOf, TransactionById,
};
use crate::{
    Account, AccountId, Asset, Correction, Exchange, Hold, Phase, RecordedPosting,
    RecordedTransaction, Side, TransactionId,
};
use crate::{schema, tables};

/// A posting as seen by one of its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of the entry on the account, from 1.
    pub version: i64,
    /// Debit or credit.
    pub side: Side,
    /// The effect on the account.
    pub phase: Phase,
    /// Amount in minor units, positive.
    pub amount: i64,
    /// The currency of the amount.
    pub currency: Currency,
    /// The account's posted balance after the entry, in minor units.
    pub balance: i64,
    /// The transaction of the entry.
    pub transaction: TransactionId,
    /// The time at which that transaction was recorded.
    pub recorded_at: Timestamp,
}

/// One account, if the tenant has it.
///
/// # Errors
/// [`Error`] if the database fails.
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
/// [`Error`] if the database fails.
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

/// Accounts, newest first, that are older than the account `before`; at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
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

/// One asset, if the tenant has registered it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn asset(
    connection: &mut AnyConnection,
    tenant: TenantId,
    code: &str,
) -> Result<Option<Asset>, Error> {
    Ok(assets_named(connection, tenant, vec![code.to_owned()])?.pop())
}

/// The registered assets among these codes.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn assets_named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    codes: Vec<String>,
) -> Result<Vec<Asset>, Error> {
    tables::assets_named(connection, tenant, codes)
}

/// Registered assets in the order of their codes, after the code `after`; at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn assets(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Asset>, Error> {
    let rows: Vec<AssetRow> = schema::asset::table
        .filter(schema::asset::tenant_id.eq(tenant))
        .filter(schema::asset::code.gt(after.unwrap_or_default()))
        .order(schema::asset::code)
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(AssetRow::read).collect()
}

/// The entries of one side of an account below a number, newest first.
macro_rules! entries_of_side {
    ($account:ident, $version:ident, $balance:ident, ($tenant:expr, $of:expr, $before:expr, $limit:expr)) => {
        schema::posting::table
            .inner_join(
                schema::ledger_transaction::table.on(schema::ledger_transaction::tenant_id
                    .eq(schema::posting::tenant_id)
                    .and(schema::ledger_transaction::id.eq(schema::posting::transaction_id))),
            )
            .filter(schema::posting::tenant_id.eq($tenant))
            .filter(schema::posting::$account.eq($of))
            .filter(schema::posting::$version.lt($before))
            .order(schema::posting::$version.desc())
            .limit($limit)
            .select((
                schema::posting::$version,
                schema::posting::phase,
                schema::posting::amount,
                schema::posting::currency,
                schema::posting::$balance,
                schema::posting::transaction_id,
                schema::ledger_transaction::recorded_at,
            ))
    };
}

/// The entries of an account, newest first, that are older than the entry `before`; at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn entries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let before = before.unwrap_or(i64::MAX);
    // Each side is read by its own index, then both are put into one list.
    let debits: Vec<EntryRow> = entries_of_side!(
        debit_account,
        debit_version,
        debit_balance,
        (tenant, account, before, limit)
    )
    .load(connection)?;
    let credits: Vec<EntryRow> = entries_of_side!(
        credit_account,
        credit_version,
        credit_balance,
        (tenant, account, before, limit)
    )
    .load(connection)?;
    let entry = |side: Side, row: EntryRow| {
        let (version, phase, amount, currency, balance, transaction, at) = row;
        let bad = |column| Error::Refused(format!("posting of {transaction}: bad {column}"));
        Ok(Entry {
            version,
            side,
            phase: Phase::from_number(phase).ok_or_else(|| bad("phase"))?,
            amount,
            currency: Currency::from_stored(&currency).map_err(|_unknown| bad("currency"))?,
            balance,
            transaction,
            recorded_at: Timestamp::from_micros(at),
        })
    };
    let debits = debits.into_iter().map(|row| entry(Side::Debit, row));
    let credits = credits.into_iter().map(|row| entry(Side::Credit, row));
    let mut both: Vec<Entry> = debits.chain(credits).collect::<Result<_, Error>>()?;
    both.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.version));
    both.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(both)
}

/// Number, phase, amount, currency, balance, transaction, and the recording time of the transaction.
type EntryRow = (i64, i16, i64, String, i64, TransactionId, i64);

/// The holds of the postings of a pending transaction, in order; empty for any other transaction.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn holds(
    connection: &mut AnyConnection,
    tenant: TenantId,
    pending: &RecordedTransaction,
) -> Result<Vec<Hold>, Error> {
    let transaction_id = pending.id;
    let rows = HoldsOf::find(
        connection,
        Lock::Nothing,
        tenant,
        &[HoldsOf { transaction_id }],
    )?;
    let row_of = |promised: &RecordedPosting| {
        let mut rows = rows.iter();
        rows.find(|row| row.ordinal == promised.ordinal)
    };
    let postings = pending.postings.iter();
    postings
        .filter(|posting| posting.phase == Phase::Pending)
        .map(|promised| match row_of(promised) {
            Some(row) => row.read(),
            None => Ok(Hold::of(transaction_id, promised, pending.expires_at)),
        })
        .collect()
}

/// The amounts that were reversed of the postings of a transaction, in order.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn corrections(
    connection: &mut AnyConnection,
    tenant: TenantId,
    of: TransactionId,
) -> Result<Vec<Correction>, Error> {
    let key = CorrectionsOf { transaction_id: of };
    let rows = CorrectionsOf::find(connection, Lock::Nothing, tenant, &[key])?;
    let mut corrections: Vec<Correction> = rows.iter().map(CorrectionRow::read).collect();
    corrections.sort_unstable_by_key(|correction| correction.ordinal);
    Ok(corrections)
}

/// The exchanges of these transactions, in no particular order.
///
/// # Errors
/// [`Error`] if the database fails; [`Error::Refused`] for a row that this program never writes.
pub fn exchanges(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<Vec<Exchange>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let keys: Vec<ExchangeBy> = ids
        .into_iter()
        .map(|transaction_id| ExchangeBy { transaction_id })
        .collect();
    let rows = ExchangeBy::find(connection, Lock::Nothing, tenant, &keys)?;
    rows.into_iter().map(ExchangeRow::read).collect()
}

/// The moment before which the books are closed, if any period is closed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn closed_before(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Option<Timestamp>, Error> {
    let row: Option<i64> = schema::period::table
        .find(tenant)
        .select(schema::period::closed_before)
        .first(connection)
        .optional()?;
    // The row may exist although nothing is closed.
    let closed = row.filter(|micros| *micros > i64::MIN);
    Ok(closed.map(Timestamp::from_micros))
}

/// The transactions with these ids, as they were recorded, in no particular order.
///
/// # Errors
/// [`Error`] if the database fails; [`Error::Refused`] for a row that this program never writes.
pub fn posted(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<Vec<RecordedTransaction>, Error> {
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
    let mut by_transaction: HashMap<TransactionId, Vec<RecordedPosting>> = HashMap::new();
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

/// The transactions with their present metadata, where it was set after they were recorded.
///
/// # Errors
/// As [`posted`].
pub fn with_current_metadata(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut posted: Vec<RecordedTransaction>,
) -> Result<Vec<RecordedTransaction>, Error> {
    let ids: Vec<TransactionId> = posted.iter().map(|posted| posted.id).collect();
    let mut rows = tables::current_metadata(connection, tenant, &ids)?;
    for posted in &mut posted {
        if let Some(row) = rows.remove(&posted.id) {
            posted.metadata = tables::metadata(row.metadata, &posted.id)?;
        }
    }
    Ok(posted)
}
