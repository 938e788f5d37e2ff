//! Every URL of the provider, and the function behind it.

use std::sync::Arc;

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use faults::Operation;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use crate::courier::Delivery;
use crate::event::Message;
use crate::method::Step;
use crate::order::Order;
use crate::provider::Provider;
use crate::record::Kind;
use crate::refusal::Refusal;
use crate::request::{
    Tenant, asked_reference, host, inquired_key, provider_key, read_body, tenant,
};
use crate::scripted::scripted;
use crate::totals::CurrencyTotals;
use crate::{actions, disputes, settlements};

/// The routes.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    let inquire = |kind| web::get().to(move |request, provider| inquire(kind, request, provider));
    service
        .route("/v1/charges", web::post().to(charge))
        .route("/v1/charges", inquire(Kind::Charge))
        .route("/v1/payouts", web::post().to(payout))
        .route("/v1/payouts", inquire(Kind::Payout))
        .route("/v1/journal", web::get().to(journal))
        .route("/v1/totals", web::get().to(totals))
        .route("/v1/webhooks/{record}", web::get().to(events))
        .route("/v1/webhooks/{record}/redeliver", web::post().to(redeliver))
        .route(
            "/v1/webhooks/{record}/redeliver-all",
            web::post().to(redeliver_all),
        )
        .configure(actions::configure)
        .configure(disputes::configure)
        .configure(settlements::configure)
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
            .route(&format!("/v1/{records}"), inquire(Kind::Step(step)));
    }
}

/// Takes an order for a charge.
async fn charge(
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    take(Operation::Charge, request, payload, provider, Order::charge).await
}

/// Takes an order for a payout.
async fn payout(
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    take(Operation::Payout, request, payload, provider, Order::payout).await
}

/// Takes an order for a step of a charge.
async fn take_step(
    step: Step,
    charge: web::Path<String>,
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let operation = match step {
        Step::Capture => Operation::Capture,
        Step::Void => Operation::Void,
        Step::Increment => Operation::Increment,
        Step::Refund => Operation::Refund,
    };
    let charge = charge.into_inner();
    let order = move |body: &[u8]| Order::step(step, charge, body);
    take(operation, request, payload, provider, order).await
}

/// Takes an order, with the faults that are scripted for it.
async fn take(
    operation: Operation,
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
    order: impl FnOnce(&[u8]) -> Result<Order, Refusal> + 'static,
) -> Result<HttpResponse, Refusal> {
    let (desk, tenant) = (Arc::clone(&provider.faults), tenant(&request)?);
    let caller = tenant.clone();
    let call = async move {
        let key = provider_key(&request)?;
        let order = order(&read_body(payload, &provider.patience).await?)?;
        provider.call(key, order, caller, host(&request)).await
    };
    scripted(&desk, tenant.as_ref(), operation, call).await
}

/// Reports the record of a provider key as it is now, without any effect. The record must be of this kind.
async fn inquire(
    kind: Kind,
    request: HttpRequest,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let (desk, tenant) = (Arc::clone(&provider.faults), tenant(&request)?);
    let call = async move {
        let key = inquired_key(&request)?;
        let record = provider.journal.record_of(&key, kind);
        let record = record.ok_or(Refusal::NoSuchCharge)?;
        Ok(HttpResponse::Ok().json(record.shown(host(&request))))
    };
    scripted(&desk, tenant.as_ref(), Operation::Inquiry, call).await
}

/// Shows all provider keys with their effects and calls, or those whose records have one reference.
async fn journal(request: HttpRequest, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let reference = asked_reference(&request)?;
    let rows = provider.journal.rows(host(&request), reference.as_deref());
    Ok(HttpResponse::Ok().json(json!({ "data": rows })))
}

/// Shows the events of a record or a dispute as they are sent, the oldest first.
async fn events(id: web::Path<String>, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let (messages, _) = provider.journal.messages_of(&id)?;
    let shown = messages.iter().map(|message| {
        let body = String::from_utf8_lossy(&message.body);
        json!({ "id": message.event_id, "type": message.kind, "body": body })
    });
    let shown: Vec<_> = shown.collect();
    Ok(HttpResponse::Ok().json(json!({ "data": shown })))
}

/// Shows the sums over all charges and payouts, for each currency.
async fn totals(provider: Data<Provider>) -> HttpResponse {
    #[derive(Serialize)]
    struct Sums {
        data: Vec<CurrencyTotals>,
    }
    // The sums are wider than the numbers of `serde_json::Value`, so they are written directly.
    let data = provider.journal.totals();
    HttpResponse::Ok().json(Sums { data })
}

/// Sends the newest event of a record or a dispute again, and reports whether it was accepted.
async fn redeliver(
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let (mut messages, tenant) = provider.journal.messages_of(&id)?;
    let newest = messages.pop().ok_or(Refusal::NoSuchEvent)?;
    let event_id = newest.event_id.clone();
    let delivered = deliver(tenant.as_ref(), vec![newest], &provider).await?;
    Ok(HttpResponse::Ok().json(json!({ "event": event_id, "delivered": delivered })))
}

/// Sends all events of a record or a dispute again, the newest first, and reports whether each was accepted.
async fn redeliver_all(
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let (mut messages, tenant) = provider.journal.messages_of(&id)?;
    if messages.is_empty() {
        return Err(Refusal::NoSuchEvent);
    }
    messages.reverse();
    let event_ids: Vec<String> = messages
        .iter()
        .map(|message| message.event_id.clone())
        .collect();
    let delivered = deliver(tenant.as_ref(), messages, &provider).await?;
    Ok(HttpResponse::Ok().json(json!({ "events": event_ids, "delivered": delivered })))
}

/// Sends these events one after the other, and says whether all were accepted in time.
async fn deliver(
    tenant: Option<&Tenant>,
    messages: Vec<Message>,
    provider: &Provider,
) -> Result<bool, Refusal> {
    if !provider.courier.has_target() {
        return Err(Refusal::NoWebhookTarget);
    }
    let delivery = provider.courier.announce(tenant, messages);
    let delivered = timeout(provider.patience.announcement, delivery).await;
    Ok(matches!(delivered, Ok(Ok(Delivery::Accepted))))
}

async fn no_such_route() -> Result<HttpResponse, Refusal> {
    Err(Refusal::NoSuchRoute)
}
