//! Every URL of the provider, and the function behind it.

use actix_web::http::header::HOST;
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::timeout;

use crate::actions;
use crate::courier::Delivery;
use crate::method::Step;
use crate::order::{Order, ProviderKey};
use crate::patience::Patience;
use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::totals::CurrencyTotals;

/// Greatest size of a request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    service
        .route("/v1/charges", web::post().to(charge))
        .route(
            "/v1/charges",
            web::get().to(|request, provider| inquire(None, request, provider)),
        )
        .route("/v1/journal", web::get().to(journal))
        .route("/v1/totals", web::get().to(totals))
        .route("/v1/webhooks/{record}/redeliver", web::post().to(redeliver))
        .configure(actions::configure)
        .default_service(web::to(no_such_route));
    for step in Step::ALL {
        let records = format!("{}s", step.name());
        service
            .route(
                &format!("/v1/charges/{{charge}}/{records}"),
                web::post().to(move |charge, request, payload, provider| {
                    take_step(step, charge, request, payload, provider)
                }),
            )
            .route(
                &format!("/v1/{records}"),
                web::get().to(move |request, provider| inquire(Some(step), request, provider)),
            );
    }
}

/// Takes an order for a charge.
async fn charge(
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let key = provider_key(&request)?;
    let order = Order::charge(&read_body(payload, &provider.patience).await?)?;
    provider.call(key, order, host(&request)).await
}

/// Takes an order for a step of a charge.
async fn take_step(
    step: Step,
    charge: web::Path<String>,
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let key = provider_key(&request)?;
    let body = read_body(payload, &provider.patience).await?;
    let order = Order::step(step, charge.into_inner(), &body)?;
    provider.call(key, order, host(&request)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inquiry {
    idempotency_key: String,
}

/// Reports the record of a provider key as it is now, without any effect. The record must be of this step; `None` is
/// a charge.
async fn inquire(
    step: Option<Step>,
    request: HttpRequest,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let inquiry = web::Query::<Inquiry>::from_query(request.query_string())
        .map_err(|error| {
            tracing::debug!(%error, "an inquiry that cannot be read");
            Refusal::KeyRequired
        })?
        .into_inner();
    let key = ProviderKey::parse(&inquiry.idempotency_key).ok_or(Refusal::InvalidKey)?;
    let record = provider.journal.record_of(&key, step);
    let record = record.ok_or(Refusal::NoSuchCharge)?;
    Ok(HttpResponse::Ok().json(record.shown(host(&request))))
}

/// Shows all provider keys with their effects and calls.
async fn journal(request: HttpRequest, provider: Data<Provider>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "data": provider.journal.rows(host(&request)) }))
}

/// Shows the sums over all charges, for each currency.
async fn totals(provider: Data<Provider>) -> HttpResponse {
    #[derive(Serialize)]
    struct Sums {
        data: Vec<CurrencyTotals>,
    }
    // The sums are wider than the numbers of `serde_json::Value`, so they are written directly.
    let data = provider.journal.totals();
    HttpResponse::Ok().json(Sums { data })
}

/// Sends the event of a record again, its newest one, and reports whether it was accepted.
async fn redeliver(
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let event = provider.journal.event_of(&id)?;
    if !provider.courier.has_target() {
        return Err(Refusal::NoWebhookTarget);
    }
    let event_id = event.id.clone();
    let delivery = provider.courier.announce(event, 1);
    let delivered = matches!(
        timeout(provider.patience.announcement, delivery).await,
        Ok(Ok(Delivery::Accepted))
    );
    Ok(HttpResponse::Ok().json(json!({ "event": event_id, "delivered": delivered })))
}

async fn no_such_route() -> Result<HttpResponse, Refusal> {
    Err(Refusal::NoSuchRoute)
}

/// The host that the caller has named, or else the one that this server listens on.
fn host(request: &HttpRequest) -> &str {
    let named = request.headers().get(HOST);
    named
        .and_then(|host| host.to_str().ok())
        .unwrap_or_else(|| request.app_config().host())
}

/// The one `Idempotency-Key` of a request.
fn provider_key(request: &HttpRequest) -> Result<ProviderKey, Refusal> {
    let mut lines = request.headers().get_all("idempotency-key");
    let only = lines.next().ok_or(Refusal::KeyRequired)?;
    if lines.next().is_some() {
        return Err(Refusal::InvalidKey);
    }
    only.to_str()
        .ok()
        .and_then(ProviderKey::parse)
        .ok_or(Refusal::InvalidKey)
}

/// The body, within the limits of size and time.
async fn read_body(payload: Payload, patience: &Patience) -> Result<Bytes, Refusal> {
    match timeout(patience.body, payload.to_bytes_limited(MAX_BODY_BYTES)).await {
        Err(_elapsed) => Err(Refusal::BodyTooSlow),
        Ok(Err(_over)) => Err(Refusal::BodyTooLarge),
        Ok(Ok(Err(_cut))) => Err(Refusal::MalformedBody),
        Ok(Ok(Ok(body))) => Ok(body),
    }
}
