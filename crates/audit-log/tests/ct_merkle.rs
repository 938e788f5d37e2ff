//! Another implementation of the same standard must agree: roots, inclusion proofs, consistency proofs.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use audit_log::{Frontier, Hash, leaf_hash, prove_consistency, prove_inclusion};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ct_merkle_agrees(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..200)) {
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut ours = Frontier::empty();
        let mut hashes = Vec::new();
        for leaf in &leaves {
            theirs.push(leaf.clone());
            hashes.push(leaf_hash(leaf));
            ours.append(leaf_hash(leaf));
            prop_assert_eq!(joined(&[ours.root()]), theirs.root().as_bytes().to_vec());
        }
        for index in 0..leaves.len() {
            let proof = prove_inclusion(&hashes, u64::try_from(index).unwrap(), ours.size()).unwrap();
            prop_assert_eq!(joined(&proof), theirs.prove_inclusion(index).as_bytes().to_vec());

            let older = u64::try_from(leaves.len() - index).unwrap();
            let proof = prove_consistency(&hashes, older, ours.size()).unwrap();
            prop_assert_eq!(joined(&proof), theirs.prove_consistency(index).as_bytes().to_vec());
        }
    }
}
