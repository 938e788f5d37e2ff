//! The rows that the lane remembers of a tenant between batches, so that it need not read them again.
//!
//! The remembered rows belong to the remembered head of the audit log. Every write appends to that log, and a
//! second append to the same head is refused. So if a batch appends to the remembered head, its rows were
//! current, and its decisions and refusals are right. Otherwise the batch is a conflict: everything is
//! forgotten, and the batch is decided again on fresh, locked rows. A batch that appends nothing (it only has
//! refusals that are not stored), or that answers a request without storing its key, is never decided on memory
//! alone.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use audit_log::tables::Tip;
use idempotency::{Key, tables};
use store::bulk::Writes;
use store::{Error, TenantId, Timestamp};

use crate::shelf::{Kind, Loading, Shelf, Shelves};

/// Greatest number of rows that are remembered, of all tenants together. If there are more, all are forgotten.
const MAX_ROWS: usize = 200_000;
/// Least number of keys that are remembered of one tenant. At most twice as many are remembered.
const KEYS: usize = 100_000;
/// Number of keys that take as much room as one row.
const KEYS_A_ROW: usize = 4;

/// The memories of all tenants.
pub(crate) struct Memories {
    of: HashMap<TenantId, Memory>,
    kinds: Arc<[Kind]>,
    /// Number of remembered rows of all tenants, as they were last counted.
    count: usize,
    /// Tenants whose memory may have changed since.
    touched: HashSet<TenantId>,
}

impl Memories {
    pub(crate) fn new(kinds: Arc<[Kind]>) -> Self {
        Self {
            of: HashMap::new(),
            kinds,
            count: 0,
            touched: HashSet::new(),
        }
    }

    /// The memory of a tenant.
    pub(crate) fn of(&mut self, tenant: TenantId) -> &mut Memory {
        let kinds = &self.kinds;
        self.touched.insert(tenant);
        self.of.entry(tenant).or_insert_with(|| Memory::new(kinds))
    }

    /// Forgets the rows of one tenant that a conflict may have shown to be stale.
    pub(crate) fn forget(&mut self, tenant: TenantId) {
        self.of(tenant).forget();
    }

    /// Forgets the rows of all tenants that a conflict may have shown to be stale.
    pub(crate) fn forget_all(&mut self) {
        self.of.values_mut().for_each(Memory::forget);
        self.touched.extend(self.of.keys());
    }

    /// Forgets all rows if too many are remembered.
    pub(crate) fn make_room(&mut self) {
        // Only the tenants of the last batches are counted again: there may be many others.
        for tenant in self.touched.drain() {
            let Some(memory) = self.of.get_mut(&tenant) else {
                continue;
            };
            let size = memory.size();
            let before = std::mem::replace(&mut memory.count, size);
            self.count = self.count.saturating_add(size).saturating_sub(before);
        }
        if self.count > MAX_ROWS {
            self.of.clear();
            self.count = 0;
        }
    }
}

/// The memory of one tenant.
pub(crate) struct Memory {
    /// The audit log as this lane last left it.
    head: Option<Tip>,
    /// Time at which the latest batch that this lane knows of was recorded; the next one is never earlier.
    latest: Option<Timestamp>,
    /// The memory of each kind of shelf.
    shelves: Vec<Box<dyn AnyMemory>>,
    /// Number of remembered rows, when they were last counted.
    count: usize,
}

impl Memory {
    fn new(kinds: &[Kind]) -> Self {
        Self {
            head: None,
            latest: None,
            shelves: kinds.iter().map(|kind| kind.memory()).collect(),
            count: 0,
        }
    }

    /// The audit log as this lane last left it.
    pub(crate) const fn head(&self) -> Option<&Tip> {
        self.head.as_ref()
    }

    /// Remembers the head that the audit log will have after the commit.
    pub(crate) fn keep_head(&mut self, head: Tip) {
        self.keep_time(head.at);
        self.head = Some(head);
    }

    /// Remembers that a batch was recorded at this moment.
    pub(crate) fn keep_time(&mut self, at: Timestamp) {
        self.latest = self.latest.max(Some(at));
    }

    /// Time at which the latest batch that this lane knows of was recorded; the beginning of time if it knows of
    /// none.
    pub(crate) fn latest(&self) -> Timestamp {
        self.latest.unwrap_or(Timestamp::BEFORE_ALL)
    }

