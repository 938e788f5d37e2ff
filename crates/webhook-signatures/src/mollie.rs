//! Mollie's signed webhooks: `X-Mollie-Signature: sha256=…` over the body, in hex.
//!
//! While a secret is being replaced, the header comes once for each secret, or all values come in one, with commas
//! between them. The prefix may be missing, as in the examples of Mollie's documentation. Mollie's classic webhooks
//! have no signature and no identity, so they are refused here. Rules:
//! <https://docs.mollie.com/reference/webhooks-best-practices>.

use crate::mac::{HmacSha256, any_secret, check, digest, lower_case_hex};
use crate::request::bounded;
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "X-Mollie-Signature";
const PREFIX: &str = "sha256=";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Mollie;
    any_secret(scheme, secrets)?;
    if request.header_values(HEADER).next().is_none() {
        return Err(Refusal::MissingHeader {
            name: HEADER.into(),
        });
    }
    let signatures = request
        .header_values(HEADER)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter_map(|text| lower_case_hex(text.strip_prefix(PREFIX.as_bytes()).unwrap_or(text)))
        .collect();
    let signatures = bounded(HEADER, signatures)?;
    check::<HmacSha256>(scheme, secrets, &[request.body], &signatures)?;
    Ok(body::genuine())
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha256>(Scheme::Mollie, secret, &[body])?;
    Ok(vec![(HEADER, format!("{PREFIX}{}", hex::encode(digest)))])
}
