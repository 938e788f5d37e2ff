//! The index along which a search walks, and the rows that it reads there.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::effective_span::EffectiveSpan;
use super::entries::{entries, numbers};
use super::matching::{Among, as_asked, begins, matching, on_subtree};
use super::stretch::{FIRST, Ids, LAST, Length, Stretch, limit, made_at};
use super::{MetadataMatch, Place, Search};
use crate::schema::{account, id_lead, ledger_transaction, posting, transaction_metadata};
use crate::tables::first_below;
use crate::{AccountId, TransactionId};

/// An index, and the part of it that is walked.
pub(super) enum Walk {
    /// No transaction can match.
    Nowhere,
    /// The transaction with this external id.
    Named(String),
    /// The account's entries with numbers after `first` and up to `last` whose postings match the filters.
    Account {
        id: AccountId,
        first: i64,
        last: i64,
    },
    /// The transactions whose metadata has this text under this key.
    Text(String, String, Ids),
    /// The transactions whose metadata has this key; with a text, those whose value begins with it.
    Key(String, Option<String>, Ids),
    /// The transactions that happened within a span.
    Happened(EffectiveSpan),
    /// The transactions with a posting on these accounts that matches the filters.
    Postings(On, Ids),
    /// All transactions that match the filters.
    All(Ids),
}

/// The accounts that a posting must have on one of its sides.
pub(super) enum On {
    Any,
    These(Vec<AccountId>),
    /// The accounts with this code and below it.
    Subtree(String),
}

/// Greatest number of accounts below a code that the query lists by id.
const FEW_ACCOUNTS: usize = 100;

impl Walk {
    pub(super) fn of(
        connection: &mut AnyConnection,
        tenant: TenantId,
        wanted: &Search,
    ) -> Result<Self, Error> {
        if let Some(name) = &wanted.external_id {
            return Ok(Self::Named(name.clone()));
        }
        if let Some(id) = wanted.account {
            return Self::along_account(connection, tenant, wanted, id);
        }
        let mut on = On::Any;
        if let Some(code) = &wanted.subtree {
            let accounts = first_below(connection, tenant, code, FEW_ACCOUNTS + 1)?;
            on = match accounts.as_slice() {
                [] => return Ok(Self::Nowhere),
                // The order of a list must not depend on the present number of accounts.
                [only] if !wanted.asks_when_it_happened() => {
                    return Self::along_account(connection, tenant, wanted, *only);
                }
                few if few.len() <= FEW_ACCOUNTS => On::These(accounts),
                _ => On::Subtree(code.clone()),
            };
        }
        let ids = recorded_between(connection, tenant, wanted.from, wanted.to)?;
        let mut told = wanted.metadata.iter();
        let text = told.find_map(|(key, told)| match told {
            MetadataMatch::Text(text) => Some((key, text)),
            MetadataMatch::Prefix(_) | MetadataMatch::Something => None,
        });
        if let Some((key, text)) = text {
            return Ok(Self::Text(key.clone(), text.clone(), ids));
        }
        if wanted.asks_when_it_happened() {
            let (from, to) = (wanted.effective_from, wanted.effective_to);
            return Ok(Self::Happened(EffectiveSpan {
                from: from.map_or(i64::MIN, Timestamp::micros),
                to: to.map_or(i64::MAX, Timestamp::micros),
                ids: recorded_between(connection, tenant, from, to)?,
            }));
        }
        Ok(match (wanted.metadata.first(), on) {
            (Some((key, MetadataMatch::Prefix(begin))), _) => {
                Self::Key(key.clone(), Some(begin.clone()), ids)
            }
            (Some((key, _)), _) => Self::Key(key.clone(), None, ids),
            (None, On::Any) if wanted.has_no_posting() => Self::All(ids),
            (None, on) => Self::Postings(on, ids),
        })
    }

    fn along_account(
        connection: &mut AnyConnection,
        tenant: TenantId,
        wanted: &Search,
        id: AccountId,
    ) -> Result<Self, Error> {
        let numbers = numbers(connection, tenant, wanted, id)?;
        Ok(
            numbers.map_or(Self::Nowhere, |(first, last)| Self::Account {
                id,
                first,
                last,
            }),
        )
    }

    /// Whether most rows match, so that the first part needs no more rows than one page.
    pub(super) fn takes_most(&self, wanted: &Search) -> bool {
        match self {
            Self::Nowhere
            | Self::Named(_)
            | Self::Text(..)
            | Self::Key(_, None, _)
            | Self::Happened(_) => true,
            Self::Account { .. } => wanted.has_no_posting(),
            Self::All(_) => wanted.is_plain(),
            Self::Key(_, Some(_), _) | Self::Postings(..) => false,
        }
    }

