//! `/v1/payments` and `/v1/payments/{id}`: the routes that read payments.

use edge::cursor::Cursor;
use edge::{Call, Page, Problem, Response, Routes, Shared, code};

use super::{expand, query};
use crate::charging::show;
use crate::{PaymentId, shapes};

/// The routes that read. They belong to the group of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.get(
        "/v1/payments/{id}",
        "getPayment",
        "Reads one payment.",
        read_one,
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .asks(|query| drop(expand::read(query)))
    .gives::<show::Payment>(200, "The payment")
    .refuses(400, "A parameter is wrong", &[])
    .refuses(404, "No such payment", &[]);
    r.get(
        "/v1/payments",
        "listPayments",
        "Lists the payments that match all given parameters, newest first.",
        list,
    )
    .more("A page reads at most 2,000 rows. So it may be shorter than its limit, or empty, and still have a\n`next_cursor`: only null means the end.")
    .asks(|parameters| drop(query::read(parameters)))
    .gives_page::<show::Payment>("A page of payments. It may be shorter than its limit, or empty, and still have a `next_cursor`")
    .refuses(400, "A parameter is wrong", &[]);
}

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: PaymentId = call.named("id", code::NOT_FOUND)?;
    let wanted = call.query.ask(expand::read)?;
    let shown = state
        .read(move |connection| {
            let Some(payment) = crate::payment(connection, tenant, id)? else {
                return Ok(None);
            };
            let payments = std::slice::from_ref(&payment);
            let parts = expand::load(connection, tenant, payments, &wanted)?;
            Ok(Some(expand::expanded(&payment, &wanted, &parts)))
        })
        .await?;
    let shown = shown.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    Ok(Response::json(200, &shown))
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (search, wanted, page) = call.query.ask(query::read)?;
    let after = page.cursor.map(|cursor| PaymentId::from_bytes(cursor.id));
    let limit = usize::from(page.limit);
    let (data, next) = state
        .read(move |connection| {
            let (found, next) = super::search(connection, tenant, &search, after, limit)?;
            let parts = expand::load(connection, tenant, &found, &wanted)?;
            let shown = found.iter();
            let shown = shown.map(|payment| expand::expanded(payment, &wanted, &parts));
            Ok((shown.collect::<Vec<_>>(), next))
        })
        .await?;
    let cursor = |id: PaymentId| Cursor {
        id: id.bytes(),
        position: None,
    };
    let next_cursor = next.map(|id| page.next(cursor(id)));
    Ok(Response::json(200, &Page { data, next_cursor }))
}
