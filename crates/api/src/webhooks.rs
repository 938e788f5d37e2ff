//! `/webhooks/{provider}`: the raw bytes are verified before anything is parsed.

use ::payments::notices::{QuarantineWebhook, ReceiveWebhook, Received};
use ::payments::{JsonError, MalformedEvent, ProviderEvent, WrongField};
use ::webhooks::Event;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use engine::{Command, Origin, Request};

use crate::problem::{Code, Problem};
use crate::request::{RequestId, answer, body};
use crate::server::{Api, Receiver};
use crate::strict_json::{FieldError, Rule};
use crate::{headers, render, respond, wire};

/// The largest webhook that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Receives a provider's webhook.
#[utoipa::path(
    post, path = "/webhooks/{provider}", tag = "webhooks", operation_id = "receiveWebhook",
    params(("provider" = String, Path, description = "The provider's name in the settings")),
    request_body(content = String, description = "The event, byte for byte as it was signed", content_type = "application/json"),
    responses(
        (status = 200, description = "Applied, known already, or stored", body = wire::WebhookReceipt),
        (status = 202, description = "It arrived before its cause and is parked", body = wire::WebhookReceipt),
        (status = 400, description = "A right signature over something that is not JSON"),
        (status = 401, description = "The signature was not accepted"),
        (status = 415, description = "A signature must cover the bytes as sent"),
        (status = 422, description = "A right signature over JSON that is no event; the field is named"),
    )
)]
pub(crate) async fn receive(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    provider: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let receiver = api.receivers.get(provider.as_str());
        let receiver = receiver.ok_or_else(|| Problem::new(Code::NotFound))?;
        headers::no_content_encoding(request.headers())?;
        let bytes = body(&request, payload, MAX_BYTES).await?;
        verify(&api, receiver, &provider, &request, &bytes)?;
        let origin = Origin {
            kind: "provider",
            id: provider.as_str().into(),
            request: Some(RequestId::of(&request)),
        };
        match read(&api, &provider, bytes.to_vec()) {
            Read::Event(command) => receipt(submit(&api, receiver, origin, command).await?),
            Read::Malformed(command, problem) => {
                submit(&api, receiver, origin, command).await?;
                Err(*problem)
            }
        }
    })
    .await
}

/// Accepts the bytes or says no more than that they are not accepted; the log says why.
fn verify(
    api: &Api,
    receiver: &Receiver,
    provider: &str,
    request: &HttpRequest,
    bytes: &[u8],
) -> Result<(), Problem> {
    let pairs: Vec<(&str, &[u8])> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let verdict = webhook_signatures::verify(
        receiver.scheme,
        &receiver.secrets,
        &webhook_signatures::Request {
            headers: &pairs,
            body: bytes,
        },
        api.engine.clock().now().unix_seconds(),
        receiver.tolerance_seconds,
    );
    match verdict {
        Ok(_verified) => Ok(()),
        Err(refusal) => {
            metrics::counter!("florin_webhooks_refused_total").increment(1);
            tracing::warn!(provider, %refusal, "a webhook was refused");
            Err(Problem::new(Code::SignatureRefused))
        }
    }
}

async fn submit<C>(
    api: &Api,
    receiver: &Receiver,
    origin: Origin,
    command: C,
) -> Result<Received, Problem>
where
    C: Command<Done = Received>,
{
    let request = Request::of_system(receiver.tenant.clone(), "webhooks", command);
    let outcome = api.engine.submit(Request { origin, ..request }).await;
    let received = outcome.map_err(respond::lane_error)?.done();
    received.ok_or_else(|| Problem::new(Code::Internal))
}

/// The command that the bytes lead to.
enum Read {
    Event(ReceiveWebhook),
    /// Bytes that are no event are kept all the same.
    Malformed(QuarantineWebhook, Box<Problem>),
}

fn read(api: &Api, provider: &str, body: Vec<u8>) -> Read {
    let event = |id: String, kind: String, reference: Option<String>| Event {
        provider: provider.to_owned(),
        id,
        kind,
        reference,
        body: body.clone(),
        received_at: api.engine.clock().now(),
    };
    match ProviderEvent::read(&body) {
        Ok(read) => {
            let reference = read
                .fact
                .as_ref()
                .map(|(provider_key, _)| provider_key.clone());
            let event = event(read.id, read.kind, reference);
            Read::Event(ReceiveWebhook {
                event,
                fact: read.fact,
                show: render::payment_reply,
            })
        }
        Err(malformed) => {
            let mut nameless = event(String::new(), "malformed".to_owned(), None);
            nameless.id = format!("sha256:{}", hex::encode(nameless.body_hash()));
            let command = QuarantineWebhook { event: nameless };
            Read::Malformed(command, Box::new(refused(malformed)))
        }
    }
}

/// Bytes that are not JSON are a 400; JSON that is no event is a 422 which names the field, as everywhere.
fn refused(malformed: MalformedEvent) -> Problem {
    let (pointer, code, detail) = match malformed {
        MalformedEvent::Json(error @ JsonError::Malformed(_)) => {
            return Problem::new(Code::MalformedJson).with_detail(format!("The event: {error}."));
        }
        MalformedEvent::Json(JsonError::DuplicateKey { pointer }) => {
            let rule = Rule::DuplicateKey;
            (pointer, rule.code(), rule.to_string())
        }
        MalformedEvent::Field(WrongField {
            pointer,
            code,
            detail,
        }) => (pointer, code, detail),
    };
    Problem::invalid_fields(vec![FieldError {
        pointer,
        code,
        detail,
    }])
}

fn receipt(received: Received) -> Result<HttpResponse, Problem> {
    let (status, word) = match received {
        Received::Applied => (StatusCode::OK, "applied"),
        Received::Duplicate => (StatusCode::OK, "duplicate"),
        Received::Parked => (StatusCode::ACCEPTED, "parked"),
        Received::Stored => (StatusCode::OK, "stored"),
        Received::Quarantined => (StatusCode::OK, "quarantined"),
    };
    metrics::counter!("florin_webhooks_total", "status" => word).increment(1);
    Ok(respond::json(
        status,
        &wire::WebhookReceipt { status: word },
    ))
}
