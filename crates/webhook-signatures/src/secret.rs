//! Secrets: parsed once, when settings are read, into keys.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{KEYPAIR_LENGTH, PUBLIC_KEY_LENGTH, SigningKey, VerifyingKey};
use hmac::KeyInit;
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::{Scheme, paypal};

/// The alphabet of RFC 4648, section 4. Padding may be missing, because the reference libraries of Standard Webhooks
/// and Svix for JavaScript and Python accept that.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const SYMMETRIC_PREFIX: &str = "whsec_";
const PUBLIC_PREFIX: &str = "whpk_";
const PRIVATE_PREFIX: &str = "whsk_";

/// Least length: 128 bits even if every character had eight bits; real secrets have 32 characters or more.
const STRIPE_MIN_LENGTH: usize = 16;
const STRIPE_MAX_LENGTH: usize = 512;
/// Limits of Standard Webhooks 1.0.0, "Signature scheme": 192 bits at least, 512 at most.
const STANDARD_MIN_BYTES: usize = 24;
const STANDARD_MAX_BYTES: usize = 64;
/// Greatest length of a secret that senders give out as a text, or that their users choose, in bytes. The least is 1:
/// the senders say no other.
const TEXT_MAX_BYTES: usize = 512;
/// Adyen makes keys of 32 bytes, written as 64 hexadecimal digits.
const ADYEN_BYTES: usize = 32;
/// Least length of a key for RFC 9421, in bytes: 128 bits. The RFC says none.
const RFC9421_MIN_BYTES: usize = 16;
const RFC9421_MAX_BYTES: usize = 512;
/// How the secrets of the scheme `generic` begin that are not used as they are written.
const GENERIC_HEX: &str = "hex:";
const GENERIC_BASE64: &str = "base64:";

/// The key for signatures of one scheme. It is never printed, and it is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret {
    /// The scheme, or for schemes with the same keys the first one of them.
    scheme: Scheme,
    key: Key,
}

/// Why a text is not a secret. Such a text is a mistake in the settings, so the receiver should not start. No variant
/// repeats any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing is left after the prefix; anyone could sign with an empty key.
    #[error("the secret is empty")]
    Empty,
    /// The secret is shorter than the scheme allows.
    #[error("the secret is too short: {found} bytes, at least {least} are needed")]
    TooShort {
        /// Least number of bytes that the scheme allows.
        least: usize,
        /// Number of bytes that were given, without the prefix.
        found: usize,
    },
    /// The secret is longer than the scheme allows.
    #[error("the secret is too long: {found} bytes, at most {most} are allowed")]
    TooLong {
        /// Greatest number of bytes that the scheme allows.
        most: usize,
        /// Number of bytes that were given, without the prefix.
        found: usize,
    },
    /// The text has a space, a line break or another character that no issued secret has; mostly a copying mistake.
    #[error("the secret has a character that is not visible ASCII (a space or a line break?)")]
    NotVisibleAscii,
    /// The text has a line break or another control character, or a space at its end; mostly a copying mistake.
    #[error("the secret has a control character, or a space at its beginning or its end")]
    NotOneLine,
    /// The text is not base64, the form of keys in this scheme.
    #[error("the secret is not valid base64")]
    NotBase64,
    /// The text is not hexadecimal, the form of keys in this scheme.
    #[error("the secret is not valid hexadecimal")]
    NotHex,
    /// The text is a key in PEM form, which only PayPal gives out.
    #[error(
        "the secret is a PEM file; give the text that the sender shows, such as whsec_… or whpk_…"
    )]
    Pem,
    /// The text is no certificate and no public RSA key in PEM form.
    #[error("the secret must be a certificate or a public RSA key in PEM form")]
    NotCertificate,
    /// The chain of certificates does not lead to a trusted root, or is not valid at this time.
    #[error("the certificate is not trusted: its chain is broken, or it is not valid now")]
    UntrustedCertificate,
    /// The certificate belongs to somebody else.
    #[error("the certificate is not one of PayPal's for webhooks")]
    CertificateOfAnother,
    /// The crate was built without the feature that this scheme needs.
    #[error("this program was built without the feature `{feature}`")]
    FeatureMissing {
        /// The name of the feature.
        feature: &'static str,
    },
    /// The scheme tells public from private keys by their prefix, and there is no known prefix.
    #[error("the secret must start with `whpk_` (to verify) or `whsk_` (to sign)")]
    UnknownPrefix,
    /// The key has the right length, but is not a trustworthy Ed25519 key: it is not on the curve, or of small
    /// order, or its public half belongs to another private key.
    #[error("the secret is not a usable Ed25519 key")]
    UnusableKey,
}

