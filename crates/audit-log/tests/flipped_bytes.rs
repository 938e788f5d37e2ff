//! Proofs hold when they are made, and fail when any byte of the proof, the leaf or a root is changed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use audit_log::{
    Frontier, Hash, ProofError, leaf_hash, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

fn leaves(count: u16) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn root(leaves: &[Hash], size: u64) -> Hash {
    let mut frontier = Frontier::empty();
    for leaf in &leaves[..usize::try_from(size).unwrap()] {
        frontier.append(*leaf);
    }
    frontier.root()
}

fn at(leaves: &[Hash], index: u64) -> Hash {
    leaves[usize::try_from(index).unwrap()]
}

/// The same hashes with the bits of `mask` flipped in byte number `byte`, counted over all hashes.
fn flipped(hashes: &[Hash], byte: usize, mask: u8) -> Vec<Hash> {
    let mut bytes: Vec<[u8; 32]> = hashes.iter().map(|hash| *hash.as_bytes()).collect();
    bytes.as_flattened_mut()[byte] ^= mask;
    bytes.into_iter().map(Hash::from).collect()
}

#[test]
fn every_small_inclusion_holds_and_fails_with_any_byte_flipped() {
    let leaves = leaves(12);
    for size in 1..=12 {
        for index in 0..size {
            let proof = prove_inclusion(&leaves, index, size).unwrap();
            // Leaf, root and proof in one row, so that each byte of each is changed once.
            let row = [vec![at(&leaves, index), root(&leaves, size)], proof].concat();
            let verify = |row: &[Hash]| verify_inclusion(index, size, &row[0], &row[2..], &row[1]);
            assert_eq!(verify(&row), Ok(()));
            for byte in 0..row.len() * 32 {
                assert_eq!(verify(&flipped(&row, byte, 0x80)), Err(ProofError::Root));
            }
        }
    }
}

#[test]
fn every_small_consistency_holds_and_fails_with_any_byte_flipped() {
    let leaves = leaves(12);
    for size2 in 1..=12 {
        for size1 in 1..=size2 {
            let proof = prove_consistency(&leaves, size1, size2).unwrap();
            let row = [vec![root(&leaves, size1), root(&leaves, size2)], proof].concat();
            let verify =
                |row: &[Hash]| verify_consistency(size1, size2, &row[0], &row[1], &row[2..]);
            assert_eq!(verify(&row), Ok(()));
            for byte in 0..row.len() * 32 {
                assert!(
                    verify(&flipped(&row, byte, 1)).is_err(),
                    "{size1} {size2} {byte}"
                );
            }
        }
    }
}

/// Two numbers below a tree's size, and the size.
fn size_and_part() -> impl Strategy<Value = (u16, u16)> {
    (1..600_u16).prop_flat_map(|size| (Just(size), 0..size))
}

proptest! {
    #[test]
    fn an_inclusion_holds_and_fails_with_a_byte_flipped(
        (size, index) in size_and_part(), byte in any::<prop::sample::Index>(), mask in 1..=255_u8,
    ) {
        let leaves = leaves(size);
        let (size, index) = (u64::from(size), u64::from(index));
        let proof = prove_inclusion(&leaves, index, size).unwrap();
        let row = [vec![at(&leaves, index), root(&leaves, size)], proof].concat();
        let verify = |row: &[Hash]| verify_inclusion(index, size, &row[0], &row[2..], &row[1]);
        prop_assert_eq!(verify(&row), Ok(()));
        let byte = byte.index(row.len() * 32);
        prop_assert_eq!(verify(&flipped(&row, byte, mask)), Err(ProofError::Root));
        if row.len() > 2 {
            prop_assert_eq!(verify(&row[..row.len() - 1]), Err(ProofError::Length));
        }
        prop_assert_eq!(verify(&[row, vec![leaves[0]]].concat()), Err(ProofError::Length));
    }

    #[test]
    fn a_consistency_holds_and_fails_with_a_byte_flipped(
        (size2, below) in size_and_part(), byte in any::<prop::sample::Index>(), mask in 1..=255_u8,
    ) {
        let leaves = leaves(size2);
        let (size1, size2) = (u64::from(below) + 1, u64::from(size2));
        let proof = prove_consistency(&leaves, size1, size2).unwrap();
        let row = [vec![root(&leaves, size1), root(&leaves, size2)], proof].concat();
        let verify = |row: &[Hash]| verify_consistency(size1, size2, &row[0], &row[1], &row[2..]);
        prop_assert_eq!(verify(&row), Ok(()));
        let byte = byte.index(row.len() * 32);
        prop_assert!(verify(&flipped(&row, byte, mask)).is_err());
        if row.len() > 2 {
            prop_assert_eq!(verify(&row[..row.len() - 1]), Err(ProofError::Length));
        }
        prop_assert_eq!(verify(&[row, vec![leaves[0]]].concat()), Err(ProofError::Length));
    }
}
