//! Here the metadata of a transaction is set after it was recorded. The books do not change: the transaction keeps
//! the metadata with which it was recorded, because its first answer is made again from that metadata. The present
//! metadata is stored beside it.

use store::Timestamp;

use crate::{Metadata, RecordedTransaction, Refusal, Shelf, TransactionId};

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
/// The first broken rule of [`order::DESCRIBE`](crate::order::DESCRIBE); the shelf is then unchanged.
pub fn describe(
    shelf: &mut Shelf,
    transaction: TransactionId,
    metadata: Option<Metadata>,
    now: Timestamp,
) -> Result<MetadataChange, Refusal> {
    let kept = shelf.described_mut(&transaction);
    let kept = kept.ok_or(Refusal::TransactionNotFound { transaction })?;
    let before = std::mem::replace(&mut kept.posted.metadata, metadata);
    kept.revision = kept.revision.saturating_add(1);
    kept.set_at = now;
    Ok(MetadataChange {
        posted: kept.posted.clone(),
        revision: kept.revision,
        before,
    })
}
