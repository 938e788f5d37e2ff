//! Paddle: `Paddle-Signature: ts=…;h1=…` over `ts:body`.
//!
//! The header may have several `h1`, one per live secret. Other names are ignored. Rules:
//! <https://developer.paddle.com/webhooks/signature-verification>. Unlike Paddle's library for JavaScript, this reads
//! every `h1`, and refuses a time in the future.

use crate::mac::{HmacSha256, any_secret, check, digest, lower_case_hex};
use crate::request::{bounded, unix_seconds};
use crate::{Covers, Refusal, Request, Scheme, Secret, SignError, SignedData};

const HEADER: &str = "Paddle-Signature";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Paddle;
    any_secret(scheme, secrets)?;
    let malformed = || Refusal::MalformedHeader {
        name: HEADER.into(),
    };
    let mut time_text = None;
    let mut signatures = Vec::new();
    for item in request.sole_header(HEADER)?.split(|byte| *byte == b';') {
        if let Some(text) = item.strip_prefix(b"ts=") {
            if time_text.replace(text).is_some() {
                return Err(malformed());
            }
        } else if let Some(text) = item.strip_prefix(b"h1=") {
            signatures.extend(lower_case_hex(text));
        } else if !item.contains(&b'=') {
            return Err(malformed());
        }
    }
    let time_text = time_text.ok_or_else(malformed)?;
    let timestamp = unix_seconds(time_text).ok_or_else(malformed)?;
    let signatures = bounded(HEADER, signatures)?;
    let parts = [time_text, b":", request.body];
    check::<HmacSha256>(scheme, secrets, &parts, &signatures)?;
    Ok(SignedData {
        timestamp: Some(timestamp),
        message_id: None,
        covers: Covers::Body,
    })
}

pub(crate) fn sign(
    secret: &Secret,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    let prefix = format!("{timestamp}:");
    let digest = digest::<HmacSha256>(Scheme::Paddle, secret, &[prefix.as_bytes(), body])?;
    let value = format!("ts={timestamp};h1={}", hex::encode(digest));
    Ok(vec![(HEADER, value)])
}
