//! Stripe: `Stripe-Signature: t=…,v1=…` over `t.body`.
//!
//! The header may have several `v1`, one per live secret. Other names, such as `v0`, are ignored.
//! Rules: <https://docs.stripe.com/webhooks#verify-manually>. Unlike Stripe's own libraries, this also refuses a time
//! in the future.

use hmac::Mac as _;

use crate::request::{bounded, unix_seconds};
use crate::{Refusal, Request, Scheme, Secret, SignError, SignedData};

const HEADER: &str = "Stripe-Signature";
const MALFORMED: Refusal = Refusal::MalformedHeader { name: HEADER };

type Digest = [u8; 32];

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let mut macs = secrets
        .iter()
        .filter_map(|secret| secret.mac(Scheme::Stripe))
        .peekable();
    macs.peek().ok_or(Refusal::NoSecret)?;
    let header = parse(request.sole_header(HEADER)?)?;

    let genuine = macs.any(|mac| {
        let mac = mac
            .chain_update(header.time_text)
            .chain_update(b".")
            .chain_update(request.body);
        header
            .signatures
            .iter()
            .any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if !genuine {
        return Err(Refusal::NoMatchingSignature);
    }
    Ok(SignedData {
        timestamp: header.timestamp,
        message_id: None,
    })
}

pub(crate) fn sign(
    secret: &Secret,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    let digest = secret
        .mac(Scheme::Stripe)
        .ok_or(SignError::SecretOfAnotherScheme)?
        .chain_update(format!("{timestamp}."))
        .chain_update(body)
        .finalize()
        .into_bytes();
    Ok(vec![(
        HEADER,
        format!("t={timestamp},v1={}", hex::encode(digest)),
    )])
}

struct Header<'a> {
    timestamp: i64,
    /// The time as it is written, because the MAC covers these bytes.
    time_text: &'a [u8],
    signatures: Vec<Digest>,
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

/// Reads lower-case hex only. Stripe writes lower case, and its libraries disagree on upper case; here one signature
/// has one form.
fn lower_case_hex(text: &[u8]) -> Option<Digest> {
    if text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut digest = Digest::default();
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(digest)
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
            format!("t=1,v1={SIGNATURE}00"),
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
                name: HEADER,
                most: 32
            }))
        );
    }
}
