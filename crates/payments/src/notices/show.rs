//! The answers about webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edge::reply::moment;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use webhooks::Listed;

use crate::shapes::*;

/// The outcome of a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookReceipt {
    /// `applied`, `duplicate`, `parked`, `stored` or `quarantined`.
    #[schema(value_type = ReceiptStatus)]
    pub status: &'static str,
}

/// An event that a provider has sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEvent {
    /// `whe_…`. It has the millisecond of arrival.
    #[schema(value_type = WebhookEventId)]
    pub id: String,
    /// Always `webhook_event`.
    pub object: &'static str,
    /// Name of the provider in the settings; for one of several accounts, `PROVIDER/ACCOUNT`.
    pub provider: String,
    /// The provider's own id for the event, by which a repetition is known. If it has none, one is made here.
    pub event_id: String,
    /// The provider's name for the type; null if nobody could read it.
    #[serde(rename = "type")]
    #[schema(required)]
    pub kind: Option<String>,
    /// What became of the event.
    #[schema(value_type = WebhookEventStatus)]
    pub status: &'static str,
    /// The reason why the event cannot be right, if it is quarantined.
    #[schema(required)]
    pub reason: Option<String>,
    /// The provider key or the provider's reference that the event is about.
    #[schema(required)]
    pub reference: Option<String>,
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub body_sha256: String,
    /// When the event arrived first.
    #[schema(value_type = Moment)]
    pub received_at: String,
    /// How the event was delivered. Lists leave it away; it is absent too if it was not stored, or was removed with the
    /// bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery: Option<Delivery>,
    /// The bytes, if they are text. Lists leave them away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub body: Option<String>,
    /// The bytes in base64, if they are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub body_base64: Option<String>,
}

/// How an event was delivered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// The scheme of the signature, which was right.
    pub scheme: String,
    /// How much of the body the signature covers: `body`, `fields`, `checksum` or `nothing`.
    pub covers: String,
    /// The time of signing, in seconds since 1970; null if the scheme has none.
    #[schema(required)]
    pub signed_at: Option<i64>,
    /// The headers, in their order.
    pub headers: Vec<DeliveryHeader>,
}

/// A header of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryHeader {
    /// The name, in lower case.
    pub name: String,
    /// The value; null if it opens a door and is therefore not stored.
    #[schema(required)]
    pub value: Option<String>,
}

/// An event in a list.
#[must_use]
pub fn listed(event: &Listed) -> WebhookEvent {
    WebhookEvent {
        id: event.id.to_string(),
        object: "webhook_event",
        provider: event.provider.clone(),
        event_id: event.event_id.clone(),
        kind: event.kind.clone(),
        status: event.standing.name(),
        reason: event.reason.clone(),
        reference: event.reference.clone(),
        body_sha256: hex::encode(&event.body_hash),
        received_at: moment(event.received_at),
        delivery: None,
        body: None,
        body_base64: None,
    }
}

/// An event with its headers and its bytes.
#[must_use]
pub fn whole(event: &Listed) -> WebhookEvent {
    let bytes = event.body.as_deref();
    let text = bytes.and_then(|bytes| str::from_utf8(bytes).ok());
    let base64 = bytes.filter(|_| text.is_none());
    WebhookEvent {
        delivery: event.delivery.as_deref().and_then(delivery),
        body: text.map(str::to_owned),
        body_base64: base64.map(|bytes| STANDARD.encode(bytes)),
        ..listed(event)
    }
}

fn delivery(stored: &str) -> Option<Delivery> {
    let read: Value = serde_json::from_str(stored).ok()?;
    let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
    let headers = read.get("headers").and_then(Value::as_array)?.iter();
    let headers = headers.filter_map(|pair| {
        Some(DeliveryHeader {
            name: text(pair.get(0))?,
            value: text(pair.get(1)),
        })
    });
    Some(Delivery {
        scheme: text(read.get("scheme"))?,
        covers: text(read.get("covers"))?,
        signed_at: read.get("signed_at").and_then(Value::as_i64),
        headers: headers.collect(),
    })
}
