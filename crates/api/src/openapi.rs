//! The API's description, printed from the routes. `docs/openapi.json` is its committed copy, and a test
//! compares the two.
//!
//! **How a route gets its part.** Its row has the facts that differ from route to route: the operation id (a unique
//! verb and noun), the parameters, the reader of the body, the answers of 2xx, and its own text for a refusal. A
//! reader describes the values that it accepts. The rest follows from the kind of the route, and is added here:
//!
//! - [`answers`]: the refusals that the route can give, as problems, and the headers of each answer. Every route
//!   can give a 500 and a 503; a route that asks for a proof of its caller a 401; one that asks for an API key a
//!   400 and a 406; one with a name in its path a 404; one with an idempotency key a 409; one with a body a 400,
//!   408, 413, 415 and, unless the proof is a signature, a 422.
//! - [`parameters`]: `Idempotency-Key`, `Prefer`, `limit` and `cursor`.
//! - [`security`]: the API key, the key of the operator, or the signature of a webhook.
//! - [`shapes`]: the schema of a text that is always the same has that text as its only value.
//!
//! A field of a reply names its shape: `#[schema(value_type = Moment)]` ([`edge::shapes`]). A field that is an
//! `Option` has `nullable = false` if null is never shown, and `required` if the field is always present.
//! Tests find a text, a number or a list of a request that has no bounds, and a name that has two schemas;
//! the harness of the scenarios compares every answer with its description.

mod answers;
mod parameters;
mod security;
mod shapes;

use edge::problem::described;
use edge::route::Reads;
use edge::{Describe, KeyRule, Method, Proof, Route, Shape, Signature, Surface};
use utoipa::openapi::info::{ContactBuilder, InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::Components;
use utoipa::openapi::server::Server;
use utoipa::openapi::tag::Tag;
use utoipa::openapi::{ContentBuilder, OpenApi, Paths, Required};
use utoipa_swagger_ui::{Config, SwaggerUi};

const SERVERS: [(&str, &str); 2] = [
    ("/", "The server that shows this description"),
    ("http://127.0.0.1:8080", "A sandbox on this machine"),
];

/// The properties of a route from which its refusals follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// The proof that the caller of the route brings.
    proof: Proof,
    /// True if the route reads a body.
    has_body: bool,
    /// True if the path of the route names a resource.
    names_resource: bool,
    /// The rule of the route for the idempotency key.
    key: KeyRule,
}

impl Kind {
    /// True if the caller acts for a tenant, by its API key.
    fn wants_key(self) -> bool {
        self.proof == Proof::ApiKey
    }

    /// True if every answer repeats the idempotency key of the request, whether the route takes it or not.
    fn repeats_key(self) -> bool {
        self.wants_key() && self.has_body
    }

    fn of(route: &Route) -> Self {
        Self {
            proof: route.proof,
            has_body: route.body.is_some(),
            names_resource: !route.segments.is_empty(),
            key: route.key,
        }
    }
}

/// The whole description, and the names that have two different schemas.
fn description(surface: &Surface) -> (OpenApi, Vec<String>) {
    let routes = surface.table();
    let mut known = Describe::default();
    let mut paths = Paths::new();
    for route in routes.rows().iter().filter(|route| route.is_described()) {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Patch => HttpMethod::Patch,
        };
        let item = PathItem::new(method, operation(route, surface.signatures, &mut known));
        let before = paths.paths.entry(route.path.to_owned());
        before.or_default().merge_operations(item);
    }
    known.reply::<described::Problem>();
    let mut components = Components::new();
    components.schemas.extend(known.named().clone());
    shapes::state_constants(&mut components);
    parameters::define(&mut components);
    security::define(&mut components, surface.signatures);
    answers::define(&mut components);
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .identifier(Some("Apache-2.0"));
    let info = InfoBuilder::new()
        .title("Florin")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(surface.about))
        .contact(Some(ContactBuilder::new().name(Some("Florin")).build()))
        .license(Some(license.build()));
    let servers = SERVERS.map(|(url, says)| {
        let mut server = Server::new(url);
        server.description = Some(says.to_owned());
        server
    });
    let tags = routes.tags().iter().map(|(name, says)| {
        let mut tag = Tag::new(*name);
        tag.description = Some((*says).to_owned());
        tag
    });
    let mut openapi = OpenApi::new(info.build(), paths);
    openapi.servers = Some(servers.into());
    openapi.components = Some(components);
    openapi.tags = Some(tags.collect());
    (openapi, known.clashes().to_vec())
}

fn operation(route: &Route, signatures: &[Signature], known: &mut Describe) -> Operation {
    let kind = Kind::of(route);
    let more = format!("{}\n\n{}", route.more, answers::again(kind));
    let mut operation = OperationBuilder::new()
        .tag(route.tag)
        .summary(Some(route.summary))
        .description(Some(more.trim()))
        .operation_id(Some(route.id))
        .request_body(route.body.as_ref().map(|body| request_body(body, known)))
        .responses(answers::of(route, kind, known))
        .securities(Some(security::of(kind, signatures)))
        .build();
    operation.parameters = parameters::of(route, known);
    operation
}

fn request_body(body: &Reads, known: &mut Describe) -> RequestBody {
    let (schema, says) = match body {
        Reads::Json(describe) => (describe(known), None),
        Reads::Bytes(says) => (Shape::any_text().schema(), Some(*says)),
    };
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RequestBodyBuilder::new()
        .description(says)
        .content("application/json", content)
        .required(Some(Required::True))
        .build()
}

/// The description of an API as JSON, ended by a newline.
#[must_use]
pub fn text(surface: &Surface) -> String {
    let (openapi, _) = description(surface);
    let mut text = openapi.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// The page that shows the description. Its files are in this binary.
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
        serde_json::from_str(&text(&families::SURFACE)).unwrap()
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
                "201 202 400 401 402 403 404 406 408 409 413 415 422 500 503",
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

    /// Every schema that a request uses, with its place in the description.
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
                let is_free = ["Prefer", "provider", "account"].map(Value::from);
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

    #[test]
    fn no_name_has_two_schemas() {
        let (_, clashes) = super::description(&families::SURFACE);
        assert_eq!(clashes, Vec::<String>::new());
    }

    /// Each answer of a row has the status of all its codes.
    #[test]
    fn the_codes_of_an_answer_have_its_status() {
        for route in families::SURFACE.table().rows() {
            for answer in &route.answers {
                for code in answer.codes {
                    assert_eq!(code.status, answer.status, "{} {}", route.id, code.name);
                }
            }
        }
    }
}
