//! What a request brings along: its host, its key and its body.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actix_web::web::{Bytes, Payload, Query};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::order::ProviderKey;
use crate::patience::Patience;
use crate::refusal::Refusal;

/// Greatest size of a request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Greatest length of the name of a tenant, in bytes.
const MAX_TENANT_LENGTH: usize = 64;

/// The tenant of a caller, as it names itself in `Sandbox-Tenant`. Its faults are played for its calls, and for the
/// webhooks about what they have made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tenant(String);

impl Tenant {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tenant that a request names, if it names one: 1 to 64 visible ASCII characters.
pub(crate) fn tenant(request: &HttpRequest) -> Result<Option<Tenant>, Refusal> {
    let mut lines = request.headers().get_all("sandbox-tenant");
    let Some(only) = lines.next() else {
        return Ok(None);
    };
    let text = only.to_str().ok().filter(|text| {
        !text.is_empty()
            && text.len() <= MAX_TENANT_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match (text, lines.next()) {
        (Some(text), None) => Ok(Some(Tenant(text.to_owned()))),
        (Some(_) | None, _) => Err(Refusal::InvalidTenant),
    }
}

/// The host that the caller has named, or else the one that this server listens on.
pub(crate) fn host(request: &HttpRequest) -> &str {
    let named = request.headers().get(HOST);
    named
        .and_then(|host| host.to_str().ok())
        .unwrap_or_else(|| request.app_config().host())
}

/// The one `Idempotency-Key` of a request.
pub(crate) fn provider_key(request: &HttpRequest) -> Result<ProviderKey, Refusal> {
    let mut lines = request.headers().get_all("idempotency-key");
    let only = lines.next().ok_or(Refusal::KeyRequired)?;
    if lines.next().is_some() {
        return Err(Refusal::InvalidKey);
    }
    only.to_str()
        .ok()
        .and_then(ProviderKey::parse)
        .ok_or(Refusal::InvalidKey)
}

/// The provider key that an inquiry is about.
pub(crate) fn inquired_key(request: &HttpRequest) -> Result<ProviderKey, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inquiry {
        idempotency_key: String,
    }
    let inquiry = Query::<Inquiry>::from_query(request.query_string())
        .map_err(|error| {
            tracing::debug!(%error, "an inquiry that cannot be read");
            Refusal::KeyRequired
        })?
        .into_inner();
    ProviderKey::parse(&inquiry.idempotency_key).ok_or(Refusal::InvalidKey)
}

/// The reference by which the journal is asked for, if there is one.
pub(crate) fn asked_reference(request: &HttpRequest) -> Result<Option<String>, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        reference: Option<String>,
    }
    let asked = Query::<Asked>::from_query(request.query_string());
    let asked = asked.map_err(|error| {
        tracing::debug!(%error, "a query that cannot be read");
        Refusal::InvalidReference
    })?;
    Ok(asked.into_inner().reference)
}

/// The body, within the limits of size and time.
pub(crate) async fn read_body(payload: Payload, patience: &Patience) -> Result<Bytes, Refusal> {
    match timeout(patience.body, payload.to_bytes_limited(MAX_BODY_BYTES)).await {
        Err(_elapsed) => Err(Refusal::BodyTooSlow),
        Ok(Err(_over)) => Err(Refusal::BodyTooLarge),
        Ok(Ok(Err(_cut))) => Err(Refusal::MalformedBody),
        Ok(Ok(Ok(body))) => Ok(body),
    }
}
