//! What one batch holds of the books in memory.

use std::collections::{BTreeSet, HashMap};

use store::Timestamp;
use store::rows::{Added, Rows, Single};

use crate::describe;
use crate::{
    Account, AccountId, Asset, Correction, Exchange, Hold, Metadata, Posted, PostedPosting,
    Promise, Step, TransactionId,
};

/// The accounts a batch may read or change, as they were locked, and what it has done to them; and of
/// earlier transactions what a later step needs to know.
#[derive(Debug, Default, Clone)]
pub struct Shelf {
    accounts: Rows<AccountId, Held>,
    by_code: Rows<String, AccountId>,
    /// By code; and those of them that this batch has registered.
    assets: Rows<String, Asset>,
    registered: Rows<String, ()>,
    by_external_id: Rows<String, TransactionId>,
    recorded: HashMap<TransactionId, (Step, Vec<PostedPosting>)>,
    /// Earlier transactions with all that they say, to be compared with.
    written: HashMap<TransactionId, Posted>,
    /// The metadata of those of them of which it was set later.
    metadata_since: HashMap<TransactionId, Option<Metadata>>,
    /// Those of them that are exchanges.
    exchanged: BTreeSet<TransactionId>,
    holds: Rows<(TransactionId, i16), Kept<Hold>>,
    corrections: Rows<(TransactionId, i16), Kept<Correction>>,
    described: Rows<TransactionId, describe::Kept>,
    period: Single<Period>,
    posted: Added<Posted>,
    exchanges: Added<Exchange>,
}

store::savepoint!(Shelf {
    accounts,
    by_code,
    assets,
    registered,
    by_external_id,
    holds,
    corrections,
    described,
    period,
    posted,
    exchanges,
});

#[derive(Debug, Clone)]
struct Held {
    account: Account,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Found in the database, at this version and revision.
    Loaded { version: i64, revision: i64 },
    /// Opened by this batch.
    New,
}

/// A row, and how it was found; `None`: this batch has made it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<T> {
    pub(crate) row: T,
    pub(crate) seen: Option<T>,
}

/// What is known of the closed period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    /// Whether the batch has asked. If not, all that is past counts as closed.
    pub(crate) is_known: bool,
    /// As it was found.
    pub(crate) seen: Option<Timestamp>,
    pub(crate) closed_before: Option<Timestamp>,
    /// Whether something was posted because it is not closed.
    pub(crate) is_relied_upon: bool,
}

impl Default for Period {
    fn default() -> Self {
        Self::found(None)
    }
}

impl Period {
    pub(crate) const fn found(seen: Option<Timestamp>) -> Self {
        Self {
            is_known: true,
            seen,
            closed_before: seen,
            is_relied_upon: false,
        }
    }

    pub(crate) const fn unknown() -> Self {
        Self {
            is_known: false,
            ..Self::found(None)
        }
    }
}

