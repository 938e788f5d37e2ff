//! `/v1/payments/{id}/operations`.

use diesel::prelude::*;
use edge::cursor::Cursor;
use edge::{Call, Problem, Response, Routes, Shared, code, page};
use store::{AnyConnection, Error, TenantId};

use super::show;
use crate::schema::operation;
use crate::tables::OperationRow;
use crate::{Operation, OperationId, PaymentId, shapes};

/// The route of operations. It belongs to the group of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.get(
        "/v1/payments/{id}/operations",
        "listOperations",
        "Lists the operations of a payment, newest first.",
        list,
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .page()
    .gives_page::<show::Operation>("A page of operations")
    .refuses(404, "No such payment", &[]);
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: PaymentId = call.named("id", code::NOT_FOUND)?;
    let wanted = call.query.page()?;
    let before = wanted
        .cursor
        .map(|cursor| OperationId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| {
            let payment = crate::payment(connection, tenant, id)?;
            let operations = operations(connection, tenant, id, before, more)?;
            Ok(payment.map(|_| operations))
        })
        .await?;
    let found = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let cursor = |operation: &Operation| Cursor {
        id: operation.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::operation, cursor);
    Ok(Response::json(200, &page))
}

/// At most `limit` operations of a payment, newest first, that are older than the operation `before`.
fn operations(
    connection: &mut AnyConnection,
    tenant: TenantId,
    payment: PaymentId,
    before: Option<OperationId>,
    limit: i64,
) -> Result<Vec<Operation>, Error> {
    let newest = OperationId::from_bytes([0xff; 16]);
    let rows: Vec<OperationRow> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::subject_id.eq(payment))
        .filter(operation::id.lt(before.unwrap_or(newest)))
        .order(operation::ordinal.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(OperationRow::read).collect()
}
