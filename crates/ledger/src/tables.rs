//! The ledger's tables: loads and locks the rows that a batch needs, and saves its result.
//!
//! | load | what | locked |
//! |---|---|---|
//! | 1 | rows and postings of the named transactions | no: they never change |
//! | 2 | accounts, in id order | as requested |
//! | 3 | holds, corrections | no: a batch that changes one also changes its accounts |
//! | 4 | assets, external ids, metadata to be set, the period | the period, as requested |

mod below;
mod described;
mod displaced;
mod rows;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

pub use rows::{
    AccountRow, AssetBy, AssetRow, BucketRow, ByCode, ByExternalId, ById, ByTransaction,
    CorrectionMovedRow, CorrectionRow, CorrectionsOf, CountersRow, CreditAt, DebitAt, DisplacedAt,
    DisplacedRow, ExchangeBy, ExchangeRow, HoldMovedRow, HoldRow, HoldsOf, MetadataOf,
    PeriodMovedRow, PeriodRow, PostingRow, RevisedRow, TransactionById, TransactionMetadataRow,
    TransactionRow,
};

pub use described::{
    CurrentMetadataMovedRow, CurrentMetadataOf, CurrentMetadataRow, TransactionMetadataGoneRow,
};

pub(crate) use below::first_below;
pub(crate) use described::current as current_metadata;
pub(crate) use displaced::{LEVELS, rows_of, start_of};
pub(crate) use words::metadata;

use crate::shelf::Period;
use crate::{
    AccountId, Asset, Hold, Kind, Phase, RecordedTransaction, Shelf, Step, TransactionId, schema,
};

/// The rows that a batch needs from the ledger before it can be executed.
#[derive(Debug, Default)]
pub struct Needs {
    /// Accounts by id.
    pub accounts: Vec<AccountId>,
    /// Accounts by code, whether they exist or not.
    pub codes: Vec<String>,
    /// Codes, each with a greatest number of accounts. The account with the code and the accounts below it are loaded
    /// in the order of their codes, at most that number.
    pub below: Vec<(String, usize)>,
    /// Assets by code, whether they are registered or not.
    pub assets: Vec<String>,
    /// External ids that new transactions will have.
    pub external_ids: Vec<String>,
    /// External ids of transactions that may be in the books already, to be loaded with their whole content.
    pub compared: Vec<String>,
    /// Ids of transactions that may be in the books already, to be loaded in the same way.
    pub compared_ids: Vec<TransactionId>,
    /// Transactions that will be fulfilled, voided, expired or reversed, with their accounts.
    pub transactions: Vec<TransactionId>,
    /// Transactions whose metadata will be set.
    pub described: Vec<TransactionId>,
    /// Whether the closed period is needed: an effective time lies before its recording time, or a period is to be
    /// closed.
    pub period: bool,
}

impl Needs {
    /// Whether nothing is needed from the database.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            accounts,
            codes,
            below,
            assets,
            external_ids,
            compared,
            compared_ids,
            transactions,
            described,
            period,
        } = self;
        accounts.is_empty()
            && codes.is_empty()
            && below.is_empty()
            && assets.is_empty()
            && external_ids.is_empty()
            && compared.is_empty()
            && compared_ids.is_empty()
            && transactions.is_empty()
            && described.is_empty()
            && !period
    }
}

/// Loads the rows in id order, and locks them if requested.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut needs: Needs,
    lock: Lock,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    load_into(&mut shelf, connection, tenant, &mut needs, lock)?;
    Ok(shelf)
}

