//! Comparison of answers with `docs/openapi.json`: status, headers, media type and body of the route; and whether an
//! accepted body is one that the description allows.
//!
//! Every answer that a [`Client`](crate::Client) gets from Florin is compared here, so all scenarios together prove
//! the description. An answer is Florin's if it has a `Request-Id`; the sandbox provider sends none. Bytes that a
//! scenario sends with [`Client::raw`](crate::Client::raw) are not compared: what the HTTP layer refuses has no
//! route.

mod schema;

use std::path::Path;
use std::sync::LazyLock;

use reqwest::Method;
use serde_json::Value;

use crate::client::Reply;

/// Routes that are not in the description, because tools use them and programs of customers do not.
const UNDESCRIBED: [&str; 7] = [
    "/",
    "/docs",
    "/livez",
    "/metrics",
    "/openapi.json",
    "/readyz",
    "/version",
];
/// Headers that belong to the connection or to the bytes, and not to the route.
const OF_EVERY_ANSWER: [&str; 8] = [
    "allow",
    "connection",
    "content-length",
    "content-type",
    "date",
    "keep-alive",
    "transfer-encoding",
    "vary",
];

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = std::fs::read_to_string(path).expect("docs/openapi.json is there");
    serde_json::from_str(&text).expect("docs/openapi.json is JSON")
});

/// Panics if the answer is not as described. `accept` is the header of the request: an answer with amounts as text
/// passes if the same answer with integers is as described.
pub(crate) fn hold(method: &Method, path: &str, accept: &str, sent: &[u8], reply: &Reply) {
    if accept.contains("amounts") {
        return;
    }
    let wrong = differences(&DESCRIPTION, method, path, sent, reply);
    assert!(
        wrong.is_empty(),
        "{method} {path} is not as docs/openapi.json says: {}\n{} {}\nof {}",
        wrong.join("; "),
        reply.status,
        String::from_utf8_lossy(&reply.body),
        String::from_utf8_lossy(sent),
    );
}

/// The differences between an answer and its description.
fn differences(
    description: &Value,
    method: &Method,
    path: &str,
    sent: &[u8],
    reply: &Reply,
) -> Vec<String> {
    let id = reply.header("request-id").unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_left_out = UNDESCRIBED.contains(&path)
        || ["/docs/", "/problems/"]
            .iter()
            .any(|own| path.starts_with(own));
    if !id.starts_with("req_") || is_left_out {
        return Vec::new();
    }
    // HEAD is GET without a body.
    let is_head = *method == Method::HEAD;
    let name = if is_head { "get" } else { method.as_str() }.to_ascii_lowercase();
    let item = route(description, path);
    let Some(operation) = item.and_then(|item| item.get(&name)) else {
        let refused = matches!(reply.status, 404 | 405) || method == Method::OPTIONS;
        return if refused {
            Vec::new()
        } else {
            vec!["there is no such route".to_owned()]
        };
    };
    let Some(response) = operation.pointer(&format!("/responses/{}", reply.status)) else {
        return vec![format!("it never answers {}", reply.status)];
    };
    let response = schema::resolved(description, response);
    let mut wrong = undescribed_headers(response, reply);
    if !is_head {
        wrong.extend(body(description, response, reply));
    }
    let asked = operation.pointer("/requestBody/content/application~1json/schema");
    let has_effect = (200..300).contains(&reply.status) && !path.starts_with("/webhooks/");
    if has_effect && let Some(asked) = asked {
        let sent = serde_json::from_slice(sent).unwrap_or_default();
        let found = schema::differences(description, asked, &sent, schema::Others::AsDescribed);
        wrong.extend(found.into_iter().map(|found| format!("it took {found}")));
    }
    wrong
}

/// The path item of the route that serves a path: one with exactly this path, or else one with a parameter in its
/// place.
fn route<'d>(description: &'d Value, path: &str) -> Option<&'d Value> {
    let items = description.get("paths")?.as_object()?;
    let is_of = |template: &str| {
        let own: Vec<&str> = template.split('/').collect();
        let asked: Vec<&str> = path.split('/').collect();
        let same = |(own, asked): (&&str, &&str)| {
            own == asked || own.starts_with('{') && !asked.is_empty()
        };
        own.len() == asked.len() && own.iter().zip(&asked).all(same)
    };
    let found = items.iter().find(|(template, _)| is_of(template));
    items.get(path).or(found.map(|(_, item)| item))
}

