//! Along which index a search walks, and what it passes there.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::happened::Happened;
use super::{Place, Search, Told};
use crate::as_of::last_by;
use crate::read::account;
use crate::schema::{id_lead, ledger_transaction, posting, transaction_metadata};
use crate::totals::first_two;
use crate::{AccountId, TransactionId};

/// Before every id, and after every one.
const FIRST: TransactionId = TransactionId::from_bytes([0; 16]);
pub(super) const LAST: TransactionId = TransactionId::from_bytes([0xff; 16]);

/// An index, and which part of it.
pub(super) enum Walk {
    /// There can be nothing.
    Nowhere,
    /// The one that bears this name.
    Named(String),
    /// An account's entries with numbers after `first`, up to `last`.
    Account {
        id: AccountId,
        first: i64,
        last: i64,
    },
    /// Those that have a text under a key of metadata.
    Text(String, String, Ids),
    /// Those that have anything under a key of metadata.
    Key(String, Ids),
    /// Those that happened within a span.
    Happened(Happened),
    /// All whose ids lie in a span.
    All(Ids),
}

/// Ids from the one to before the other.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) from: TransactionId,
    pub(super) to: TransactionId,
}

/// What was passed.
pub(super) enum Passed {
    /// These.
    Each(Vec<Place>),
    /// All whose ids lie from the one to before the other.
    Between(TransactionId, TransactionId),
}

/// A part of a walk.
pub(super) struct Stretch {
    pub(super) passed: Passed,
    /// How many entries of the index it read.
    pub(super) count: usize,
    /// Where the next one begins; `None`: nothing is left.
    pub(super) end: Option<Place>,
}

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
            return along_account(connection, tenant, wanted, id);
        }
        if let Some(code) = &wanted.subtree {
            match first_two(connection, tenant, code)?.as_slice() {
                [] => return Ok(Self::Nowhere),
                [only] => return along_account(connection, tenant, wanted, *only),
                _ => {}
            }
        }
        let ids = recorded_between(connection, tenant, wanted.from, wanted.to)?;
        let mut told = wanted.metadata.iter();
        let text = told.find_map(|(key, told)| match told {
            Told::Text(text) => Some((key, text)),
            Told::Prefix(_) | Told::Something => None,
        });
        if let Some((key, text)) = text {
            return Ok(Self::Text(key.clone(), text.clone(), ids));
        }
        if wanted.effective_from.is_some() || wanted.effective_to.is_some() {
            let (from, to) = (wanted.effective_from, wanted.effective_to);
            return Ok(Self::Happened(Happened {
                from: from.map_or(i64::MIN, Timestamp::micros),
                to: to.map_or(i64::MAX, Timestamp::micros),
                ids: recorded_between(connection, tenant, from, to)?,
            }));
        }
        Ok(match wanted.metadata.first() {
            Some((key, _)) => Self::Key(key.clone(), ids),
            None => Self::All(ids),
        })
    }

    /// What is still to be looked at, of whatever is passed.
    pub(super) fn rest(&self, wanted: &Search) -> Search {
        let mut rest = wanted.clone();
        match self {
            Self::Nowhere | Self::All(_) => {}
            Self::Named(_) => rest.external_id = None,
            Self::Account { id, .. } => {
                (rest.from, rest.to) = (None, None);
                // Of one account, the subtree is that account.
                rest.subtree = rest.subtree.filter(|_| rest.account.is_some());
                rest.account = Some(*id);
                if rest.has_no_posting() {
                    rest.account = None;
                }
            }
            Self::Text(key, text, _) => {
                let known = (key.clone(), Told::Text(text.clone()));
                rest.metadata.retain(|asked| *asked != known);
            }
            Self::Key(key, _) => {
                let known = (key.clone(), Told::Something);
                rest.metadata.retain(|asked| *asked != known);
            }
            Self::Happened(_) => (rest.effective_from, rest.effective_to) = (None, None),
        }
        rest
    }

    /// The next `number` entries of the index after a place; with `each`, each by itself.
    pub(super) fn read(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        after: Option<Place>,
        number: usize,
        each: bool,
    ) -> Result<Stretch, Error> {
        let below = after.map_or(LAST, |place| place.id);
        let limit = i64::try_from(number).unwrap_or(i64::MAX);
        let ids = match self {
            Self::Nowhere => Vec::new(),
            Self::Named(name) => named(connection, tenant, name, after)?,
            Self::Account { id, first, last } => {
                let next = last.saturating_add(1);
                let before = after.map_or(next, |place| place.at.min(next));
                let entries = entries(connection, tenant, *id, (*first, before), limit)?;
                return Ok(along_entries(entries, after, number));
            }
            Self::Happened(span) => return span.read(connection, tenant, after, number),
            Self::Text(key, text, ids) => transaction_metadata::table
                .filter(transaction_metadata::key.eq(key))
                .filter(transaction_metadata::value.eq(text))
                .filter(transaction_metadata::tenant_id.eq(tenant))
                .filter(transaction_metadata::transaction_id.ge(ids.from))
                .filter(transaction_metadata::transaction_id.lt(below.min(ids.to)))
                .order(transaction_metadata::transaction_id.desc())
                .limit(limit)
                .select(transaction_metadata::transaction_id)
                .load(connection)?,
            Self::Key(key, ids) => transaction_metadata::table
                .filter(transaction_metadata::tenant_id.eq(tenant))
                .filter(transaction_metadata::key.eq(key))
                .filter(transaction_metadata::transaction_id.ge(ids.from))
                .filter(transaction_metadata::transaction_id.lt(below.min(ids.to)))
                .order(transaction_metadata::transaction_id.desc())
                .limit(limit)
                .select(transaction_metadata::transaction_id)
                .load(connection)?,
            Self::All(ids) if each => ids.below(connection, tenant, below, 0, limit)?,
            Self::All(ids) => {
                let ceiling = below.min(ids.to);
                let last = limit.saturating_sub(1);
                let floor = ids.below(connection, tenant, below, last, 1)?.pop();
                return Ok(Stretch {
                    passed: Passed::Between(floor.unwrap_or(ids.from), ceiling),
                    count: number,
                    end: floor.map(|id| Place { at: 0, id }),
                });
            }
        };
        let end = ids.last().filter(|_| ids.len() >= number).copied();
        Ok(Stretch {
            count: ids.len(),
            end: end.map(|id| Place { at: 0, id }),
            passed: Passed::Each(ids.into_iter().map(|id| Place { at: 0, id }).collect()),
        })
    }
}

