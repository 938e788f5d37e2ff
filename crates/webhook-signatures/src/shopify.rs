//! Shopify: `X-Shopify-Hmac-Sha256` over the body, in base64.
//!
//! There is no time: a repeated delivery is known by `X-Shopify-Event-Id`, which no signature covers. Rules:
//! <https://shopify.dev/docs/apps/build/webhooks/subscribe/https>.

use crate::mac::{HmacSha256, base64, digest, exact_base64};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "X-Shopify-Hmac-Sha256";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    body::verify::<HmacSha256>(Scheme::Shopify, HEADER, exact_base64, secrets, request)
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha256>(Scheme::Shopify, secret, &[body])?;
    Ok(vec![(HEADER, base64(&digest))])
}
