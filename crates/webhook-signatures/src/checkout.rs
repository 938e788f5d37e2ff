//! Checkout.com: `Cko-Signature` over the body, in hex.
//!
//! There is no time: a repeated delivery is known by the event's `id` in the body. Rules:
//! <https://www.checkout.com/docs/developer-resources/webhooks/receive-webhooks>.

use crate::mac::{HmacSha256, digest, lower_case_hex};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "Cko-Signature";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::CheckoutCom;
    body::verify::<HmacSha256>(scheme, HEADER, lower_case_hex, secrets, request)
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha256>(Scheme::CheckoutCom, secret, &[body])?;
    Ok(vec![(HEADER, hex::encode(digest))])
}
