//! What operators and tools ask: is it alive, is it ready, what is it.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::problem::{Code, Problem};
use crate::request::answer;
use crate::server::Api;
use crate::{openapi, respond};

/// The process answers.
pub(crate) async fn livez() -> HttpResponse {
    respond::json(StatusCode::OK, &serde_json::json!({"status": "ok"}))
}

/// The process can do its work: the database answers.
pub(crate) async fn readyz(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let probed = api.engine.read(store::probe).await;
        probed.map_err(|error| respond::unavailable(&error))?;
        Ok(respond::json(
            StatusCode::OK,
            &serde_json::json!({"status": "ok", "database": "ok"}),
        ))
    })
    .await
}

/// What is running.
pub(crate) async fn version() -> HttpResponse {
    let body = serde_json::json!({
        "name": "florin",
        "version": env!("CARGO_PKG_VERSION"),
        "api": crate::API_VERSION,
    });
    respond::json(StatusCode::OK, &body)
}

/// Counters for Prometheus.
pub(crate) async fn metrics(api: Data<Api>) -> HttpResponse {
    let text = api
        .metrics
        .as_ref()
        .map(|metrics| metrics.render())
        .unwrap_or_default();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(text)
}

/// The API's description.
pub(crate) async fn openapi_json() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(openapi::text())
}

/// No such URL.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    answer(&request, async { Err(Problem::new(Code::NotFound)) }).await
}
