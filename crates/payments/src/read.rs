//! Reads of payments from one snapshot. No decision about money relies on them.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId};

use crate::schema;
use crate::tables::PaymentRow;
use crate::{OperationState, Payment, PaymentId};

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

/// The provider keys among these whose operation has its outcome.
///
/// # Errors
/// [`Error`] as the database gives it.
pub(crate) fn ended_provider_keys(
    connection: &mut AnyConnection,
    tenant: TenantId,
    keys: &[String],
) -> Result<Vec<String>, Error> {
    let ended = [
        OperationState::Succeeded,
        OperationState::Failed,
        OperationState::Canceled,
    ]
    .map(OperationState::name);
    Ok(schema::operation::table
        .filter(schema::operation::tenant_id.eq(tenant))
        .filter(schema::operation::provider_key.eq_any(keys))
        .filter(schema::operation::status.eq_any(ended))
        .select(schema::operation::provider_key)
        .load(connection)?)
}
