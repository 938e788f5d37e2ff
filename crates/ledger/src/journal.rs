//! The whole book from the first transaction to the last, a page at a time, for exports. Transactions are
//! read in the order of their ids, and with each page their postings. Ids grow in the order of recording, except
//! for transactions that several processes write in the same moment.

use diesel::dsl::{max, min};
use diesel::prelude::*;
use store::find::Lock;
use store::{AnyConnection, Error, Pages, TenantId, Timestamp};

use crate::schema::{account, ledger_transaction};
use crate::tables::{AccountRow, ById, TransactionRow, postings_of};
use crate::{Account, AccountId, Phase, RecordedTransaction, TransactionId, with_current_metadata};

/// Number of rows that are read at a time.
const PAGE: i64 = 1_000;
/// The phases of postings that are final.
const FINAL: [i16; 2] = [Phase::Posted.number(), Phase::Fulfilled.number()];

/// The transactions of a tenant in the order of their ids, each with its final postings and its present
/// metadata.
pub struct Journal {
    tenant: TenantId,
    transactions: Pages<TransactionRow>,
    /// Number of postings so far, final or not.
    postings: i64,
}

impl Journal {
    /// The journal from the first transaction on.
    #[must_use]
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            transactions: Pages::new(tenant, transactions_after),
            postings: 0,
        }
    }

    /// The next transactions, about one page; none at the end. A transaction without final postings is left out.
    ///
    /// # Errors
    /// [`Error`] if the database fails; [`Error::Refused`] for rows that this program never writes.
    pub fn next_page(
        &mut self,
        connection: &mut AnyConnection,
    ) -> Result<Vec<RecordedTransaction>, Error> {
        let mut found = Vec::new();
        while found.is_empty() {
            let page = self.transactions.page(connection)?;
            if page.is_empty() {
                return self.end(connection);
            }
            let ids: Vec<TransactionId> = page.iter().map(|row| row.id).collect();
            let mut postings = postings_of(connection, self.tenant, &ids)?;
            for row in page {
                let mut is_final = Vec::new();
                for posting in postings.remove(&row.id).unwrap_or_default() {
                    self.postings = self.postings.saturating_add(1);
                    // Holds and their releases are not part of a journal.
                    if FINAL.contains(&posting.phase) {
                        is_final.push(posting.read()?);
                    }
                }
                if !is_final.is_empty() {
                    found.push(row.read(is_final)?);
                }
            }
        }
        with_current_metadata(connection, self.tenant, found)
    }

    /// Compares the number of postings that were read with the accounts: each posting is one entry on each of two
    /// accounts, and accounts count their entries. So a posting without a transaction is noticed, if
    /// accounts count it: no page has it.
    fn end(&mut self, connection: &mut AnyConnection) -> Result<Vec<RecordedTransaction>, Error> {
        let counted = entries_of_accounts(connection, self.tenant)?;
        let found = self.postings.saturating_mul(2);
        if counted == found {
            return Ok(Vec::new());
        }
        Err(Error::Refused(format!(
            "the accounts have {counted} entries, the transactions {found}: a posting has no transaction, or is missing"
        )))
    }
}

/// The accounts of a tenant in the order of their ids, one page at a time; none at the end.
///
/// # Errors
/// [`Error`] if the database fails; [`Error::Refused`] for a row that this program never writes.
pub fn accounts_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<AccountId>,
) -> Result<Vec<Account>, Error> {
    let first = AccountId::from_bytes([0; 16]);
    let rows: Vec<AccountRow> = account::table
        .filter(account::tenant_id.eq(tenant))
        .filter(account::id.gt(after.unwrap_or(first)))
        .order(account::id)
        .limit(PAGE)
        .load(connection)?;
    rows.into_iter().map(AccountRow::read).collect()
}

/// The accounts with these ids, in no particular order. An id without an account is left out.
///
/// # Errors
/// [`Error`] if the database fails; [`Error::Refused`] for a row that this program never writes.
pub fn accounts_named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[AccountId],
) -> Result<Vec<Account>, Error> {
    let wanted: Vec<ById> = ids.iter().map(|id| ById { id: *id }).collect();
    let rows = ById::find(connection, Lock::Nothing, tenant, &wanted)?;
    rows.into_iter().map(AccountRow::read).collect()
}

/// The effective times of the first and the last transaction of a tenant; `None` if there is none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn span(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<Option<(Timestamp, Timestamp)>, Error> {
    let (first, last): (Option<i64>, Option<i64>) = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .select((
            min(ledger_transaction::effective_at),
            max(ledger_transaction::effective_at),
        ))
        .first(connection)?;
    let both = first.zip(last);
    Ok(both.map(|(first, last)| (Timestamp::from_micros(first), Timestamp::from_micros(last))))
}

/// Number of entries on all accounts of a tenant.
fn entries_of_accounts(connection: &mut AnyConnection, tenant: TenantId) -> Result<i64, Error> {
    let mut accounts = Pages::new(
        tenant,
        |connection, tenant, after: Option<&(AccountId, i64)>| {
            let first = AccountId::from_bytes([0; 16]);
            Ok(account::table
                .filter(account::tenant_id.eq(tenant))
                .filter(account::id.gt(after.map_or(first, |(id, _)| *id)))
                .order(account::id)
                .limit(PAGE)
                .select((account::id, account::version))
                .load(connection)?)
        },
    );
    let mut entries = 0_i64;
    while let Some((_, version)) = accounts.next(connection)? {
        entries = entries.saturating_add(version);
    }
    Ok(entries)
}

fn transactions_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&TransactionRow>,
) -> Result<Vec<TransactionRow>, Error> {
    let mut query = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .order(ledger_transaction::id)
        .limit(PAGE)
        .into_boxed();
    if let Some(last) = after {
        query = query.filter(ledger_transaction::id.gt(last.id));
    }
    Ok(query.load(connection)?)
}
