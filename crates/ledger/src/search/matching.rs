//! Candidates that match every filter.
//!
//! A filter on another table is checked for each candidate by that table's key. The `OFFSET 0` keeps PostgreSQL
//! from doing the reverse: reading the other table to find the candidates.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Binary;
use store::{AnyConnection, Error, TenantId};

use super::stretch::Ids;
use super::{MetadataMatch, Search};
use crate::schema::ledger_transaction as transaction;
use crate::schema::{account, hold, posting, transaction_metadata};
use crate::{HoldStatus, Step, TransactionId};

diesel::define_sql_function! {
    /// The part of a text that begins at character `from` and has `length` characters.
    fn substr(of: diesel::sql_types::Text, from: diesel::sql_types::Integer, length: diesel::sql_types::Integer) -> diesel::sql_types::Text;
}

/// Whether a posting has the wanted currency and an amount within the bounds.
macro_rules! as_asked {
    ($wanted:expr) => {{
        let currency = $wanted
            .currency
            .map(|currency| currency.stored().into_owned());
        let every = currency.is_none().into_sql::<diesel::sql_types::Bool>();
        let currency = posting::currency.eq(currency.unwrap_or_default());
        (posting::amount.ge($wanted.amount_min.unwrap_or(0)))
            .and(posting::amount.le($wanted.amount_max.unwrap_or(i64::MAX)))
            .and(currency.or(every))
    }};
}
pub(super) use as_asked;

/// Whether one of a posting's accounts has this code, or a code below it.
macro_rules! on_subtree {
    ($tenant:expr, $code:expr) => {{
        let below = || {
            account::table
                .filter(account::tenant_id.eq($tenant))
                .filter(crate::totals::in_subtree!($code))
                .offset(0)
        };
        let debited = below().filter(account::id.eq(posting::debit_account));
        let credited = below().filter(account::id.eq(posting::credit_account));
        diesel::dsl::exists(debited).or(diesel::dsl::exists(credited))
    }};
}
pub(super) use on_subtree;

/// Whether a metadata text begins with this text.
macro_rules! begins {
    ($begin:expr) => {{
        let length = i32::try_from($begin.chars().count()).unwrap_or(i32::MAX);
        super::matching::substr(transaction_metadata::value, 1, length).eq($begin)
    }};
}
pub(super) use begins;

/// The candidates.
pub(super) enum Among<'a> {
    /// The latest transactions with an id in a range, at most this number.
    Between(Ids, i64),
    /// The transactions with these ids, in no particular order.
    These(&'a [TransactionId]),
}

type Question<'a> =
    transaction::BoxedQuery<'a, <AnyConnection as diesel::Connection>::Backend, Binary>;

/// The candidates that match all filters.
pub(super) fn matching(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    among: Among<'_>,
) -> Result<Vec<TransactionId>, Error> {
    let query = transaction::table
        .filter(transaction::tenant_id.eq(tenant))
        .select(transaction::id)
        .into_boxed();
    let query = match among {
        Among::Between(ids, most) => query
            .filter(transaction::id.ge(ids.from))
            .filter(transaction::id.lt(ids.to))
            .order(transaction::id.desc())
            .limit(most),
        Among::These(ids) => query.filter(transaction::id.eq_any(ids)),
    };
    let query = by_itself(query, wanted);
    let query = by_metadata(query, tenant, wanted);
    let query = by_status(query, tenant, wanted);
    Ok(by_postings(query, tenant, wanted).load(connection)?)
}

/// The filters on the transaction's own row. The external id is not one of them, because it has a walk of its own.
fn by_itself<'a>(mut query: Question<'a>, wanted: &'a Search) -> Question<'a> {
    if let Some(kind) = &wanted.kind {
        query = query.filter(transaction::kind.eq(kind.name().to_owned()));
    }
    if let Some(from) = wanted.from {
        query = query.filter(transaction::recorded_at.ge(from.micros()));
    }
    if let Some(to) = wanted.to {
        query = query.filter(transaction::recorded_at.lt(to.micros()));
    }
    if let Some(from) = wanted.effective_from {
        query = query.filter(transaction::effective_at.ge(from.micros()));
    }
    if let Some(to) = wanted.effective_to {
        query = query.filter(transaction::effective_at.lt(to.micros()));
    }
    query
}

