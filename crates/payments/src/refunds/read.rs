//! Reads of refunds from one snapshot.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId};

use super::RefundId;
use crate::schema::operation;
use crate::tables::{OperationById, OperationRow};
use crate::{Operation, OperationId, OperationKind, PaymentId};

/// One refund of the tenant, if it exists.
pub(super) fn refund(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: RefundId,
) -> Result<Option<Operation>, Error> {
    let row: Option<OperationRow> = operation::table
        .find((tenant, OperationId::from_bytes(id.bytes())))
        .first(connection)
        .optional()?;
    let row = row.filter(|row| row.kind == OperationKind::Refund.name());
    row.map(OperationRow::read).transpose()
}

/// The refunds with these ids.
pub(crate) fn refunds_by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: impl Iterator<Item = [u8; 16]>,
) -> Result<Vec<Operation>, Error> {
    let ids = ids.map(OperationId::from_bytes);
    let ids: Vec<OperationById> = ids.map(|id| OperationById { id }).collect();
    let rows = OperationById::find(connection, Lock::Nothing, tenant, &ids)?;
    rows.into_iter().map(OperationRow::read).collect()
}

/// At most `limit` refunds, newest first, that were made before the refund `before`: of one payment, or of all.
pub(super) fn refunds(
    connection: &mut AnyConnection,
    tenant: TenantId,
    payment: Option<PaymentId>,
    before: Option<RefundId>,
    limit: i64,
) -> Result<Vec<Operation>, Error> {
    let newest = before.map_or([0xff; 16], |id| id.bytes());
    let mut query = operation::table
        .filter(operation::tenant_id.eq(tenant))
        // As a text, so that the index of refunds fits.
        .filter(sql::<Bool>("kind = 'refund'"))
        .filter(operation::id.lt(OperationId::from_bytes(newest)))
        .order(operation::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(payment) = payment {
        query = query.filter(operation::subject_id.eq(payment));
    }
    let rows: Vec<OperationRow> = query.load(connection)?;
    rows.into_iter().map(OperationRow::read).collect()
}
