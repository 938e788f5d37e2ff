//! The reading of a delivery whose signature was verified: the events in it, and what each says.

use edge::Problem;
use edge::code;
use edge::strict_json::{FieldError, Rule};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::Timestamp;
use webhook_signatures::adyen_standard::{self, AdyenItem};
use webhook_signatures::{Covers, Identity, Request, Scheme};
use webhooks::Event;

use super::receiver::Receiver;
use super::{QuarantineWebhook, ReceiveWebhook};
use crate::json;
use crate::providers::{About, MalformedEvent, ProviderEvent, WrongField, meaning};
use crate::{Fact, JsonError};

/// Headers that have the type of an event, for providers that write it into no body.
const KIND_HEADERS: [&str; 2] = ["X-GitHub-Event", "X-Shopify-Topic"];
/// Members of a body that have the type of an event.
const KIND_MEMBERS: [&str; 4] = ["type", "event_type", "event", "topic"];
/// Greatest length of a type that is stored, in characters.
const MAX_KIND: usize = 255;

/// The content of a delivery.
pub(super) enum Delivered {
    /// Events.
    Events(Vec<ReceiveWebhook>),
    /// A hint that something has happened to an operation, and what it says of it. Nothing protects what it says.
    Hint(Event, Option<(About, Option<Fact>)>),
    /// Bytes that are no event. They are stored nevertheless.
    Malformed(QuarantineWebhook, Box<Problem>),
}

impl Delivered {
    /// The operation that the delivery is about, as it names it.
    pub(super) fn about(&self) -> Option<&About> {
        match self {
            Self::Events(events) => {
                let mut facts = events.iter().filter_map(|event| event.fact.as_ref());
                facts.next().map(|(about, _)| about)
            }
            Self::Hint(_, hint) => hint.as_ref().map(|(about, _)| about),
            Self::Malformed(..) => None,
        }
    }
}

/// Reads a delivery.
pub(super) fn read(
    receiver: &Receiver,
    name: &str,
    request: &Request<'_>,
    (covers, delivery): (Covers, String),
    now: Timestamp,
) -> Delivered {
    let received = |id: String, kind: String, meaning: Option<[u8; 32]>| Event {
        provider: name.to_owned(),
        id,
        kind,
        reference: None,
        meaning,
        body: request.body.to_vec(),
        delivery: Some(delivery.clone()),
        received_at: now,
    };
    let malformed = |problem: Problem| {
        let event = received(of_bytes(request.body), "malformed".to_owned(), None);
        let reason = "malformed";
        Delivered::Malformed(QuarantineWebhook { event, reason }, Box::new(problem))
    };
    if receiver.setup.scheme() == Scheme::AdyenStandard {
        return match adyen_standard::items(request.body) {
            Ok(items) => {
                Delivered::Events(items.iter().map(|item| adyen(item, &received)).collect())
            }
            Err(refusal) => malformed(
                Problem::new(code::MALFORMED_JSON).with_detail(format!("The event: {refusal}.")),
            ),
        };
    }
    let identities = receiver.setup.identities(request).unwrap_or_default();
    let identity = identities.into_iter().next().unwrap_or(Identity::None);
    if let (Identity::Hint(id), Covers::Nothing) = (&identity, covers) {
        let event = received(of_bytes(request.body), "hint".to_owned(), None);
        return Delivered::Hint(event, id.clone().map(|id| (About::Record(id), None)));
    }
    let read = match receiver.dialect.event(request.body) {
        Err(MalformedEvent::Field(_)) if receiver.only_stored => json::parse(request.body)
            .map(|body| unknown(request, &body))
            .map_err(MalformedEvent::Json),
        read => read,
    };
    let read = match read {
        Ok(read) => read,
        Err(error) => return malformed(refused(error)),
    };
    // A form that is known here has the provider's own id in it. For other forms the scheme knows where the id stands.
    let id = match identity {
        _ if !read.id.is_empty() => read.id,
        Identity::Event(id) => id,
        Identity::Hint(_) | Identity::None => of_bytes(request.body),
    };
    let mut event = received(id, read.kind, Some(read.meaning));
    event.reference = read.fact.as_ref().map(|(about, _)| about.text().to_owned());
    match covers {
        Covers::Body => Delivered::Events(vec![ReceiveWebhook {
            event,
            fact: read.fact,
        }]),
        // What is not signed may be stored, and never moves money.
        Covers::Fields => Delivered::Events(vec![ReceiveWebhook { event, fact: None }]),
        Covers::Checksum | Covers::Nothing => {
            // Other bytes under the same signature are another delivery.
            event.id = of_bytes(request.body);
            Delivered::Hint(event, read.fact.map(|(about, fact)| (about, Some(fact))))
        }
    }
}

/// One item of a notification of Adyen, of which only the signed fields count.
fn adyen(
    item: &AdyenItem,
    received: &impl Fn(String, String, Option<[u8; 32]>) -> Event,
) -> ReceiveWebhook {
    let said = serde_json::json!({
        "psp_reference": item.psp_reference,
        "original_reference": item.original_reference,
        "merchant_account": item.merchant_account_code,
        "merchant_reference": item.merchant_reference,
        "amount": item.value,
        "currency": item.currency,
        "success": item.success,
    });
    let meaning = meaning(&item.event_code, &said);
    let event = received(item.identity(), item.event_code.clone(), Some(meaning));
    ReceiveWebhook { event, fact: None }
}

/// An event in a form that is not known here.
fn unknown(request: &Request<'_>, body: &Value) -> ProviderEvent {
    let in_headers = KIND_HEADERS.iter().find_map(|wanted| {
        let mut headers = request.headers.iter();
        let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        str::from_utf8(value).ok()
    });
    let mut members = KIND_MEMBERS.iter();
    let in_body = || members.find_map(|member| body.get(member).and_then(Value::as_str));
    let kind = in_headers.or_else(in_body);
    let kind = kind.filter(|kind| !kind.is_empty() && !kind.chars().any(char::is_control));
    let kind: String = kind.unwrap_or("unknown").chars().take(MAX_KIND).collect();
    ProviderEvent {
        id: String::new(),
        meaning: meaning(&kind, body),
        kind,
        fact: None,
    }
}

/// A name for a delivery without an id of its own: the hash of its bytes.
fn of_bytes(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
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
