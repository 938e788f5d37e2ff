//! The proofs of a caller: an API key, or a signature.

use edge::Signature;
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};

use super::Kind;

const KEY: &str = "api_key";
/// The components that operations refer to.
pub(super) fn define(components: &mut Components, signatures: &[Signature]) {
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `Authorization: Bearer sk_…`"));
    components.add_security_scheme(KEY, SecurityScheme::Http(key.build()));
    for own in signatures {
        let header = ApiKeyValue::with_description(own.header, own.says);
        components.add_security_scheme(own.name, SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// The proof that a route needs: an API key or, if it reads bytes, one of the signatures.
pub(super) fn of(kind: Kind, signatures: &[Signature]) -> Vec<SecurityRequirement> {
    let no_scopes = Vec::<String>::new;
    match (kind.wants_key, kind.has_body) {
        (true, _) => vec![SecurityRequirement::new(KEY, no_scopes())],
        (false, true) => signatures
            .iter()
            .map(|own| SecurityRequirement::new(own.name, no_scopes()))
            .collect(),
        (false, false) => Vec::new(),
    }
}
