//! Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp` and `webhook-signature` over `id.timestamp.body`,
//! symmetric (`v1`) and asymmetric (`v1a`), and the same `v1` under the older `svix-*` names.
//!
//! The signature header is a list separated by spaces, each entry a version, a comma and base64. Entries of other
//! versions are ignored. Rules: <https://www.standardwebhooks.com>, "Signature scheme" and "Webhook headers".

use ed25519_dalek::{Signature, Signer as _};

use crate::mac::{HmacSha256, any_secret, base64, check, digest, exact_base64};
use crate::request::{bounded, unix_seconds};
use crate::{Covers, Refusal, Request, Scheme, Secret, SignError, SignedData};

const SYMMETRIC: &str = "v1";
const ASYMMETRIC: &str = "v1a";

pub(crate) fn verify_symmetric(
    scheme: Scheme,
    secrets: &[Secret],
    request: &Request<'_>,
) -> Result<SignedData, Refusal> {
    any_secret(scheme, secrets)?;
    let message = Message::read(HeaderNames::of(scheme), request)?;
    let signatures = message.signatures::<32>(SYMMETRIC)?;
    let signatures: Vec<Vec<u8>> = signatures.into_iter().map(Vec::from).collect();
    check::<HmacSha256>(scheme, secrets, &message.signed_parts(), &signatures)?;
    Ok(message.verified())
}

pub(crate) fn verify_asymmetric(
    secrets: &[Secret],
    request: &Request<'_>,
) -> Result<SignedData, Refusal> {
    let mut keys = secrets.iter().filter_map(Secret::verifying_key).peekable();
    keys.peek().ok_or(Refusal::NoSecret)?;
    let message = Message::read(HeaderNames::of(Scheme::StandardWebhooksV1a), request)?;
    let signatures = message.signatures::<64>(ASYMMETRIC)?;

    let signed = message.signed_parts().concat();
    // `verify_strict` allows one signature per key and message; the plain check allows several forms of it.
    let genuine = keys.any(|key| {
        signatures.iter().any(|signature| {
            key.verify_strict(&signed, &Signature::from_bytes(signature))
                .is_ok()
        })
    });
    if genuine {
        Ok(message.verified())
    } else {
        Err(Refusal::NoMatchingSignature)
    }
}

pub(crate) fn sign_symmetric(
    scheme: Scheme,
    secret: &Secret,
    message_id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    let prefix = signed_prefix(message_id, timestamp)?;
    let digest = digest::<HmacSha256>(scheme, secret, &[prefix.as_bytes(), body])?;
    Ok(HeaderNames::of(scheme).filled(message_id, timestamp, SYMMETRIC, &digest))
}

pub(crate) fn sign_asymmetric(
    secret: &Secret,
    message_id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    let prefix = signed_prefix(message_id, timestamp)?;
    let signed = [prefix.as_bytes(), body].concat();
    let signature = signing_key(secret)?.sign(&signed).to_bytes();
    let names = HeaderNames::of(Scheme::StandardWebhooksV1a);
    Ok(names.filled(message_id, timestamp, ASYMMETRIC, &signature))
}

fn signed_prefix(message_id: &str, timestamp: i64) -> Result<String, SignError> {
    if !is_message_id(message_id.as_bytes()) {
        return Err(SignError::UnusableMessageId);
    }
    Ok(format!("{message_id}.{timestamp}."))
}

fn signing_key(secret: &Secret) -> Result<&ed25519_dalek::SigningKey, SignError> {
    secret
        .signing_key()
        .ok_or_else(|| match secret.verifying_key() {
            Some(_) => SignError::PublicKey,
            None => SignError::SecretOfAnotherScheme,
        })
}

#[derive(Clone, Copy)]
struct HeaderNames {
    id: &'static str,
    timestamp: &'static str,
    signature: &'static str,
}

impl HeaderNames {
    fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Svix => Self {
                id: "svix-id",
                timestamp: "svix-timestamp",
                signature: "svix-signature",
            },
            Scheme::StandardWebhooks
            | Scheme::StandardWebhooksV1a
            | Scheme::Stripe
            | Scheme::Github
            | Scheme::Shopify
            | Scheme::Square
            | Scheme::Paddle
            | Scheme::AdyenStandard
            | Scheme::AdyenPlatform
            | Scheme::CheckoutCom
            | Scheme::Paypal
            | Scheme::Mollie
            | Scheme::Hyperswitch
            | Scheme::Column
            | Scheme::Rfc9421HmacSha256
            | Scheme::Generic => Self {
                id: "webhook-id",
                timestamp: "webhook-timestamp",
                signature: "webhook-signature",
            },
        }
    }

    fn filled(
        self,
        message_id: &str,
        timestamp: i64,
        version: &str,
        signature: &[u8],
    ) -> Vec<(&'static str, String)> {
        vec![
            (self.id, message_id.to_owned()),
            (self.timestamp, timestamp.to_string()),
            (self.signature, format!("{version},{}", base64(signature))),
        ]
    }
}

