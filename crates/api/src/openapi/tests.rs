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
            let response = resolved(&description, response);
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

/// Every schema that a request leads to, with the place where it stands.
fn of_requests(description: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (route, operation) in operations(description) {
        let content = &operation["requestBody"]["content"]["application/json"];
        if !route.contains("/webhooks/") {
            walk(description, &route, &content["schema"], &mut found);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolved(description, parameter);
            let place = format!("{route} {}", parameter["name"]);
            let is_free = ["Prefer", "provider"].map(Value::from);
            if !is_free.contains(&parameter["name"]) {
                walk(description, &place, &parameter["schema"], &mut found);
            }
        }
    }
    assert!(found.len() > 200, "{}", found.len());
    found
}

fn resolved<'d>(description: &'d Value, part: &'d Value) -> &'d Value {
    let reference = part["$ref"].as_str();
    reference.map_or(part, |reference| {
        description.pointer(&reference[1..]).unwrap()
    })
}

fn walk<'d>(
    description: &'d Value,
    place: &str,
    schema: &'d Value,
    found: &mut Vec<(String, &'d Value)>,
) {
    let schema = resolved(description, schema);
    if schema.is_null() {
        return;
    }
    found.push((place.to_owned(), schema));
    for item in schema["oneOf"].as_array().into_iter().flatten() {
        walk(description, place, item, found);
    }
    walk(description, &format!("{place}/*"), &schema["items"], found);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(description, &format!("{place}/{name}"), property, found);
    }
    if schema["additionalProperties"].is_object() {
        let values = &schema["additionalProperties"];
        walk(description, &format!("{place}/*"), values, found);
    }
}

#[test]
fn whatever_a_request_holds_has_bounds_and_no_other_fields() {
    let description = description();
    for (place, schema) in of_requests(&description) {
        let has = |names: &[&str]| names.iter().all(|name| schema.get(name).is_some());
        let any = |names: &[&str]| names.iter().any(|name| schema.get(name).is_some());
        let is = |kind: &str| {
            let own = &schema["type"];
            own == kind || own.as_array().is_some_and(|all| all.contains(&kind.into()))
        };
        if is("string") {
            assert!(any(&["pattern", "enum", "maxLength"]), "{place}: {schema}");
        }
        if is("integer") {
            assert!(has(&["minimum", "maximum"]), "{place}: {schema}");
        }
        if is("array") {
            assert!(has(&["maxItems"]), "{place}: {schema}");
        }
        if is("object") {
            assert!(has(&["additionalProperties"]), "{place}: {schema}");
        }
        assert!(any(&["type", "oneOf"]), "{place}: {schema}");
    }
}

#[test]
fn what_is_either_or_is_two_bodies_and_an_item_of_a_bulk_has_no_dry_run() {
    let description = description();
    let schemas = &description["components"]["schemas"];
    for (name, own, other) in [
        ("NewExchangeOfSold", "sell", "buy"),
        ("NewConditionOnVersion", "version", "available_at_least"),
        ("NewBulkPost", "post", "dry_run"),
        ("NewBulkTransaction", "postings", "dry_run"),
    ] {
        let required = schemas[name]["required"].as_array().unwrap();
        assert!(required.contains(&own.into()), "{name}");
        assert_eq!(schemas[name]["properties"].get(other), None, "{name}");
    }
    assert_eq!(schemas["NewBulkItem"]["oneOf"].as_array().unwrap().len(), 6);
    assert_eq!(schemas["Account"].get("additionalProperties"), None);
    let always = &schemas["Account"]["properties"]["object"]["enum"];
    assert_eq!(always, &serde_json::json!(["account"]));
}
