//! Search for payments by their properties, newest first.
//!
//! A search walks along one index in the order of ids, and keeps the payments that match every filter. A page reads at
//! most [`MAX_READ`] rows. So it may be shorter than its limit, or empty, and still say where the next page begins.
//!
//! | filter | index that is walked |
//! |---|---|
//! | the external id | the external ids: one payment at most |
//! | the idempotency key | the keys of payments, which stay when the rows of the keys are gone |
//! | a customer | the payments of each customer |
//! | a metadata text | the texts |
//! | anything else | all payments of the tenant |
//!
//! With several filters, the first one in this table decides which index is walked. The times become a range of ids.
//! A payment has one index entry for its id and one for its key; each of the others costs only the payments that have
//! what it is for. States and amounts have no index, because every step of a payment would have to change it.

mod expand;
mod http;
mod query;

use diesel::dsl::exists;
use diesel::prelude::*;
use edge::Capability;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::customers::CustomerId;
use crate::schema::{metadata_text, payment};
use crate::tables::PaymentRow;
use crate::texts::Described;
use crate::{Payment, PaymentId, PaymentState};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Greatest number of rows that one page reads.
pub(crate) const MAX_READ: usize = 2_000;
/// Number of rows in the first part of a walk in which many rows may not match.
const FIRST_STRETCH: usize = 200;
/// Factor by which each part of a walk is longer than the one before.
const GROWTH: usize = 3;
/// The cost of looking up one metadata text, in rows.
const LOOK: usize = 3;
/// The cost of a payment that is found by its text, in rows.
const APART: usize = 3;

/// The filters of a search. A payment must match all that are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The payment has this external id.
    pub external_id: Option<String>,
    /// The request that made the payment had this key.
    pub idempotency_key: Option<String>,
    /// The payment has this customer.
    pub customer: Option<CustomerId>,
    /// The payment has these texts of metadata, by key.
    pub metadata: Vec<(String, String)>,
    /// The payment is in this state.
    pub status: Option<PaymentState>,
    /// The payment is in the currency with this code.
    pub currency: Option<String>,
    /// The amount is at least this, in minor units.
    pub amount_min: Option<i64>,
    /// The amount is at most this, in minor units.
    pub amount_max: Option<i64>,
    /// The payment was made at this moment or later.
    pub from: Option<Timestamp>,
    /// The payment was made before this moment.
    pub to: Option<Timestamp>,
}

/// An index, and the part of it that is walked.
enum Walk {
    Named(String),
    Key(String),
    Customer(CustomerId),
    Text(String, String),
    All,
}

/// A part of a walk.
struct Stretch {
    rows: Vec<PaymentRow>,
    /// The payment after which the next part begins; `None`: nothing is left.
    end: Option<PaymentId>,
}

/// The ids from `from` on and before `to`.
#[derive(Clone, Copy)]
struct Ids {
    from: PaymentId,
    to: PaymentId,
}

/// At most `limit` payments that match a search, newest first, after a payment; and the payment after which the next
/// page begins.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn search(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    after: Option<PaymentId>,
    limit: usize,
) -> Result<(Vec<Payment>, Option<PaymentId>), Error> {
    let (walk, rest) = Walk::of(wanted);
    let span = ledger::ids_between(connection, tenant, wanted.from, wanted.to)?;
    let [from, to] = span.map(PaymentId::from_bytes);
    let to = after.map_or(to, |after| after.min(to));
    let mut ids = Ids { from, to };
    let mut left = MAX_READ / (walk.weight() + rest.metadata.len() * LOOK);
    // Few rows are read at first, because most pages are full soon.
    let mut length = limit.saturating_add(1);
    if !rest.is_plain() {
        length = length.max(FIRST_STRETCH);
    }
    let mut found: Vec<PaymentRow> = Vec::new();
    let next = loop {
        length = length.min(left).max(1);
        let most = limit.saturating_add(1).saturating_sub(found.len());
        let stretch = walk.read(connection, tenant, &rest, ids, (length, most))?;
        found.extend(stretch.rows);
        if found.len() > limit {
            found.truncate(limit);
            break found.last().map(|row| row.id);
        }
        left = left.saturating_sub(length);
        match stretch.end {
            Some(end) if left > 0 => ids.to = end,
            end => break end,
        }
        length = length.saturating_mul(GROWTH);
    };
    let found = found.into_iter().map(PaymentRow::read);
    Ok((found.collect::<Result<_, _>>()?, next))
}

