//! What operators and tools ask: is it alive, is it ready, what is it.

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use store::Trouble;

use crate::problem::{Code, Problem};
use crate::request::answer;
use crate::server::Api;
use crate::{openapi, respond};

/// Where to go from here.
pub(crate) async fn root() -> HttpResponse {
    let body = serde_json::json!({
        "name": "florin",
        "version": env!("CARGO_PKG_VERSION"),
        "api": "/v1",
        "docs": "/docs/",
        "openapi": "/openapi.json",
    });
    respond::json(StatusCode::OK, &body)
}

/// The methods that a resource takes.
pub(crate) fn options(methods: &'static str) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ALLOW, methods))
        .finish()
}

/// The process answers.
pub(crate) async fn livez() -> HttpResponse {
    respond::json(StatusCode::OK, &serde_json::json!({"status": "ok"}))
}

/// The process can do its work: questions are answered, and commands are committed.
pub(crate) async fn readyz(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let ready = api.engine.readiness().await;
        let parts = [("reads", told(ready.reads)), ("writes", told(ready.writes))];
        if !ready.is_ready() {
            let problem = Problem::new(Code::DatabaseUnavailable);
            return Err(problem.with_parts(parts).with_retry_after(1));
        }
        let body = serde_json::json!({
            "status": "ok",
            "reads": "ok",
            "writes": "ok",
            "clock": if api.engine.stands_still() { "behind" } else { "ok" },
            "clock_behind_seconds": api.engine.seconds_behind(),
        });
        Ok(respond::json(StatusCode::OK, &body))
    })
    .await
}

/// One part of readiness, in words that an outsider may hear.
fn told(outcome: Result<(), Trouble>) -> String {
    match outcome {
        Ok(()) => "ok".to_owned(),
        Err(trouble) => format!("failing: {trouble}"),
    }
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

/// No such URL; `OPTIONS *` is about all of them (RFC 9110, section 9.3.7).
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    if request.method() == Method::OPTIONS && request.path() == "*" {
        return options("GET, HEAD, POST, PATCH, OPTIONS");
    }
    answer(&request, async { Err(Problem::new(Code::NotFound)) }).await
}
