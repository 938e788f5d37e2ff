//! Square: `x-square-hmacsha256-signature` over the notification URL and the body, in base64.
//!
//! The URL is signed byte for byte, as it stands in Square's settings. It is a setting here too, and never taken from
//! the request: behind a proxy the request names another one. There is no time: a repeated delivery is known by
//! `event_id` in the body. Rules: <https://developer.squareup.com/docs/webhooks/step3validate>.

use crate::mac::{HmacSha256, any_secret, base64, check, digest, exact_base64};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData, body};

const HEADER: &str = "x-square-hmacsha256-signature";

pub(crate) fn verify(
    secrets: &[Secret],
    url: Option<&str>,
    request: &Request<'_>,
) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Square;
    any_secret(scheme, secrets)?;
    let url = url.ok_or(Refusal::NotSetUp { what: "URL" })?;
    let signature = exact_base64(request.sole_header(HEADER)?).ok_or(Refusal::MalformedHeader {
        name: HEADER.into(),
    })?;
    let parts = [url.as_bytes(), request.body];
    check::<HmacSha256>(scheme, secrets, &parts, &[signature])?;
    Ok(body::genuine())
}

pub(crate) fn sign(
    secret: &Secret,
    url: Option<&str>,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    let url = url.ok_or(SignError::NotSetUp { what: "URL" })?;
    let digest = digest::<HmacSha256>(Scheme::Square, secret, &[url.as_bytes(), body])?;
    Ok(vec![(HEADER, base64(&digest))])
}