struct Message<'a> {
    id: &'a str,
    timestamp: i64,
    /// The time as it is written, because the signature covers these bytes.
    time_text: &'a [u8],
    body: &'a [u8],
    signature_name: &'static str,
    signature_text: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(names: HeaderNames, request: &Request<'a>) -> Result<Self, Refusal> {
        let id = request.sole_header(names.id)?;
        let time_text = request.sole_header(names.timestamp)?;
        let signature_text = request.sole_header(names.signature)?;

        let malformed = |name: &'static str| Refusal::MalformedHeader { name: name.into() };
        let id = Some(id)
            .filter(|id| is_message_id(id))
            .and_then(|id| str::from_utf8(id).ok())
            .ok_or_else(|| malformed(names.id))?;
        let timestamp = unix_seconds(time_text).ok_or_else(|| malformed(names.timestamp))?;
        Ok(Self {
            id,
            timestamp,
            time_text,
            body: request.body,
            signature_name: names.signature,
            signature_text,
        })
    }

    /// The signatures of this version. An entry that cannot be decoded is ignored, unless no other entry is left.
    fn signatures<const LENGTH: usize>(&self, version: &str) -> Result<Vec<[u8; LENGTH]>, Refusal> {
        let signatures = self
            .signature_text
            .split(|byte| *byte == b' ')
            .filter_map(|entry| entry.strip_prefix(version.as_bytes())?.strip_prefix(b","))
            .filter_map(|encoded| exact_base64(encoded)?.try_into().ok())
            .collect();
        bounded(self.signature_name, signatures)
    }

    fn signed_parts(&self) -> [&'a [u8]; 5] {
        [self.id.as_bytes(), b".", self.time_text, b".", self.body]
    }

    fn verified(&self) -> SignedData {
        SignedData {
            timestamp: Some(self.timestamp),
            message_id: Some(self.id.to_owned()),
            covers: Covers::Body,
        }
    }
}

/// Whether an id is allowed. With a full stop in the id, one signature would fit several messages: the end of the id
/// could pass for the time, and the time for the start of the body. The specification warns of it ("Signature scheme").
fn is_message_id(id: &[u8]) -> bool {
    !id.is_empty()
        && id
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b'.')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use crate::{Refusal, Request, Scheme, Secret, SignError, sign, verify};

    const SYMMETRIC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    const PRIVATE: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";

    fn refusal(id: &str, timestamp: &str, signature: &str) -> Option<Refusal> {
        let secret = Secret::parse(Scheme::StandardWebhooks, SYMMETRIC).unwrap();
        let headers = [
            ("webhook-id", id.as_bytes()),
            ("webhook-timestamp", timestamp.as_bytes()),
            ("webhook-signature", signature.as_bytes()),
        ];
        let request = Request {
            headers: &headers,
            body: b"5.{}",
        };
        verify(Scheme::StandardWebhooks, &[secret], &request, 5, 300).err()
    }

    fn signature(id: &str, timestamp: i64, body: &[u8]) -> String {
        let secret = Secret::parse(Scheme::StandardWebhooks, SYMMETRIC).unwrap();
        let headers = sign(Scheme::StandardWebhooks, &secret, id, timestamp, body).unwrap();
        headers
            .into_iter()
            .find(|(name, _)| *name == "webhook-signature")
            .unwrap()
            .1
    }

    #[test]
    fn a_genuine_signature_is_found_among_others() {
        let genuine = signature("msg", 5, b"5.{}");
        assert_eq!(
            refusal("msg", "5", &format!("v2,abc v1,!! v1a,{genuine} {genuine}")),
            None
        );
    }

    #[test]
    fn the_parts_of_a_message_cannot_be_shifted_into_one_another() {
        // `msg.5` + `5` + `{}` and `msg` + `5` + `5.{}` are the same signed bytes.
        let secret = Secret::parse(Scheme::StandardWebhooks, SYMMETRIC).unwrap();
        assert_eq!(
            sign(Scheme::StandardWebhooks, &secret, "msg.5", 5, b"{}"),
            Err(SignError::UnusableMessageId)
        );
        let shifted = signature("msg", 5, b"5.5.{}");
        assert_eq!(
            refusal("msg.5", "5", &shifted),
            Some(Refusal::MalformedHeader {
                name: "webhook-id".into()
            })
        );
    }

    #[test]
    fn a_malformed_header_is_named() {
        let genuine = signature("msg", 5, b"5.{}");
        let malformed = |name: &'static str| Some(Refusal::MalformedHeader { name: name.into() });

        assert_eq!(refusal("", "5", &genuine), malformed("webhook-id"));
        assert_eq!(refusal("m\u{fc}", "5", &genuine), malformed("webhook-id"));
        assert_eq!(
            refusal("msg", "+5", &genuine),
            malformed("webhook-timestamp")
        );
        assert_eq!(refusal("msg", "5", ""), malformed("webhook-signature"));
        assert_eq!(
            refusal("msg", "5", &genuine.replace('=', "")),
            malformed("webhook-signature")
        );
    }

    #[test]
    fn a_public_key_verifies_and_only_the_private_one_signs() {
        let scheme = Scheme::StandardWebhooksV1a;
        let public = Secret::parse(scheme, PUBLIC).unwrap();
        let private = Secret::parse(scheme, PRIVATE).unwrap();

        assert_eq!(
            sign(scheme, &public, "msg", 5, b"{}"),
            Err(SignError::PublicKey)
        );
        let sent = sign(scheme, &private, "msg", 5, b"{}").unwrap();
        let headers: Vec<_> = sent
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let request = Request {
            headers: &headers,
            body: b"{}",
        };
        assert!(verify(scheme, &[public], &request, 5, 300).is_ok());
    }

    #[test]
    fn a_secret_of_another_scheme_neither_signs_nor_verifies() {
        let stripe = Secret::parse(Scheme::Stripe, SYMMETRIC).unwrap();
        let request = Request {
            headers: &[],
            body: b"{}",
        };
        for scheme in [
            Scheme::StandardWebhooks,
            Scheme::StandardWebhooksV1a,
            Scheme::Svix,
        ] {
            assert_eq!(
                sign(scheme, &stripe, "msg", 5, b"{}"),
                Err(SignError::SecretOfAnotherScheme)
            );
            assert_eq!(
                verify(scheme, std::slice::from_ref(&stripe), &request, 5, 300),
                Err(Refusal::NoSecret)
            );
        }
    }
}