    /// The cost of one row, measured in rows that lie together. Rows that lie apart, and look-ups in other
    /// tables, cost more.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Account { .. } | Self::Postings(On::Any | On::These(_), _) => 3,
            Self::Postings(On::Subtree(_), _) => 5,
            Self::Nowhere
            | Self::Named(_)
            | Self::Text(..)
            | Self::Key(..)
            | Self::Happened(_)
            | Self::All(_) => 1,
        }
    }

    /// The filters that are still to be checked for each match of the walk.
    pub(super) fn rest(&self, wanted: &Search) -> Search {
        let mut rest = wanted.clone();
        let mut knows = |key: &String, told: MetadataMatch| {
            let known = (key.clone(), told);
            rest.metadata.retain(|asked| *asked != known);
        };
        match self {
            Self::Nowhere | Self::All(_) => return Search::default(),
            Self::Named(_) => rest.external_id = None,
            Self::Account { .. } => {
                (rest.from, rest.to) = (None, None);
                // Without a filter on an account, the subtree consists of this account only.
                rest.subtree = rest.subtree.filter(|_| rest.account.is_some());
                rest.account = None;
                if rest.subtree.is_none() {
                    rest.ask_no_posting();
                }
            }
            Self::Text(key, text, _) => knows(key, MetadataMatch::Text(text.clone())),
            Self::Key(key, Some(begin), _) => knows(key, MetadataMatch::Prefix(begin.clone())),
            Self::Key(key, None, _) => knows(key, MetadataMatch::Something),
            Self::Happened(_) => (rest.effective_from, rest.effective_to) = (None, None),
            Self::Postings(..) => {
                rest.subtree = None;
                rest.ask_no_posting();
            }
        }
        rest
    }

    /// The next part of the walk, after a place.
    pub(super) fn read(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        wanted: &Search,
        after: Option<Place>,
        length: Length,
    ) -> Result<Stretch, Error> {
        match self {
            Self::Nowhere => Ok(Stretch::of(Vec::new(), length.rows)),
            Self::Named(_) if after.is_some() => Ok(Stretch::of(Vec::new(), length.rows)),
            Self::Named(name) => named(connection, tenant, name),
            Self::Account { id, first, last } => {
                let account = (*id, (*first, *last));
                entries(connection, tenant, wanted, account, (after, length))
            }
            Self::Happened(span) => {
                // Two indexes are read: half of the rows from each.
                let half = length.rows.div_ceil(2);
                let stretch = span.read(connection, tenant, after, half)?;
                Ok(Stretch {
                    count: length.rows,
                    ..stretch
                })
            }
            Self::Text(key, text, ids) => {
                under_text(connection, tenant, (key, text), ids.below(after), length)
            }
            Self::Key(key, begin, ids) => {
                let told = (key.as_str(), begin.as_deref());
                under_key(connection, tenant, told, ids.below(after), length)
            }
            Self::Postings(on, ids) => {
                postings(connection, tenant, (wanted, on), ids.below(after), length)
            }
            Self::All(ids) => all(connection, tenant, wanted, ids.below(after), length),
        }
    }
}

/// The transaction with this external id.
fn named(connection: &mut AnyConnection, tenant: TenantId, name: &str) -> Result<Stretch, Error> {
    let found = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .filter(ledger_transaction::external_id.eq(name))
        .select(ledger_transaction::id)
        .load(connection)?;
    Ok(Stretch::ending(found, 1, None))
}

/// Rows whose transactions' ids lie in a span, latest first.
macro_rules! in_ids {
    ($table:ident, $id:ident, $tenant:expr, $ids:expr) => {
        $table::table
            .filter($table::tenant_id.eq($tenant))
            .filter($table::$id.ge($ids.from))
            .filter($table::$id.lt($ids.to))
            .order($table::$id.desc())
            .select($table::$id)
    };
}

/// The id in the last of this number of rows; `None` if there are fewer rows.
macro_rules! last_of {
    ($query:expr, $rows:expr, $connection:expr) => {
        $query
            .offset(limit($rows).saturating_sub(1))
            .first::<TransactionId>($connection)
            .optional()?
    };
}

/// The transactions whose metadata has this key, or a text under it that begins with `begin`.
fn under_key(
    connection: &mut AnyConnection,
    tenant: TenantId,
    (key, begin): (&str, Option<&str>),
    ids: Ids,
    length: Length,
) -> Result<Stretch, Error> {
    let under = |ids: Ids| {
        in_ids!(transaction_metadata, transaction_id, tenant, ids)
            .filter(transaction_metadata::key.eq(key))
    };
    let Some(begin) = begin else {
        let found = under(ids).limit(limit(length.rows)).load(connection)?;
        return Ok(Stretch::of(found, length.rows));
    };
    let floor = last_of!(under(ids), length.rows, connection);
    let found = under(ids.above(floor))
        .filter(begins!(begin))
        .limit(limit(length.most))
        .load(connection)?;
    Ok(Stretch::within(found, length, floor))
}

