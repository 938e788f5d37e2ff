//! What others do to a record after the call: the payer acts on a page, the bank decides about a refund or a payout,
//! and the money of a failed charge is taken after all. Whoever tests plays them.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::{self, Data};

use crate::method::{DeclineCode, Outcome, Step};
use crate::provider::Provider;
use crate::record::{Kind, Record};
use crate::refusal::Refusal;

/// The routes of the payer and of the bank.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    let finish =
        |kind, outcome| web::post().to(move |id, provider| finish(kind, outcome, id, provider));
    let declined = Outcome::Declined(DeclineCode::AuthenticationFailed);
    service
        .route("/pay/{charge}", web::get().to(page))
        .route(
            "/pay/{charge}/complete",
            finish(Kind::Charge, Outcome::Approved),
        )
        .route("/pay/{charge}/fail", finish(Kind::Charge, declined))
        .route(
            "/v1/charges/{charge}/succeed-late",
            web::post().to(succeed_late),
        );
    let refund = Kind::Step(Step::Refund);
    for (records, kind, code) in [
        ("refunds", refund, DeclineCode::RefundFailed),
        ("payouts", Kind::Payout, DeclineCode::PayoutFailed),
    ] {
        let of_record = |verb: &str| format!("/v1/{records}/{{record}}/{verb}");
        service
            .route(&of_record("succeed"), finish(kind, Outcome::Approved))
            .route(&of_record("fail"), finish(kind, Outcome::Declined(code)))
            .route(
                &of_record("return"),
                web::post().to(move |id, provider| take_back(kind, id, provider)),
            );
    }
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
    kind: Kind,
    outcome: Outcome,
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let now = (provider.clock)();
    let event = provider.journal.finish(&id, kind, outcome, now)?;
    Ok(provider.told(&event))
}

/// Lets a refund or a payout come back, as if the account of its receiver were closed.
async fn take_back(
    kind: Kind,
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let now = (provider.clock)();
    let event = provider.journal.take_back(&id, kind, now)?;
    Ok(provider.told(&event))
}

/// Lets a failed charge succeed after all, as if the provider had reported the failure too early.
async fn succeed_late(
    id: web::Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, Refusal> {
    let event = provider.journal.succeed_late(&id, (provider.clock)())?;
    Ok(provider.told(&event))
}
