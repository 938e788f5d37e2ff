//! The routes of disputes. The payer's bank opens a dispute and decides about it, and whoever tests plays the bank; the
//! merchant gives evidence.

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::dispute::DisputeStep;
use crate::order::{DisputeOrder, Evidence};
use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::request::{provider_key, read_body};

/// The routes of disputes.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    service
        .route("/v1/charges/{charge}/disputes", web::post().to(open))
        .route("/v1/disputes/{dispute}", web::get().to(show))
        .route("/v1/disputes/{dispute}/evidence", web::post().to(evidence));
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

/// Takes the evidence of the merchant.
async fn evidence(
    id: web::Path<String>,
    request: HttpRequest,
    payload: Payload,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let key = provider_key(&request)?;
    let body = read_body(payload, &provider.patience).await?;
    let evidence = Evidence::read(id.into_inner(), &body)?;
    let dispute = provider.journal.give_evidence(key, evidence)?;
    Ok(HttpResponse::Ok().json(dispute))
}
