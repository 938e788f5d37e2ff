//! Idempotency keys: the same request, sent any number of times, has one effect and one reply.
//!
//! A key belongs to its tenant. The first request with a key claims the key in the same commit as its effect,
//! together with the reply. Later requests get that result ([`KeyState`]). If the result takes longer than one
//! commit, the key is *in flight* until it is answered.
//!
//! A key has a life, which begins with its claim. After it, an answered key counts no more: the same request is a new
//! one, and the row is deleted some time later. A key in flight has no end.
//!
//! This crate knows neither the meaning of a request nor HTTP: a [`Reply`] is a number and bytes.
//!
//! Invariants: there is one effect per (tenant, key) (I1, by the primary key); all replies for a key are identical
//! (I2, by the stored bytes); a request with another fingerprint is refused and writes nothing (I3); a key has no second
//! effect within its life (I4).

pub mod check;
mod schema;
mod shelf;
pub mod tables;

pub use shelf::{KeyState, Shelf};

use sha2::{Digest, Sha256};

/// A client's name for one request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a text is not an idempotency key: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is empty, too long, or has characters that are not allowed.
    #[error("an idempotency key is 1 to 255 visible ASCII characters")]
    Malformed,
    /// The whole text is a card number; keys are stored, so this is refused.
    #[error("an idempotency key must not be a card number")]
    CardNumber,
}

impl Key {
    /// Greatest length of a key, in characters.
    pub const MAX_LENGTH: usize = 255;

    /// A key from a text that keeps the rules.
    ///
    /// # Errors
    /// [`KeyError`] names the first broken rule.
    pub fn parse(text: String) -> Result<Self, KeyError> {
        let key = Self::stored(text)?;
        if text::is_card_number(&key.0) {
            return Err(KeyError::CardNumber);
        }
        Ok(key)
    }

    /// A key as it was stored: a key that was accepted under older rules stays readable.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the text never was a valid key.
    pub fn stored(text: String) -> Result<Self, KeyError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !visible {
            return Err(KeyError::Malformed);
        }
        Ok(Self(text))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 over the parts that are the same in two equal requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request: over its method, route, API version and canonical body. Each part has its
    /// length in front, so that two different requests never give the same bytes.
    #[must_use]
    pub fn of(method: &str, route: &str, version: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [
            method.as_bytes(),
            route.as_bytes(),
            version.as_bytes(),
            body,
        ] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.update(length.to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The claim of a request to a key: the key, and the fingerprint of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The key that the client chose.
    pub key: Key,
    /// The fingerprint of the request.
    pub fingerprint: Fingerprint,
}

/// The reply to a request. Each replay has the same status and the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        for good in ["a", &"k".repeat(255), "~!#{}"] {
            assert_eq!(Key::parse(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "schlüssel", "a\tb", &"k".repeat(256), "a\0"] {
            assert_eq!(
                Key::parse(bad.to_owned()),
                Err(KeyError::Malformed),
                "{bad:?}"
            );
        }
        let card = "4242-4242-4242-4242".to_owned();
        assert_eq!(Key::parse(card.clone()), Err(KeyError::CardNumber));
        assert!(Key::stored(card).is_ok());
        assert!(Key::parse("w-1795936088-1-15-554584798".to_owned()).is_ok());
    }

    #[test]
    fn a_fingerprint_changes_with_every_part_and_with_the_border_between_them() {
        let of = Fingerprint::of;
        let one = of("POST", "/v1/transfers", "1", b"{}");
        assert_eq!(one, of("POST", "/v1/transfers", "1", b"{}"));
        assert_ne!(one, of("PUT", "/v1/transfers", "1", b"{}"));
        assert_ne!(one, of("POST", "/v1/transfers", "1", b"{ }"));
        assert_ne!(one, of("POST", "/v1/transfer", "s1", b"{}"));
    }
}