impl Secret {
    /// A secret from the text that the sender gives out.
    ///
    /// For the scheme `paypal` the text is a certificate or a public key in PEM form, and whoever gives it vouches for
    /// it; [`paypal::secret_of_chain`](crate::paypal::secret_of_chain) checks a certificate that came over the network.
    ///
    /// # Errors
    ///
    /// See [`SecretError`].
    pub fn parse(scheme: Scheme, text: &str) -> Result<Self, SecretError> {
        if scheme != Scheme::Paypal && text.trim_start().starts_with("-----BEGIN") {
            return Err(SecretError::Pem);
        }
        let key = match scheme {
            Scheme::Stripe => stripe(text),
            Scheme::StandardWebhooks | Scheme::Svix => standard_symmetric(text),
            Scheme::StandardWebhooksV1a => standard_asymmetric(text),
            Scheme::Github
            | Scheme::Shopify
            | Scheme::Square
            | Scheme::Paddle
            | Scheme::CheckoutCom
            | Scheme::Mollie
            | Scheme::Hyperswitch
            | Scheme::Column => plain_text(text),
            Scheme::AdyenStandard | Scheme::AdyenPlatform => {
                let bytes = hex_bytes(text)?;
                within(bytes.expose_secret().len(), ADYEN_BYTES, ADYEN_BYTES)?;
                Ok(Key::Symmetric(bytes))
            }
            Scheme::Rfc9421HmacSha256 => {
                let bytes = base64_bytes(text)?;
                let found = bytes.expose_secret().len();
                within(found, RFC9421_MIN_BYTES, RFC9421_MAX_BYTES)?;
                Ok(Key::Symmetric(bytes))
            }
            Scheme::Generic => generic(text),
            Scheme::Paypal if text.is_empty() => Err(SecretError::Empty),
            Scheme::Paypal => paypal::RsaKey::parse(text).map(Key::Rsa),
        }?;
        Ok(Self::new(scheme, key))
    }

    fn new(scheme: Scheme, key: Key) -> Self {
        Self {
            scheme: first_of_kind(scheme),
            key,
        }
    }

    /// A secret of the scheme `paypal`.
    #[cfg(feature = "paypal")]
    pub(crate) fn of_rsa(key: paypal::RsaKey) -> Self {
        Self::new(Scheme::Paypal, Key::Rsa(key))
    }

    /// Whether this is a secret of the scheme.
    pub(crate) fn is_of(&self, scheme: Scheme) -> bool {
        self.scheme == first_of_kind(scheme)
    }

    /// The MAC with this key, if this is a secret of that symmetric scheme.
    pub(crate) fn mac<M: KeyInit>(&self, scheme: Scheme) -> Option<M> {
        match &self.key {
            // HMAC takes a key of any length.
            Key::Symmetric(bytes) if self.is_of(scheme) => {
                M::new_from_slice(bytes.expose_secret()).ok()
            }
            Key::Symmetric(_) | Key::Public(_) | Key::Private(_) | Key::Rsa(_) => None,
        }
    }

    /// The key that verifies, if this is a secret of the asymmetric scheme. A private key contains its public half.
    pub(crate) fn verifying_key(&self) -> Option<VerifyingKey> {
        match &self.key {
            Key::Public(key) => Some(*key),
            Key::Private(key) => Some(key.verifying_key()),
            Key::Symmetric(_) | Key::Rsa(_) => None,
        }
    }

    /// The key that signs, if this is a private key of the asymmetric scheme.
    pub(crate) fn signing_key(&self) -> Option<&SigningKey> {
        match &self.key {
            Key::Private(key) => Some(key),
            Key::Symmetric(_) | Key::Public(_) | Key::Rsa(_) => None,
        }
    }

    /// The public RSA key, if this is a secret of the scheme `paypal`.
    pub(crate) fn rsa_key(&self) -> Option<&paypal::RsaKey> {
        match &self.key {
            Key::Rsa(key) => Some(key),
            Key::Symmetric(_) | Key::Public(_) | Key::Private(_) => None,
        }
    }
}

/// Schemes with the same keys share their secrets; all others are kept apart. Stripe and Standard Webhooks, for
/// example, derive different bytes from the same `whsec_` text.
const fn first_of_kind(scheme: Scheme) -> Scheme {
    match scheme {
        Scheme::Svix => Scheme::StandardWebhooks,
        Scheme::Stripe
        | Scheme::StandardWebhooks
        | Scheme::StandardWebhooksV1a
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
        | Scheme::Generic => scheme,
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret([REDACTED])")
    }
}

#[derive(Clone)]
enum Key {
    Symmetric(SecretSlice<u8>),
    Public(VerifyingKey),
    /// This key wipes itself when dropped.
    Private(Box<SigningKey>),
    Rsa(paypal::RsaKey),
}

