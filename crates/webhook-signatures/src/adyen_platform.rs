//! Adyen's webhooks of the balance platform and of the Management API: `HmacSignature` over the body, in base64. The
//! key is written in hex.
//!
//! The header `Protocol` names the algorithm. It chooses nothing here: if it is there, it must be `HmacSHA256`. There
//! is no time. Rules:
//! <https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures>.

use crate::mac::{HmacSha256, base64, digest, exact_base64};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "HmacSignature";
const PROTOCOL: &str = "Protocol";
const ALGORITHM: &str = "HmacSHA256";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::AdyenPlatform;
    let signed = body::verify::<HmacSha256>(scheme, HEADER, exact_base64, secrets, request)?;
    let mut protocols = request.header_values(PROTOCOL);
    if protocols.any(|protocol| protocol != ALGORITHM.as_bytes()) {
        return Err(Refusal::MalformedHeader {
            name: PROTOCOL.into(),
        });
    }
    Ok(signed)
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha256>(Scheme::AdyenPlatform, secret, &[body])?;
    Ok(vec![
        (HEADER, base64(&digest)),
        (PROTOCOL, ALGORITHM.to_owned()),
    ])
}
