//! The API's description, made from the handlers. `docs/openapi.json` is its committed copy, and a
//! test compares the two.

use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{accounts, assets, payments, periods, totals, transactions, transfers, webhooks};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Florin",
        description = "A payment back-end: each request becomes, exactly once, balanced postings, an audit record and an event.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
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
    modifiers(&ApiKey),
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

struct ApiKey;

impl utoipa::Modify for ApiKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("api_key", scheme);
    }
}

/// The description as JSON, ended by a newline.
#[must_use]
pub fn text() -> String {
    let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// A page that shows it, served from this binary.
pub(crate) fn browser() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}
