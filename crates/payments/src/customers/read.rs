//! Reads of customers and of their payment methods from one snapshot.

use diesel::prelude::*;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId};

use super::rows::{CustomerById, CustomerRow, SavedMethodById, SavedMethodRow};
use super::{Customer, CustomerId, SavedMethod, SavedMethodId};
use crate::described::{self, Wanted};
use crate::schema::{customer, payment_method};
use crate::texts::Described;

/// The filters of a list of customers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// The customer has this external id.
    pub(super) external_id: Option<String>,
    /// The customer has these texts of metadata, by key.
    pub(super) metadata: Vec<(String, String)>,
}

/// The customers with these ids.
pub(crate) fn customers_by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut ids: Vec<CustomerId>,
) -> Result<Vec<Customer>, Error> {
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<CustomerById> = ids.into_iter().map(|id| CustomerById { id }).collect();
    let rows = CustomerById::find(connection, Lock::Nothing, tenant, &ids)?;
    rows.into_iter().map(CustomerRow::read).collect()
}

/// The payment methods with these ids.
pub(crate) fn methods_by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut ids: Vec<SavedMethodId>,
) -> Result<Vec<SavedMethod>, Error> {
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<SavedMethodById> = ids.into_iter().map(|id| SavedMethodById { id }).collect();
    let rows = SavedMethodById::find(connection, Lock::Nothing, tenant, &ids)?;
    Ok(rows.into_iter().map(SavedMethodRow::read).collect())
}

/// One customer of the tenant, if it exists.
pub(super) fn one(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: CustomerId,
) -> Result<Option<Customer>, Error> {
    let row: Option<CustomerRow> = customer::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(CustomerRow::read).transpose()
}

/// One payment method of the tenant, if it exists.
pub(super) fn method(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: SavedMethodId,
) -> Result<Option<SavedMethod>, Error> {
    let row: Option<SavedMethodRow> = payment_method::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    Ok(row.map(SavedMethodRow::read))
}

/// At most `limit` customers that match the filters, newest first, after a customer; and the customer after which the
/// next page begins. With metadata, a page reads a bounded number of customers and may be shorter.
pub(super) fn customers(
    connection: &mut AnyConnection,
    tenant: TenantId,
    wanted: &Search,
    after: Option<CustomerId>,
    limit: usize,
) -> Result<(Vec<Customer>, Option<CustomerId>), Error> {
    let before = after.unwrap_or(CustomerId::from_bytes([0xff; 16]));
    let most = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    if let Some(name) = &wanted.external_id {
        let row: Option<CustomerRow> = customer::table
            .filter(customer::tenant_id.eq(tenant))
            .filter(customer::external_id.eq(name))
            .filter(customer::id.lt(before))
            .first(connection)
            .optional()?;
        let found = row.map(CustomerRow::read).transpose()?;
        let found = found
            .into_iter()
            .filter(|row| described::has_all(&wanted.metadata, row.metadata.as_ref()));
        return Ok((found.collect(), None));
    }
    if wanted.metadata.is_empty() {
        let rows: Vec<CustomerRow> = customer::table
            .filter(customer::tenant_id.eq(tenant))
            .filter(customer::id.lt(before))
            .order(customer::id.desc())
            .limit(most)
            .load(connection)?;
        let rows = rows.into_iter().map(CustomerRow::read);
        let mut found: Vec<Customer> = rows.collect::<Result<_, _>>()?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|row| row.id);
        return Ok((found, last));
    }
    let told = Wanted {
        kind: Described::Customer,
        texts: &wanted.metadata,
        before: before.bytes(),
        limit,
    };
    let load = |connection: &mut AnyConnection, ids: Vec<[u8; 16]>| {
        let ids = ids.into_iter().map(CustomerId::from_bytes);
        customers_by_id(connection, tenant, ids.collect())
    };
    let of = |row: &Customer| (row.id.bytes(), row.metadata.clone());
    let (found, end) = described::found(connection, tenant, told, load, of)?;
    Ok((found, end.map(CustomerId::from_bytes)))
}

/// At most `limit` payment methods that are attached to a customer, newest first, after a payment method.
pub(super) fn attached(
    connection: &mut AnyConnection,
    tenant: TenantId,
    of: CustomerId,
    after: Option<SavedMethodId>,
    limit: i64,
) -> Result<Vec<SavedMethod>, Error> {
    let before = after.unwrap_or(SavedMethodId::from_bytes([0xff; 16]));
    let rows: Vec<SavedMethodRow> = payment_method::table
        // The `+ 0` keeps planners from the index that begins with the tenant.
        .filter((payment_method::tenant_id + 0).eq(tenant))
        .filter(payment_method::customer_id.eq(of))
        .filter(payment_method::detached_at.is_null())
        .filter(payment_method::id.lt(before))
        .order(payment_method::id.desc())
        .limit(limit)
        .load(connection)?;
    Ok(rows.into_iter().map(SavedMethodRow::read).collect())
}
