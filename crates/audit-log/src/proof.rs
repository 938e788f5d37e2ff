//! Proofs that a leaf is in a tree and that a tree has only grown, as RFC 9162 §2.1.3 and §2.1.4 define them.
//!
//! Every tree extends a tree without leaves, so there is nothing to prove about an empty one. Prover and verifier
//! both refuse an older size of 0. A caller that compares two checkpoints decides what an empty one means.

use crate::hash::{Hash, node_hash};
use crate::tree::Frontier;

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not smaller than the size of the tree.
    #[error("there is no leaf {index} in a tree of {size}")]
    IndexOutsideTree {
        /// The index that was claimed.
        index: u64,
        /// The size that was claimed.
        size: u64,
    },
    /// The older tree has no leaves, so nothing can be proven about it.
    #[error("the older tree is empty, which nothing can contradict")]
    OlderTreeEmpty,
    /// The newer tree is smaller, but a log never shrinks.
    #[error("the older tree has {older} leaves, more than the {newer} of the newer")]
    Shrunk {
        /// The size of the older tree.
        older: u64,
        /// The size of the newer tree.
        newer: u64,
    },
    /// The proof has the wrong number of hashes for these sizes.
    #[error("the proof has too few or too many hashes")]
    Length,
    /// The hashes lead to another root: the leaf, its position or the history differs.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another root of the older tree: history was rewritten.
    #[error("the proof leads to another root of the older tree")]
    OlderRoot,
    /// The hashes lead to another root of the newer tree: it does not extend the older one.
    #[error("the proof leads to another root of the newer tree")]
    NewerRoot,
}

/// Why no proof can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// There are fewer leaf hashes than the tree has leaves.
    #[error("a tree of {size} leaves cannot be built from {found}")]
    TooFewLeaves {
        /// The size of the tree.
        size: u64,
        /// Number of leaf hashes that were given.
        found: usize,
    },
    /// The index is not smaller than the size of the tree.
    #[error("there is no leaf {index} in a tree of {size}")]
    IndexOutsideTree {
        /// The index that was requested.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree has no leaves, so nothing can be proven about it.
    #[error("the older tree is empty, which nothing can contradict")]
    OlderTreeEmpty,
    /// The newer tree is smaller, but a log never shrinks.
    #[error("the older tree has {older} leaves, more than the {newer} of the newer")]
    Shrunk {
        /// The size of the older tree.
        older: u64,
        /// The size of the newer tree.
        newer: u64,
    },
}

/// Checks that the leaf with hash `leaf` is number `index` of the tree of `size` leaves whose root is `root`
/// (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`ProofError`] names what does not fit.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutsideTree { index, size });
    }
    let mut climb = Climb {
        node: index,
        last: size - 1,
    };
    let mut reached = *leaf;
    for sibling in proof {
        reached = match climb.step().ok_or(ProofError::Length)? {
            Sibling::Left => node_hash(sibling, &reached),
            Sibling::Right => node_hash(&reached, sibling),
        };
    }
    if !climb.is_at_root() {
        return Err(ProofError::Length);
    }
    if reached != *root {
        return Err(ProofError::Root);
    }
    Ok(())
}

/// Checks that the tree of `size2` leaves with `root2` begins with exactly the `size1` leaves whose root is
/// `root1` (RFC 9162 §2.1.4.2). Equal sizes need an empty proof and equal roots; a `size1` of 0 is always refused.
///
/// # Errors
/// [`ProofError`] names what does not fit.
pub fn verify_consistency(
    size1: u64,
    size2: u64,
    root1: &Hash,
    root2: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if size1 == 0 {
        return Err(ProofError::OlderTreeEmpty);
    }
    if size1 > size2 {
        return Err(ProofError::Shrunk {
            older: size1,
            newer: size2,
        });
    }
    if size1 == size2 {
        return match (proof.is_empty(), root1 == root2) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::NewerRoot),
            (true, true) => Ok(()),
        };
    }
    // A perfect older tree is a node of the newer one, so the proof does not contain its root.
    let (start, siblings) = match size1.is_power_of_two() {
        true => (root1, proof),
        false => proof.split_first().ok_or(ProofError::Length)?,
    };
    // The walk begins at the last of the older tree's perfect subtrees, not at a leaf.
    let height = (size1 - 1).trailing_ones();
    let mut climb = Climb {
        node: (size1 - 1) >> height,
        last: (size2 - 1) >> height,
    };
    let (mut older, mut newer) = (*start, *start);
    for sibling in siblings {
        match climb.step().ok_or(ProofError::Length)? {
            Sibling::Left => {
                older = node_hash(sibling, &older);
                newer = node_hash(sibling, &newer);
            }
            Sibling::Right => newer = node_hash(&newer, sibling),
        }
    }
    if !climb.is_at_root() {
        return Err(ProofError::Length);
    }
    if older != *root1 {
        return Err(ProofError::OlderRoot);
    }
    if newer != *root2 {
        return Err(ProofError::NewerRoot);
    }
    Ok(())
}

