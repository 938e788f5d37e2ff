//! `/v1/disputes`.

use edge::cursor::Cursor;
use edge::{Call, Problem, Response, Routes, Shared, code, page};

use super::{DisputeId, rows, show};
use crate::shapes;

/// Every route of disputes.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "disputes",
        "Captured money that the payer's bank claims back",
    );
    r.get(
        "/v1/disputes/{id}",
        "getDispute",
        "Reads one dispute.",
        read_one,
    )
    .segment("id", shapes::DisputeId::SHAPE, "dp_…")
    .gives::<show::Dispute>(200, "The dispute")
    .refuses(404, "No such dispute", &[]);
    r.get(
        "/v1/disputes",
        "listDisputes",
        "Lists disputes, newest first.",
        list,
    )
    .page()
    .gives_page::<show::Dispute>("A page of disputes");
}

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: DisputeId = call.named("id", code::NOT_FOUND)?;
    let found = state
        .read(move |connection| rows::dispute(connection, tenant, id))
        .await?;
    let dispute = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    Ok(Response::json(200, &show::dispute(&dispute)))
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let before = wanted.cursor.map(|cursor| DisputeId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| rows::disputes(connection, tenant, before, more))
        .await?;
    let cursor = |dispute: &super::Dispute| Cursor {
        id: dispute.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::dispute, cursor);
    Ok(Response::json(200, &page))
}
