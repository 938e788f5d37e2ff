//! What the lane remembers of a tenant between batches, so that it need not ask the database again.
//!
//! What is remembered is as of the remembered head of the audit log. Whoever writes anything appends to
//! that log, and a second batch from the same head is refused: so a batch that appends to the
//! remembered head was decided on how things are, in what it posted and in what it refused. Any other
//! is a conflict, everything is forgotten, and it is decided again on fresh, locked rows. A batch that
//! appends nothing (it only refused what leaves no trace), or that answers a request without keeping its
//! key, is never decided on memory alone.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use audit_log::tables::Tip;
use idempotency::Key;
use ledger::{Account, AccountId, Promise, TransactionId};
use store::Timestamp;

/// Accounts remembered at most; then all are forgotten.
const ACCOUNTS: usize = 50_000;
/// Pending transactions remembered at most; then all are forgotten.
const PROMISES: usize = 20_000;
/// Keys remembered at least; twice as many at most.
const KEYS: usize = 100_000;

/// What is remembered of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The audit log as this lane last left it.
    head: Option<Tip>,
    /// When the latest batch that this lane knows of was recorded; never forgotten, for it is never
    /// earlier.
    latest: Option<Timestamp>,
    accounts: HashMap<AccountId, Account>,
    promises: HashMap<TransactionId, Promise>,
    keys: RecentKeys,
}

/// Keys seen lately, by hash: a collision costs one look-up too many.
#[derive(Debug, Default)]
struct RecentKeys {
    hasher: RandomState,
    newer: HashSet<u64>,
    older: HashSet<u64>,
}

impl Memory {
    /// The audit log as this lane last left it.
    pub(crate) fn head(&self) -> Option<&Tip> {
        self.head.as_ref()
    }

    /// Remembers where the audit log will stand.
    pub(crate) fn keep_head(&mut self, head: Tip) {
        self.keep_time(head.at);
        self.head = Some(head);
    }

    /// Remembers that a batch was recorded at this moment.
    pub(crate) fn keep_time(&mut self, at: Timestamp) {
        self.latest = self.latest.max(Some(at));
    }

    /// When the latest batch that this lane knows of was recorded; the beginning of time if it knows of none.
    pub(crate) fn latest(&self) -> Timestamp {
        self.latest.unwrap_or(Timestamp::BEFORE_ALL)
    }

    /// What the clock says, or when the latest batch was recorded if that is later: what is recorded
    /// later has no earlier time, whatever the clock does.
    pub(crate) fn not_before(&self, now: Timestamp) -> Timestamp {
        self.latest.map_or(now, |latest| latest.max(now))
    }

    /// Keeps what is remembered if it is as of this head, which was read just now.
    pub(crate) fn keep_if_current(&mut self, head: &Tip) {
        if self.head.as_ref().map(|known| known.tree.size()) != Some(head.tree.size()) {
            self.forget();
        }
    }

    /// An account as this lane last left it.
    pub(crate) fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// A pending transaction as this lane last left it, as long as it holds anything.
    pub(crate) fn promise(&self, id: &TransactionId) -> Option<&Promise> {
        self.promises.get(id)
    }

    /// Whether this lane has seen the key lately. Any other key is taken for new, and if it is not,
    /// the database says so.
    pub(crate) fn has_seen(&self, key: &Key) -> bool {
        let hash = self.keys.hasher.hash_one(key);
        self.keys.newer.contains(&hash) || self.keys.older.contains(&hash)
    }

    /// Remembers accounts as a commit has left them.
    pub(crate) fn keep_accounts<'a>(&mut self, accounts: impl Iterator<Item = &'a Account>) {
        if self.accounts.len() > ACCOUNTS {
            self.accounts.clear();
        }
        self.accounts
            .extend(accounts.map(|account| (account.id, account.clone())));
    }

    /// Remembers pending transactions as a commit has left them. One that has ended is forgotten:
    /// whoever asks for it still is refused, and that may take longer.
    pub(crate) fn keep_promises(&mut self, promises: Vec<Promise>) {
        if self.promises.len() > PROMISES {
            self.promises.clear();
        }
        for promise in promises {
            if promise.is_open() {
                self.promises.insert(promise.transaction, promise);
            } else {
                self.promises.remove(&promise.transaction);
            }
        }
    }

    /// Remembers that a key was seen.
    pub(crate) fn keep_key(&mut self, key: &Key) {
        if self.keys.newer.len() >= KEYS {
            self.keys.older = std::mem::take(&mut self.keys.newer);
        }
        let hash = self.keys.hasher.hash_one(key);
        self.keys.newer.insert(hash);
    }

    /// Forgets what a conflict may have shown to be stale.
    pub(crate) fn forget(&mut self) {
        self.head = None;
        self.accounts.clear();
        self.promises.clear();
    }
}