impl Shelf {
    /// An account, with what this batch has done to it so far.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id).map(|held| &held.account)
    }

    /// The account with this code.
    #[must_use]
    pub fn id_of(&self, code: &str) -> Option<AccountId> {
        self.by_code.get(code).copied()
    }

    /// The asset with this code.
    #[must_use]
    pub fn asset(&self, code: &str) -> Option<&Asset> {
        self.assets.get(code)
    }

    /// Assets that this batch registered, in the order of their codes.
    #[must_use]
    pub fn registered(&self) -> Vec<&Asset> {
        let codes = self.registered.keys();
        codes.filter_map(|code| self.assets.get(code)).collect()
    }

    /// The transaction with this external id.
    #[must_use]
    pub fn transaction_named(&self, external_id: &str) -> Option<TransactionId> {
        self.by_external_id.get(external_id).copied()
    }

    /// A transaction that a later one may be about: what it is, and its postings.
    #[must_use]
    pub fn recorded(&self, id: &TransactionId) -> Option<(Step, &[PostedPosting])> {
        if let Some((step, postings)) = self.recorded.get(id) {
            return Some((*step, postings));
        }
        // Ids of one source grow; of several, whichever is not found so is looked for.
        let posted = self.posted.as_slice();
        let at = posted.binary_search_by_key(id, |posted| posted.id);
        let own = match at {
            Ok(at) => posted.get(at)?,
            Err(_) => posted.iter().find(|posted| posted.id == *id)?,
        };
        Some((own.step, &own.postings))
    }

    /// An earlier transaction, if it was asked for with all that it says.
    #[must_use]
    pub fn written(&self, id: &TransactionId) -> Option<&Posted> {
        self.written.get(id)
    }

    /// What the postings of a pending transaction hold, in their order.
    #[must_use]
    pub fn holds(&self, pending: &TransactionId) -> Vec<Hold> {
        let of_it = self.holds.range((*pending, 0)..=(*pending, i16::MAX));
        of_it.map(|(_, kept)| kept.row).collect()
    }

    /// The pending transactions that this batch has made or gone on with, as it leaves them.
    #[must_use]
    pub fn promises(&self) -> Vec<Promise> {
        let mut promises: Vec<Promise> = Vec::new();
        for ((transaction, _), kept) in self.holds.iter() {
            match promises
                .last_mut()
                .filter(|last| last.transaction == *transaction)
            {
                Some(last) => last.holds.push(kept.row),
                None => promises.push(Promise {
                    transaction: *transaction,
                    postings: Vec::new(),
                    holds: vec![kept.row],
                }),
            }
        }
        for promise in &mut promises {
            if let Some((_, postings)) = self.recorded(&promise.transaction) {
                promise.postings = postings.to_vec();
            }
        }
        promises
    }

    /// Takes a pending transaction as somebody remembers it. If it is no longer so, saving what the
    /// batch did to it is a conflict.
    pub fn put_promise(&mut self, promise: Promise) {
        *self.put_recorded(promise.transaction, Step::Pending) = promise.postings;
        for hold in promise.holds {
            self.put_loaded_hold(hold);
        }
    }

    /// How much of a posting was reversed, if any of it was.
    #[must_use]
    pub fn correction(&self, transaction: &TransactionId, ordinal: i16) -> Option<&Correction> {
        let kept = self.corrections.get(&(*transaction, ordinal));
        kept.map(|kept| &kept.row)
    }

    /// Before which moment the books are closed. If the batch has not asked, everything before `now`
    /// counts as closed.
    #[must_use]
    pub fn closed_before(&self, now: Timestamp) -> Option<Timestamp> {
        if self.period.value.is_known {
            self.period.value.closed_before
        } else {
            Some(now)
        }
    }

    /// Every account held, as this batch leaves it.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|held| &held.account)
    }

    /// Accounts that this batch opened, in the order of their codes, which are unique: two processes
    /// that open the same ones wait for each other and never in a circle.
    #[must_use]
    pub fn opened(&self) -> Vec<&Account> {
        let mut opened: Vec<&Account> = self
            .accounts
            .values()
            .filter(|held| held.origin == Origin::New)
            .map(|held| &held.account)
            .collect();
        opened.sort_unstable_by(|one, other| one.code.cmp(&other.code));
        opened
    }

    /// Transactions that this batch posted, in order.
    #[must_use]
    pub fn posted(&self) -> &[Posted] {
        self.posted.as_slice()
    }

    /// Exchanges that this batch made, in order.
    #[must_use]
    pub fn exchanges(&self) -> &[Exchange] {
        self.exchanges.as_slice()
    }

    /// The exchange that a transaction of this batch made.
    #[must_use]
    pub fn exchange(&self, transaction: &TransactionId) -> Option<&Exchange> {
        let mut all = self.exchanges.as_slice().iter();
        all.find(|made| made.transaction == *transaction)
    }

    /// Whether a transaction that a later one may be about exchanged currencies.
    #[must_use]
    pub fn is_exchange(&self, transaction: &TransactionId) -> bool {
        self.exchanged.contains(transaction) || self.exchange(transaction).is_some()
    }

    /// Takes an account as somebody remembers it. If it is no longer so, saving what the batch did
    /// to it is a conflict.
    pub fn put_remembered(&mut self, account: Account) {
        self.put_loaded(account);
    }

    /// Who has this external id, if it is given and taken.
    pub(crate) fn taken(&self, external_id: Option<&String>) -> Option<TransactionId> {
        self.transaction_named(external_id?)
    }

    /// Before which moment the books are closed, if that forbids what happened at `effective_at`.
    pub(crate) fn closes(
        &self,
        effective_at: Timestamp,
        recorded_at: Timestamp,
    ) -> Option<Timestamp> {
        let closed_before = self.closed_before(recorded_at)?;
        (effective_at < closed_before).then_some(closed_before)
    }

    pub(crate) fn put_loaded(&mut self, account: Account) {
        let origin = Origin::Loaded {
            version: account.version,
            revision: account.revision,
        };
        self.by_code.put(account.code.clone(), account.id);
        self.accounts.put(account.id, Held { account, origin });
    }

    pub(crate) fn put_asset(&mut self, asset: Asset) {
        self.assets.put(asset.currency.code().to_owned(), asset);
    }

    pub(crate) fn put_registered(&mut self, asset: Asset) {
        self.registered.put(asset.currency.code().to_owned(), ());
        self.put_asset(asset);
    }

    pub(crate) fn put_taken(&mut self, external_id: String, by: TransactionId) {
        self.by_external_id.put(external_id, by);
    }

    pub(crate) fn put_written(&mut self, posted: Posted) {
        self.written.insert(posted.id, posted);
    }

    pub(crate) fn put_metadata_since(&mut self, id: TransactionId, metadata: Option<Metadata>) {
        self.metadata_since.insert(id, metadata);
    }

    /// Whether an earlier transaction was recorded with this metadata, or has it now.
    pub(crate) fn has_had(
        &self,
        posted: &Posted,
        is_it: impl Fn(Option<&Metadata>) -> bool,
    ) -> bool {
        let since = self.metadata_since.get(&posted.id);
        is_it(posted.metadata.as_ref()) || since.is_some_and(|since| is_it(since.as_ref()))
    }

    pub(crate) fn put_recorded(
        &mut self,
        id: TransactionId,
        step: Step,
    ) -> &mut Vec<PostedPosting> {
        let entry = self.recorded.entry(id).or_insert((step, Vec::new()));
        &mut entry.1
    }

    pub(crate) fn put_exchanged(&mut self, id: TransactionId) {
        self.exchanged.insert(id);
    }

    /// The holds of a pending transaction as its postings say. Whatever was done about one says its row.
    pub(crate) fn put_untouched(&mut self, pending: &TransactionId) {
        let postings = match self.recorded(pending) {
            Some((_, postings)) => postings.to_vec(),
            None => Vec::new(),
        };
        for promised in &postings {
            self.put_loaded_hold(Hold::of(*pending, promised, None));
        }
    }

    pub(crate) fn put_loaded_hold(&mut self, hold: Hold) {
        let seen = Some(hold);
        let key = (hold.transaction, hold.ordinal);
        self.holds.put(key, Kept { row: hold, seen });
    }

    pub(crate) fn put_loaded_correction(&mut self, correction: Correction) {
        let seen = Some(correction);
        let key = (correction.transaction, correction.ordinal);
        let row = correction;
        self.corrections.put(key, Kept { row, seen });
    }

    pub(crate) fn put_described(&mut self, kept: describe::Kept) {
        self.described.put(kept.posted.id, kept);
    }

    pub(crate) fn described_mut(&mut self, id: &TransactionId) -> Option<&mut describe::Kept> {
        self.described.get_mut(id)
    }

    /// Transactions of which this batch has set the metadata.
    pub(crate) fn redescribed(&self) -> impl Iterator<Item = &describe::Kept> {
        let kept = self.described.values();
        kept.filter(|kept| kept.revision != kept.seen_revision)
    }

    pub(crate) fn put_period(&mut self, period: Period) {
        self.period.value = period;
    }

    pub(crate) fn put_new(&mut self, account: Account) {
        self.by_code.put(account.code.clone(), account.id);
        let origin = Origin::New;
        self.accounts.put(account.id, Held { account, origin });
    }

    /// The account as it is now, one revision further; `None` if the shelf does not hold it.
    pub(crate) fn put_revised(&mut self, account: Account) -> Option<&Account> {
        let held = self.accounts.get_mut(&account.id)?;
        held.account = account;
        held.account.revision = held.account.revision.saturating_add(1);
        Some(&held.account)
    }

    pub(crate) fn put_hold(&mut self, hold: Hold) {
        let key = (hold.transaction, hold.ordinal);
        let seen = self.holds.get(&key).and_then(|kept| kept.seen);
        self.holds.put(key, Kept { row: hold, seen });
    }

    pub(crate) fn put_correction(&mut self, correction: Correction) {
        let key = (correction.transaction, correction.ordinal);
        let seen = self.corrections.get(&key).and_then(|kept| kept.seen);
        let row = correction;
        self.corrections.put(key, Kept { row, seen });
    }

    pub(crate) fn put_exchange(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }

    pub(crate) fn put_closed(&mut self, before: Timestamp) {
        self.period.value.closed_before = Some(before);
    }

    /// A transaction, and its accounts as it leaves them.
    pub(crate) fn put_posted(&mut self, accounts: Vec<Account>, posted: Posted) {
        for account in accounts {
            if let Some(held) = self.accounts.get_mut(&account.id) {
                held.account = account;
            }
        }
        if posted.effective_at < posted.recorded_at {
            self.period.value.is_relied_upon = true;
        }
        if let Some(name) = &posted.external_id {
            self.by_external_id.put(name.clone(), posted.id);
        }
        self.posted.push(posted);
    }

    /// Accounts that this batch found and changed, with the version and revision they were found at,
    /// in id order.
    pub(crate) fn changed(&self) -> Vec<(&Account, i64, i64)> {
        let mut changed: Vec<(&Account, i64, i64)> = self
            .accounts
            .values()
            .filter_map(|held| match held.origin {
                Origin::Loaded { version, revision } => Some((&held.account, version, revision)),
                Origin::New => None,
            })
            .filter(|(account, version, revision)| {
                account.version != *version || account.revision != *revision
            })
            .collect();
        changed.sort_unstable_by_key(|(account, ..)| account.id);
        changed
    }

    pub(crate) fn kept_holds(&self) -> impl Iterator<Item = &Kept<Hold>> {
        self.holds.values()
    }

    pub(crate) fn kept_corrections(&self) -> impl Iterator<Item = &Kept<Correction>> {
        self.corrections.values()
    }

    pub(crate) const fn period(&self) -> &Period {
        &self.period.value
    }
}
