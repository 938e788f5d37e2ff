//! `/webhooks/{provider}`: the raw bytes are verified before anything is parsed.

use std::collections::HashMap;
use std::sync::Arc;

use crash_points::{Point, here};
use edge::strict_json::{FieldError, Rule};
use edge::{
    Call, Method, Problem, Proof, Response, Right, Routes, Shape, Shared, Signature, State, code,
    headers,
};
use engine::{Command, Origin, Request, Tenant};
use webhook_signatures::{Covers, Secret, Setup, SignedData};
use webhooks::Event;

use super::{QuarantineWebhook, ReceiveWebhook, WebhookOutcome, show};
use crate::JsonError;
use crate::providers::{Dialect, MalformedEvent, WrongField};

/// The largest webhook that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// The name of a provider: any text, since a name that the settings do not have is a 404.
const PROVIDER: Shape = Shape::any_text();

/// The schemes in which webhooks are signed, for the description. Two have no header of a fixed name: the signatures of
/// `adyen-standard` stand in the body, and the settings name the header of `generic`.
pub const SIGNATURES: &[Signature] = &[
    Signature {
        name: "stripe_signature",
        header: "Stripe-Signature",
        says: "The scheme `stripe`: `t=…,v1=…`, a signature over the time and the body",
    },
    Signature {
        name: "standard_webhooks_signature",
        header: "webhook-signature",
        says: "The schemes `standard-webhooks` (HMAC) and `standard-webhooks-v1a` (Ed25519): a signature over `webhook-id`, `webhook-timestamp` and the body",
    },
    Signature {
        name: "svix_signature",
        header: "svix-signature",
        says: "The scheme `svix`: a signature over `svix-id`, `svix-timestamp` and the body",
    },
    Signature {
        name: "github_signature",
        header: "X-Hub-Signature-256",
        says: "The scheme `github`: `sha256=…`, a signature over the body",
    },
    Signature {
        name: "shopify_signature",
        header: "X-Shopify-Hmac-Sha256",
        says: "The scheme `shopify`: a signature over the body",
    },
    Signature {
        name: "square_signature",
        header: "x-square-hmacsha256-signature",
        says: "The scheme `square`: a signature over the URL of the webhook and the body",
    },
    Signature {
        name: "paddle_signature",
        header: "Paddle-Signature",
        says: "The scheme `paddle`: `ts=…;h1=…`, a signature over the time and the body",
    },
    Signature {
        name: "adyen_platform_signature",
        header: "HmacSignature",
        says: "The scheme `adyen-platform`: a signature over the body. In the scheme `adyen-standard` the signatures stand in the body",
    },
    Signature {
        name: "checkout_com_signature",
        header: "Cko-Signature",
        says: "The scheme `checkout.com`: a signature over the body",
    },
    Signature {
        name: "paypal_signature",
        header: "PAYPAL-TRANSMISSION-SIG",
        says: "The scheme `paypal`: a signature over the other `PAYPAL-TRANSMISSION-*` headers and a checksum of the body",
    },
    Signature {
        name: "mollie_signature",
        header: "X-Mollie-Signature",
        says: "The scheme `mollie`: `sha256=…`, a signature over the body",
    },
    Signature {
        name: "hyperswitch_signature",
        header: "x-webhook-signature-512",
        says: "The scheme `hyperswitch`: a signature over the body",
    },
    Signature {
        name: "column_signature",
        header: "Column-Signature",
        says: "The scheme `column`: a signature over the body",
    },
    Signature {
        name: "http_message_signature",
        header: "Signature",
        says: "The scheme `rfc9421-hmac-sha256`: a signature over the parts that `Signature-Input` names",
    },
];

/// How the webhooks of a provider are verified and read, and the tenant that they belong to.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The tenant whose payments they are about.
    pub tenant: Tenant,
    /// The dialect in which they are read.
    pub dialect: Arc<dyn Dialect>,
    /// The scheme of their signatures, with what it needs besides a secret.
    pub setup: Setup,
    /// The valid secrets. While one is being replaced, these are the old and the new one.
    pub secrets: Vec<Secret>,
}

/// The providers that may send webhooks, by name.
#[derive(Debug, Clone, Default)]
pub struct Receivers(pub HashMap<String, Receiver>);

/// The route of webhooks.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("webhooks", "Webhooks that providers send");
    r.open(
        Method::Post,
        "/webhooks/{provider}",
        ["receiveWebhook", "Receives a provider's webhook."],
        receive,
    )
    .wants(Proof::Signature)
    .may(Right::Write)
    .admit(admit)
    .segment("provider", PROVIDER, "The provider's name in the settings")
    .bytes("The event, byte for byte as it was signed")
    .max_body(MAX_BYTES)
    .gives::<show::WebhookReceipt>(
        200,
        "The event was applied, was known already, or was stored",
    )
    .gives::<show::WebhookReceipt>(202, "The event arrived before its cause, and is parked")
    .refuses(
        400,
        "The signature is right, but the body is not JSON",
        &[code::MALFORMED_JSON],
    )
    .refuses(
        401,
        "The signature was not accepted",
        &[code::SIGNATURE_REFUSED],
    )
    .refuses(
        415,
        "The body has a `Content-Encoding`. A signature must cover the bytes as they are sent",
        &[],
    )
    .refuses(
        422,
        "The signature is right, but the JSON is not an event. The wrong field is named",
        &[code::INVALID_FIELD],
    );
}

