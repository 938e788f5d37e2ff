//! The frontier: the small part of a tree that must be kept to append to it.

use crate::hash::{Hash, empty_root, node_hash};

/// Greatest number of leaves of a tree, so that every size fits into a signed 64-bit database column.
pub const MAX_SIZE: u64 = i64::MAX.cast_unsigned();

/// The roots of the perfect subtrees of a tree with `size` leaves, the largest (leftmost) first.
///
/// There is one for each set bit of the size: a tree of 21 leaves consists of perfect trees of 16, 4 and 1. Together
/// they give the root of RFC 9162 §2.1.1, and appending never needs anything older.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Invariant: one hash for each set bit of `size`.
    roots: Vec<Hash>,
}

/// Why stored bytes are not the frontier of a tree of the stated size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// The size is more than [`MAX_SIZE`] leaves.
    #[error("a tree of {size} leaves is larger than any log may be")]
    Size {
        /// The stated size.
        size: u64,
    },
    /// The number of bytes is wrong: there must be one hash of 32 bytes for each set bit of the size.
    #[error("the frontier of {size} leaves has {expected} bytes, not {found}")]
    Length {
        /// The stated size.
        size: u64,
        /// Number of bytes of a frontier of this size.
        expected: u64,
        /// Number of bytes that were given.
        found: usize,
    },
}

impl Frontier {
    /// The frontier of a tree without leaves.
    #[must_use]
    pub fn empty() -> Frontier {
        Frontier {
            size: 0,
            roots: Vec::new(),
        }
    }

    /// Number of leaves of the tree; also the sequence number of the next leaf.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the leaf with this hash. It costs one node hash on average.
    pub fn append(&mut self, leaf: Hash) {
        // Adding one to the size carries through its trailing one bits; each carry joins two trees of equal height.
        let carries = self.size.trailing_ones();
        let merged = (0..carries)
            .map_while(|_| self.roots.pop())
            .fold(leaf, |right, left| node_hash(&left, &right));
        self.roots.push(merged);
        self.size += 1;
    }

    /// The root of the whole tree (RFC 9162 §2.1.1). It costs at most one node hash for each set bit of the size.
    #[must_use]
    pub fn root(&self) -> Hash {
        let from_the_right = self.roots.iter().rev().copied();
        from_the_right
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }

    /// The hashes one after another, the largest subtree first. The size must be stored beside them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots
            .iter()
            .flat_map(|root| *root.as_bytes())
            .collect()
    }

    /// A frontier from the bytes that [`Frontier::to_bytes`] wrote for a tree of `size` leaves.
    ///
    /// # Errors
    /// [`FrontierError`] unless the size is possible and there is one hash for each of its set bits.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Frontier, FrontierError> {
        if size > MAX_SIZE {
            return Err(FrontierError::Size { size });
        }
        let expected = u64::from(size.count_ones()) * 32;
        if u64::try_from(bytes.len()) != Ok(expected) {
            return Err(FrontierError::Length {
                size,
                expected,
                found: bytes.len(),
            });
        }
        let (hashes, _none_left) = bytes.as_chunks::<32>();
        let roots = hashes.iter().copied().map(Hash::from).collect();
        Ok(Frontier { size, roots })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;
    use crate::hash::leaf_hash;

    fn leaves(count: u16) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn frontier_of(leaves: &[Hash]) -> Frontier {
        let mut frontier = Frontier::empty();
        leaves.iter().for_each(|leaf| frontier.append(*leaf));
        frontier
    }

    /// The definition of RFC 9162 §2.1.1, word for word.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            more => {
                let mut k = 1;
                while k * 2 < more.len() {
                    k *= 2;
                }
                let (left, right) = more.split_at(k);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn the_root_is_the_one_of_the_definition_for_every_small_size() {
        let leaves = leaves(130);
        for size in 0..=leaves.len() {
            let (tree, _later) = leaves.split_at(size);
            assert_eq!(frontier_of(tree).root(), root_by_definition(tree), "{size}");
        }
    }

    #[test]
    fn a_frontier_of_the_wrong_length_is_refused() {
        for (size, length) in [(0, 32), (1, 0), (1, 31), (1, 33), (2, 64), (3, 32), (3, 65)] {
            assert!(matches!(
                Frontier::from_bytes(size, &vec![0; length]),
                Err(FrontierError::Length { .. })
            ));
        }
    }

    #[test]
    fn a_frontier_larger_than_any_log_is_refused() {
        let all_bits = vec![0; 64 * 32];
        assert_eq!(
            Frontier::from_bytes(u64::MAX, &all_bits),
            Err(FrontierError::Size { size: u64::MAX })
        );
        let (one_less, _) = all_bits.split_at(63 * 32);
        assert!(Frontier::from_bytes(MAX_SIZE, one_less).is_ok());
    }

    proptest! {
        #[test]
        fn the_root_is_the_one_of_the_definition(seeds in prop::collection::vec(any::<[u8; 4]>(), 0..700)) {
            let leaves: Vec<Hash> = seeds.iter().map(|seed| leaf_hash(seed)).collect();
            let frontier = frontier_of(&leaves);
            prop_assert_eq!(frontier.root(), root_by_definition(&leaves));
            prop_assert_eq!(frontier.size(), u64::try_from(leaves.len()).unwrap());
        }

        #[test]
        fn a_frontier_read_back_goes_on_as_if_it_had_never_been_stored(before in 0..300_u16, after in 0..300_u16) {
            let leaves = leaves(before + after);
            let (first, rest) = leaves.split_at(usize::from(before));
            let kept = frontier_of(first);
            let mut read = Frontier::from_bytes(kept.size(), &kept.to_bytes()).unwrap();
            prop_assert_eq!(&read, &kept);
            rest.iter().for_each(|leaf| read.append(*leaf));
            prop_assert_eq!(read, frontier_of(&leaves));
        }
    }
}
