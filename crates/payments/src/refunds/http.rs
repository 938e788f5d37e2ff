//! `/v1/payments/{id}/refunds`, `/v1/refunds`.

use books::metadata::kept;
use books::reading::positive;
use edge::cursor::Cursor;
use edge::query::{PageQuery, Query};
use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{
    Call, KeyRule, Page, Problem, Reader, Response, Routes, Shared, State, code, headers, page,
};
use ledger::Metadata;
use money::Amount;
use store::AnyConnection;
use text::Identifier;

use super::show::Refund;
use super::{CreateRefund, RefundId, read, show};
use crate::charging::codes;
use crate::texts::Described;
use crate::{Description, Operation, PaymentId, answers, begun, described, moved, shapes};

/// The merchant's reason for a refund.
type Reason = Identifier<255>;

/// What a request says about the refund that it asks for.
struct Asked {
    amount: Option<Amount>,
    reason: Option<Reason>,
    description: Option<Description>,
    metadata: Option<Metadata>,
}

/// Every route of refunds.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("refunds", "Captured money that goes back to the payer");
    r.post(
        "/v1/payments/{id}/refunds",
        "createRefund",
        "Gives captured money back, as a whole or in part.",
        create,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| wanted().describe(known))
    .gives::<Refund>(201, "The money goes back")
    .gives::<Refund>(202, "The outcome of the refund is not known yet")
    .refuses(402, "The provider has refused the refund", &[codes::DECLINED])
    .refuses(404, "No such payment", &[])
    .refuses(
        409,
        "Nothing was captured of the payment, or an account does not take postings",
        &[
            codes::PAYMENT_STATE_CONFLICT,
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, the amount is more than is left, or the idempotency key belongs to another request",
        &[
            books::code::EXCEEDS_REMAINING,
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.get(
        "/v1/payments/{id}/refunds",
        "listRefundsOfPayment",
        "Lists the refunds of a payment, newest first.",
        list_of_payment,
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .page()
    .gives_page::<Refund>("A page of refunds")
    .refuses(404, "No such payment", &[]);
    r.get(
        "/v1/refunds/{id}",
        "getRefund",
        "Reads one refund.",
        |state, call| answers::one(state, call, read::refund, show::refund),
    )
    .segment("id", shapes::RefundId::SHAPE, "re_…")
    .gives::<Refund>(200, "The refund")
    .refuses(404, "No such refund", &[]);
    r.get(
        "/v1/refunds",
        "listRefunds",
        "Lists the refunds that match all given parameters, newest first.",
        list,
    )
    .more("With several texts of metadata, a page may be shorter than its limit, or empty, and still have a\n`next_cursor`: only null means the end.")
    .asks(|query| drop(search(query)))
    .gives_page::<Refund>("A page of refunds")
    .refuses(400, "A parameter is wrong", &[]);
    described::http::of_refunds(r);
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let payment = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let payment = payment?;
    let wanted = submission.read_by(&wanted())?;
    let command = CreateRefund {
        payment,
        amount: wanted.amount,
        reason: wanted.reason.map(String::from),
        description: wanted.description.map(String::from),
        metadata: wanted.metadata,
        key: submission.key_text(),
        providers: begun::providers(&state)?,
    };
    begun::submit(
        &state,
        submission,
        command,
        wait,
        begun::show,
        moved::show_refusal,
    )
    .await
}

async fn list_of_payment(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: PaymentId = call.named("id", code::NOT_FOUND)?;
    let payment = state
        .read(move |connection| crate::payment(connection, tenant, id))
        .await?;
    if payment.is_none() {
        return Err(Problem::new(code::NOT_FOUND));
    }
    let wanted = call.query.page()?;
    of(&state, &call, Some(id), wanted).await
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let (texts, wanted) = call.query.ask(search)?;
    if texts.is_empty() {
        return of(&state, &call, None, wanted).await;
    }
    let tenant = call.caller.tenant.id;
    let before = wanted.cursor.map(|cursor| cursor.id);
    let limit = usize::from(wanted.limit);
    let (found, next) = state
        .read(move |connection| {
            let told = described::Wanted {
                kind: Described::Refund,
                texts: &texts,
                before: before.unwrap_or([0xff; 16]),
                limit,
            };
            let load = |connection: &mut AnyConnection, ids: Vec<[u8; 16]>| {
                read::refunds_by_id(connection, tenant, ids.into_iter())
            };
            let of = |row: &Operation| (row.id.bytes(), row.metadata.clone());
            described::found(connection, tenant, told, load, of)
        })
        .await?;
    let cursor = |id: [u8; 16]| Cursor { id, position: None };
    let page = Page {
        next_cursor: next.map(|id| wanted.next(cursor(id))),
        data: found.iter().map(show::refund).collect(),
    };
    Ok(Response::json(200, &page))
}

/// Reads the parameters of the list of all refunds.
fn search(query: &mut Query) -> Slot<(Vec<(String, String)>, PageQuery)> {
    Slot::together((described::texts_wanted(query), query.page()))
}

async fn of(
    state: &State,
    call: &Call,
    payment: Option<PaymentId>,
    wanted: PageQuery,
) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let before = wanted.cursor.map(|cursor| RefundId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| read::refunds(connection, tenant, payment, before, more))
        .await?;
    let cursor = |refund: &Operation| Cursor {
        id: refund.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::refund, cursor);
    Ok(Response::json(200, &page))
}

/// Reads the body that makes a refund.
fn wanted() -> impl Body<Out = Asked> {
    object("NewRefund", "Makes a refund.", |fields| {
        let amount =
            positive().says("The amount in minor units; all that is left to refund if absent.");
        let amount = fields.optional("amount", nullable(amount));
        let reason = prose::<Reason>(shapes::ShortText::SHAPE)
            .says("Your reason: at most 255 characters. It is not sent to the provider.");
        let reason = fields.optional("reason", nullable(reason));
        let description = prose::<Description>(shapes::LongText::SHAPE)
            .says("Your own words: at most 500 characters. They are not sent to the provider.");
        let description = fields.optional("description", nullable(description));
        let metadata = kept().says(
            "The metadata that you keep with it: at most 50 texts of at most 500 characters.",
        );
        let metadata = fields.optional("metadata", nullable(metadata));
        Slot::together((amount, reason, description, metadata)).map(
            |(amount, reason, description, metadata)| Asked {
                amount: amount.flatten(),
                reason: reason.flatten(),
                description: description.flatten(),
                metadata: metadata.flatten().flatten(),
            },
        )
    })
}
