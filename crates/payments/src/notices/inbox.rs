//! `/v1/webhook_events`: what was received, whether it had an effect or not.

use edge::cursor::Cursor;
use edge::query::{PageQuery, Query};
use edge::strict_json::{BrokenRule, Slot};
use edge::{Call, KeyRule, Problem, Response, Right, Routes, Shared, State, code, page};
use engine::{Origin, Tenant};
use serde_json::Value;
use text::Identifier;
use webhooks::{EventId, Filter, Listed, Standing};

use super::codes::CANNOT_REPROCESS;
use super::delivered;
use super::receiver::Receivers;
use super::{http, show};
use crate::provider_key::provider_key;
use crate::{OperationId, answers, shapes};

/// A text that a list is searched for.
type Searched = Identifier<255>;

/// The routes of the inbox.
pub(super) fn routes(r: &mut Routes) {
    r.get(
        "/v1/webhook_events",
        "listWebhookEvents",
        "Lists the events that providers have sent, newest first.",
        list,
    )
    .more("Events that wait for their cause are `parked`; after 30 days, or what the settings say, they are `dead`. What cannot be right is `quarantined`. The list shows no headers and no bodies.")
    .asks(|query| drop(wanted(query)))
    .gives_page::<show::WebhookEvent>("A page of events");
    r.get(
        "/v1/webhook_events/{id}",
        "getWebhookEvent",
        "Reads one event, with its headers and its body.",
        |state, call| answers::one(state, call, webhooks::one, show::whole),
    )
    .segment("id", shapes::WebhookEventId::SHAPE, "whe_…")
    .gives::<show::WebhookEvent>(200, "The event")
    .refuses(404, "No such event", &[]);
    r.post(
        "/v1/webhook_events/{id}/reprocess",
        "reprocessWebhookEvent",
        "Tries an event again that had no effect.",
        reprocess,
    )
    .more("The stored bytes are read again as they would be read today. An event that had its effect changes nothing: the answer is `duplicate`.")
    .segment("id", shapes::WebhookEventId::SHAPE, "whe_…")
    .key(KeyRule::None)
    .may(Right::Admin)
    .gives::<show::WebhookReceipt>(200, "The outcome")
    .gives::<show::WebhookReceipt>(202, "The cause is still not there")
    .refuses(404, "No such event", &[])
    .refuses(
        409,
        "The provider is not in the settings, or the bytes were removed",
        &[CANNOT_REPROCESS],
    );
}

/// The parameters of the list: what the events have, and the page.
fn wanted(query: &mut Query) -> Slot<(Asked, PageQuery)> {
    let text = |text: &str| Searched::parse(text).map(String::from);
    let standing = |text: &str| {
        let detail = "it is applied, parked, stored, dead or quarantined";
        Standing::from_name(text).ok_or_else(|| BrokenRule::new("unknown_value", &detail))
    };
    let operation = |text: &str| {
        let detail = "an operation is op_ and 32 hexadecimal digits";
        text.parse::<OperationId>()
            .map_err(|_malformed| BrokenRule::new("malformed_id", &detail))
    };
    let asked = Slot::together((
        query.optional(
            "status",
            shapes::WebhookEventStatus::SHAPE,
            "Only events with this status",
            standing,
        ),
        query.optional(
            "provider",
            shapes::ShortText::SHAPE,
            "Only events of this provider",
            text,
        ),
        query.optional(
            "type",
            shapes::ShortText::SHAPE,
            "Only events of this type, as the provider calls it",
            text,
        ),
        query.optional(
            "event_id",
            shapes::ShortText::SHAPE,
            "Only events with this id of the provider",
            text,
        ),
        query.optional(
            "operation",
            shapes::OperationId::SHAPE,
            "op_…: only events about this operation",
            operation,
        ),
    ));
    let asked = asked.map(|(standing, provider, kind, event_id, operation)| Asked {
        filter: Filter {
            standing,
            provider,
            kind,
            event_id,
            reference: None,
        },
        operation,
    });
    Slot::together((asked, query.page()))
}

/// The filter of a list as it is asked for: an operation is named by its id.
struct Asked {
    filter: Filter,
    operation: Option<OperationId>,
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (asked, wanted) = call.query.ask(wanted)?;
    let mut filter = asked.filter;
    filter.reference = asked.operation.map(|id| provider_key(tenant, id));
    let before = wanted.cursor.map(|cursor| EventId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found =
        state.read(move |connection| webhooks::list(connection, tenant, &filter, before, more));
    let cursor = |event: &Listed| Cursor {
        id: event.id.bytes(),
        position: None,
    };
    let page = page(found.await?, &wanted, show::listed, cursor);
    Ok(Response::json(200, &page))
}

async fn reprocess(state: Shared, call: Call) -> Result<Response, Problem> {
    let id: EventId = call.named("id", code::NOT_FOUND)?;
    let origin = Origin {
        kind: "api_key",
        id: call.caller.label,
        request: Some(call.request_id),
    };
    reprocess_event(&state, &call.caller.tenant, id, origin).await
}

/// Tries an event of a tenant again. The state has the receivers as a part.
///
/// # Errors
/// A 404 if there is no such event, a 409 if it cannot be tried again, and what the receiving of it may answer.
pub async fn reprocess_event(
    state: &State,
    tenant: &Tenant,
    id: EventId,
    origin: Origin,
) -> Result<Response, Problem> {
    let of = tenant.id;
    let found = state.read(move |connection| webhooks::one(connection, of, id));
    let event = found.await?.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let cannot = |detail: &str| Problem::new(CANNOT_REPROCESS).with_detail(detail.to_owned());
    let receivers: &Receivers = state.part()?;
    let receiver = receivers.get(&event.provider);
    let receiver =
        receiver.ok_or_else(|| cannot("No webhook secret of the provider is in the settings."))?;
    let body = event.body.as_deref();
    let body = body.ok_or_else(|| cannot("The bytes were removed when their time was over."))?;
    let delivery = event.delivery.clone().unwrap_or_default();
    let headers = headers(&delivery);
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = webhook_signatures::Request {
        headers: &headers,
        body,
    };
    // The signature was verified when the event arrived.
    let covers = receiver.covered(&delivery);
    let now = state.engine.clock().now();
    let delivered = (covers, delivery);
    let read = delivered::read(receiver, &event.provider, &request, delivered, now);
    http::take(state, tenant, origin, read, true).await
}

/// The headers of a delivery. One whose value was not stored is left out.
fn headers(delivery: &str) -> Vec<(String, String)> {
    let read: Value = serde_json::from_str(delivery).unwrap_or_default();
    let headers = read.get("headers").and_then(Value::as_array);
    let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
    let headers = headers.map(Vec::as_slice).unwrap_or_default().iter();
    headers
        .filter_map(|pair| Some((text(pair.get(0))?, text(pair.get(1))?)))
        .collect()
}
