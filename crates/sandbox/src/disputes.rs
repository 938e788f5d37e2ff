//! The routes of disputes. The payer's bank opens a dispute and decides about it, and whoever tests plays the bank; the
//! merchant gives evidence.

use std::sync::Arc;

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use faults::Operation;
use serde::Serialize;

use crate::dispute::{Dispute, DisputeStep};
use crate::event::Event;
use crate::order::{DisputeOrder, Evidence, ProviderKey};
use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::request::{inquired_key, provider_key, read_body, tenant};
use crate::scripted::scripted;

/// The routes of disputes.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    service
        .route("/v1/charges/{charge}/disputes", web::post().to(open))
        .route("/v1/disputes/{dispute}", web::get().to(show))
        .route("/v1/disputes/{dispute}/evidence", web::post().to(evidence))
        .route("/v1/evidence", web::get().to(inquire));
    for step in DisputeStep::ALL {
        service.route(
            &format!("/v1/disputes/{{dispute}}/{}", step.verb()),
            web::post().to(move |id, provider| take_step(step, id, provider)),
        );
    }
}

/// Opens a dispute of a charge.
async fn open(
    charge: web::Path<String>,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let order = DisputeOrder::read(&read_body(payload, &provider.patience).await?)?;
    let now = (provider.clock)();
    let event = provider.journal.open_dispute(&charge, order, now)?;
    Ok(provider.told(&event))
}

/// Shows a dispute as it is now.
async fn show(id: web::Path<String>, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    Ok(HttpResponse::Ok().json(provider.journal.dispute(&id)?))
}

/// Takes a step of the bank.
async fn take_step(
    step: DisputeStep,
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let now = (provider.clock)();
    let event = provider.journal.move_dispute(&id, step, now)?;
    Ok(provider.told(&event))
}

/// Takes the evidence of the merchant, with the faults that are scripted for it.
async fn evidence(
    id: web::Path<String>,
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let (desk, tenant) = (Arc::clone(&provider.faults), tenant(&request)?);
    let call = take_evidence(id, request, payload, provider);
    scripted(&desk, tenant.as_ref(), Operation::Evidence, call).await
}

async fn take_evidence(
    id: web::Path<String>,
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let key = provider_key(&request)?;
    let body = read_body(payload, &provider.patience).await?;
    let evidence = Evidence::read(id.into_inner(), &body)?;
    let now = (provider.clock)();
    let dispute = provider.journal.dispute(&evidence.dispute)?;
    let tenant = provider.journal.tenant_of(&dispute.charge_key);
    let given = provider.journal.give_evidence(key.clone(), evidence, now)?;
    let messages: Vec<_> = given.events.iter().map(Event::message).collect();
    if !messages.is_empty() {
        drop(provider.courier.announce(tenant.as_ref(), messages));
    }
    if given.is_answered {
        Ok(answer(&given.dispute, &key))
    } else {
        Err(Refusal::Scripted)
    }
}

/// Reports the dispute for which a key has given evidence.
async fn inquire(request: HttpRequest, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let (desk, tenant) = (Arc::clone(&provider.faults), tenant(&request)?);
    let call = async move {
        let key = inquired_key(&request)?;
        let dispute = provider.journal.answered_dispute(&key)?;
        Ok(answer(&dispute, &key))
    };
    scripted(&desk, tenant.as_ref(), Operation::Inquiry, call).await
}

/// The answer to evidence: the dispute, with the key under which the evidence was taken.
fn answer(dispute: &Dispute, key: &ProviderKey) -> HttpResponse {
    #[derive(Serialize)]
    struct Answer<'a> {
        #[serde(flatten)]
        dispute: &'a Dispute,
        idempotency_key: &'a ProviderKey,
    }
    HttpResponse::Ok().json(Answer {
        dispute,
        idempotency_key: key,
    })
}