fn stripe(text: &str) -> Result<Key, SecretError> {
    let unprefixed = text.strip_prefix(SYMMETRIC_PREFIX).unwrap_or(text);
    within(unprefixed.len(), STRIPE_MIN_LENGTH, STRIPE_MAX_LENGTH)?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SecretError::NotVisibleAscii);
    }
    Ok(Key::Symmetric(text.as_bytes().to_vec().into()))
}

fn standard_symmetric(text: &str) -> Result<Key, SecretError> {
    let bytes = base64_bytes(text.strip_prefix(SYMMETRIC_PREFIX).unwrap_or(text))?;
    within(
        bytes.expose_secret().len(),
        STANDARD_MIN_BYTES,
        STANDARD_MAX_BYTES,
    )?;
    Ok(Key::Symmetric(bytes))
}

fn standard_asymmetric(text: &str) -> Result<Key, SecretError> {
    if let Some(encoded) = text.strip_prefix(PUBLIC_PREFIX) {
        let bytes = base64_bytes(encoded)?;
        let key = VerifyingKey::from_bytes(exactly::<PUBLIC_KEY_LENGTH>(&bytes)?)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or(SecretError::UnusableKey)?;
        return Ok(Key::Public(key));
    }
    if let Some(encoded) = text.strip_prefix(PRIVATE_PREFIX) {
        let bytes = base64_bytes(encoded)?;
        let key = SigningKey::from_keypair_bytes(exactly::<KEYPAIR_LENGTH>(&bytes)?)
            .ok()
            .ok_or(SecretError::UnusableKey)?;
        return Ok(Key::Private(Box::new(key)));
    }
    Err(if text.is_empty() {
        SecretError::Empty
    } else {
        SecretError::UnknownPrefix
    })
}

fn plain_text(text: &str) -> Result<Key, SecretError> {
    within(text.len(), 1, TEXT_MAX_BYTES)?;
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(SecretError::NotOneLine);
    }
    Ok(Key::Symmetric(text.as_bytes().to_vec().into()))
}

fn generic(text: &str) -> Result<Key, SecretError> {
    let bytes = if let Some(encoded) = text.strip_prefix(GENERIC_HEX) {
        hex_bytes(encoded)?
    } else if let Some(encoded) = text.strip_prefix(GENERIC_BASE64) {
        base64_bytes(encoded)?
    } else {
        return plain_text(text);
    };
    within(bytes.expose_secret().len(), 1, TEXT_MAX_BYTES)?;
    Ok(Key::Symmetric(bytes))
}

fn hex_bytes(encoded: &str) -> Result<SecretSlice<u8>, SecretError> {
    let bytes = hex::decode(encoded).ok().ok_or(SecretError::NotHex)?;
    Ok(bytes.into())
}

fn base64_bytes(encoded: &str) -> Result<SecretSlice<u8>, SecretError> {
    let bytes = BASE64.decode(encoded).ok().ok_or(SecretError::NotBase64)?;
    Ok(bytes.into())
}

fn exactly<const LENGTH: usize>(bytes: &SecretSlice<u8>) -> Result<&[u8; LENGTH], SecretError> {
    let bytes = bytes.expose_secret();
    within(bytes.len(), LENGTH, LENGTH)?;
    bytes.try_into().ok().ok_or(SecretError::UnusableKey)
}

