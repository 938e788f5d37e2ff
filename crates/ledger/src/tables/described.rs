//! Metadata that is set later: its row, and the texts by which the transaction is found.

use std::collections::{BTreeMap, HashMap};

use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::rows::TransactionMetadataRow;
use super::words::{metadata, stored};
use crate::describe::PresentMetadata;
use crate::{Metadata, Shelf, TransactionId};

store::bulk_delete! {
    /// A row of `transaction_metadata` that is deleted, because the transaction no longer has the text.
    pub struct TransactionMetadataGoneRow in transaction_metadata {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction's id.
        transaction_id: TransactionId,
        /// The key of the text.
        key: String,
        /// The text.
        value: String,
    }
}

store::bulk_insert! {
    /// A row of `current_metadata`: the present metadata of a transaction whose metadata was set later.
    pub struct CurrentMetadataRow in current_metadata {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction's id.
        transaction_id: TransactionId,
        /// How often the metadata was set.
        revision: i64,
        /// Time of the last change, in microseconds since 1970.
        set_at: i64,
        /// A flat JSON object of texts.
        metadata: Option<String>,
    }
}

store::bulk_update! {
    /// Metadata that is set again, from the revision at which it was read.
    pub struct CurrentMetadataMovedRow in current_metadata {
        find {
            tenant_id: TenantId = tenant_id,
            transaction_id: TransactionId = transaction_id,
            seen_revision: i64 = revision,
        }
        set {
            next_revision: i64 = revision,
            set_at: i64 = set_at,
            metadata: Option<String> = metadata,
        }
    }
}

store::bulk_find! {
    /// The present metadata of a transaction, if it was set later.
    pub struct CurrentMetadataOf => CurrentMetadataRow in current_metadata {
        /// The transaction's id.
        transaction_id: TransactionId,
    }
}

/// Transactions whose metadata will be set, with their present metadata. Nothing is locked; if a revision has
/// changed in the meantime, that is a conflict.
pub(super) fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    shelf: &mut Shelf,
    described: &[TransactionId],
) -> Result<(), Error> {
    if described.is_empty() {
        return Ok(());
    }
    let mut rows = current(connection, tenant, described)?;
    for mut posted in crate::posted(connection, tenant, described)? {
        let row = rows.remove(&posted.id);
        let revision = row.as_ref().map_or(0, |row| row.revision);
        let set_at = row
            .as_ref()
            .map_or(posted.recorded_at.micros(), |row| row.set_at);
        if let Some(row) = row {
            posted.metadata = metadata(row.metadata, &posted.id)?;
        }
        shelf.put_described(PresentMetadata {
            seen: posted.metadata.clone(),
            posted,
            revision,
            set_at: Timestamp::from_micros(set_at),
            seen_revision: revision,
        });
    }
    Ok(())
}

/// The present metadata of the transactions among these whose metadata was set later.
pub(crate) fn current(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, CurrentMetadataRow>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let keys: Vec<CurrentMetadataOf> = ids
        .into_iter()
        .map(|transaction_id| CurrentMetadataOf { transaction_id })
        .collect();
    let rows = CurrentMetadataOf::find(connection, Lock::Nothing, tenant, &keys)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.transaction_id, row))
        .collect())
}

pub(super) fn save(writes: &mut Writes, tenant_id: TenantId, shelf: &Shelf) {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    let (mut gone, mut added) = (Vec::new(), Vec::new());
    for kept in shelf.redescribed() {
        let transaction_id = kept.posted.id;
        let now = &kept.posted.metadata;
        if kept.seen_revision == 0 {
            first.push(CurrentMetadataRow {
                tenant_id,
                transaction_id,
                revision: kept.revision,
                set_at: kept.set_at.micros(),
                metadata: stored(now.as_ref()),
            });
        } else {
            again.push(CurrentMetadataMovedRow {
                tenant_id,
                transaction_id,
                seen_revision: kept.seen_revision,
                next_revision: kept.revision,
                set_at: kept.set_at.micros(),
                metadata: stored(now.as_ref()),
            });
        }
        // Texts that stay the same are not touched.
        let (before, after) = (texts(kept.seen.as_ref()), texts(now.as_ref()));
        for (key, value) in without(&before, &after) {
            gone.push(TransactionMetadataGoneRow {
                tenant_id,
                transaction_id,
                key,
                value,
            });
        }
        for (key, value) in without(&after, &before) {
            added.push(TransactionMetadataRow {
                tenant_id,
                transaction_id,
                key,
                value,
            });
        }
    }
    // These rows come first: a trigger allows the deletion of a text only if its transaction has such a row.
    writes.add(first);
    writes.add(again);
    writes.add(gone);
    writes.add(added);
}

fn texts(metadata: Option<&Metadata>) -> BTreeMap<String, String> {
    metadata.map(Metadata::entries).unwrap_or_default()
}

/// The texts that `one` has and `other` does not have.
fn without(
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let own = one
        .iter()
        .filter(|(key, value)| other.get(*key) != Some(*value));
    own.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
