//! The log's tables: appending what a commit did, and reading it back.

use diesel::prelude::*;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

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
        /// When the commit was recorded, in microseconds since 1970. It never goes back.
        at: i64,
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

/// What to append to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The tree as of the last batch.
    pub tree: Frontier,
    /// When that batch was recorded: the next one is recorded no earlier.
    pub at: Timestamp,
}

/// Begins a tenant's log with the empty tree; returns what to append to.
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

/// What to append to: the log's tree as of its last batch; `None` if the tenant has no log. With
/// [`Lock::Rows`], nobody who locks too appends until the batch ends: do it last.
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

/// Appends records, in order, as one batch that is recorded at `at`. If another writer has appended
/// since the tip was read, the keys make it a conflict: a fork cannot be written.
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

/// Every log there is.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn logs(connection: &mut AnyConnection) -> Result<Vec<TenantId>, Error> {
    Ok(audit_log::table
        .select(audit_log::log)
        .order(audit_log::log)
        .load(connection)?)
}

/// When anything was last recorded, in whichever log; `None` if there is none.
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

/// A log's records from `seq` on, at most `limit`.
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

/// A log's batches whose tree is larger than `size`, at most `limit`.
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