    /// The clock's time, or the time of the latest batch if that is later. A record is never earlier than the
    /// record before it, whatever the clock does.
    pub(crate) fn not_before(&self, now: Timestamp) -> Timestamp {
        self.latest.map_or(now, |latest| latest.max(now))
    }

    /// The memory of each kind of shelf.
    pub(crate) fn shelves(&self) -> &[Box<dyn AnyMemory>] {
        &self.shelves
    }

    /// Remembers the rows as they will be after the commit.
    pub(crate) fn remember(&mut self, shelves: &Shelves) {
        shelves.remember(&mut self.shelves);
    }

    /// Keeps the remembered rows if they belong to this head, which was just read. Otherwise forgets them.
    pub(crate) fn keep_if_current(&mut self, head: &Tip) {
        if self.head.as_ref().map(|known| known.tree.size()) != Some(head.tree.size()) {
            self.forget();
        }
    }

    /// Forgets the rows that a conflict may have shown to be stale.
    pub(crate) fn forget(&mut self) {
        self.head = None;
        self.shelves.iter_mut().for_each(|shelf| shelf.forget());
    }

    fn size(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.size()).sum()
    }
}

/// The memory of one shelf, without its type.
pub(crate) trait AnyMemory: Send {
    fn rows(&self) -> &dyn Any;
    fn rows_mut(&mut self) -> &mut dyn Any;
    fn forget(&mut self);
    fn size(&self) -> usize;
}

/// The memory of a shelf, with its type.
pub(crate) struct MemoryOf<S: Shelf>(S::Memory);

impl<S: Shelf> Default for MemoryOf<S> {
    fn default() -> Self {
        Self(S::Memory::default())
    }
}

impl<S: Shelf> AnyMemory for MemoryOf<S> {
    fn rows(&self) -> &dyn Any {
        &self.0
    }

    fn rows_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }

    fn forget(&mut self) {
        S::forget(&mut self.0);
    }

    fn size(&self) -> usize {
        S::size(&self.0)
    }
}

/// Hashes of the keys that were seen lately. A collision costs one unnecessary look-up. Any other key is taken
/// for new; if it is not, the database refuses it.
#[derive(Debug, Default)]
pub struct RecentKeys {
    hasher: RandomState,
    newer: HashSet<u64>,
    older: HashSet<u64>,
}

impl RecentKeys {
    fn has(&self, key: &Key) -> bool {
        let hash = self.hasher.hash_one(key);
        self.newer.contains(&hash) || self.older.contains(&hash)
    }

    fn keep(&mut self, key: &Key) {
        if self.newer.len() >= KEYS {
            self.older = std::mem::take(&mut self.newer);
        }
        let hash = self.hasher.hash_one(key);
        self.newer.insert(hash);
    }
}

/// The idempotency keys that a batch needs.
#[derive(Debug, Default)]
pub struct KeyAsks {
    /// Keys of the requests in the batch. Most are new.
    pub claimed: Vec<Key>,
    /// Keys of earlier requests, which wait for an answer.
    pub waiting: Vec<Key>,
}

impl Shelf for idempotency::Shelf {
    type Asks = KeyAsks;
    type Memory = RecentKeys;

    fn must_lock(_asks: &KeyAsks) -> bool {
        false
    }

    fn is_nothing(asks: &KeyAsks) -> bool {
        asks.claimed.is_empty() && asks.waiting.is_empty()
    }

    /// A key that was not seen lately is taken for new. If it is not new, saving it is a conflict.
    fn recall(&mut self, asks: &mut KeyAsks, memory: &RecentKeys) {
        asks.claimed.retain(|key| memory.has(key));
    }

    fn load(&mut self, from: &mut Loading<'_>, asks: KeyAsks) -> Result<(), Error> {
        let mut keys = asks.claimed;
        keys.extend(asks.waiting);
        keys.sort_unstable();
        keys.dedup();
        *self = tables::load(from.connection, from.tenant, &keys, from.lock)?;
        Ok(())
    }

    fn save(&self, tenant: TenantId, writes: &mut Writes) {
        tables::save(writes, tenant, self);
    }

    fn remember(&self, memory: &mut RecentKeys) {
        self.known().for_each(|key| memory.keep(key));
    }

    /// A key that was seen stays seen.
    fn forget(_memory: &mut RecentKeys) {}

    fn size(memory: &RecentKeys) -> usize {
        memory.newer.len().saturating_add(memory.older.len()) / KEYS_A_ROW
    }
}