fn undescribed_headers(response: &Value, reply: &Reply) -> Vec<String> {
    let described = response.get("headers").and_then(Value::as_object);
    let is_described = |name: &str| {
        OF_EVERY_ANSWER.contains(&name)
            || described.is_some_and(|all| all.keys().any(|own| own.eq_ignore_ascii_case(name)))
    };
    let names = reply.headers.keys().map(|name| name.as_str());
    names
        .filter(|name| !is_described(name))
        .map(|name| format!("it has no header {name}"))
        .collect()
}

fn body(description: &Value, response: &Value, reply: &Reply) -> Vec<String> {
    let kind = reply.header("content-type").unwrap_or_default();
    let Some(content) = response.get("content").and_then(|all| all.get(kind)) else {
        return vec![format!("it is never {kind:?}")];
    };
    let Ok(body) = serde_json::from_slice(&reply.body) else {
        return vec!["it is not JSON".to_owned()];
    };
    let shape = content.get("schema").unwrap_or(&Value::Null);
    schema::differences(description, shape, &body, schema::Others::Refused)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = HeaderMap::new();
        for (name, value) in [("request-id", "req_0011223344556677")]
            .iter()
            .chain(headers)
        {
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes());
            let value = reqwest::header::HeaderValue::from_str(value);
            all.insert(name.expect("a name"), value.expect("a value"));
        }
        Reply {
            status,
            headers: all,
            body: Bytes::from(body.to_string()),
        }
    }

    fn found(method: &Method, path: &str, sent: &Value, reply: &Reply) -> Vec<String> {
        let sent = sent.to_string();
        differences(&DESCRIPTION, method, path, sent.as_bytes(), reply)
    }

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn an_answer_as_it_is_described_passes() {
        let receipt = reply(202, &[JSON], &json!({"status": "parked"}));
        let path = "/webhooks/sandbox";
        assert_eq!(found(&Method::POST, path, &json!({}), &receipt), [""; 0]);
        let period = reply(
            200,
            &[JSON],
            &json!({"object": "period", "closed_before": null}),
        );
        let path = "/v1/periods?x=y";
        assert_eq!(found(&Method::GET, path, &json!(null), &period), [""; 0]);
        let closing = json!({"closed_before": "2026-01-01T00:00:00Z"});
        let path = "/v1/periods/close";
        assert_eq!(found(&Method::POST, path, &closing, &period), [""; 0]);
    }

    #[test]
    fn whatever_is_not_described_is_found() {
        let good = json!({"object": "period", "closed_before": null});
        let get = |path: &str, reply: &Reply| found(&Method::GET, path, &json!(null), reply);
        let period = "/v1/periods";
        assert_eq!(get(period, &reply(206, &[JSON], &good)).len(), 1);
        assert_eq!(get("/v1/unheard_of", &reply(200, &[JSON], &good)).len(), 1);
        let text = ("content-type", "text/plain");
        assert_eq!(get(period, &reply(200, &[text], &good)).len(), 1);
        let secret = ("x-secret", "1");
        assert_eq!(get(period, &reply(200, &[JSON, secret], &good)).len(), 1);
        for wrong in [
            json!({"object": "period"}),
            json!({"object": "era", "closed_before": null}),
            json!({"object": "period", "closed_before": "yesterday"}),
            json!({"object": "period", "closed_before": null, "more": 1}),
            json!([]),
        ] {
            assert_eq!(
                get(period, &reply(200, &[JSON], &wrong)).len(),
                1,
                "{wrong}"
            );
        }
        let sent = json!({"closed_before": "2026-01-01T00:00:00Z", "more": 1});
        let reply = reply(200, &[JSON], &good);
        assert_eq!(
            found(&Method::POST, "/v1/periods/close", &sent, &reply).len(),
            1
        );
    }

    #[test]
    fn an_answer_of_somebody_else_is_let_through() {
        let mut of_the_provider = reply(200, &[JSON], &json!({"data": []}));
        of_the_provider.headers.remove("request-id");
        let path = "/v1/journal";
        assert_eq!(
            found(&Method::GET, path, &json!(null), &of_the_provider),
            [""; 0]
        );
    }
}
