//! Where the metadata of a transaction is set after it was recorded. The books stay as they are: the
//! transaction keeps what it was recorded with, from which its first answer is made again, and what is kept
//! with it now stands beside it.

use store::Timestamp;

use crate::{Metadata, Posted, Shelf, TransactionId};

/// Why metadata was not set: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// No such transaction, or another tenant's.
    #[error("transaction {transaction} does not exist")]
    TransactionNotFound {
        /// The transaction asked for.
        transaction: TransactionId,
    },
}

impl DescribeError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[(
        "transaction_not_found",
        "The transaction exists, and is the tenant's.",
    )];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TransactionNotFound { .. } => "transaction_not_found",
        }
    }
}

/// A transaction of which the metadata may be set, as a batch holds it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// With its metadata as it is now.
    pub(crate) posted: Posted,
    /// How often that was set; 0: it is as it was recorded.
    pub(crate) revision: i64,
    /// When it was set last.
    pub(crate) set_at: Timestamp,
    /// What the batch found.
    pub(crate) seen_revision: i64,
    /// What the batch found.
    pub(crate) seen: Option<Metadata>,
}

/// Metadata that was set.
#[derive(Debug, Clone)]
pub struct Described {
    /// The transaction, with what is kept with it now.
    pub posted: Posted,
    /// How often it was set, this time counted.
    pub revision: i64,
    /// What was kept with it before.
    pub before: Option<Metadata>,
}

/// Replaces what the tenant keeps with a transaction, whatever has become of it.
///
/// # Errors
/// [`DescribeError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn describe(
    shelf: &mut Shelf,
    transaction: TransactionId,
    metadata: Option<Metadata>,
    now: Timestamp,
) -> Result<Described, DescribeError> {
    let kept = shelf.described_mut(&transaction);
    let kept = kept.ok_or(DescribeError::TransactionNotFound { transaction })?;
    let before = std::mem::replace(&mut kept.posted.metadata, metadata);
    kept.revision = kept.revision.saturating_add(1);
    kept.set_at = now;
    Ok(Described {
        posted: kept.posted.clone(),
        revision: kept.revision,
        before,
    })
}
