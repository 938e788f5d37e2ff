//! `/v1/periods`: what of the books is closed.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::periods::ClosePeriod;

use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{Fields, moment};
use crate::{render, respond, wire};

/// Closes everything that happened before a moment, for ever.
#[utoipa::path(
    post, path = "/v1/periods/close", tag = "periods", operation_id = "closePeriod",
    request_body(content = wire::ClosePeriod),
    responses(
        (status = 200, description = "Closed", body = wire::Period),
        (status = 409, description = "As much, or more, is closed already"),
        (status = 422, description = "The moment is malformed, or in the future"),
    )
)]
pub(crate) async fn close(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let mut asked = api.request(&request, payload).await?;
        let mut fields = Fields::of(std::mem::take(&mut asked.body));
        let before = fields.required("closed_before", moment);
        let before = fields.finish(before)?;
        let command = ClosePeriod { before };
        api.submit(asked, command, render::period_closed, render::tell)
            .await
    })
    .await
}

/// Up to which moment the books are closed.
#[utoipa::path(
    get, path = "/v1/periods", tag = "periods", operation_id = "getPeriod",
    responses((status = 200, description = "What is closed", body = wire::Period))
)]
pub(crate) async fn read(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let closed = api
            .engine
            .read(move |connection| ledger::closed_before(connection, tenant))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        Ok(respond::json(StatusCode::OK, &render::period(closed)))
    })
    .await
}
