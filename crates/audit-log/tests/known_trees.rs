//! Trees whose roots and proofs, valid and invalid, come from other sources: `merkle.json` names their leaves.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;

use audit_log::{
    Frontier, Hash, leaf_hash, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct KnownTrees {
    hasher: Vec<Hashed>,
    reference_tree: ReferenceTree,
    generated_tree: GeneratedTree,
}

#[derive(Deserialize)]
struct Hashed {
    name: String,
    preimage: String,
    sha256: String,
}

#[derive(Deserialize)]
struct ReferenceTree {
    leaves: Vec<String>,
    leaf_hashes: Vec<String>,
    roots_by_size: Vec<String>,
    inclusion: Vec<Inclusion>,
    consistency: Vec<Consistency>,
}

#[derive(Deserialize)]
struct GeneratedTree {
    roots: BTreeMap<u64, String>,
    inclusion: Vec<Inclusion>,
    consistency: Vec<Consistency>,
    negative: Vec<Refused>,
}

#[derive(Deserialize)]
struct Inclusion {
    index: u64,
    size: u64,
    leaf_hash: Option<String>,
    proof: Vec<String>,
}

#[derive(Deserialize)]
struct Consistency {
    size1: u64,
    size2: u64,
    proof: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Refused {
    Inclusion {
        desc: String,
        index: u64,
        size: u64,
        leaf_hash: String,
        root: String,
        proof: Vec<String>,
    },
    Consistency {
        desc: String,
        size1: u64,
        size2: u64,
        root1: String,
        root2: String,
        proof: Vec<String>,
    },
}

fn known() -> KnownTrees {
    serde_json::from_str(include_str!("merkle.json")).unwrap()
}

fn hash(text: &str) -> Hash {
    Hash::from_slice(&hex::decode(text).unwrap()).unwrap()
}

fn hashes(texts: &[String]) -> Vec<Hash> {
    texts.iter().map(|text| hash(text)).collect()
}

/// The leaf hashes of a tree, and its root at every size.
struct Grown {
    leaves: Vec<Hash>,
    roots: Vec<Hash>,
}

impl Grown {
    fn from(leaves: impl Iterator<Item = Vec<u8>>) -> Grown {
        let leaves: Vec<Hash> = leaves.map(|leaf| leaf_hash(&leaf)).collect();
        let mut frontier = Frontier::empty();
        let mut roots = vec![frontier.root()];
        for leaf in &leaves {
            frontier.append(*leaf);
            roots.push(frontier.root());
        }
        Grown { leaves, roots }
    }

    fn generated() -> Grown {
        Grown::from((0..70_000).map(|i| format!("leaf-{i}").into_bytes()))
    }

    fn reference(known: &KnownTrees) -> Grown {
        let leaves = known.reference_tree.leaves.iter();
        Grown::from(leaves.map(|leaf| hex::decode(leaf).unwrap()))
    }

    fn root(&self, size: u64) -> Hash {
        self.roots[usize::try_from(size).unwrap()]
    }

    fn leaf(&self, index: u64) -> Hash {
        self.leaves[usize::try_from(index).unwrap()]
    }

    fn proves_inclusions(&self, cases: &[Inclusion]) {
        assert!(!cases.is_empty());
        for case in cases {
            let (index, size, proof) = (case.index, case.size, hashes(&case.proof));
            let leaf = self.leaf(index);
            if let Some(known) = &case.leaf_hash {
                assert_eq!(leaf, hash(known));
            }
            assert_eq!(
                verify_inclusion(index, size, &leaf, &proof, &self.root(size)),
                Ok(()),
                "{index} in {size}"
            );
            assert_eq!(prove_inclusion(&self.leaves, index, size), Ok(proof));
        }
    }

    fn proves_consistencies(&self, cases: &[Consistency]) {
        assert!(!cases.is_empty());
        for case in cases {
            let (size1, size2, proof) = (case.size1, case.size2, hashes(&case.proof));
            let (root1, root2) = (self.root(size1), self.root(size2));
            assert_eq!(
                verify_consistency(size1, size2, &root1, &root2, &proof),
                Ok(()),
                "{size1} to {size2}"
            );
            assert_eq!(prove_consistency(&self.leaves, size1, size2), Ok(proof));
        }
    }
}

#[test]
fn the_hashes_are_the_published_ones() {
    for Hashed {
        name,
        preimage,
        sha256,
    } in known().hasher
    {
        let preimage = hex::decode(preimage).unwrap();
        let plain: [u8; 32] = Sha256::digest(&preimage).into();
        assert_eq!(Hash::from(plain), hash(&sha256), "{name}");
        match preimage.split_first() {
            None => assert_eq!(audit_log::empty_root(), hash(&sha256), "{name}"),
            Some((0, leaf)) => assert_eq!(leaf_hash(leaf), hash(&sha256), "{name}"),
            // The published node joins texts shorter than hashes, which the types make impossible.
            Some(_) => assert!(Hash::from_slice(b"N123").is_err(), "{name}"),
        }
    }
}

#[test]
fn the_reference_tree_grows_and_proves_as_published() {
    let known = known();
    let grown = Grown::reference(&known);
    assert_eq!(grown.leaves, hashes(&known.reference_tree.leaf_hashes));
    assert_eq!(grown.roots, hashes(&known.reference_tree.roots_by_size));
    grown.proves_inclusions(&known.reference_tree.inclusion);
    grown.proves_consistencies(&known.reference_tree.consistency);
}

#[test]
fn a_tree_of_70000_leaves_grows_and_proves_as_known() {
    let known = known().generated_tree;
    let grown = Grown::generated();
    assert!(known.roots.contains_key(&70_000));
    for (size, root) in &known.roots {
        assert_eq!(grown.root(*size), hash(root), "{size}");
    }
    grown.proves_inclusions(&known.inclusion);
    grown.proves_consistencies(&known.consistency);
}

#[test]
fn every_known_forgery_is_refused() {
    let refused = known().generated_tree.negative;
    assert!(!refused.is_empty());
    for case in refused {
        let (verdict, desc) = match case {
            Refused::Inclusion {
                desc,
                index,
                size,
                leaf_hash,
                root,
                proof,
            } => {
                let (leaf, root) = (hash(&leaf_hash), hash(&root));
                let verdict = verify_inclusion(index, size, &leaf, &hashes(&proof), &root);
                (verdict, desc)
            }
            Refused::Consistency {
                desc,
                size1,
                size2,
                root1,
                root2,
                proof,
            } => {
                let (root1, root2) = (hash(&root1), hash(&root2));
                let verdict = verify_consistency(size1, size2, &root1, &root2, &hashes(&proof));
                (verdict, desc)
            }
        };
        assert!(verdict.is_err(), "{desc}");
    }
}
