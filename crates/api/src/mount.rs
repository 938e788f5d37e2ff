//! The routes, served by actix: a request becomes a [`Call`], a [`Response`] becomes an answer.

use std::sync::Arc;

use actix_web::dev::Payload as NoPayload;
use actix_web::http::Method;
use actix_web::web::{self, Path, Payload, ServiceConfig, resource, route};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse};
use edge::query::Parameters;
use edge::route::{Handler, Reads, Route};
use edge::{Call, Problem, Response, code, headers};
use engine::Key;

use crate::request::{self, RequestId, written};
use crate::server::Api;
use crate::{openapi, system};

/// Mounts every route.
pub(crate) fn all(api: &Arc<Api>, app: &mut ServiceConfig) {
    for path in api.routes.paths() {
        let mut own = resource(path);
        for row in api.routes.of(path) {
            let method = match row.method {
                edge::Method::Get => Method::GET,
                edge::Method::Post => Method::POST,
                edge::Method::Patch => Method::PATCH,
            };
            let api = Arc::clone(api);
            let serve = move |request: HttpRequest, payload: Payload| {
                serve(Arc::clone(&api), row, request, payload)
            };
            own = own.route(route().method(method).to(serve));
        }
        app.service(elsewhere(own, api.routes.allowed(path)));
    }
    // The pages of the description handle GET only. Requests with other methods are answered here.
    app.service(openapi::browser())
        .service(elsewhere(
            resource("/docs/{page:.*}"),
            "GET, HEAD, OPTIONS".to_owned(),
        ))
        .service(web::redirect("/docs", "/docs/"))
        .default_service(web::to(not_found));
}

/// Answers OPTIONS, and a method that the resource does not take, with the allowed methods.
fn elsewhere(own: actix_web::Resource, allowed: String) -> actix_web::Resource {
    own.default_service(web::to(move |request: HttpRequest| {
        let outcome = if request.method() == Method::OPTIONS {
            Ok(system::options(&allowed))
        } else {
            Err(Problem::method_not_allowed(allowed.clone()))
        };
        async move { answer(&request, outcome) }
    }))
}

/// Answers a URL that does not exist. `OPTIONS *` is about the whole server (RFC 9110, section 9.3.7).
async fn not_found(request: HttpRequest) -> HttpResponse {
    let outcome = if request.method() == Method::OPTIONS && request.path() == "*" {
        Ok(system::options("GET, HEAD, POST, PATCH, OPTIONS"))
    } else {
        Err(Problem::new(code::NOT_FOUND))
    };
    answer(&request, outcome)
}

fn answer(request: &HttpRequest, outcome: Result<Response, Problem>) -> HttpResponse {
    let response = outcome.unwrap_or_else(|problem| problem.into_response(&RequestId::of(request)));
    written(response)
}

async fn serve(
    api: Arc<Api>,
    row: &'static Route,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut key = None;
    let outcome = outcome(&api, row, &request, payload, &mut key).await;
    let response =
        outcome.unwrap_or_else(|problem| problem.into_response(&RequestId::of(&request)));
    // A client that sends several requests at once sees which of them is answered.
    written(match key {
        Some(key) => response.with("idempotency-key", key.as_str().to_owned()),
        None => response,
    })
}

/// Answers a request, and tells its idempotency key. Every route checks in the same order: the caller, the query, the
/// idempotency key, the media type, the body. A route without an API key has no idempotency key.
async fn outcome(
    api: &Api,
    row: &Route,
    request: &HttpRequest,
    payload: Payload,
    key: &mut Option<Key>,
) -> Result<Response, Problem> {
    let mut call = head(row, request).await;
    let running = match &row.handler {
        Handler::Keyed(handler) => {
            let caller = api.callers.of(&api.state.engine, api.mode, &call.headers);
            let caller = caller.await?;
            call.query = row.parameters(&call.path, request.query_string())?;
            if matches!(row.body, Some(Reads::Json(_))) {
                call.key = headers::idempotency_key(&call.headers)?;
                key.clone_from(&call.key);
                headers::json_content(&call.headers)?;
            }
            if row.body.is_some() {
                call.body = request::body(request, payload, row.max_body).await?.into();
            }
            handler(Arc::clone(&api.state), call.by(caller))
        }
        Handler::Open { admit, answer } => {
            admit(&api.state, &call)?;
            if matches!(row.body, Some(Reads::Json(_))) {
                call.query = row.parameters(&call.path, request.query_string())?;
                headers::json_content(&call.headers)?;
            }
            if row.body.is_some() {
                call.body = request::body(request, payload, row.max_body).await?.into();
            }
            answer(Arc::clone(&api.state), call)
        }
    };
    running.await
}

/// The call of a request, before its query, its idempotency key and its body are read.
async fn head(row: &Route, request: &HttpRequest) -> Call<()> {
    let values = Path::<Vec<String>>::from_request(request, &mut NoPayload::None).await;
    let values = values.map(Path::into_inner).unwrap_or_default();
    let names = request.match_info().iter();
    let names = names.map(|(name, _)| name.to_owned());
    Call {
        method: row.method.name(),
        path: request.path().to_owned(),
        segments: names.zip(values).collect(),
        query: Parameters::none(),
        headers: request::headers(request.headers()),
        body: Vec::new(),
        max_body: row.max_body,
        key: None,
        key_rule: row.key,
        request_id: RequestId::of(request),
        caller: (),
    }
}