/// The transactions that match the filters, of all transactions of the tenant.
fn all(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    ids: Ids,
    length: Length,
) -> Result<Stretch, Error> {
    let every = in_ids!(ledger_transaction, id, tenant, ids);
    if wanted.is_plain() {
        let found = every.limit(limit(length.rows)).load(connection)?;
        return Ok(Stretch::of(found, length.rows));
    }
    let floor = last_of!(every, length.rows, connection);
    let among = Among::Between(ids.above(floor), limit(length.most));
    let found = matching(connection, tenant, wanted, among)?;
    Ok(Stretch::within(found, length, floor))
}

/// The postings of a tenant whose transactions' ids lie in a span, latest first. The walk goes along the transactions
/// and looks up the postings of each, because not every database stores the postings of one tenant together. The span
/// is not stated for the postings: a planner with small tables may then look for the span instead of the transaction,
/// and keep this plan.
macro_rules! postings_in {
    ($tenant:expr, $ids:expr) => {
        in_ids!(ledger_transaction, id, $tenant, $ids)
            .inner_join(
                posting::table.on(posting::tenant_id
                    .eq(ledger_transaction::tenant_id)
                    .and(posting::transaction_id.eq(ledger_transaction::id))),
            )
            .select(ledger_transaction::id)
    };
}

/// The transactions that have a matching posting on these accounts.
fn postings(
    connection: &mut AnyConnection,
    tenant: TenantId,
    (wanted, on): (&Search, &On),
    ids: Ids,
    length: Length,
) -> Result<Stretch, Error> {
    let floor = last_of!(postings_in!(tenant, ids), length.rows, connection);
    let ids = ids.above(floor);
    let mut right = postings_in!(tenant, ids)
        .filter(as_asked!(wanted))
        .limit(limit(length.most))
        .into_boxed();
    match on {
        On::Any => {}
        On::These(accounts) => {
            let is_one = posting::debit_account.eq_any(accounts);
            right = right.filter(is_one.or(posting::credit_account.eq_any(accounts)));
        }
        On::Subtree(code) => right = right.filter(on_subtree!(tenant, code)),
    }
    Ok(Stretch::within(right.load(connection)?, length, floor))
}

/// The transactions whose metadata has this text under this key.
fn under_text(
    connection: &mut AnyConnection,
    tenant: TenantId,
    (key, text): (&str, &str),
    ids: Ids,
    length: Length,
) -> Result<Stretch, Error> {
    let found = transaction_metadata::table
        .filter(transaction_metadata::key.eq(key))
        .filter(transaction_metadata::value.eq(text))
        // The `+ 0` keeps planners from the index that begins with the tenant. While the table is small, both indexes
        // look equally good to them, and they may keep a plan that they chose then.
        .filter((transaction_metadata::tenant_id + 0).eq(tenant))
        .filter(transaction_metadata::transaction_id.ge(ids.from))
        .filter(transaction_metadata::transaction_id.lt(ids.to))
        .order(transaction_metadata::transaction_id.desc())
        .limit(limit(length.rows))
        .select(transaction_metadata::transaction_id)
        .load(connection)?;
    Ok(Stretch::of(found, length.rows))
}

/// The range of ids of the transactions that were recorded within a span of time.
pub(super) fn recorded_between(
    connection: &mut AnyConnection,
    tenant: TenantId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Ids, Error> {
    let millis = |moment: Timestamp| moment.micros().div_euclid(1_000);
    let to = match to {
        None => LAST,
        Some(to) => {
            let lead = lead_before(connection, tenant, to)?;
            made_at(millis(to).saturating_add(1).saturating_add(lead))
        }
    };
    Ok(Ids {
        from: from.map_or(FIRST, |from| made_at(millis(from))),
        to,
    })
}

/// Number of milliseconds by which ids of transactions that were recorded before a moment may be ahead of their
/// recording time. Older versions of this program made such ids. Ids of this version contain the millisecond of
/// recording.
fn lead_before(
    connection: &mut AnyConnection,
    tenant: TenantId,
    moment: Timestamp,
) -> Result<i64, Error> {
    let found: Option<(i64, i64)> = id_lead::table
        .find(tenant)
        .select((id_lead::millis, id_lead::until))
        .first(connection)
        .optional()?;
    let (millis, until) = found.unwrap_or((0, 0));
    let over = Timestamp::from_micros(until).plus_millis(millis);
    Ok(if moment > over { 0 } else { millis })
}