impl Search {
    /// Whether there are no filters.
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl Walk {
    /// The walk, and the filters that are still to be checked for each of its payments.
    fn of(wanted: &Search) -> (Self, Search) {
        let mut rest = wanted.clone();
        let walk = if let Some(name) = rest.external_id.take() {
            Self::Named(name)
        } else if let Some(key) = rest.idempotency_key.take() {
            Self::Key(key)
        } else if let Some(customer) = rest.customer.take() {
            Self::Customer(customer)
        } else if rest.metadata.is_empty() {
            Self::All
        } else {
            let (key, value) = rest.metadata.remove(0);
            Self::Text(key, value)
        };
        (walk, rest)
    }

    /// The cost of one row, measured in rows that lie together.
    const fn weight(&self) -> usize {
        match self {
            Self::Text(..) => 1 + APART,
            Self::Named(_) | Self::Key(_) | Self::Customer(_) | Self::All => 1,
        }
    }

    /// The next part of the walk: `length` rows of the index, and at most `most` payments.
    fn read(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        rest: &Search,
        ids: Ids,
        (length, most): (usize, usize),
    ) -> Result<Stretch, Error> {
        match self {
            Self::Named(name) => {
                let named = payment::table
                    .filter(payment::tenant_id.eq(tenant))
                    .filter(payment::external_id.eq(name))
                    .select(payment::id)
                    .load(connection)?;
                let rows = these(connection, tenant, rest, (ids, named))?;
                Ok(Stretch { rows, end: None })
            }
            Self::Text(key, value) => {
                let text = (key.as_str(), value.as_str());
                let told = under_text(connection, tenant, text, ids, length)?;
                let end = told.last().filter(|_| told.len() >= length).copied();
                let mut rows = these(connection, tenant, rest, (ids, told))?;
                let is_full = rows.len() > most;
                rows.truncate(most);
                let last = rows.last().map(|row| row.id);
                let end = if is_full { last } else { end };
                Ok(Stretch { rows, end })
            }
            Self::Key(_) | Self::Customer(_) | Self::All => {
                let floor = match rest.is_plain() {
                    true => None,
                    false => self.floor(connection, tenant, ids, length)?,
                };
                let from = floor.unwrap_or(ids.from);
                let part = self.along(tenant, Ids { from, ..ids });
                let rows: Vec<PaymentRow> = matching(part, tenant, rest)
                    .limit(limit(most))
                    .load(connection)?;
                let is_full = rows.len() >= most;
                let last = rows.last().map(|row| row.id);
                let end = if is_full { last } else { floor };
                Ok(Stretch { rows, end })
            }
        }
    }

    /// The payments along the walk whose ids are within a range, newest first.
    fn along(&self, tenant: TenantId, ids: Ids) -> Question<'_> {
        let query = payment::table
            .filter(payment::id.ge(ids.from))
            .filter(payment::id.lt(ids.to))
            .order(payment::id.desc())
            .into_boxed();
        // The `+ 0` keeps planners from the index that begins with the tenant. While the table is small, both indexes
        // look equally good to them, and they may keep a plan that they chose then.
        match self {
            Self::Named(name) => query
                .filter((payment::tenant_id + 0).eq(tenant))
                .filter(payment::external_id.eq(name)),
            Self::Key(key) => query
                .filter((payment::tenant_id + 0).eq(tenant))
                .filter(payment::idempotency_key.eq(key)),
            Self::Customer(id) => query
                .filter((payment::tenant_id + 0).eq(tenant))
                .filter(payment::customer_id.eq(id)),
            Self::Text(..) | Self::All => query.filter(payment::tenant_id.eq(tenant)),
        }
    }

