//! Mollie's signed webhooks: `X-Mollie-Signature: sha256=…` over the body, in hex.
//!
//! For 24 hours after a secret is replaced, the header comes twice, once for each secret. A program on the way may have
//! joined the two values with a comma. One genuine value is enough, as in Mollie's own libraries. The prefix may be
//! missing, as in the examples of Mollie's documentation. Mollie's classic webhooks have no signature and no identity,
//! so they are refused here. Rules: <https://docs.mollie.com/reference/webhooks-new>,
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::HEADER;
    use crate::{Refusal, Request, Scheme, Secret, SignedData, sign, verify};

    fn secret(text: &str) -> Secret {
        Secret::parse(Scheme::Mollie, text).unwrap()
    }

    fn signature(text: &str) -> String {
        let mut made = sign(Scheme::Mollie, &secret(text), "", 0, b"{}").unwrap();
        made.pop().unwrap().1
    }

    fn verdict(values: &[&str]) -> Result<SignedData, Refusal> {
        let headers: Vec<_> = values
            .iter()
            .map(|value| (HEADER, value.as_bytes()))
            .collect();
        let request = Request {
            headers: &headers,
            body: b"{}",
        };
        verify(Scheme::Mollie, &[secret("new")], &request, 0, 0)
    }

    #[test]
    fn while_a_secret_is_replaced_all_signatures_are_tried() {
        let (old, new) = (signature("old"), signature("new"));
        for values in [
            &[new.as_str()][..],
            &[new.trim_start_matches("sha256=")],
            &[old.as_str(), &new],
            &[new.as_str(), &old],
            &[format!("{old}, {new}").as_str()],
            &[format!("{new},{old}").as_str()],
        ] {
            assert!(verdict(values).is_ok(), "{values:?}");
        }
        let refused = Err(Refusal::NoMatchingSignature);
        assert_eq!(verdict(&[&old, &old]), refused);
        let name = HEADER.into();
        assert_eq!(
            verdict(&["sha256=", "md5=00"]),
            Err(Refusal::MalformedHeader { name })
        );
    }

    #[test]
    fn a_classic_webhook_has_no_signature_and_is_refused() {
        let name = HEADER.into();
        assert_eq!(verdict(&[]), Err(Refusal::MissingHeader { name }));
    }
}
