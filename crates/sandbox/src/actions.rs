//! What others do to a record after the call: the payer acts on a page, and the bank decides about a refund. Whoever
//! tests plays both.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::{self, Data};

use crate::method::{DeclineCode, Outcome, Step};
use crate::provider::Provider;
use crate::record::{Event, Record};
use crate::refusal::Refusal;

/// The routes of the payer and of the bank.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    let finish =
        |step, outcome| web::post().to(move |id, provider| finish(step, outcome, id, provider));
    let declined = Outcome::Declined(DeclineCode::AuthenticationFailed);
    let failed = Outcome::Declined(DeclineCode::RefundFailed);
    let refund = Some(Step::Refund);
    service
        .route("/pay/{charge}", web::get().to(page))
        .route("/pay/{charge}/complete", finish(None, Outcome::Approved))
        .route("/pay/{charge}/fail", finish(None, declined))
        .route(
            "/v1/refunds/{refund}/succeed",
            finish(refund, Outcome::Approved),
        )
        .route("/v1/refunds/{refund}/fail", finish(refund, failed))
        .route("/v1/refunds/{refund}/return", web::post().to(take_back));
}

/// Shows the page on which the payer acts.
async fn page(id: web::Path<String>, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let charge = provider.journal.waiting_charge(&id)?;
    Ok(HttpResponse::Ok()
        .content_type(ContentType::html())
        .body(html(&charge)))
}

/// The page. Its texts need no escapes: the provider made the id, and the currency is a code that it knows.
fn html(charge: &Record) -> String {
    let Record {
        id,
        amount,
        currency,
        ..
    } = charge;
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <meta charset=\"utf-8\">\n\
         <title>Sandbox payment</title>\n\
         <h1>Sandbox payment</h1>\n\
         <p>Charge {id}: {amount} minor units of {currency}.</p>\n\
         <form method=\"post\" action=\"/pay/{id}/complete\"><button>Complete</button></form>\n\
         <form method=\"post\" action=\"/pay/{id}/fail\"><button>Fail</button></form>\n\
         </html>\n"
    )
}

/// Gives an open record its outcome.
async fn finish(
    step: Option<Step>,
    outcome: Outcome,
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let event = provider
        .journal
        .finish(&id, step, outcome, (provider.clock)())?;
    Ok(told(event, &provider))
}

/// Lets a refund come back, as if the payer's account were closed.
async fn take_back(
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let event = provider.journal.take_back(&id, (provider.clock)())?;
    Ok(told(event, &provider))
}

/// Sends the event after the reply, which shows its record.
fn told(event: Event, provider: &Provider) -> HttpResponse {
    let reply = HttpResponse::Ok().json(event.record());
    drop(provider.courier.announce(event, 1));
    reply
}
