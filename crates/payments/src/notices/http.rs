//! `/webhooks/{provider}` and `/webhooks/{provider}/{account}`: the raw bytes are verified before anything is parsed.

use crash_points::{Point, here};
use edge::{
    Call, Method, Problem, Proof, Response, Right, Route, Routes, Shape, Shared, State, code,
    headers,
};
use engine::{Command, Origin, Request, Tenant};

use super::delivered::{self, Delivered};
use super::fetch;
use super::receiver::Receivers;
use super::{QuarantineWebhook, ReceiveWebhooks, WebhookOutcome, show};
use crate::provider_key::tenant_in;
use crate::providers::About;

/// The largest webhook that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// The name of a provider: any text, since a name that the settings do not have is a 404.
const PROVIDER: Shape = Shape::any_text();

/// The routes of webhooks.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("webhooks", "Webhooks that providers send");
    let of_provider = r.open(
        Method::Post,
        "/webhooks/{provider}",
        ["receiveWebhook", "Receives a provider's webhook."],
        receive,
    );
    described(of_provider);
    let of_account = r.open(
        Method::Post,
        "/webhooks/{provider}/{account}",
        [
            "receiveWebhookOfAccount",
            "Receives a webhook of one of several accounts at a provider.",
        ],
        receive,
    );
    described(of_account).segment("account", PROVIDER, "The account's name in the settings");
}

fn described(route: &mut Route) -> &mut Route {
    route
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
        )
}

/// Refuses a request by its head, before the body is read, if no provider could have sent it.
fn admit(state: &State, call: &Call<()>) -> Result<(), Problem> {
    let receivers: &Receivers = state.part()?;
    receivers.named(call)?;
    headers::no_content_encoding(&call.headers)
}

async fn receive(state: Shared, call: Call<()>) -> Result<Response, Problem> {
    let receivers: &Receivers = state.part()?;
    let (receiver, name) = receivers.named(&call)?;
    let pairs: Vec<(&str, &[u8])> = call.headers.iter().collect();
    let request = webhook_signatures::Request {
        headers: &pairs,
        body: &call.body,
    };
    // Signatures go by the machine's clock, whatever the clock of a tenant says.
    let now = state.engine.clock().now();
    let signed = receiver.verify(&name, &request, now.unix_seconds())?;
    let delivery = receiver.delivery(&call.headers, &signed);
    let read = delivered::read(receiver, &name, &request, (signed.covers, delivery), now);
    let origin = Origin {
        kind: "provider",
        id: name.as_str().into(),
        request: Some(call.request_id),
    };
    let owner = owner(&state, receivers, &read).await?;
    take(
        &state,
        owner.as_ref().unwrap_or(&receiver.tenant),
        origin,
        read,
        false,
    )
    .await
}

/// Submits what was delivered. `again` is true if it was received before.
pub(super) async fn take(
    state: &State,
    tenant: &Tenant,
    origin: Origin,
    read: Delivered,
    again: bool,
) -> Result<Response, Problem> {
    match read {
        Delivered::Events(mut events) => {
            let now = state.engine.clock().now_of(tenant.id);
            events
                .iter_mut()
                .for_each(|one| one.event.received_at = now);
            let command = ReceiveWebhooks { events, again };
            submit(state, tenant, origin, command).await.map(receipt)
        }
        Delivered::Hint(mut event, hint) => {
            event.received_at = state.engine.clock().now_of(tenant.id);
            let fetched = fetch::fetched(state, tenant, event.clone(), hint).await?;
            let events = vec![fetched.event];
            let command = ReceiveWebhooks { events, again };
            let received = submit(state, tenant, origin.clone(), command).await?;
            if !fetched.is_contradicted {
                return Ok(receipt(received));
            }
            let reason = "the provider says otherwise";
            let command = QuarantineWebhook { event, reason };
            submit(state, tenant, origin, command).await.map(receipt)
        }
        Delivered::Malformed(command, problem) => {
            submit(state, tenant, origin, command).await?;
            Err(*problem)
        }
    }
}

/// The tenant that a delivery is about, if it names one that these books have.
async fn owner(
    state: &State,
    receivers: &Receivers,
    read: &Delivered,
) -> Result<Option<Tenant>, Problem> {
    let named = match read.about() {
        Some(About::Key(key)) => tenant_in(key),
        Some(About::Record(_)) | None => None,
    };
    match named {
        Some(id) => receivers.tenant(state, id).await,
        None => Ok(None),
    }
}

async fn submit<C>(
    state: &State,
    tenant: &Tenant,
    origin: Origin,
    command: C,
) -> Result<WebhookOutcome, Problem>
where
    C: Command<Done = WebhookOutcome>,
{
    let request = Request::of_system(tenant.clone(), "webhooks", command);
    here(Point::WebhookBefore);
    let outcome = state.engine.submit(Request { origin, ..request }).await;
    here(Point::WebhookAfter);
    let received = outcome.map_err(edge::respond::lane_error)?.done();
    received.ok_or_else(|| Problem::new(code::INTERNAL))
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
