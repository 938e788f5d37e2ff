//! The proofs of a caller: an API key, the key of the operator, or a signature.

use edge::{Proof, Signature};
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};

use super::Kind;

const KEY: &str = "api_key";
const OPERATOR_KEY: &str = "operator_key";

/// The components that operations refer to.
pub(super) fn define(components: &mut Components, signatures: &[Signature]) {
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `Authorization: Bearer sk_…`"));
    components.add_security_scheme(KEY, SecurityScheme::Http(key.build()));
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The operator's key, which is in the server's settings",
        ));
    components.add_security_scheme(OPERATOR_KEY, SecurityScheme::Http(key.build()));
    for own in signatures {
        let header = ApiKeyValue::with_description(own.header, own.says);
        components.add_security_scheme(own.name, SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// The proofs that a route accepts: the API key, the key of the operator, or any of the signatures. Empty if the
/// route needs no proof.
pub(super) fn of(kind: Kind, signatures: &[Signature]) -> Vec<SecurityRequirement> {
    let no_scopes = Vec::<String>::new;
    match kind.proof {
        Proof::ApiKey => vec![SecurityRequirement::new(KEY, no_scopes())],
        Proof::OperatorKey => vec![SecurityRequirement::new(OPERATOR_KEY, no_scopes())],
        Proof::Signature => signatures
            .iter()
            .map(|own| SecurityRequirement::new(own.name, no_scopes()))
            .collect(),
        Proof::Nothing => Vec::new(),
    }
}
