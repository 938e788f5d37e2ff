//! `/v1/payments`: made, confirmed, read.

use ::payments::charging::{AnswerNow, ConfirmPayment, CreatePayment};
use ::payments::{ConfirmError, Customer, NewPayment, Payment, PaymentId, PaymentMethod};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use engine::{Command, Request};

use crate::currencies::of_iso;
use crate::cursor::Cursor;
use crate::problem::{Code, Problem};
use crate::query::{PageQuery, page};
use crate::request::answer;
use crate::server::{Api, Asked};
use crate::strict_json::{Fields, Object, amount, boolean, guarded, nullable};
use crate::transfers::money;
use crate::{headers, render, respond, wire};

/// Makes a payment and, unless told otherwise, goes to the provider with it.
#[utoipa::path(
    post, path = "/v1/payments", tag = "payments", operation_id = "createPayment",
    params(
        ("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect"),
        ("Prefer" = Option<String>, Header, description = "wait=N: how many seconds to wait for the outcome, 10 if absent"),
    ),
    request_body(content = wire::NewPayment),
    responses(
        (status = 201, description = "Succeeded, or waiting for you", body = wire::Payment),
        (status = 202, description = "The outcome is not known yet", body = wire::Payment),
        (status = 402, description = "Declined"),
        (status = 409, description = "The same request is still in progress"),
        (status = 422, description = "A field is wrong, or the key names another request"),
    )
)]
pub(crate) async fn create(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let asked = api.money_request(&request, payload).await?;
        let command = CreatePayment {
            new: read(asked.body.clone())?,
            key: asked
                .key()
                .map_or_else(String::new, |key| key.as_str().to_owned()),
            provider: api.provider.clone(),
        };
        submit(&api, &request, asked, command).await
    })
    .await
}

/// Goes to the provider with a payment that waits for it.
#[utoipa::path(
    post, path = "/v1/payments/{id}/confirm", tag = "payments", operation_id = "confirmPayment",
    params(
        ("id" = wire::texts::PaymentId, Path, description = "pay_…"),
        ("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect"),
        ("Prefer" = Option<String>, Header, description = "wait=N: how many seconds to wait for the outcome, 10 if absent"),
    ),
    request_body(content = wire::Confirmation),
    responses(
        (status = 201, description = "Succeeded", body = wire::Payment),
        (status = 202, description = "The outcome is not known yet", body = wire::Payment),
        (status = 402, description = "Declined"),
        (status = 404, description = "No such payment"),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn confirm(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let asked = api.money_request(&request, payload).await?;
        let id: PaymentId = id
            .parse()
            .map_err(|_malformed| Problem::new(Code::NotFound))?;
        let mut fields = Fields::of(asked.body.clone());
        let method = fields.optional("payment_method", nullable(guarded(PaymentMethod::parse)));
        let method = fields.finish(method)?;
        let command = ConfirmPayment {
            id,
            payment_method: method.flatten(),
            key: asked
                .key()
                .map_or_else(String::new, |key| key.as_str().to_owned()),
            provider: api.provider.clone(),
        };
        submit(&api, &request, asked, command).await
    })
    .await
}

/// Sends a command that goes to the provider, and waits for the outcome as long as the request wants.
async fn submit<C>(
    api: &Api,
    request: &HttpRequest,
    asked: Asked,
    command: C,
) -> Result<HttpResponse, Problem>
where
    C: Command<Done = Payment, Refusal = ConfirmError>,
{
    let wait = headers::prefer_wait(request.headers());
    let (tenant, origin) = (asked.tenant(), asked.origin());
    let key = asked.key().cloned();
    let key = key.ok_or_else(|| Problem::new(Code::IdempotencyKeyRequired))?;
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

/// One payment.
#[utoipa::path(
    get, path = "/v1/payments/{id}", tag = "payments", operation_id = "getPayment",
    params(("id" = wire::texts::PaymentId, Path, description = "pay_…")),
    responses(
        (status = 200, description = "The payment", body = wire::Payment),
        (status = 404, description = "No such payment"),
    )
)]
pub(crate) async fn read_one(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let id: PaymentId = id
            .parse()
            .map_err(|_malformed| Problem::new(Code::NotFound))?;
        let found = api
            .engine
            .read(move |connection| ::payments::payment(connection, tenant, id))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        let payment = found.ok_or_else(|| Problem::new(Code::NotFound))?;
        Ok(respond::json(StatusCode::OK, &render::payment(&payment)))
    })
    .await
}

/// Payments, newest first.
#[utoipa::path(
    get, path = "/v1/payments", tag = "payments", operation_id = "listPayments",
    params(("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, description = "A page", body = wire::Page<wire::Payment>))
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let wanted = PageQuery::of(&request)?;
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
        Ok(respond::json(StatusCode::OK, &page))
    })
    .await
}

fn read(body: Object) -> Result<NewPayment, Problem> {
    let mut fields = Fields::of(body);
    let units = fields.required("amount", amount);
    let unit = fields.required("currency", of_iso);
    let customer = fields.optional("customer", nullable(guarded(Customer::parse)));
    let method = fields.optional("payment_method", nullable(guarded(PaymentMethod::parse)));
    let confirm = fields.optional("confirm", boolean);
    let (units, currency, customer, method, confirm) =
        fields.finish((units, unit, customer, method, confirm))?;
    Ok(NewPayment {
        money: money(units, currency)?,
        customer: customer.flatten(),
        payment_method: method.flatten(),
        confirm: confirm.unwrap_or(true),
    })
}
