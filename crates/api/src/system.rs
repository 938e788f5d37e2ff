//! The routes for operators and tools: whether the process lives and is ready, its version, its metrics, and the
//! description of the API.

use edge::{Call, Code, Method, Problem, Response, Routes, Shared, code};
use metrics_exporter_prometheus::PrometheusHandle;
use store::Trouble;

/// Adds the routes for operators and tools. They are not in the description.
pub(crate) fn routes(
    r: &mut Routes,
    description: String,
    codes: Vec<&'static Code>,
    counters: Option<PrometheusHandle>,
) {
    r.open(
        Method::Get,
        "/problems/{code}",
        ["", "The meaning of a code."],
        move |_, call: Call<()>| {
            let name = call.segment("code").to_owned();
            let code = codes.iter().copied().find(|code| code.name == name);
            explain(code)
        },
    );
    r.open(Method::Get, "/", ["", "Where to go from here."], root);
    r.open(Method::Get, "/livez", ["", "The process answers."], livez);
    let ready = "The process can do its work.";
    r.open(Method::Get, "/readyz", ["", ready], readyz);
    r.open(Method::Get, "/version", ["", "What is running."], version);
    let rendered = move || {
        counters
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default()
    };
    r.open(
        Method::Get,
        "/metrics",
        ["", "Counters for Prometheus."],
        move |_, _| text("text/plain; version=0.0.4", rendered()),
    );
    r.open(
        Method::Get,
        "/openapi.json",
        ["", "The API's description."],
        move |_, _| text("application/json", description.clone()),
    );
}

/// Answers with the most important paths.
async fn root(_: Shared, _: Call<()>) -> Result<Response, Problem> {
    let body = serde_json::json!({
        "name": "florin",
        "version": env!("CARGO_PKG_VERSION"),
        "api": "/v1",
        "docs": "/docs/",
        "openapi": "/openapi.json",
    });
    Ok(Response::json(200, &body))
}

/// The answer to OPTIONS: the methods that a resource takes.
pub(crate) fn options(methods: &str) -> Response {
    Response::empty(204).with("allow", methods)
}

/// Answers that the process lives.
async fn livez(_: Shared, _: Call<()>) -> Result<Response, Problem> {
    Ok(Response::json(200, &serde_json::json!({"status": "ok"})))
}

/// Answers whether the process can work: whether it reads from the database and commits commands.
async fn readyz(state: Shared, _: Call<()>) -> Result<Response, Problem> {
    let ready = state.engine.readiness().await;
    let parts = [("reads", told(ready.reads)), ("writes", told(ready.writes))];
    if !ready.is_ready() {
        let problem = Problem::new(code::DATABASE_UNAVAILABLE);
        return Err(problem.with_parts(parts).with_retry_after(1));
    }
    let body = serde_json::json!({
        "status": "ok",
        "reads": "ok",
        "writes": "ok",
        "clock": if state.engine.stands_still() { "behind" } else { "ok" },
        "clock_behind_seconds": state.engine.seconds_behind(),
    });
    Ok(Response::json(200, &body))
}

/// One part of readiness, in a text that an outsider may read.
fn told(outcome: Result<(), Trouble>) -> String {
    match outcome {
        Ok(()) => "ok".to_owned(),
        Err(trouble) => format!("failing: {trouble}"),
    }
}

/// Answers with the version of the program.
async fn version(_: Shared, _: Call<()>) -> Result<Response, Problem> {
    let body = serde_json::json!({
        "name": "florin",
        "version": env!("CARGO_PKG_VERSION"),
        "api": edge::API_VERSION,
    });
    Ok(Response::json(200, &body))
}

/// Answers with the meaning of a code, for people.
async fn explain(code: Option<&'static Code>) -> Result<Response, Problem> {
    let code = code.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let retry = match code.retry {
        Some(true) => "The same request, with the same Idempotency-Key, may succeed later.",
        Some(false) => "The same request never succeeds. Change the request.",
        None => {
            "The same request may be sent again with the same Idempotency-Key, but it may not help."
        }
    };
    let kept = match code.kept {
        true => {
            "The answer is a decision. It is saved, and each repetition with the same Idempotency-Key gets it again. \
             A new try needs a new key."
        }
        false => "The answer is not saved. The Idempotency-Key stays free.",
    };
    let Code {
        name,
        status,
        family,
        title,
        ..
    } = code;
    let page = format!(
        "{name}\n\n{title}.\n\nHTTP status {status}, error.type {family}.\n{retry}\n{kept}\n"
    );
    text("text/plain; charset=utf-8", page).await
}

async fn text(content_type: &str, text: String) -> Result<Response, Problem> {
    Ok(Response::of(200, content_type, text))
}
