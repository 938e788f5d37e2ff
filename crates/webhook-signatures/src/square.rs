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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use crate::{Refusal, Request, Scheme, Secret, Setup, SignedData};

    /// The verdict of a receiver with one URL on a message that was signed for another.
    fn verdict(signed_for: &str, received_at: &str) -> Result<SignedData, Refusal> {
        let square = || Setup::new(Scheme::Square);
        let secret = Secret::parse(Scheme::Square, "asdf1234").unwrap();
        let made = square().with_url(signed_for).sign(&secret, "", 0, b"{}");
        let made = made.unwrap();
        let headers: Vec<_> = made
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_bytes()))
            .collect();
        let request = Request {
            headers: &headers,
            body: b"{}",
        };
        square()
            .with_url(received_at)
            .verify(&[secret], &request, 0)
    }

    #[test]
    fn the_url_is_compared_byte_for_byte() {
        let url = "https://a.example/hooks/pay";
        assert!(verdict(url, url).is_ok());
        for other in [
            "https://a.example/hooks/pay/",
            "https://A.example/hooks/pay",
            "https://a.example:443/hooks/pay",
            "https://a.example/hooks/pay?",
            "http://a.example/hooks/pay",
            "https://a.example/hooks/p",
        ] {
            let refused = Err(Refusal::NoMatchingSignature);
            assert_eq!(verdict(url, other), refused, "{other}");
            assert_eq!(verdict(other, url), refused, "{other}");
        }
    }
}
