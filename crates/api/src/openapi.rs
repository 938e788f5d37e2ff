//! The API's description, made from the handlers. `docs/openapi.json` is its committed copy, and a
//! test compares the two.
//!
//! **How a route gets its part of it.** A handler says what only it can know: an `operation_id` (a verb
//! and a noun, of which there is no second), its tag, its parameters, its body, its answers of 2xx, and
//! its own words for a refusal, as `(status = 409, description = "…")` without a body. All the rest
//! follows from what kind of route it is, and is added here:
//!
//! - [`answers`]: which refusals it can give, as problems, and the headers of each answer. A route under
//!   `/v1/` needs a key (401); one with a query or a key of idempotency may be a 400; one that names
//!   something in its path or body may be a 404; one with a body may be a 400, 408, 413, 415 or 422.
//! - [`parameters`]: `Idempotency-Key` (required where the handler names it, else optional wherever there
//!   is a body), `limit` and `cursor`.
//! - [`security`]: the API key, or the signature of a webhook.
//! - [`shapes`]: bodies of requests are closed (no other fields), pages have names, an item of a bulk is
//!   made from the body that it has alone, and nothing is described that no route shows.
//!
//! A field of `wire` says its shape, with its bounds, by a name of [`wire::texts`]:
//! `#[schema(value_type = AccountId)]`. Of an `Option`, it says `nullable = false` where null is refused
//! or never shown, and `required` where it is always there. A test finds a text, a number or a list of a
//! request that has no bounds; the harness of the scenarios compares every answer with its description.

mod answers;
mod parameters;
mod security;
mod shapes;

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{accounts, assets, payments, periods, totals, transactions, transfers, webhooks, wire};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Florin",
        description = "A payment back-end: each request becomes, exactly once, balanced postings, an audit record and a saved answer.\n\nAmounts are integers of minor units. `Accept: application/json; amounts=string` makes those of an answer JSON strings of the same digits, for clients whose numbers are doubles; another value of `amounts` is a 406.",
        contact(name = "Florin"),
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers(
        (url = "/", description = "The server that shows this description"),
        (url = "http://127.0.0.1:8080", description = "A sandbox on this machine"),
    ),
    paths(
        assets::register, assets::list, assets::read_one,
        accounts::open, accounts::list, accounts::read_one, accounts::balances, accounts::entries,
        accounts::pending::list, accounts::changes::patch, accounts::changes::freeze, accounts::changes::unfreeze, accounts::changes::close,
        accounts::times::balance, accounts::times::statement, totals::balances, totals::trial_balance,
        transactions::search::list,
        transactions::create, transactions::bulk, transactions::read_one, transactions::metadata::patch,
        transactions::settle, transactions::void, transactions::reverse,
        transactions::exchanges::create, transactions::exchanges::read_one,
        periods::read, periods::close,
        transfers::create, payments::create, payments::confirm, payments::read_one, payments::list,
        webhooks::receive,
    ),
    components(schemas(wire::Problem, wire::texts::AskedMoment)),
    modifiers(&Rules),
    tags(
        (name = "payments", description = "What a merchant wants from a payer, through a provider"),
        (name = "transactions", description = "Balanced postings, and what becomes of them"),
        (name = "exchanges", description = "One currency for another"),
        (name = "periods", description = "What of the books is closed"),
        (name = "transfers", description = "Money from wallet to wallet"),
        (name = "accounts", description = "The books"),
        (name = "assets", description = "What accounts may hold besides the currencies of ISO 4217"),
        (name = "webhooks", description = "What providers tell us"),
    )
)]
struct Description;

/// What holds for every route of a kind.
struct Rules;

impl utoipa::Modify for Rules {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut components = openapi.components.take().unwrap_or_default();
        shapes::name_pages(&mut components, openapi);
        shapes::tell_apart(&mut components);
        shapes::state_constants(&mut components);
        parameters::define(&mut components);
        security::define(&mut components);
        answers::define(&mut components);
        for (path, item) in &mut openapi.paths.paths {
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
                &mut item.patch,
            ];
            for operation in operations.into_iter().flatten() {
                let kind = Kind::of(path, operation);
                parameters::complete(operation, kind);
                security::complete(operation, kind);
                answers::complete(operation, kind);
            }
        }
        shapes::close_requests(&mut components, openapi);
        shapes::forget_unused(&mut components, openapi);
        openapi.components = Some(components);
    }
}

/// What is to be known of a route to say how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// It wants an API key.
    wants_key: bool,
    /// It reads a body.
    has_body: bool,
    /// Its path names what it is about.
    names_resource: bool,
    /// It takes an idempotency key.
    idempotency: Idempotency,
}

/// Whether a route takes an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idempotency {
    /// It moves money.
    Required,
    /// It changes something, and twice is no more than once.
    Optional,
    /// It changes nothing, or has another way to know a request again.
    None,
}

impl Kind {
    fn of(path: &str, operation: &Operation) -> Self {
        let wants_key = path.starts_with("/v1/");
        let has_body = operation.request_body.is_some();
        let idempotency = match (parameters::takes_idempotency_key(operation), wants_key) {
            (true, _) => Idempotency::Required,
            (false, true) if has_body => Idempotency::Optional,
            (false, _) => Idempotency::None,
        };
        Self {
            wants_key,
            has_body,
            names_resource: path.contains('{'),
            idempotency,
        }
    }
}

/// The description as JSON, ended by a newline.
#[must_use]
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
        text.push('\n');
        text
    });
    &TEXT
}

/// True if the description of this method and path has a query parameter.
pub(crate) fn reads_query(method: &str, path: &str) -> bool {
    static READING: LazyLock<HashSet<(String, String)>> = LazyLock::new(|| {
        let description: Value = serde_json::from_str(text()).unwrap_or_default();
        let paths = description.pointer("/paths").and_then(Value::as_object);
        let paths = paths.into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let verbs = item.as_object().into_iter().flatten();
            verbs.map(move |(verb, operation)| (verb.to_uppercase(), path.clone(), operation))
        });
        let is_in_query = |parameter: &Value| {
            let place = parameter["$ref"].as_str().unwrap_or("#");
            let parameter = match place.strip_prefix('#').filter(|place| !place.is_empty()) {
                Some(place) => description.pointer(place).unwrap_or(parameter),
                None => parameter,
            };
            parameter["in"] == "query"
        };
        operations
            .filter(|(_, _, operation)| {
                let mut parameters = operation["parameters"].as_array().into_iter().flatten();
                parameters.any(is_in_query)
            })
            .map(|(verb, path, _)| (verb, path))
            .collect()
    });
    READING.contains(&(method.to_owned(), path.to_owned()))
}

/// A page that shows it, served from this binary.
pub(crate) fn browser() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}

#[cfg(test)]
mod tests {
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
            ("get /v1/accounts/{id}", "200 400 401 404 406 500 503"),
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
                "200 202 400 401 404 408 413 415 422 500 503",
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
}
