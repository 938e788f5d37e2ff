//! Metadata that is set later: its row, and the texts that the transaction is found by.

use std::collections::{BTreeMap, HashMap};

use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::rows::TransactionMetadataRow;
use super::words::{metadata, stored};
use crate::describe::Kept;
use crate::{Metadata, Shelf, TransactionId};

store::bulk_delete! {
    /// A row of `transaction_metadata` of a transaction that has the text no longer.
    pub struct TransactionMetadataGoneRow in transaction_metadata {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction.
        transaction_id: TransactionId,
        /// A name.
        key: String,
        /// Its text.
        value: String,
    }
}

store::bulk_insert! {
    /// A row of `current_metadata`: what is kept with a transaction since it was set later.
    pub struct CurrentMetadataRow in current_metadata {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction.
        transaction_id: TransactionId,
        /// How often it was set.
        revision: i64,
        /// Microseconds since 1970.
        set_at: i64,
        /// A flat JSON object of texts.
        metadata: Option<String>,
    }
}

store::bulk_update! {
    /// Metadata that is set again, from the revision at which it was found.
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
    /// What is kept with a transaction, if that was set later.
    pub struct CurrentMetadataOf => CurrentMetadataRow in current_metadata {
        /// The transaction.
        transaction_id: TransactionId,
    }
}

/// Transactions of which the metadata will be set, as they are now. Nothing is locked: a revision that has
/// gone on meanwhile is a conflict.
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
        shelf.put_described(Kept {
            seen: posted.metadata.clone(),
            posted,
            revision,
            set_at: Timestamp::from_micros(set_at),
            seen_revision: revision,
        });
    }
    Ok(())
}

/// What is kept with those of these transactions of which it was set later.
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
        // What stays is not touched.
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
    // Nothing goes unless its transaction has such a row.
    writes.add(first);
    writes.add(again);
    writes.add(gone);
    writes.add(added);
}

fn texts(metadata: Option<&Metadata>) -> BTreeMap<String, String> {
    metadata.map(Metadata::entries).unwrap_or_default()
}

/// The texts of the one that the other has not.
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
