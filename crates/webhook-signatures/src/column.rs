//! Column: `Column-Signature` over the body, in hex.
//!
//! There is no time: a repeated delivery is known by the event's `id` in the body. Rules:
//! <https://column.com/docs/events-and-webhooks>.

use crate::mac::{HmacSha256, digest, lower_case_hex};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "Column-Signature";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    body::verify::<HmacSha256>(Scheme::Column, HEADER, lower_case_hex, secrets, request)
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha256>(Scheme::Column, secret, &[body])?;
    Ok(vec![(HEADER, hex::encode(digest))])
}
