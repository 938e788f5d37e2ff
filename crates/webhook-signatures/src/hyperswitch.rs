//! Hyperswitch: `x-webhook-signature-512` over the body, HMAC-SHA-512 in hex. The key is the payment response hash key
//! of the business profile.
//!
//! There is no time: a repeated delivery is known by `event_id` in the body. Rules:
//! <https://docs.hyperswitch.io/explore-hyperswitch/payment-orchestration/quickstart/webhooks>.

use crate::mac::{HmacSha512, digest, lower_case_hex};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "x-webhook-signature-512";

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Hyperswitch;
    body::verify::<HmacSha512>(scheme, HEADER, lower_case_hex, secrets, request)
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = digest::<HmacSha512>(Scheme::Hyperswitch, secret, &[body])?;
    Ok(vec![(HEADER, hex::encode(digest))])
}
