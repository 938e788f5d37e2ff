//! The log's tables: appending what a commit did, and reading it back.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, bulk};

use crate::schema::{audit_batch, audit_entry, audit_log};
use crate::{Frontier, Hash, empty_root, leaf_hash};

store::bulk_insert! {
    /// A row of `audit_log`: a tenant's log exists.
    pub struct LogRow in audit_log {
        /// The tenant.
        log: TenantId,
    }
}

store::bulk_insert! {
    /// A row of `audit_entry`.
    pub struct EntryRow in audit_entry {
        /// The tenant.
        log: TenantId,
        /// Position in the tree, from 0.
        seq: i64,
        /// The record's exact bytes.
        leaf: Vec<u8>,
        /// 32 bytes.
        leaf_hash: Vec<u8>,
    }
}

store::bulk_insert! {
    /// A row of `audit_batch`: what one commit appended.
    pub struct BatchRow in audit_batch {
        /// The tenant.
        log: TenantId,
        /// The tree's size before.
        start: i64,
        /// The tree's size afterwards.
        size: i64,
        /// The tree's root afterwards.
        root: Vec<u8>,
        /// [`Frontier::to_bytes`] afterwards.
        frontier: Vec<u8>,
    }
}

/// A tree as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many records it has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Begins a tenant's log with the empty tree.
///
/// # Errors
/// [`Error::Conflict`] if it has one already.
pub fn create(connection: &mut AnyConnection, log: TenantId) -> Result<(), Error> {
    bulk::write(connection, &[LogRow { log }])?;
    let empty = BatchRow {
        log,
        start: 0,
        size: 0,
        root: empty_root().as_bytes().to_vec(),
        frontier: Vec::new(),
    };
    bulk::write(connection, &[empty])
}

/// Appends records, in order, as one batch. Call it last in a commit: it takes the log's lock.
///
/// # Errors
/// [`Error::Conflict`] if another writer appended in between; [`Error::Refused`] if there is no log
/// or its last row is not what this program writes.
pub fn append(
    connection: &mut AnyConnection,
    log: TenantId,
    leaves: Vec<Vec<u8>>,
) -> Result<(), Error> {
    if leaves.is_empty() {
        return Ok(());
    }
    // All hashing of records is done before the lock is taken.
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let _locked: Vec<TenantId> = store::lock_and_load!(
        &mut *connection,
        audit_log::table.find(log).select(audit_log::log)
    )?;
    let mut frontier = last_frontier(connection, log)?;
    let start = position(frontier.size())?;
    let mut entries = Vec::with_capacity(leaves.len());
    for (leaf, hash) in leaves.into_iter().zip(hashes) {
        entries.push(EntryRow {
            log,
            seq: position(frontier.size())?,
            leaf,
            leaf_hash: hash.as_bytes().to_vec(),
        });
        frontier.append(hash);
    }
    bulk::write(connection, &entries)?;
    let batch = BatchRow {
        log,
        start,
        size: position(frontier.size())?,
        root: frontier.root().as_bytes().to_vec(),
        frontier: frontier.to_bytes(),
    };
    bulk::write(connection, &[batch])
}

/// Every log there is.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn logs(connection: &mut AnyConnection) -> Result<Vec<TenantId>, Error> {
    Ok(audit_log::table
        .select(audit_log::log)
        .order(audit_log::log)
        .load(connection)?)
}

/// A log's records from `seq` on, at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn entries(
    connection: &mut AnyConnection,
    log: TenantId,
    seq: u64,
    limit: i64,
) -> Result<Vec<EntryRow>, Error> {
    Ok(audit_entry::table
        .filter(audit_entry::log.eq(log))
        .filter(audit_entry::seq.ge(position(seq)?))
        .order(audit_entry::seq)
        .limit(limit)
        .load(connection)?)
}

/// A log's batches whose tree is larger than `size`, at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub(crate) fn batches(
    connection: &mut AnyConnection,
    log: TenantId,
    size: i64,
    limit: i64,
) -> Result<Vec<BatchRow>, Error> {
    Ok(audit_batch::table
        .filter(audit_batch::log.eq(log))
        .filter(audit_batch::size.gt(size))
        .order(audit_batch::size)
        .limit(limit)
        .load(connection)?)
}

fn last_frontier(connection: &mut AnyConnection, log: TenantId) -> Result<Frontier, Error> {
    let last: Option<(i64, Vec<u8>)> = audit_batch::table
        .filter(audit_batch::log.eq(log))
        .order(audit_batch::size.desc())
        .select((audit_batch::size, audit_batch::frontier))
        .first(connection)
        .optional()?;
    let (size, bytes) = last.ok_or_else(|| Error::Refused("the tenant has no audit log".into()))?;
    u64::try_from(size)
        .ok()
        .and_then(|size| Frontier::from_bytes(size, &bytes).ok())
        .ok_or_else(|| Error::Refused("the audit log's last batch is damaged".into()))
}

fn position(size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|_beyond| Error::Refused("the audit log is full".into()))
}
