//! `/v1/payments`: made, confirmed, read.

pub(crate) mod codes;

use std::time::Duration;

use ::payments::charging::{AnswerNow, ConfirmPayment, CreatePayment};
use ::payments::{ConfirmError, Customer, NewPayment, Payment, PaymentId, PaymentMethod};
use edge::cursor::Cursor;
use edge::strict_json::{Body, Slot, boolean, nullable, object, prose};
use edge::{KeyRule, Problem, Reader, Response, headers, page};
use engine::{Command, Request};
use money::Money;

use crate::currencies::of_iso;
use crate::reading::positive;
use crate::server::{Api, Asked, Call, Routes, Shared};
use crate::wire::texts;
use crate::{code, render, respond, wire};

/// Every route of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "payments",
        "What a merchant wants from a payer, through a provider",
    );
    r.post(
        "/v1/payments",
        "createPayment",
        "Makes a payment and, unless told otherwise, goes to the provider with it.",
        create,
    )
    .key(KeyRule::Required)
    .waits()
    .body(|known| new_payment().describe(known))
    .gives::<wire::Payment>(201, "Succeeded, or waiting for you")
    .gives::<wire::Payment>(202, "The outcome is not known yet")
    .refuses(402, "Declined", &[code::DECLINED])
    .refuses(409, "The same request is still in progress", &[])
    .refuses(
        422,
        "A field is wrong, or the key names another request",
        &[],
    );
    r.post(
        "/v1/payments/{id}/confirm",
        "confirmPayment",
        "Goes to the provider with a payment that waits for it.",
        confirm,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", texts::PaymentId::SHAPE, "pay_…")
    .body(|known| confirmation().describe(known))
    .gives::<wire::Payment>(201, "Succeeded")
    .gives::<wire::Payment>(202, "The outcome is not known yet")
    .refuses(402, "Declined", &[code::DECLINED])
    .refuses(404, "No such payment", &[])
    .refuses(
        409,
        "Its state does not allow it",
        &[code::PAYMENT_STATE_CONFLICT],
    );
    r.get("/v1/payments/{id}", "getPayment", "One payment.", read_one)
        .segment("id", texts::PaymentId::SHAPE, "pay_…")
        .gives::<wire::Payment>(200, "The payment")
        .refuses(404, "No such payment", &[]);
    r.get(
        "/v1/payments",
        "listPayments",
        "Payments, newest first.",
        list,
    )
    .page()
    .gives_page::<wire::Payment>("A page");
}

async fn create(api: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let mut asked = Asked::of(call)?;
    let command = CreatePayment {
        new: asked.read_by(&new_payment())?,
        key: asked.key_text(),
        provider: api.provider.clone(),
    };
    submit(&api, asked, command, wait).await
}

async fn confirm(api: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let id = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut asked = Asked::of(call)?;
    let id = id?;
    let payment_method = asked.read_by(&confirmation())?;
    let command = ConfirmPayment {
        id,
        payment_method,
        key: asked.key_text(),
        provider: api.provider.clone(),
    };
    submit(&api, asked, command, wait).await
}

/// Sends a command that goes to the provider, and waits for the outcome as long as the request wants.
async fn submit<C>(api: &Api, asked: Asked, command: C, wait: Duration) -> Result<Response, Problem>
where
    C: Command<Done = Payment, Refusal = ConfirmError>,
{
    let (tenant, origin, key) = (asked.tenant(), asked.origin(), asked.key().cloned());
    let key = key.ok_or_else(|| Problem::new(edge::code::IDEMPOTENCY_KEY_REQUIRED))?;
    let request = asked.request(command, render::payment_made, render::tell_payment);
    let answer_now = |payment: Payment| {
        let command = AnswerNow {
            key,
            payment: payment.id,
            show: render::payment_reply,
        };
        let request = Request::of_system(tenant, "waiting", command);
        Request { origin, ..request }
    };
    let answer = api.engine.submit_and_wait(request, wait, answer_now).await;
    respond::to_command(answer.map_err(respond::lane_error)?)
}

async fn read_one(api: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: PaymentId = call.named("id", code::NOT_FOUND)?;
    let found = api
        .engine
        .read(move |connection| ::payments::payment(connection, tenant, id))
        .await
        .map_err(|error| respond::unavailable(&error))?;
    let payment = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    Ok(Response::json(200, &render::payment(&payment)))
}

async fn list(api: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let before = wanted.cursor.map(|cursor| PaymentId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = api
        .engine
        .read(move |connection| ::payments::payments(connection, tenant, before, more))
        .await
        .map_err(|error| respond::unavailable(&error))?;
    let cursor = |payment: &Payment| Cursor {
        id: payment.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, render::payment, cursor);
    Ok(Response::json(200, &page))
}

/// Reads what makes a payment.
fn new_payment() -> impl Body<Out = NewPayment> {
    object("NewPayment", "Makes a payment.", |fields| {
        let amount = positive().says("Minor units, 1 to 2^63 - 1.");
        let amount = fields.required("amount", amount);
        let unit = fields.required("currency", of_iso().says("ISO 4217 code."));
        let customer = prose::<Customer>(texts::ShortText::SHAPE);
        let customer = customer.says("Your reference for the payer: at most 255 characters.");
        let customer = fields.optional("customer", nullable(customer));
        let method = method().says("The provider's token for how the payer pays.");
        let method = fields.optional("payment_method", nullable(method));
        let confirm = boolean().says("Whether to go to the provider at once; true if absent.");
        let confirm = fields.optional("confirm", confirm).or(true);
        let slots = (amount, unit, customer, method, confirm);
        Slot::together(slots).map(|(amount, currency, customer, method, confirm)| NewPayment {
            money: Money { amount, currency },
            customer: customer.flatten(),
            payment_method: method.flatten(),
            confirm,
        })
    })
}

/// Reads what confirms a payment.
fn confirmation() -> impl Body<Out = Option<PaymentMethod>> {
    object("Confirmation", "Confirms a payment.", |fields| {
        let method = method()
            .says("The provider's token, if there is none yet or the last one was declined.");
        let method = fields.optional("payment_method", nullable(method));
        method.map(Option::flatten)
    })
}

/// Reads a provider's token.
fn method() -> impl Reader<Out = PaymentMethod> {
    prose(texts::ProviderToken::SHAPE)
}