/// Loads the rows in id order into a shelf that may hold other rows already, and locks them if requested.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn load_into(
    shelf: &mut Shelf,
    connection: &mut AnyConnection,
    tenant: TenantId,
    needs: &mut Needs,
    lock: Lock,
) -> Result<(), Error> {
    let compared = find_compared(connection, tenant, shelf, needs)?;
    load_transactions(connection, tenant, shelf, needs)?;
    let compared_ids: Vec<TransactionId> = compared.iter().map(|row| row.id).collect();
    for (id, row) in described::current(connection, tenant, &compared_ids)? {
        shelf.put_metadata_since(id, metadata(row.metadata, &id)?);
    }
    for row in compared {
        let postings = shelf.recorded(&row.id).map(|(_, postings)| postings);
        let postings = postings.unwrap_or_default().to_vec();
        shelf.put_written(row.read(postings)?);
    }
    load_accounts(connection, tenant, shelf, needs, lock)?;
    load_remainders(connection, tenant, shelf, &needs.transactions)?;
    for asset in assets_named(connection, tenant, std::mem::take(&mut needs.assets))? {
        shelf.put_asset(asset);
    }
    needs.external_ids.sort_unstable();
    needs.external_ids.dedup();
    let names: Vec<ByExternalId> = std::mem::take(&mut needs.external_ids)
        .into_iter()
        .map(|name| ByExternalId {
            external_id: Some(name),
        })
        .collect();
    for row in ByExternalId::find(connection, Lock::Nothing, tenant, &names)? {
        if let Some(name) = row.external_id {
            shelf.put_taken(name, row.id);
        }
    }
    described::load(connection, tenant, shelf, &needs.described)?;
    let period = if needs.period {
        load_period(connection, tenant, lock)?
    } else {
        Period::unknown()
    };
    shelf.put_period(period);
    Ok(())
}

/// Those of the transactions to be compared that exist. If another process writes one of them in the meantime, it
/// takes the external id, and the writes of this batch are a conflict.
fn find_compared(
    connection: &mut AnyConnection,
    tenant: TenantId,
    shelf: &mut Shelf,
    needs: &mut Needs,
) -> Result<Vec<TransactionRow>, Error> {
    let mut names = std::mem::take(&mut needs.compared);
    names.sort_unstable();
    names.dedup();
    let names: Vec<ByExternalId> = names
        .into_iter()
        .map(|name| ByExternalId {
            external_id: Some(name),
        })
        .collect();
    let mut found = ByExternalId::find(connection, Lock::Nothing, tenant, &names)?;
    for row in &found {
        if let Some(name) = &row.external_id {
            shelf.put_taken(name.clone(), row.id);
        }
    }
    let mut ids = std::mem::take(&mut needs.compared_ids);
    ids.sort_unstable();
    ids.dedup();
    let known: BTreeSet<TransactionId> = found.iter().map(|row| row.id).collect();
    ids.retain(|id| !known.contains(id));
    let ids: Vec<TransactionById> = ids.into_iter().map(|id| TransactionById { id }).collect();
    found.extend(TransactionById::find(
        connection,
        Lock::Nothing,
        tenant,
        &ids,
    )?);
    needs.transactions.extend(found.iter().map(|row| row.id));
    Ok(found)
}

/// The postings of the named transactions. The postings of a pending transaction already tell its step, so its row is
/// not read.
fn load_transactions(
    connection: &mut AnyConnection,
    tenant: TenantId,
    shelf: &mut Shelf,
    needs: &mut Needs,
) -> Result<(), Error> {
    needs.transactions.sort_unstable();
    needs.transactions.dedup();
    let theirs: Vec<ByTransaction> = needs
        .transactions
        .iter()
        .map(|id| ByTransaction {
            transaction_id: *id,
        })
        .collect();
    let mut postings = ByTransaction::find(connection, Lock::Nothing, tenant, &theirs)?;
    postings.sort_unstable_by_key(|row| (row.transaction_id, row.ordinal));
    let mut others: Vec<TransactionId> = postings
        .iter()
        .filter(|row| row.phase != Phase::Pending.number())
        .map(|row| row.transaction_id)
        .collect();
    others.dedup();
    let others: Vec<TransactionById> = others
        .into_iter()
        .map(|id| TransactionById { id })
        .collect();
    for row in TransactionById::find(connection, Lock::Nothing, tenant, &others)? {
        let bad = || Error::Refused(format!("transaction {}: bad step", row.id));
        let step = Step::from_number(row.step).ok_or_else(bad)?;
        shelf.put_recorded(row.id, step);
        // Only an exchange is posted with this kind (L6).
        if step == Step::Posted && row.kind == Kind::Exchange.name() {
            shelf.put_exchanged(row.id);
        }
    }
    for row in postings {
        needs
            .accounts
            .extend([row.debit_account, row.credit_account]);
        let postings = shelf.put_recorded(row.transaction_id, Step::Pending);
        postings.push(row.read()?);
    }
    Ok(())
}

