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

use std::sync::LazyLock;

use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{accounts, assets, payments, periods, totals, transactions, transfers, webhooks, wire};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Florin",
        description = "A payment back-end: each request becomes, exactly once, balanced postings, an audit record and an event.\n\nAmounts are integers of minor units. `Accept: application/json; amounts=string` makes those of an answer JSON strings of the same digits, for clients whose numbers are doubles; another value of `amounts` is a 406.",
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
        accounts::changes::patch, accounts::changes::freeze, accounts::changes::unfreeze, accounts::changes::close,
        accounts::times::balance, accounts::times::statement, totals::balances, totals::trial_balance,
        transactions::search::list,
        transactions::create, transactions::bulk, transactions::read_one,
        transactions::settle, transactions::void, transactions::reverse,
        transactions::exchanges::create, transactions::exchanges::read_one,
        periods::read, periods::close,
        transfers::create, payments::create, payments::confirm, payments::read_one, payments::list,
        webhooks::receive,
    ),
    components(schemas(wire::Problem)),
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
    /// It reads parameters of its query.
    has_query: bool,
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
            has_query: parameters::has_query(operation),
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

/// A page that shows it, served from this binary.
pub(crate) fn browser() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}

#[cfg(test)]
mod tests;