fn by_metadata<'a>(mut query: Question<'a>, tenant: TenantId, wanted: &'a Search) -> Question<'a> {
    for (key, told) in &wanted.metadata {
        let own = transaction_metadata::table
            .filter(transaction_metadata::tenant_id.eq(tenant))
            .filter(transaction_metadata::key.eq(key))
            .filter(transaction_metadata::transaction_id.eq(transaction::id))
            .offset(0);
        query = match told {
            MetadataMatch::Something => query.filter(exists(own)),
            MetadataMatch::Text(text) => {
                query.filter(exists(own.filter(transaction_metadata::value.eq(text))))
            }
            MetadataMatch::Prefix(begin) => query.filter(exists(own.filter(begins!(begin)))),
        };
    }
    query
}

/// The filter on the status, with the meaning of [`crate::ended`]. A transaction is pending while one of its postings
/// has no hold that has ended. After that, expired counts before voided, and voided before posted.
fn by_status<'a>(query: Question<'a>, tenant: TenantId, wanted: &'a Search) -> Question<'a> {
    let Some(status) = wanted.status else {
        return query;
    };
    let ended_as = |status: HoldStatus| {
        hold::table
            .filter(hold::tenant_id.eq(tenant))
            .filter(hold::transaction_id.eq(transaction::id))
            .filter(hold::status.eq(status.number()))
            .offset(0)
    };
    let ended = hold::table
        .filter(hold::tenant_id.eq(tenant))
        .filter(hold::transaction_id.eq(posting::transaction_id))
        .filter(hold::ordinal.eq(posting::ordinal))
        .filter(hold::status.ne(HoldStatus::Pending.number()))
        .offset(0);
    let held = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .filter(posting::transaction_id.eq(transaction::id))
        .filter(not(exists(ended)))
        .offset(0);
    let promised = Step::Pending.number();
    match status {
        HoldStatus::Pending => query
            .filter(transaction::step.eq(promised))
            .filter(exists(held)),
        HoldStatus::Expired => query
            .filter(transaction::step.eq(promised))
            .filter(not(exists(held)))
            .filter(exists(ended_as(HoldStatus::Expired))),
        HoldStatus::Voided => query
            .filter(transaction::step.eq(promised))
            .filter(not(exists(held)))
            .filter(exists(ended_as(HoldStatus::Voided)))
            .filter(not(exists(ended_as(HoldStatus::Expired)))),
        HoldStatus::Posted => query.filter(
            transaction::step.ne(promised).or(not(exists(held))
                .and(not(exists(ended_as(HoldStatus::Voided))))
                .and(not(exists(ended_as(HoldStatus::Expired))))),
        ),
    }
}

/// One single posting must have the currency, an amount within the bounds, and the account. One posting with
/// this currency and amount must be in the subtree.
fn by_postings<'a>(mut query: Question<'a>, tenant: TenantId, wanted: &'a Search) -> Question<'a> {
    let own = || {
        posting::table
            .filter(posting::tenant_id.eq(tenant))
            .filter(posting::transaction_id.eq(transaction::id))
            .filter(as_asked!(wanted))
            .offset(0)
    };
    if let Some(account) = wanted.account {
        let on_account = posting::debit_account
            .eq(account)
            .or(posting::credit_account.eq(account));
        query = query.filter(exists(own().filter(on_account)));
    }
    if let Some(code) = &wanted.subtree {
        query = query.filter(exists(own().filter(on_subtree!(tenant, code))));
    }
    let is_told = wanted.account.is_some() || wanted.subtree.is_some();
    if is_told || wanted.has_no_posting() {
        query
    } else {
        query.filter(exists(own()))
    }
}