fn load_accounts(
    connection: &mut AnyConnection,
    tenant: TenantId,
    shelf: &mut Shelf,
    needs: &mut Needs,
    lock: Lock,
) -> Result<(), Error> {
    needs.codes.sort_unstable();
    needs.codes.dedup();
    // Locks are taken in id order, so the ids of the accounts with these codes are looked up first.
    let codes: Vec<ByCode> = std::mem::take(&mut needs.codes)
        .into_iter()
        .map(|code| ByCode { code })
        .collect();
    let named = ByCode::find(connection, Lock::Nothing, tenant, &codes)?;
    needs.accounts.extend(named.iter().map(|row| row.id));
    for (code, at_most) in std::mem::take(&mut needs.below) {
        let below = first_below(connection, tenant, &code, at_most)?;
        needs.accounts.extend(below);
    }
    needs.accounts.sort_unstable();
    needs.accounts.dedup();
    let ids: Vec<ById> = needs.accounts.iter().map(|id| ById { id: *id }).collect();
    for row in ById::find(connection, lock, tenant, &ids)? {
        shelf.put_loaded(row.read()?);
    }
    Ok(())
}

/// The registered assets among these codes. They never change, so they are never locked.
pub(crate) fn assets_named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut codes: Vec<String>,
) -> Result<Vec<Asset>, Error> {
    codes.sort_unstable();
    codes.dedup();
    let codes: Vec<AssetBy> = codes.into_iter().map(|code| AssetBy { code }).collect();
    let rows = AssetBy::find(connection, Lock::Nothing, tenant, &codes)?;
    rows.into_iter().map(AssetRow::read).collect()
}

/// The postings of these transactions, those of each transaction in the order of their ordinals. Transactions without
/// postings are left out. A walk over all postings of a tenant reads its transactions in order and calls this
/// function for each page, because not every database stores the postings of one tenant together.
pub(crate) fn postings_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<BTreeMap<TransactionId, Vec<PostingRow>>, Error> {
    use schema::posting;
    let rows: Vec<PostingRow> = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .filter(posting::transaction_id.eq_any(ids))
        .order((posting::transaction_id, posting::ordinal))
        .load(connection)?;
    let mut found: BTreeMap<TransactionId, Vec<PostingRow>> = BTreeMap::new();
    for row in rows {
        found.entry(row.transaction_id).or_default().push(row);
    }
    Ok(found)
}

/// Loads holds and corrections. If accounts are locked, these rows are read after the locking, so they include what
/// the previous holder of the locks wrote.
fn load_remainders(
    connection: &mut AnyConnection,
    tenant: TenantId,
    shelf: &mut Shelf,
    transactions: &[TransactionId],
) -> Result<(), Error> {
    let (mut pending, mut reversible) = (Vec::new(), Vec::new());
    for id in transactions {
        let transaction_id = *id;
        match shelf.recorded(id).map(|(step, _)| step) {
            Some(Step::Pending) => pending.push(HoldsOf { transaction_id }),
            Some(Step::Posted | Step::Fulfilment) => {
                reversible.push(CorrectionsOf { transaction_id });
            }
            Some(Step::Void | Step::Expiry | Step::Reversal) | None => {}
        }
    }
    for HoldsOf { transaction_id } in &pending {
        shelf.put_untouched(transaction_id);
    }
    for row in HoldsOf::find(connection, Lock::Nothing, tenant, &pending)? {
        shelf.put_loaded_hold(row.read()?);
    }
    for row in CorrectionsOf::find(connection, Lock::Nothing, tenant, &reversible)? {
        shelf.put_loaded_correction(row.read());
    }
    Ok(())
}

fn load_period(
    connection: &mut AnyConnection,
    tenant: TenantId,
    lock: Lock,
) -> Result<Period, Error> {
    use schema::period;
    if lock == Lock::Rows {
        store::lock_row!(
            connection,
            period::table.find(tenant).select(period::closed_before),
            i64
        );
    }
    let seen: Option<i64> = period::table
        .find(tenant)
        .select(period::closed_before)
        .first(connection)
        .optional()?;
    Ok(Period::found(seen.map(Timestamp::from_micros)))
}

