//! Stripe: `Stripe-Signature: t=…,v1=…` over `t.body`.
//!
//! The header may have several `v1`, one per live secret. Other names, such as `v0`, are ignored.
//! Rules: <https://docs.stripe.com/webhooks#verify-manually>. Unlike Stripe's own libraries, this also refuses a time
//! in the future.

use std::borrow::Cow;

use crate::mac::{HmacSha256, any_secret, check, digest, lower_case_hex};
use crate::request::{bounded, unix_seconds};
use crate::{Covers, Refusal, Request, Scheme, Secret, SignError, SignedData};

const HEADER: &str = "Stripe-Signature";
const MALFORMED: Refusal = Refusal::MalformedHeader {
    name: Cow::Borrowed(HEADER),
};

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::Stripe;
    any_secret(scheme, secrets)?;
    let header = parse(request.sole_header(HEADER)?)?;
    let parts = [header.time_text, b".", request.body];
    check::<HmacSha256>(scheme, secrets, &parts, &header.signatures)?;
    Ok(SignedData {
        timestamp: Some(header.timestamp),
        message_id: None,
        covers: Covers::Body,
    })
}

pub(crate) fn sign(
    secret: &Secret,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    let prefix = format!("{timestamp}.");
    let digest = digest::<HmacSha256>(Scheme::Stripe, secret, &[prefix.as_bytes(), body])?;
    let value = format!("t={timestamp},v1={}", hex::encode(digest));
    Ok(vec![(HEADER, value)])
}

struct Header<'a> {
    timestamp: i64,
    /// The time as it is written, because the MAC covers these bytes.
    time_text: &'a [u8],
    signatures: Vec<Vec<u8>>,
}

/// Reads the header. A `v1` that cannot be decoded is ignored, unless no other `v1` is left.
fn parse(value: &[u8]) -> Result<Header<'_>, Refusal> {
    let mut time_text = None;
    let mut signatures = Vec::new();
    for item in value.split(|byte| *byte == b',') {
        if let Some(text) = item.strip_prefix(b"t=") {
            if time_text.replace(text).is_some() {
                return Err(MALFORMED);
            }
        } else if let Some(text) = item.strip_prefix(b"v1=") {
            signatures.extend(lower_case_hex(text));
        } else if !item.contains(&b'=') {
            return Err(MALFORMED);
        }
    }
    let time_text = time_text.ok_or(MALFORMED)?;
    let timestamp = unix_seconds(time_text).ok_or(MALFORMED)?;
    Ok(Header {
        timestamp,
        time_text,
        signatures: bounded(HEADER, signatures)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{HEADER, MALFORMED, verify};
    use crate::{Refusal, Request, Scheme, Secret, SecretError, SignedData};

    const SIGNATURE: &str = "6dc983a158a15726f4ddb4b8e277172d1fa4cb864575f2cc624e4a0c00c27aa8";

    fn verdict(value: &str) -> Result<Result<SignedData, Refusal>, SecretError> {
        let secret = Secret::parse(
            Scheme::Stripe,
            "whsec_test_5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c",
        )?;
        let headers = [(HEADER, value.as_bytes())];
        Ok(verify(
            &[secret],
            &Request {
                headers: &headers,
                body: b"{}",
            },
        ))
    }

    #[test]
    fn a_header_without_one_time_and_one_readable_v1_is_malformed() {
        for value in [
            String::new(),
            "t=1".to_owned(),
            format!("v1={SIGNATURE}"),
            format!("t=1,t=1,v1={SIGNATURE}"),
            format!("t=1, v1={SIGNATURE}"),
            format!("t=1,v0={SIGNATURE}"),
            format!("t=1,v1={SIGNATURE}0"),
            format!("t=1,v1={},", SIGNATURE),
            format!("t=1;v1={SIGNATURE}"),
            format!("t= 1,v1={SIGNATURE}"),
        ] {
            assert_eq!(verdict(&value), Ok(Err(MALFORMED)), "{value:?}");
        }
    }

    #[test]
    fn an_unreadable_v1_does_not_spoil_a_readable_one() {
        let value = format!("t=1,v1=zz,v1={SIGNATURE},v9=?");
        assert_eq!(verdict(&value), Ok(Err(Refusal::NoMatchingSignature)));
    }

    #[test]
    fn more_signatures_than_anybody_needs_are_refused_unchecked() {
        let value = format!("t=1{}", format!(",v1={SIGNATURE}").repeat(33));
        assert_eq!(
            verdict(&value),
            Ok(Err(Refusal::TooManySignatures {
                name: HEADER.into(),
                most: 32
            }))
        );
    }
}
