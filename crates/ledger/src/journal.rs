//! The whole book from the first transaction to the last, a page at a time, for exports. Transactions and
//! their postings are read side by side in the order of their ids. Ids grow in the order of recording, except
//! for transactions that several processes write in the same moment.

use diesel::dsl::{max, min};
use diesel::prelude::*;
use store::find::Lock;
use store::{AnyConnection, Error, Pages, TenantId, Timestamp};

use crate::schema::{account, ledger_transaction, posting};
use crate::tables::{AccountRow, ById, PostingRow, TransactionRow};
use crate::{Account, AccountId, RecordedTransaction, with_current_metadata};

/// Number of rows that are read at a time.
const PAGE: i64 = 1_000;

/// The transactions of a tenant in the order of their ids, each with its final postings and its present
/// metadata.
pub struct Journal {
    tenant: TenantId,
    transactions: Pages<TransactionRow>,
    postings: Pages<PostingRow>,
}

impl Journal {
    /// The journal from the first transaction on.
    #[must_use]
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            transactions: Pages::new(tenant, transactions_after),
            postings: Pages::new(tenant, postings_after),
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
            for row in page {
                let mut postings = Vec::new();
                while let Some(posting) = self
                    .postings
                    .next_if(connection, |posting| posting.transaction_id <= row.id)?
                {
                    if posting.transaction_id < row.id {
                        return Err(orphan(&posting));
                    }
                    postings.push(posting.read()?);
                }
                if !postings.is_empty() {
                    found.push(row.read(postings)?);
                }
            }
        }
        with_current_metadata(connection, self.tenant, found)
    }

    fn end(&mut self, connection: &mut AnyConnection) -> Result<Vec<RecordedTransaction>, Error> {
        match self.postings.next(connection)? {
            Some(posting) => Err(orphan(&posting)),
            None => Ok(Vec::new()),
        }
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

/// The accounts with these ids, in no order. An id without an account is left out.
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

fn orphan(posting: &PostingRow) -> Error {
    let (id, ordinal) = (posting.transaction_id, posting.ordinal);
    Error::Refused(format!("{id} posting {ordinal} has no transaction"))
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

/// The key has two columns and is followed in two steps, as in `check.rs`: each step is a plain range of
/// the primary key.
fn postings_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&PostingRow>,
) -> Result<Vec<PostingRow>, Error> {
    // Holds and their releases are not part of a journal: only phases 2 and 3 are final.
    let postings = || {
        posting::table
            .filter(posting::tenant_id.eq(tenant))
            .filter(posting::phase.between(2_i16, 3_i16))
            .order((posting::transaction_id, posting::ordinal))
            .limit(PAGE)
    };
    let Some(last) = after else {
        return Ok(postings().load(connection)?);
    };
    let rest: Vec<PostingRow> = postings()
        .filter(posting::transaction_id.eq(last.transaction_id))
        .filter(posting::ordinal.gt(last.ordinal))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(postings()
        .filter(posting::transaction_id.gt(last.transaction_id))
        .load(connection)?)
}
