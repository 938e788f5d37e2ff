//! Reads of payments from one snapshot. No decision about money relies on them.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId};

use crate::schema;
use crate::tables::PaymentRow;
use crate::{Payment, PaymentId};

/// One payment of the tenant, if it exists.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn payment(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: PaymentId,
) -> Result<Option<Payment>, Error> {
    let row: Option<PaymentRow> = schema::payment::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(PaymentRow::read).transpose()
}

/// At most `limit` payments, newest first, that were made before the payment `before`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn payments(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>, Error> {
    let newest = PaymentId::from_bytes([0xff; 16]);
    let rows: Vec<PaymentRow> = schema::payment::table
        .filter(schema::payment::tenant_id.eq(tenant))
        .filter(schema::payment::id.lt(before.unwrap_or(newest)))
        .order(schema::payment::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(PaymentRow::read).collect()
}

/// The provider keys among these that name an operation of the tenant.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn known_provider_keys(
    connection: &mut AnyConnection,
    tenant: TenantId,
    keys: &[String],
) -> Result<Vec<String>, Error> {
    Ok(schema::operation::table
        .filter(schema::operation::tenant_id.eq(tenant))
        .filter(schema::operation::provider_key.eq_any(keys))
        .select(schema::operation::provider_key)
        .load(connection)?)
}
