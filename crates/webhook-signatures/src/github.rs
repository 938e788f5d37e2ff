//! GitHub: `X-Hub-Signature-256: sha256=…` over the body.
//!
//! The older header `X-Hub-Signature` (SHA-1) is not read. There is no time: a repeated delivery is known by
//! `X-GitHub-Delivery`, which no signature covers. Rules:
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.

use crate::mac::{HmacSha256, digest, lower_case_hex};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "X-Hub-Signature-256";
const PREFIX: &str = "sha256=";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let read = |text: &[u8]| lower_case_hex(text.strip_prefix(PREFIX.as_bytes())?);
    body::verify::<HmacSha256>(Scheme::Github, HEADER, read, secrets, request)
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha256>(Scheme::Github, secret, &[body])?;
    Ok(vec![(HEADER, format!("{PREFIX}{}", hex::encode(digest)))])
}