/// Refuses a request by its head, before the body is read, if no provider could have sent it.
fn admit(state: &State, call: &Call<()>) -> Result<(), Problem> {
    receiver(state, call)?;
    headers::no_content_encoding(&call.headers)
}

fn receiver<'s>(state: &'s State, call: &Call<()>) -> Result<&'s Receiver, Problem> {
    let receivers: &Receivers = state.part()?;
    let receiver = receivers.0.get(call.segment("provider"));
    receiver.ok_or_else(|| Problem::new(code::NOT_FOUND))
}

async fn receive(state: Shared, call: Call<()>) -> Result<Response, Problem> {
    let receiver = receiver(&state, &call)?;
    let signed = verify(&state, receiver, &call)?;
    let provider = call.segment("provider").to_owned();
    let origin = Origin {
        kind: "provider",
        id: provider.as_str().into(),
        request: Some(call.request_id),
    };
    match read(&state, receiver, &provider, call.body, signed.covers) {
        Read::Event(command) => Ok(receipt(submit(&state, receiver, origin, command).await?)),
        Read::Malformed(command, problem) => {
            submit(&state, receiver, origin, command).await?;
            Err(*problem)
        }
    }
}

async fn submit<C>(
    state: &State,
    receiver: &Receiver,
    origin: Origin,
    command: C,
) -> Result<WebhookOutcome, Problem>
where
    C: Command<Done = WebhookOutcome>,
{
    let request = Request::of_system(receiver.tenant.clone(), "webhooks", command);
    here(Point::WebhookBefore);
    let outcome = state.engine.submit(Request { origin, ..request }).await;
    here(Point::WebhookAfter);
    let received = outcome.map_err(edge::respond::lane_error)?.done();
    received.ok_or_else(|| Problem::new(code::INTERNAL))
}

/// Verifies the signature. The answer to a wrong one does not tell the reason; the log does.
fn verify(state: &State, receiver: &Receiver, call: &Call<()>) -> Result<SignedData, Problem> {
    let pairs: Vec<(&str, &[u8])> = call.headers.iter().collect();
    let request = webhook_signatures::Request {
        headers: &pairs,
        body: &call.body,
    };
    let now = state.engine.clock().now().unix_seconds();
    let verdict = receiver.setup.verify(&receiver.secrets, &request, now);
    match verdict {
        Ok(signed) => Ok(signed),
        Err(refusal) => {
            metrics::counter!("florin_webhooks_refused_total").increment(1);
            tracing::warn!(provider = call.segment("provider"), %refusal, "a webhook was refused");
            Err(Problem::new(code::SIGNATURE_REFUSED))
        }
    }
}

/// The command that follows from the bytes.
enum Read {
    Event(ReceiveWebhook),
    /// Bytes that are no event are stored nevertheless.
    Malformed(QuarantineWebhook, Box<Problem>),
}

fn read(state: &State, receiver: &Receiver, provider: &str, body: Vec<u8>, covers: Covers) -> Read {
    let event = |id: String, kind: String, reference: Option<String>| Event {
        provider: provider.to_owned(),
        id,
        kind,
        reference,
        body: body.clone(),
        received_at: state.engine.clock().now(),
    };
    match receiver.dialect.event(&body) {
        Ok(read) => {
            let reference = read.fact.as_ref().map(|(about, _)| about.text().to_owned());
            let event = event(read.id, read.kind, reference);
            // What is not signed may be stored, and never moves money.
            let fact = match covers {
                Covers::Body => read.fact,
                Covers::Fields | Covers::Checksum | Covers::Nothing => None,
            };
            Read::Event(ReceiveWebhook { event, fact })
        }
        Err(malformed) => {
            let mut nameless = event(String::new(), "malformed".to_owned(), None);
            nameless.id = format!("sha256:{}", hex::encode(nameless.body_hash()));
            let command = QuarantineWebhook { event: nameless };
            Read::Malformed(command, Box::new(refused(malformed)))
        }
    }
}

/// The problem of bytes that are no event: a 400 if they are not JSON, and otherwise a 422 that names the
/// field.
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

fn receipt(received: WebhookOutcome) -> Response {
    let (status, word) = match received {
        WebhookOutcome::Applied => (200, "applied"),
        WebhookOutcome::Duplicate => (200, "duplicate"),
        WebhookOutcome::Parked => (202, "parked"),
        WebhookOutcome::Stored => (200, "stored"),
        WebhookOutcome::Quarantined => (200, "quarantined"),
    };
    metrics::counter!("florin_webhooks_total", "status" => word).increment(1);
    Response::json(status, &show::WebhookReceipt { status: word })
}