/// The one that bears a name; on a second page there is nothing left.
fn named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    name: &str,
    after: Option<Place>,
) -> Result<Vec<TransactionId>, Error> {
    if after.is_some() {
        return Ok(Vec::new());
    }
    Ok(ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .filter(ledger_transaction::external_id.eq(name))
        .select(ledger_transaction::id)
        .load(connection)?)
}

fn along_account(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    id: AccountId,
) -> Result<Walk, Error> {
    let Some(account) = account(connection, tenant, id)? else {
        return Ok(Walk::Nowhere);
    };
    // Entries are numbered in the order in which they were recorded.
    let mut number_before = |moment: Timestamp| {
        let at = Timestamp::from_micros(moment.micros().saturating_sub(1));
        last_by(connection, tenant, &account, at).map(|(number, _)| number)
    };
    let first = wanted.from.map_or(Ok(0), &mut number_before)?;
    let last = wanted.to.map_or(Ok(i64::MAX), &mut number_before)?;
    Ok(Walk::Account { id, first, last })
}

/// The account's entries with numbers after the one and before the other, latest first, with their
/// transactions. Each side has an index of its own.
fn entries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    (first, before): (i64, i64),
    limit: i64,
) -> Result<Vec<Place>, Error> {
    let debits: Vec<(i64, TransactionId)> = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .filter(posting::debit_account.eq(account))
        .filter(posting::debit_version.gt(first))
        .filter(posting::debit_version.lt(before))
        .order(posting::debit_version.desc())
        .limit(limit)
        .select((posting::debit_version, posting::transaction_id))
        .load(connection)?;
    let credits: Vec<(i64, TransactionId)> = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .filter(posting::credit_account.eq(account))
        .filter(posting::credit_version.gt(first))
        .filter(posting::credit_version.lt(before))
        .order(posting::credit_version.desc())
        .limit(limit)
        .select((posting::credit_version, posting::transaction_id))
        .load(connection)?;
    let both = debits.into_iter().chain(credits);
    let mut places: Vec<Place> = both.map(|(at, id)| Place { at, id }).collect();
    places.sort_unstable_by_key(|place| std::cmp::Reverse(place.at));
    Ok(places)
}

fn along_entries(mut places: Vec<Place>, after: Option<Place>, number: usize) -> Stretch {
    let end = places.get(number.saturating_sub(1)).copied();
    places.truncate(number);
    let count = places.len();
    // Where a stretch ends within a transaction, the next one has seen it already.
    places.retain(|place| after.is_none_or(|after| after.id != place.id));
    Stretch {
        passed: Passed::Each(places),
        count,
        end,
    }
}

impl Ids {
    /// Its ids below one, latest first, after so many.
    fn below(
        self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        below: TransactionId,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<TransactionId>, Error> {
        Ok(ledger_transaction::table
            .filter(ledger_transaction::tenant_id.eq(tenant))
            .filter(ledger_transaction::id.ge(self.from))
            .filter(ledger_transaction::id.lt(below.min(self.to)))
            .order(ledger_transaction::id.desc())
            .limit(limit)
            .offset(offset)
            .select(ledger_transaction::id)
            .load(connection)?)
    }
}

/// Where the ids lie of what was recorded within a span.
fn recorded_between(
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

/// By how many milliseconds ids may be ahead of what was recorded before a moment: those that older
/// versions of this program made. Ids of today tell the millisecond of recording.
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

/// The first id that is made in a millisecond since 1970.
pub(super) fn made_at(millis: i64) -> TransactionId {
    let millis = u64::try_from(millis).unwrap_or(0).min((1 << 48) - 1) << 16;
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(millis.to_be_bytes()) {
        *byte = of;
    }
    TransactionId::from_bytes(bytes)
}
