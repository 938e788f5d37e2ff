//! Verification: every record is hashed again, and the root of every commit is computed again.

use std::fmt;

use store::{AnyConnection, Error, TenantId};

use crate::tables::{self, BatchRow, EntryRow, Head};
use crate::{Frontier, leaf_hash};

/// Number of records that are read at a time.
const PAGE: i64 = 1_000;

/// A log that is unchanged since it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// The tenant.
    pub log: TenantId,
    /// The present tree.
    pub head: Head,
}

/// The first damage of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tampered {
    /// The tenant.
    pub log: TenantId,
    /// The record, or the first record of the batch.
    pub seq: u64,
    /// The damage.
    pub kind: Damage,
}

/// Kinds of damage of a record or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// The bytes do not have the stored hash.
    LeafChanged,
    /// The stored hash is not a hash.
    HashChanged,
    /// The record is missing, or its number is wrong.
    RecordMissing,
    /// The batch does not begin where the previous one ended.
    BatchMissing,
    /// The records of this batch, with bytes and hashes, are not those that were committed.
    RootChanged,
    /// Records follow after the last batch.
    RecordUncommitted,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeafChanged => "leaf_changed",
            Self::HashChanged => "hash_changed",
            Self::RecordMissing => "record_missing",
            Self::BatchMissing => "batch_missing",
            Self::RootChanged => "root_changed",
            Self::RecordUncommitted => "record_uncommitted",
        })
    }
}

/// Verifies one log from its first record to its last. `progress` gets the number of records of each page.
///
/// # Errors
/// [`Error`] if the database did not answer; then nothing is known about the log.
pub fn verify(
    connection: &mut AnyConnection,
    log: TenantId,
    mut progress: impl FnMut(u64),
) -> Result<Result<Clean, Tampered>, Error> {
    let mut frontier = Frontier::empty();
    let mut entries = Pages::new(log);
    loop {
        let size = i64::try_from(frontier.size()).unwrap_or(i64::MAX);
        let batches = tables::batches(connection, log, size, PAGE)?;
        if batches.is_empty() {
            break;
        }
        for batch in batches {
            if let Err(damage) = verify_batch(connection, &batch, &mut frontier, &mut entries)? {
                return Ok(Err(damage));
            }
        }
        progress(frontier.size());
    }
    if let Some(entry) = entries.next(connection, frontier.size())? {
        let seq = u64::try_from(entry.seq).unwrap_or(0);
        return Ok(Err(Tampered {
            log,
            seq,
            kind: Damage::RecordUncommitted,
        }));
    }
    let head = Head {
        size: frontier.size(),
        root: frontier.root(),
    };
    Ok(Ok(Clean { log, head }))
}

fn verify_batch(
    connection: &mut AnyConnection,
    batch: &BatchRow,
    frontier: &mut Frontier,
    entries: &mut Pages,
) -> Result<Result<(), Tampered>, Error> {
    let start = frontier.size();
    let at = |seq, kind| {
        Ok(Err(Tampered {
            log: batch.log,
            seq,
            kind,
        }))
    };
    if u64::try_from(batch.start) != Ok(start) {
        return at(start, Damage::BatchMissing);
    }
    let size = u64::try_from(batch.size).unwrap_or(0);
    while frontier.size() < size {
        let seq = frontier.size();
        let entry = match entries.next(connection, seq)? {
            Some(entry) if u64::try_from(entry.seq) == Ok(seq) => entry,
            Some(_) | None => return at(seq, Damage::RecordMissing),
        };
        let hash = leaf_hash(&entry.leaf);
        if entry.leaf_hash.len() != hash.as_bytes().len() {
            return at(seq, Damage::HashChanged);
        }
        if entry.leaf_hash != hash.as_bytes() {
            return at(seq, Damage::LeafChanged);
        }
        frontier.append(hash);
    }
    if batch.root != frontier.root().as_bytes() || batch.frontier != frontier.to_bytes() {
        return at(start, Damage::RootChanged);
    }
    Ok(Ok(()))
}

/// The records of a log, a page at a time.
struct Pages {
    log: TenantId,
    page: std::vec::IntoIter<EntryRow>,
}

impl Pages {
    fn new(log: TenantId) -> Self {
        Self {
            log,
            page: Vec::new().into_iter(),
        }
    }

    /// The next record; a new page is read from `seq` on when the present one is used up.
    fn next(
        &mut self,
        connection: &mut AnyConnection,
        seq: u64,
    ) -> Result<Option<EntryRow>, Error> {
        if let Some(entry) = self.page.next() {
            return Ok(Some(entry));
        }
        self.page = tables::entries(connection, self.log, seq, PAGE)?.into_iter();
        Ok(self.page.next())
    }
}
