#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn description() -> Value {
    serde_json::from_str(text()).unwrap()
}

/// Each operation with its method and path.
fn operations(description: &Value) -> Vec<(String, &Value)> {
    let paths = description["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            found.push((format!("{method} {path}"), operation));
        }
    }
    assert!(found.len() > 25);
    found
}

#[test]
fn every_operation_has_an_id_of_its_own_a_verb_and_a_noun() {
    let description = description();
    let mut ids = BTreeSet::new();
    for (route, operation) in operations(&description) {
        let id = operation["operationId"].as_str().unwrap();
        let is_plain = id.chars().all(|letter| letter.is_ascii_alphabetic());
        let verb = id.chars().take_while(char::is_ascii_lowercase).count();
        assert!(is_plain && verb > 1 && verb < id.len(), "{route}: {id}");
        assert!(ids.insert(id), "{route}: {id} twice");
    }
}

#[test]
fn every_refusal_is_a_problem_and_every_answer_has_an_id() {
    let description = description();
    for (route, operation) in operations(&description) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let reference = response["$ref"].as_str();
            let response = reference.map_or(response, |reference| {
                description.pointer(&reference[1..]).unwrap()
            });
            assert!(response["headers"]["Request-Id"].is_object(), "{route}");
            let content = response["content"].as_object().unwrap();
            let kinds: Vec<&str> = content.keys().map(String::as_str).collect();
            let expected = if is_refusal(status) {
                "application/problem+json"
            } else {
                "application/json"
            };
            assert_eq!(kinds, [expected], "{route} {status}");
        }
    }
}

fn is_refusal(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

#[test]
fn what_a_route_can_refuse_follows_from_what_it_is() {
    let description = description();
    let statuses = |route: &str| {
        let operations = operations(&description);
        let (_, found) = operations.iter().find(|(name, _)| name == route).unwrap();
        let statuses = found["responses"].as_object().unwrap().keys();
        statuses.cloned().collect::<Vec<String>>().join(" ")
    };
    for (route, expected) in [
        ("get /v1/accounts/{id}", "200 401 404 406 500 503"),
        ("get /v1/accounts", "200 400 401 406 500 503"),
        (
            "post /v1/payments",
            "201 202 400 401 402 406 408 409 413 415 422 500 503",
        ),
        (
            "post /v1/accounts/{id}/freeze",
            "200 400 401 404 406 408 409 413 415 422 500 503",
        ),
        (
            "post /webhooks/{provider}",
            "200 202 400 401 404 408 413 415 500 503",
        ),
    ] {
        assert_eq!(statuses(route), expected, "{route}");
    }
}

#[test]
fn a_request_has_no_fields_but_those_that_it_names() {
    let description = description();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let is_open = schema.get("additionalProperties").is_none();
        let is_request = name.starts_with("New") || name == "Confirmation" || name == "Reverse";
        assert!(
            !is_request || !is_open || schema.get("oneOf").is_some(),
            "{name}"
        );
    }
    assert_eq!(schemas["Account"].get("additionalProperties"), None);
}