/// Adds the writes of the batch. If another process has changed an account, a hold, a correction or a period since it
/// was read, the writes are a conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    // Assets are written before the accounts that are opened in them.
    let registered = shelf.registered().into_iter();
    let registered = registered.map(|asset| AssetRow::of(tenant, asset));
    writes.add_first(registered.collect::<Vec<AssetRow>>());
    let opened: Vec<AccountRow> = shelf
        .opened()
        .into_iter()
        .map(|account| AccountRow::of(tenant, account))
        .collect();
    writes.add_first(opened);

    let mut transactions = Vec::with_capacity(shelf.posted().len());
    let mut postings = Vec::with_capacity(shelf.posted().len());
    for posted in shelf.posted() {
        transactions.push(TransactionRow::of(tenant, posted));
        let rows = posted.postings.iter();
        postings.extend(rows.map(|p| PostingRow::of(tenant, posted.id, p)));
    }
    writes.add_early(transactions);
    writes.add_early(postings);
    displaced::save(writes, tenant, shelf.posted());
    save_metadata(writes, tenant, shelf.posted());
    described::save(writes, tenant, shelf);
    let exchanges = shelf.exchanges().iter();
    writes.add_early(
        exchanges
            .map(|made| ExchangeRow::of(tenant, made))
            .collect(),
    );
    save_remainders(writes, tenant, shelf);
    save_period(writes, tenant, shelf.period());

    let (mut counters, mut revised) = (Vec::new(), Vec::new());
    for (account, version, revision) in shelf.changed() {
        if account.revision == revision {
            counters.push(CountersRow::of(tenant, account, version, revision));
        } else {
            revised.push(RevisedRow::of(tenant, account, version, revision));
        }
    }
    writes.add(revised);
    writes.add(counters);
}

/// The metadata rows by which transactions are found later. Most transactions have none.
fn save_metadata(writes: &mut Writes, tenant_id: TenantId, posted: &[RecordedTransaction]) {
    let mut rows = Vec::new();
    for transaction in posted {
        let Some(metadata) = &transaction.metadata else {
            continue;
        };
        let row = |(key, value)| TransactionMetadataRow {
            tenant_id,
            transaction_id: transaction.id,
            key,
            value,
        };
        rows.extend(metadata.entries().into_iter().map(row));
    }
    writes.add_early(rows);
}

fn save_remainders(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let (mut made, mut moved) = (Vec::new(), Vec::new());
    for kept in shelf.kept_holds() {
        match kept.seen.filter(Hold::has_row) {
            None if kept.row.has_row() => made.push(HoldRow::of(tenant, &kept.row)),
            Some(seen) if seen != kept.row => moved.push(HoldMovedRow {
                tenant_id: tenant,
                transaction_id: seen.transaction,
                ordinal: seen.ordinal,
                seen_posted: seen.posted,
                seen_released: seen.released,
                next_posted: kept.row.posted,
                next_released: kept.row.released,
                status: kept.row.status.number(),
            }),
            None | Some(_) => {}
        }
    }
    writes.add(made);
    let (mut first, mut further) = (Vec::new(), Vec::new());
    for kept in shelf.kept_corrections() {
        match kept.seen {
            None => first.push(CorrectionRow::of(tenant, &kept.row)),
            Some(seen) if seen != kept.row => further.push(CorrectionMovedRow {
                tenant_id: tenant,
                transaction_id: seen.transaction,
                ordinal: seen.ordinal,
                seen_reversed: seen.reversed,
                next_reversed: kept.row.reversed,
            }),
            Some(_unchanged) => {}
        }
    }
    writes.add(first);
    writes.add(moved);
    writes.add(further);
}

/// A period on which the batch relied is written unchanged; if it was closed in the meantime, that is a conflict. The
/// first batch that relies on a period makes the row, with nothing closed.
fn save_period(writes: &mut Writes, tenant_id: TenantId, period: &Period) {
    if period.closed_before == period.seen && !period.is_relied_upon {
        return;
    }
    let closed_before = period.closed_before.map_or(i64::MIN, Timestamp::micros);
    match period.seen.map(Timestamp::micros) {
        None => writes.add(vec![PeriodRow {
            tenant_id,
            closed_before,
        }]),
        Some(seen) => writes.add(vec![PeriodMovedRow {
            tenant_id,
            seen,
            next: closed_before,
        }]),
    }
}
