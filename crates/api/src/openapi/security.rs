//! Callers: the holder of an API key, or a provider that signs.

use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};

use super::Kind;

const KEY: &str = "api_key";
/// The header that bears the signature in each scheme, and what is said of it.
const SIGNATURES: [(&str, &str, &str); 3] = [
    (
        "stripe_signature",
        "Stripe-Signature",
        "The scheme `stripe`: `t=…,v1=…` over the time and the body",
    ),
    (
        "standard_webhooks_signature",
        "webhook-signature",
        "The schemes `standard-webhooks` (HMAC) and `standard-webhooks-v1a` (Ed25519): over `webhook-id`, `webhook-timestamp` and the body",
    ),
    (
        "svix_signature",
        "svix-signature",
        "The scheme `svix`: over `svix-id`, `svix-timestamp` and the body",
    ),
];

/// The components that operations refer to.
pub(super) fn define(components: &mut Components) {
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `Authorization: Bearer sk_…`"));
    components.add_security_scheme(KEY, SecurityScheme::Http(key.build()));
    for (name, header, description) in SIGNATURES {
        let header = ApiKeyValue::with_description(header, description);
        components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// The proof that a route asks for: its API key, or for what comes from a provider any of the signatures.
pub(super) fn of(kind: Kind) -> Vec<SecurityRequirement> {
    let no_scopes = Vec::<String>::new;
    match (kind.wants_key, kind.has_body) {
        (true, _) => vec![SecurityRequirement::new(KEY, no_scopes())],
        (false, true) => SIGNATURES
            .map(|(name, _, _)| SecurityRequirement::new(name, no_scopes()))
            .into(),
        (false, false) => Vec::new(),
    }
}
