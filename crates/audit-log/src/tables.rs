//! The log's tables: appends the records of a commit, and reads records again.

use diesel::prelude::*;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::{audit_batch, audit_entry, audit_log};
use crate::{Frontier, Hash, empty_root, leaf_hash};

store::bulk_insert! {
    /// A row of `audit_log`: it means that the tenant has a log.
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
        /// The exact bytes of the record.
        leaf: Vec<u8>,
        /// The hash of the leaf, 32 bytes.
        leaf_hash: Vec<u8>,
    }
}

store::bulk_insert! {
    /// A row of `audit_batch`: the records that one commit appended.
    pub struct BatchRow in audit_batch {
        /// The tenant.
        log: TenantId,
        /// The size of the tree before the batch.
        start: i64,
        /// The size of the tree after the batch.
        size: i64,
        /// The root of the tree after the batch.
        root: Vec<u8>,
        /// [`Frontier::to_bytes`] of the tree after the batch.
        frontier: Vec<u8>,
        /// Recording time of the commit, in microseconds since 1970. It never goes back.
        at: i64,
    }
}

/// The present state of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of records.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

/// The end of a log, to which records are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The tree after the last batch.
    pub tree: Frontier,
    /// The recording time of the last batch: the next batch is not recorded earlier.
    pub at: Timestamp,
}

/// Begins the log of a tenant with the empty tree; returns the end to append to.
pub fn create(writes: &mut Writes, log: TenantId, at: Timestamp) -> Tip {
    writes.add_first(vec![LogRow { log }]);
    writes.add_first(vec![BatchRow {
        log,
        start: 0,
        size: 0,
        root: empty_root().as_bytes().to_vec(),
        frontier: Vec::new(),
        at: at.micros(),
    }]);
    Tip {
        tree: Frontier::empty(),
        at,
    }
}

/// The end of a log: its tree after the last batch; `None` if the tenant has no log. With [`Lock::Rows`], no other
/// batch that locks can append until this one ends, so take this lock last.
///
/// # Errors
/// [`Error::Refused`] if the last batch is not what this program writes.
pub fn head(
    connection: &mut AnyConnection,
    log: TenantId,
    lock: Lock,
) -> Result<Option<Tip>, Error> {
    if lock == Lock::Rows {
        store::lock_row!(
            connection,
            audit_log::table.find(log).select(audit_log::log),
            TenantId
        );
    }
    let last: Option<(i64, Vec<u8>, i64)> = audit_batch::table
        .filter(audit_batch::log.eq(log))
        .order(audit_batch::size.desc())
        .select((audit_batch::size, audit_batch::frontier, audit_batch::at))
        .first(connection)
        .optional()?;
    let Some((size, bytes, at)) = last else {
        return Ok(None);
    };
    let frontier = u64::try_from(size)
        .ok()
        .and_then(|size| Frontier::from_bytes(size, &bytes).ok());
    let damaged = || Error::Refused("the audit log's last batch is damaged".into());
    let at = Timestamp::from_micros(at);
    let tip = frontier.map(|tree| Tip { tree, at });
    tip.map(Some).ok_or_else(damaged)
}

/// Appends records, in order, as one batch that is recorded at `at`. If another writer has appended since the
/// end was read, the database refuses the batch: a fork cannot be written.
///
/// # Errors
/// [`Error::Refused`] if the log is full; [`Error::Conflict`] if the last batch was recorded later.
pub fn append(
    writes: &mut Writes,
    tip: &mut Tip,
    log: TenantId,
    leaves: Vec<Vec<u8>>,
    at: Timestamp,
) -> Result<(), Error> {
    if leaves.is_empty() {
        return Ok(());
    }
    if at < tip.at {
        let later = "the last batch was recorded later than this one would be";
        return Err(Error::Conflict(later.to_owned()));
    }
    tip.at = at;
    let frontier = &mut tip.tree;
    let start = position(frontier.size())?;
    let mut entries = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let hash = leaf_hash(&leaf);
        let seq = position(frontier.size())?;
        entries.push(EntryRow {
            log,
            seq,
            leaf,
            leaf_hash: hash.as_bytes().to_vec(),
        });
        frontier.append(hash);
    }
    writes.add_early(entries);
    writes.add(vec![BatchRow {
        log,
        start,
        size: position(frontier.size())?,
        root: frontier.root().as_bytes().to_vec(),
        frontier: frontier.to_bytes(),
        at: at.micros(),
    }]);
    Ok(())
}

/// The tenants of all logs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn logs(connection: &mut AnyConnection) -> Result<Vec<TenantId>, Error> {
    Ok(audit_log::table
        .select(audit_log::log)
        .order(audit_log::log)
        .load(connection)?)
}

/// Whether there is a log of this tenant.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn has_log(connection: &mut AnyConnection, log: TenantId) -> Result<bool, Error> {
    let found: Option<TenantId> = audit_log::table
        .filter(audit_log::log.eq(log))
        .select(audit_log::log)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

/// The latest recording time of all logs; `None` if there is no log.
///
/// # Errors
/// [`Error::Refused`] if a log's last batch is not what this program writes.
pub fn latest(connection: &mut AnyConnection) -> Result<Option<Timestamp>, Error> {
    let mut latest = None;
    for log in logs(connection)? {
        latest = latest.max(head(connection, log, Lock::Nothing)?.map(|tip| tip.at));
    }
    Ok(latest)
}

/// The records of a log from `seq` on, at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
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

/// The batches of a log whose tree is larger than `size`, at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
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

fn position(size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|_beyond| Error::Refused("the audit log is full".into()))
}