fn within(found: usize, least: usize, most: usize) -> Result<(), SecretError> {
    if found == 0 {
        return Err(SecretError::Empty);
    }
    if found < least {
        return Err(SecretError::TooShort { least, found });
    }
    if found > most {
        return Err(SecretError::TooLong { most, found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Secret, SecretError};
    use crate::Scheme;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    fn refused(scheme: Scheme, text: &str) -> Option<SecretError> {
        Secret::parse(scheme, text).err()
    }

    #[test]
    fn padding_may_be_missing_and_a_pem_is_told() {
        let padded = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nw==";
        for scheme in [Scheme::StandardWebhooks, Scheme::Svix] {
            for text in [padded, padded.trim_end_matches('=')] {
                assert_eq!(refused(scheme, text), None, "{text}");
            }
        }
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
        for scheme in Scheme::ALL {
            let expected = match scheme == Scheme::Paypal {
                true => SecretError::NotCertificate,
                false => SecretError::Pem,
            };
            assert_eq!(refused(scheme, pem), Some(expected), "{}", scheme.name());
        }
    }

    #[test]
    fn an_empty_secret_is_refused_by_every_scheme() {
        for scheme in Scheme::ALL {
            assert_eq!(
                refused(scheme, ""),
                Some(SecretError::Empty),
                "{}",
                scheme.name()
            );
        }
        assert_eq!(refused(Scheme::Stripe, "whsec_"), Some(SecretError::Empty));
        assert_eq!(refused(Scheme::Svix, "whsec_"), Some(SecretError::Empty));
        assert_eq!(
            refused(Scheme::StandardWebhooksV1a, "whpk_"),
            Some(SecretError::Empty)
        );
    }

    #[test]
    fn a_standard_secret_has_24_to_64_bytes() {
        let of_length = |length: usize| format!("whsec_{}", BASE64.encode(vec![7_u8; length]));
        let scheme = Scheme::StandardWebhooks;

        assert_eq!(
            refused(scheme, &of_length(23)),
            Some(SecretError::TooShort {
                least: 24,
                found: 23
            })
        );
        assert_eq!(refused(scheme, &of_length(24)), None);
        assert_eq!(refused(scheme, &of_length(64)), None);
        assert_eq!(
            refused(scheme, &of_length(65)),
            Some(SecretError::TooLong {
                most: 64,
                found: 65
            })
        );
    }

    #[test]
    fn a_stripe_secret_has_16_to_512_visible_characters_after_its_prefix() {
        let of_length = |length: usize| format!("whsec_{}", "k".repeat(length));
        let scheme = Scheme::Stripe;

        assert_eq!(
            refused(scheme, &of_length(15)),
            Some(SecretError::TooShort {
                least: 16,
                found: 15
            })
        );
        assert_eq!(refused(scheme, &of_length(16)), None);
        assert_eq!(
            refused(scheme, &of_length(513)),
            Some(SecretError::TooLong {
                most: 512,
                found: 513
            })
        );
        assert_eq!(
            refused(scheme, &(of_length(32) + "\n")),
            Some(SecretError::NotVisibleAscii)
        );
    }

    #[test]
    fn sloppy_base64_is_refused() {
        let scheme = Scheme::StandardWebhooks;
        for text in [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAB==",
        ] {
            assert_eq!(
                refused(scheme, text),
                Some(SecretError::NotBase64),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_ed25519_key_that_anybody_could_sign_for_is_refused() {
        let scheme = Scheme::StandardWebhooksV1a;
        let mut identity = [0_u8; 32];
        identity[0] = 1;

        assert_eq!(
            refused(scheme, &format!("whpk_{}", BASE64.encode(identity))),
            Some(SecretError::UnusableKey)
        );
        assert_eq!(
            refused(scheme, &format!("whsk_{}", BASE64.encode([9_u8; 64]))),
            Some(SecretError::UnusableKey)
        );
        assert_eq!(
            refused(scheme, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            Some(SecretError::UnknownPrefix)
        );
    }

    #[test]
    fn a_text_is_a_secret_as_it_is_written_and_on_one_line() {
        for scheme in [
            Scheme::Github,
            Scheme::Square,
            Scheme::Column,
            Scheme::Generic,
        ] {
            assert_eq!(refused(scheme, "It's a Secret to Everybody"), None);
            for text in ["secret\n", " secret", "secret ", "a\tb", "\u{a0}secret"] {
                let expected = Some(SecretError::NotOneLine);
                assert_eq!(refused(scheme, text), expected, "{text:?}");
            }
            assert_eq!(
                refused(scheme, &"k".repeat(513)),
                Some(SecretError::TooLong {
                    most: 512,
                    found: 513
                })
            );
        }
    }

    #[test]
    fn a_key_of_adyen_is_64_hexadecimal_digits() {
        for scheme in [Scheme::AdyenStandard, Scheme::AdyenPlatform] {
            assert_eq!(refused(scheme, &"Ab".repeat(32)), None);
            assert_eq!(
                refused(scheme, &"ab".repeat(31)),
                Some(SecretError::TooShort {
                    least: 32,
                    found: 31
                })
            );
            for text in ["abc", "a key", &"0x".repeat(32)] {
                assert_eq!(refused(scheme, text), Some(SecretError::NotHex), "{text}");
            }
        }
    }

    #[test]
    fn a_generic_secret_may_be_written_in_hex_or_base64() {
        let scheme = Scheme::Generic;
        assert_eq!(refused(scheme, "hex:00ff"), None);
        assert_eq!(refused(scheme, "base64:AP8="), None);
        assert_eq!(refused(scheme, "hex:0"), Some(SecretError::NotHex));
        assert_eq!(refused(scheme, "hex:"), Some(SecretError::Empty));
        assert_eq!(refused(scheme, "base64:!"), Some(SecretError::NotBase64));
        assert_eq!(refused(scheme, "base64:"), Some(SecretError::Empty));
    }

    #[test]
    fn a_secret_is_never_printed() {
        for (scheme, text) in [
            (
                Scheme::Stripe,
                "whsec_test_5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c",
            ),
            (Scheme::Svix, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ] {
            let printed = Secret::parse(scheme, text).map(|secret| format!("{secret:?}"));
            assert_eq!(printed, Ok("Secret([REDACTED])".to_owned()));
        }
    }
}