/// The proof that leaf `index` is in the tree of the first `size` leaves (`PATH` of RFC 9162 §2.1.3.1). It hashes all
/// leaves, so it is meant for a single receipt, not for many.
///
/// # Errors
/// [`ProveError::TooFewLeaves`] or [`ProveError::IndexOutsideTree`].
pub fn prove_inclusion(
    leaf_hashes: &[Hash],
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError> {
    let mut tree = first_leaves(leaf_hashes, size)?;
    let mut index = usize::try_from(index)
        .ok()
        .filter(|index| *index < tree.len())
        .ok_or(ProveError::IndexOutsideTree { index, size })?;
    let mut from_the_root = Vec::new();
    while let Some((left, right)) = halves(tree) {
        if index < left.len() {
            from_the_root.push(root_of(right));
            tree = left;
        } else {
            from_the_root.push(root_of(left));
            index -= left.len();
            tree = right;
        }
    }
    from_the_root.reverse();
    Ok(from_the_root)
}

/// The proof that the tree of the first `size2` leaves extends the tree of the first `size1` (`PROOF` of RFC 9162
/// §2.1.4.1). It hashes all leaves. A `size1` of 0 is refused.
///
/// # Errors
/// [`ProveError`], except [`ProveError::IndexOutsideTree`].
pub fn prove_consistency(
    leaf_hashes: &[Hash],
    size1: u64,
    size2: u64,
) -> Result<Vec<Hash>, ProveError> {
    if size1 == 0 {
        return Err(ProveError::OlderTreeEmpty);
    }
    if size1 > size2 {
        return Err(ProveError::Shrunk {
            older: size1,
            newer: size2,
        });
    }
    let mut tree = first_leaves(leaf_hashes, size2)?;
    let mut older = first_leaves(leaf_hashes, size1)?.len();
    let mut verifier_knows_it = true;
    let mut from_the_root = Vec::new();
    while let Some((left, right)) = halves(tree).filter(|_| older < tree.len()) {
        if older <= left.len() {
            from_the_root.push(root_of(right));
            tree = left;
        } else {
            from_the_root.push(root_of(left));
            older -= left.len();
            tree = right;
            verifier_knows_it = false;
        }
    }
    if !verifier_knows_it {
        from_the_root.push(root_of(tree));
    }
    from_the_root.reverse();
    Ok(from_the_root)
}

/// The side of the hash with which a node is joined.
enum Sibling {
    Left,
    Right,
}

/// A walk from a node to the root (`fn` and `sn` of RFC 9162): the position of the node on its level, and that of
/// the last node of the level.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Climbs to the parent; `None` above the root.
    fn step(&mut self) -> Option<Sibling> {
        if self.is_at_root() {
            return None;
        }
        let is_right_child = self.node & 1 == 1;
        let has_no_right_sibling = self.node == self.last;
        if has_no_right_sibling {
            // If a tree is not full, its last node has no sibling and rises unchanged.
            self.rise(self.node.trailing_zeros());
        }
        self.rise(1);
        match is_right_child || has_no_right_sibling {
            true => Some(Sibling::Left),
            false => Some(Sibling::Right),
        }
    }

    fn rise(&mut self, levels: u32) {
        self.node >>= levels;
        self.last >>= levels;
    }

    fn is_at_root(&self) -> bool {
        self.last == 0
    }
}

fn first_leaves(leaf_hashes: &[Hash], size: u64) -> Result<&[Hash], ProveError> {
    usize::try_from(size)
        .ok()
        .and_then(|size| leaf_hashes.get(..size))
        .ok_or(ProveError::TooFewLeaves {
            size,
            found: leaf_hashes.len(),
        })
}

/// The two subtrees of a tree. The left one is perfect: its size is the largest power of two below the size of
/// the tree. A leaf has no subtrees.
fn halves(tree: &[Hash]) -> Option<(&[Hash], &[Hash])> {
    (tree.len() > 1).then(|| tree.split_at(tree.len().next_power_of_two() / 2))
}

fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::empty();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use super::*;
    use crate::hash::leaf_hash;

    fn leaves(count: u16) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn an_empty_older_tree_proves_nothing() {
        let empty = crate::empty_root();
        let one = leaf_hash(b"one");
        for (size2, root2) in [(0, empty), (1, one)] {
            assert_eq!(
                verify_consistency(0, size2, &empty, &root2, &[]),
                Err(ProofError::OlderTreeEmpty)
            );
            assert_eq!(
                prove_consistency(&[one], 0, size2),
                Err(ProveError::OlderTreeEmpty)
            );
        }
    }

    #[test]
    fn what_is_not_in_the_tree_cannot_be_proven() {
        let leaves = leaves(4);
        assert_eq!(
            prove_inclusion(&leaves, 3, 3),
            Err(ProveError::IndexOutsideTree { index: 3, size: 3 })
        );
        assert_eq!(
            prove_inclusion(&[], 0, 0),
            Err(ProveError::IndexOutsideTree { index: 0, size: 0 })
        );
        let too_few = ProveError::TooFewLeaves { size: 5, found: 4 };
        assert_eq!(prove_inclusion(&leaves, 0, 5), Err(too_few));
        assert_eq!(prove_consistency(&leaves, 2, 5), Err(too_few));
        assert_eq!(
            prove_consistency(&leaves, 3, 2),
            Err(ProveError::Shrunk { older: 3, newer: 2 })
        );
    }

    #[test]
    fn absurd_sizes_are_refused_without_harm() {
        let hash = leaf_hash(b"");
        let endless = vec![hash; 100];
        for size in [
            1,
            2,
            3,
            u64::MAX / 2,
            u64::MAX / 2 + 1,
            u64::MAX - 1,
            u64::MAX,
        ] {
            for other in [0, 1, size / 2, size - 1, size, u64::MAX] {
                for proof in [&endless[..0], &endless[..1], &endless[..63], &endless] {
                    // The root of a tree of one leaf is the hash of that leaf. This is the only true claim here.
                    let nothing_to_prove = proof.is_empty() && size == 1 && other == 0;
                    let holds = verify_inclusion(other, size, &hash, proof, &hash).is_ok();
                    assert_eq!(holds, nothing_to_prove, "{other} {size}");
                    let same = proof.is_empty() && other == size;
                    let holds = verify_consistency(other, size, &hash, &hash, proof).is_ok();
                    assert_eq!(holds, same, "{other} {size}");
                }
            }
        }
    }
}
