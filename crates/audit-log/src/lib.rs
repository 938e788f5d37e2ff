//! An append-only, tamper-evident log of records in an RFC 6962 Merkle tree.
//!
//! A [`Record`] says who did what to whom, when, and with what outcome. Its **leaf** is the exact bytes that are
//! stored, in canonical JSON (RFC 8785), so that anyone can hash them again without this crate. The leaves of one
//! log, in the order of their sequence numbers, form a Merkle tree as RFC 6962 and RFC 9162 define it. A
//! [`Frontier`] is the part of the tree that must be kept to append to it and to compute its root: one hash for
//! each set bit of the size. A root, a leaf and a proof show that the leaf is in the log. Two roots and a proof show
//! that the log has only grown in between.
//!
//! # What it never does
//!
//! - It never reads a leaf: the meaning of the bytes belongs to the writer.
//! - It never puts a number into a leaf except the version `v`, because programs that write canonical JSON disagree
//!   on numbers beyond 2^53. An amount is a decimal string, and the types allow nothing else.
//! - It never puts the sequence number into a leaf: the position in the tree is the sequence number.
//!
//! # Invariants
//!
//! - The same record always gives the same bytes.
//! - A frontier of size `n` has exactly as many hashes as `n` has set bits.
//! - A hash has 32 bytes; nothing shorter or longer becomes a [`struct@Hash`].
//! - Appending `n` leaves costs `n` leaf hashes, at most `n + log2(size)` node hashes, and no reading.
//!
//! A log alone cannot show that its end was cut off: for that, a root must have been copied to another place before.
//!
//! # Example
//!
//! ```
//! use audit_log::{Entity, Frontier, Record, leaf_hash, prove_inclusion, verify_inclusion};
//!
//! let record = Record {
//!     tenant: "acme",
//!     at: "2026-01-31T09:30:00.000000Z",
//!     actor: Entity { kind: "api_key", id: "key_1" },
//!     on_behalf_of: None,
//!     action: "payment.create",
//!     subject: Entity { kind: "payment", id: "pay_1" },
//!     outcome: "declined",
//!     reason: Some("insufficient_funds"),
//!     criteria: None,
//!     delta: &[],
//!     cause: None,
//!     request: Some("req_1"),
//!     origin: None,
//! };
//! let leaf = record.leaf()?;
//! assert!(leaf.starts_with(br#"{"action":"payment.create","actor":{"id":"key_1","type":"api_key"},"at":"#));
//!
//! let hashes = [leaf_hash(b"an earlier leaf"), leaf_hash(&leaf)];
//! let mut frontier = Frontier::empty();
//! for hash in hashes {
//!     frontier.append(hash);
//! }
//!
//! let proof = prove_inclusion(&hashes, 1, 2)?;
//! verify_inclusion(1, 2, &leaf_hash(&leaf), &proof, &frontier.root())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod canonical;
mod hash;
mod proof;
mod record;
mod schema;
pub mod tables;
mod tree;
mod verify;

pub use hash::{Hash, HashError, empty_root, leaf_hash, node_hash};
pub use proof::{
    ProofError, ProveError, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};
pub use record::{Change, Entity, MAX_LEAF_BYTES, Record, RecordError};
pub use tree::{Frontier, FrontierError, MAX_SIZE};
pub use verify::{Clean, Damage, Tampered, verify};
