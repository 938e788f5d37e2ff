//! Transactions by what is known of them.

use diesel::dsl::exists;
use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::read::posted;
use crate::schema::{account, ledger_transaction, posting, transaction_metadata};
use crate::totals::in_subtree;
use crate::{AccountId, Kind, Posted, TransactionId};

/// Ids begin with the time at which they were made, which is never before what they name was recorded,
/// and after it only by as much as one millisecond has too few numbers.
const IDS_RUN_AHEAD_MILLIS: i64 = 3_600_000;

/// What is asked for: all that is given must be so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// It has an entry on this account.
    pub account: Option<AccountId>,
    /// It has an entry on an account with this code, or with one below it.
    pub subtree: Option<String>,
    /// What it is for.
    pub kind: Option<Kind>,
    /// It was recorded at this moment or later.
    pub from: Option<Timestamp>,
    /// It was recorded before this moment.
    pub to: Option<Timestamp>,
    /// Its metadata has each of these texts under its name.
    pub metadata: Vec<(String, String)>,
    /// It has a posting of at least so many minor units.
    pub amount_min: Option<i64>,
    /// It has a posting of at most so many minor units; the same one as the least and the account name.
    pub amount_max: Option<i64>,
}

/// Transactions, newest first, before the transaction `before`; at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn search(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    before: Option<TransactionId>,
    limit: i64,
) -> Result<Vec<Posted>, Error> {
    use ledger_transaction as transaction;
    let newest = TransactionId::from_bytes([0xff; 16]);
    let mut query = transaction::table
        .filter(transaction::tenant_id.eq(tenant))
        .filter(transaction::id.lt(before.unwrap_or(newest)))
        .order(transaction::id.desc())
        .limit(limit)
        .select(transaction::id)
        .into_boxed();
    if let Some(kind) = &wanted.kind {
        query = query.filter(transaction::kind.eq(kind.name().to_owned()));
    }
    if let Some(from) = wanted.from {
        query = query
            .filter(transaction::recorded_at.ge(from.micros()))
            .filter(transaction::id.ge(made_at(from.micros().div_euclid(1_000))));
    }
    if let Some(to) = wanted.to {
        let latest = to.micros().div_euclid(1_000);
        let latest = latest.saturating_add(IDS_RUN_AHEAD_MILLIS);
        query = query
            .filter(transaction::recorded_at.lt(to.micros()))
            .filter(transaction::id.lt(made_at(latest)));
    }
    for (key, value) in &wanted.metadata {
        let told = transaction_metadata::table
            .filter(transaction_metadata::key.eq(key.clone()))
            .filter(transaction_metadata::value.eq(value.clone()))
            .filter(transaction_metadata::tenant_id.eq(tenant))
            .select(transaction_metadata::transaction_id);
        query = query.filter(transaction::id.eq_any(told));
    }
    let postings = || {
        posting::table
            .filter(posting::tenant_id.eq(tenant))
            .filter(posting::amount.ge(wanted.amount_min.unwrap_or(0)))
            .filter(posting::amount.le(wanted.amount_max.unwrap_or(i64::MAX)))
            .select(posting::transaction_id)
    };
    // Few accounts of many: from their entries to the transactions.
    if let Some(account) = wanted.account {
        let entries = postings().filter(
            posting::debit_account
                .eq(account)
                .or(posting::credit_account.eq(account)),
        );
        query = query.filter(transaction::id.eq_any(entries));
    }
    if let Some(code) = &wanted.subtree {
        let accounts = || {
            account::table
                .filter(account::tenant_id.eq(tenant))
                .filter(in_subtree!(code))
                .select(account::id)
        };
        let entries = postings().filter(
            posting::debit_account
                .eq_any(accounts())
                .or(posting::credit_account.eq_any(accounts())),
        );
        query = query.filter(transaction::id.eq_any(entries));
    }
    if wanted.amount_min.is_some() || wanted.amount_max.is_some() {
        let own = postings().filter(posting::transaction_id.eq(transaction::id));
        query = query.filter(exists(own));
    }
    let ids: Vec<TransactionId> = query.load(connection)?;
    let mut found = posted(connection, tenant, &ids)?;
    found.sort_unstable_by_key(|posted| std::cmp::Reverse(posted.id));
    for posted in &mut found {
        posted.postings.sort_unstable_by_key(|entry| entry.ordinal);
    }
    Ok(found)
}

/// The first id that is made in a millisecond since 1970.
fn made_at(millis: i64) -> TransactionId {
    let millis = u64::try_from(millis).unwrap_or(0).min((1 << 48) - 1) << 16;
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(millis.to_be_bytes()) {
        *byte = of;
    }
    TransactionId::from_bytes(bytes)
}
