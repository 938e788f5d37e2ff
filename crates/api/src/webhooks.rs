//! `/webhooks/{provider}`: the raw bytes are verified before anything is parsed.

use ::payments::notices::{QuarantineWebhook, ReceiveWebhook, Received};
use ::payments::{JsonError, MalformedEvent, ProviderEvent, WrongField};
use ::webhooks::Event;
use edge::strict_json::{FieldError, Rule};
use edge::{Call, Method, Problem, Response, Right, Shape, headers};
use engine::{Command, Origin, Request};

use crate::server::{Api, Receiver, Routes, Shared};
use crate::{code, render, respond, wire};

/// The largest webhook that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// The name of a provider: any text, since a name that the settings do not have is a 404.
const PROVIDER: Shape = Shape::any_text();

/// The route of webhooks.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("webhooks", "What providers tell us");
    r.open(
        Method::Post,
        "/webhooks/{provider}",
        ["receiveWebhook", "Receives a provider's webhook."],
        receive,
    )
    .may(Right::Write)
    .admit(admit)
    .segment("provider", PROVIDER, "The provider's name in the settings")
    .bytes("The event, byte for byte as it was signed")
    .most(MAX_BYTES)
    .gives::<wire::WebhookReceipt>(200, "Applied, known already, or stored")
    .gives::<wire::WebhookReceipt>(202, "It arrived before its cause and is parked")
    .refuses(
        400,
        "A right signature over something that is not JSON",
        &[code::MALFORMED_JSON],
    )
    .refuses(
        401,
        "The signature was not accepted",
        &[code::SIGNATURE_REFUSED],
    )
    .refuses(415, "A signature must cover the bytes as sent", &[])
    .refuses(
        422,
        "A right signature over JSON that is no event; the field is named",
        &[code::INVALID_FIELD],
    );
}

/// Refuses what nobody could have sent before its body is read.
fn admit(api: &Shared, call: &Call<()>) -> Result<(), Problem> {
    receiver(api, call)?;
    headers::no_content_encoding(&call.headers)
}

fn receiver<'a>(api: &'a Api, call: &Call<()>) -> Result<&'a Receiver, Problem> {
    let receiver = api.receivers.get(call.segment("provider"));
    receiver.ok_or_else(|| Problem::new(code::NOT_FOUND))
}

async fn receive(api: Shared, call: Call<()>) -> Result<Response, Problem> {
    let receiver = receiver(&api, &call)?;
    verify(&api, receiver, &call)?;
    let provider = call.segment("provider").to_owned();
    let origin = Origin {
        kind: "provider",
        id: provider.as_str().into(),
        request: Some(call.request_id),
    };
    match read(&api, &provider, call.body) {
        Read::Event(command) => Ok(receipt(submit(&api, receiver, origin, command).await?)),
        Read::Malformed(command, problem) => {
            submit(&api, receiver, origin, command).await?;
            Err(*problem)
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
    received.ok_or_else(|| Problem::new(code::INTERNAL))
}

/// Accepts the bytes or says no more than that they are not accepted; the log says why.
fn verify(api: &Api, receiver: &Receiver, call: &Call<()>) -> Result<(), Problem> {
    let pairs: Vec<(&str, &[u8])> = call.headers.iter().collect();
    let verdict = webhook_signatures::verify(
        receiver.scheme,
        &receiver.secrets,
        &webhook_signatures::Request {
            headers: &pairs,
            body: &call.body,
        },
        api.engine.clock().now().unix_seconds(),
        receiver.tolerance_seconds,
    );
    match verdict {
        Ok(_verified) => Ok(()),
        Err(refusal) => {
            metrics::counter!("florin_webhooks_refused_total").increment(1);
            tracing::warn!(provider = call.segment("provider"), %refusal, "a webhook was refused");
            Err(Problem::new(code::SIGNATURE_REFUSED))
        }
    }
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
            return Problem::new(code::MALFORMED_JSON).with_detail(format!("The event: {error}."));
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

fn receipt(received: Received) -> Response {
    let (status, word) = match received {
        Received::Applied => (200, "applied"),
        Received::Duplicate => (200, "duplicate"),
        Received::Parked => (202, "parked"),
        Received::Stored => (200, "stored"),
        Received::Quarantined => (200, "quarantined"),
    };
    metrics::counter!("florin_webhooks_total", "status" => word).increment(1);
    Response::json(status, &wire::WebhookReceipt { status: word })
}