    /// The id in the last of so many rows; `None` if there are fewer.
    fn floor(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        ids: Ids,
        rows: usize,
    ) -> Result<Option<PaymentId>, Error> {
        let last = self.along(tenant, ids).select(payment::id);
        let last = last.offset(limit(rows).saturating_sub(1)).limit(1);
        Ok(last.first(connection).optional()?)
    }
}

type Question<'a> = payment::BoxedQuery<'a, <AnyConnection as diesel::Connection>::Backend>;

/// The payments with these ids, within a range, that match the filters, newest first.
fn these(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rest: &Search,
    (ids, named): (Ids, Vec<PaymentId>),
) -> Result<Vec<PaymentRow>, Error> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let query = payment::table
        .filter(payment::tenant_id.eq(tenant))
        .filter(payment::id.ge(ids.from))
        .filter(payment::id.lt(ids.to))
        .filter(payment::id.eq_any(named))
        .into_boxed();
    let mut rows: Vec<PaymentRow> = matching(query, tenant, rest).load(connection)?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    Ok(rows)
}

/// The newest payments whose metadata has this text under this key.
fn under_text(
    connection: &mut AnyConnection,
    tenant: TenantId,
    (key, value): (&str, &str),
    ids: Ids,
    rows: usize,
) -> Result<Vec<PaymentId>, Error> {
    Ok(metadata_text::table
        .filter(metadata_text::kind.eq(Described::Payment.number()))
        .filter(metadata_text::key.eq(key))
        .filter(metadata_text::value.eq(value))
        .filter(metadata_text::tenant_id.eq(tenant))
        .filter(metadata_text::subject.ge(ids.from))
        .filter(metadata_text::subject.lt(ids.to))
        .order(metadata_text::subject.desc())
        .limit(limit(rows))
        .select(metadata_text::subject)
        .load(connection)?)
}

/// Adds the filters on the payment's own row, and on its texts. The external id is not among them, because it has a
/// walk of its own. The `OFFSET 0` keeps PostgreSQL from reading the texts to find the payments.
fn matching<'a>(mut query: Question<'a>, tenant: TenantId, rest: &'a Search) -> Question<'a> {
    if let Some(key) = &rest.idempotency_key {
        query = query.filter(payment::idempotency_key.eq(key));
    }
    if let Some(customer) = &rest.customer {
        query = query.filter(payment::customer_id.eq(customer));
    }
    if let Some(status) = rest.status {
        query = query.filter(payment::status.eq(status.name()));
    }
    if let Some(currency) = &rest.currency {
        query = query.filter(payment::currency.eq(currency));
    }
    if let Some(least) = rest.amount_min {
        query = query.filter(payment::amount.ge(least));
    }
    if let Some(most) = rest.amount_max {
        query = query.filter(payment::amount.le(most));
    }
    if let Some(from) = rest.from {
        query = query.filter(payment::created_at.ge(from.micros()));
    }
    if let Some(to) = rest.to {
        query = query.filter(payment::created_at.lt(to.micros()));
    }
    for (key, value) in &rest.metadata {
        let own = metadata_text::table
            .filter(metadata_text::kind.eq(Described::Payment.number()))
            .filter(metadata_text::key.eq(key))
            .filter(metadata_text::value.eq(value))
            .filter(metadata_text::tenant_id.eq(tenant))
            .filter(metadata_text::subject.eq(payment::id))
            .offset(0);
        query = query.filter(exists(own));
    }
    query
}

/// A number of rows in the type that the database takes.
fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
