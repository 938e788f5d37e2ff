//! Here the metadata of a transaction is set after it was recorded. The books do not change: the transaction
//! keeps the metadata with which it was recorded, because its first answer is made again from it. The present
//! metadata is stored beside it.

use store::Timestamp;

use crate::{Metadata, RecordedTransaction, Shelf, TransactionId};

/// Why metadata was not set: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// There is no such transaction, or it belongs to another tenant.
    #[error("transaction {transaction} does not exist")]
    TransactionNotFound {
        /// The id that was not found.
        transaction: TransactionId,
    },
}

impl DescribeError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[(
        "transaction_not_found",
        "The transaction exists, and is the tenant's.",
    )];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TransactionNotFound { .. } => "transaction_not_found",
        }
    }
}

/// A transaction whose metadata may be set, as a batch holds it.
#[derive(Debug, Clone)]
pub(crate) struct PresentMetadata {
    /// The transaction, with its present metadata.
    pub(crate) posted: RecordedTransaction,
    /// How often the metadata was set; 0 if it is as recorded.
    pub(crate) revision: i64,
    /// The time at which it was last set.
    pub(crate) set_at: Timestamp,
    /// The revision that the batch found.
    pub(crate) seen_revision: i64,
    /// The metadata that the batch found.
    pub(crate) seen: Option<Metadata>,
}

/// The result of setting metadata.
#[derive(Debug, Clone)]
pub struct MetadataChange {
    /// The transaction, with its present metadata.
    pub posted: RecordedTransaction,
    /// How often the metadata was set, including this time.
    pub revision: i64,
    /// The metadata before the change.
    pub before: Option<Metadata>,
}

/// Replaces the metadata of a transaction. This is allowed at any time, whatever the status is.
///
/// # Errors
/// [`DescribeError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn describe(
    shelf: &mut Shelf,
    transaction: TransactionId,
    metadata: Option<Metadata>,
    now: Timestamp,
) -> Result<MetadataChange, DescribeError> {
    let kept = shelf.described_mut(&transaction);
    let kept = kept.ok_or(DescribeError::TransactionNotFound { transaction })?;
    let before = std::mem::replace(&mut kept.posted.metadata, metadata);
    kept.revision = kept.revision.saturating_add(1);
    kept.set_at = now;
    Ok(MetadataChange {
        posted: kept.posted.clone(),
        revision: kept.revision,
        before,
    })
}
