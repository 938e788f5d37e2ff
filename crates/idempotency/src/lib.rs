//! Idempotency keys: the same request, sent any number of times, has one effect and one reply.
//!
//! A key is scoped to its tenant. The first request with a key claims it in the very commit of its
//! effect, together with the reply; later ones are told what became of it ([`Look`]). A request
//! whose outcome takes longer than one commit leaves the key *in flight* until it is settled.
//!
//! This crate never knows what a request asks for, nor HTTP: a [`Reply`] is a number and bytes.
//!
//! Invariants: one effect per (tenant, key) (I1, the primary key); every reply for a key is
//! identical (I2, the stored bytes); another fingerprint is refused and writes nothing (I3).

pub mod check;
mod schema;
mod shelf;
pub mod tables;

pub use shelf::{Look, Shelf};

use sha2::{Digest, Sha256};

/// A client's name for one request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a text is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct KeyError;

impl Key {
    /// The longest key, in characters.
    pub const LONGEST: usize = 255;

    /// Takes a text that keeps the rule.
    ///
    /// # Errors
    /// [`KeyError`] states the rule.
    pub fn parse(text: String) -> Result<Self, KeyError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::LONGEST || !visible {
            return Err(KeyError);
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 over what makes two requests the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a request: its method, route, API version and canonical body. Each part is preceded by its
    /// length, so that no two different requests give the same bytes.
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

    /// The 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A request's wish to be the only one of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The client's name for the request.
    pub key: Key,
    /// What the request is.
    pub fingerprint: Fingerprint,
}

/// An answer, as it was given and will be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status it had.
    pub status: u16,
    /// Its bytes.
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
            assert_eq!(Key::parse(bad.to_owned()), Err(KeyError), "{bad:?}");
        }
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
