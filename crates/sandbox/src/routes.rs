//! Every URL of the provider, and the function behind it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::charge::{Charge, ChargeStatus, Order, ProviderKey};
use crate::courier::{Courier, Delivery};
use crate::journal::{CallRecord, Journal};
use crate::method::{Announcement, Answer};
use crate::patience::Patience;
use crate::refusal::Refusal;

/// Greatest size of a request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The state that every route needs.
pub(crate) struct Provider {
    pub(crate) journal: Journal,
    pub(crate) courier: Arc<Courier>,
    pub(crate) clock: fn() -> i64,
    pub(crate) patience: Patience,
}

/// The routes.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    service
        .route("/v1/charges", web::post().to(charge))
        .route("/v1/charges", web::get().to(inquire))
        .route("/v1/journal", web::get().to(journal))
        .route("/v1/webhooks/{charge}/redeliver", web::post().to(redeliver))
        .default_service(web::to(no_such_route));
}

/// Plays the script of the payment method, once per provider key.
async fn charge(
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let key = provider_key(&request)?;
    let order = Order::parse(&read_body(payload, &provider.patience).await?)?;
    let script = order.payment_method.script();
    let CallRecord { first, event } = provider.journal.call(key, order, (provider.clock)())?;
    let Some(event) = event else {
        return Ok(silence(&provider.patience).await);
    };
    if !first {
        return Ok(shown(event.charge()));
    }

    let charge = event.charge().clone();
    match script.announcement {
        Announcement::None => {}
        // The task runs on the only thread of this worker: it is first polled after this handler has returned and its
        // reply was handed to the socket.
        Announcement::AfterReply => drop(provider.courier.announce(event, 1)),
        Announcement::TwiceAfterReply => drop(provider.courier.announce(event, 2)),
        Announcement::BeforeReply => {
            let delivery = provider.courier.announce(event, 1);
            if timeout(provider.patience.announcement, delivery)
                .await
                .is_err()
            {
                tracing::info!("the reply no longer waits for the webhook that should go first");
            }
        }
    }
    match script.answer {
        Answer::Charge => Ok(shown(&charge)),
        Answer::ServerError => Err(Refusal::Scripted),
        Answer::Silence => Ok(silence(&provider.patience).await),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inquiry {
    idempotency_key: String,
}

/// Reports the result of a provider key, without any effect.
async fn inquire(request: HttpRequest, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let inquiry = web::Query::<Inquiry>::from_query(request.query_string())
        .map_err(|error| {
            tracing::debug!(%error, "an inquiry that cannot be read");
            Refusal::KeyRequired
        })?
        .into_inner();
    let key = ProviderKey::parse(&inquiry.idempotency_key).ok_or(Refusal::InvalidKey)?;
    let charge = provider
        .journal
        .charge_of(&key)
        .ok_or(Refusal::NoSuchCharge)?;
    Ok(HttpResponse::Ok().json(charge))
}

/// Shows all provider keys with their effects and calls.
async fn journal(provider: Data<Provider>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "data": provider.journal.rows() }))
}

/// Sends the event of a charge again and reports whether it was accepted.
async fn redeliver(
    charge_id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let event = provider
        .journal
        .event_of(&charge_id)
        .ok_or(Refusal::NoSuchCharge)?;
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

/// A charge as the answer to the call that made it, and to any later call.
fn shown(charge: &Charge) -> HttpResponse {
    let status = match charge.status {
        ChargeStatus::Succeeded => StatusCode::OK,
        ChargeStatus::Failed => StatusCode::PAYMENT_REQUIRED,
    };
    HttpResponse::build(status).json(charge)
}

/// Holds the connection open and then closes it without a byte of an answer.
async fn silence(patience: &Patience) -> HttpResponse {
    sleep(patience.hold).await;
    HttpResponse::Ok().body(Cut)
}

/// A body that fails before its first byte. Then the server drops the connection, together with the status line,
/// which is still in the write buffer.
struct Cut;

impl MessageBody for Cut {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
