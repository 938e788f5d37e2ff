//! The routes of settlements. The merchant, who tests, says when the provider settles.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde_json::json;

use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::settlement::{Settlement, statements};

/// The routes.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    service
        .route("/v1/settlements", web::post().to(settle))
        .route("/v1/settlements", web::get().to(list))
        .route("/v1/settlements/{id}/report", web::get().to(report))
        .route("/v1/bank/statement", web::get().to(statement));
}

/// Settles everything that is not settled yet.
async fn settle(provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let made = provider.journal.settle((provider.clock)())?;
    Ok(HttpResponse::Ok().json(made.shown()))
}

/// Shows all settlements, the oldest first.
async fn list(provider: Data<Provider>) -> HttpResponse {
    let all = provider.journal.settlements();
    let shown: Vec<_> = all.iter().map(Settlement::shown).collect();
    HttpResponse::Ok().json(json!({ "data": shown }))
}

/// The report of one settlement, or of all, as CSV.
async fn report(id: web::Path<String>, provider: Data<Provider>) -> Result<HttpResponse, Refusal> {
    let all = provider.journal.settlements();
    let own = all.iter().find(|settlement| settlement.id == *id);
    let own = own.ok_or(Refusal::NoSuchSettlement)?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .body(own.report()))
}

/// The statements of the merchant's bank, as MT940.
async fn statement(provider: Data<Provider>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(statements(&provider.journal.bank_moves()))
}
