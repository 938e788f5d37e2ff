//! The hashes of the tree, as RFC 6962 §2.1 and RFC 9162 §2.1.1 define them, with SHA-256.

use std::fmt;

use sha2::{Digest, Sha256};

/// Prefix of a leaf before it is hashed, so that a leaf can never pass for a node (RFC 9162 §2.1.1).
const LEAF_PREFIX: [u8; 1] = [0];
/// Prefix of two hashes before they are hashed into their node.
const NODE_PREFIX: [u8; 1] = [1];

/// A SHA-256 hash of a leaf, a node or a whole tree. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

/// Why bytes are not a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The number of bytes is not 32.
    #[error("a hash has 32 bytes, not {found}")]
    Length {
        /// Number of bytes that were given.
        found: usize,
    },
}

impl Hash {
    /// A hash from its bytes, as a database or a proof gives them.
    ///
    /// # Errors
    /// [`HashError::Length`] unless there are exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Hash, HashError> {
        match bytes.as_array::<32>() {
            Some(bytes) => Ok(Hash(*bytes)),
            None => Err(HashError::Length { found: bytes.len() }),
        }
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of a leaf: `SHA-256(00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let hasher = Sha256::new_with_prefix(LEAF_PREFIX).chain_update(leaf);
    Hash(hasher.finalize().into())
}

/// The hash of the node above `left` and `right`: `SHA-256(01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let hasher = Sha256::new_with_prefix(NODE_PREFIX)
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(hasher.finalize().into())
}

/// The root of a tree without leaves: `SHA-256` of the empty text.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_exactly_32_bytes() {
        for length in [0, 1, 31, 33, 64] {
            assert_eq!(
                Hash::from_slice(&vec![7; length]),
                Err(HashError::Length { found: length })
            );
        }
        assert_eq!(Hash::from_slice(&[7; 32]), Ok(Hash::from([7; 32])));
    }

    #[test]
    fn a_hash_is_written_in_hexadecimal() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(empty_root().to_string(), empty);
        assert_eq!(format!("{:?}", empty_root()), empty);
    }

    #[test]
    fn a_leaf_never_hashes_like_the_node_of_the_same_bytes() {
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let joined = [*left.as_bytes(), *right.as_bytes()].concat();
        assert_ne!(leaf_hash(&joined), node_hash(&left, &right));
    }
}
