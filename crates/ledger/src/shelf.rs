//! The shelf: the part of the books that one batch holds in memory.

use std::collections::{BTreeSet, HashMap};

use store::Timestamp;
use store::rows::{Additions, Rows, Single};

use crate::describe;
use crate::{
    Account, AccountId, Asset, Correction, Exchange, Hold, Metadata, Promise, RecordedPosting,
    RecordedTransaction, Refusal, Step, TransactionId,
};

/// The accounts that a batch may read or change, as they were locked, with the changes of the batch; and the
/// facts about earlier transactions that later steps need.
#[derive(Debug, Default, Clone)]
pub struct Shelf {
    accounts: Rows<AccountId, ShelfRow>,
    by_code: Rows<String, AccountId>,
    /// The assets by code. `registered` has the codes of the assets that this batch has registered.
    assets: Rows<String, Asset>,
    registered: Rows<String, ()>,
    by_external_id: Rows<String, TransactionId>,
    recorded: HashMap<TransactionId, (Step, Vec<RecordedPosting>)>,
    /// Earlier transactions with their whole content, for comparison.
    written: HashMap<TransactionId, RecordedTransaction>,
    /// The present metadata of the transactions in `written` whose metadata was set later.
    metadata_since: HashMap<TransactionId, Option<Metadata>>,
    /// The transactions in `recorded` that are exchanges.
    exchanged: BTreeSet<TransactionId>,
    holds: Rows<(TransactionId, i16), SeenRow<Hold>>,
    corrections: Rows<(TransactionId, i16), SeenRow<Correction>>,
    described: Rows<TransactionId, describe::PresentMetadata>,
    period: Single<Period>,
    posted: Additions<RecordedTransaction>,
    exchanges: Additions<Exchange>,
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
struct ShelfRow {
    account: Account,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Read from the database, at this version and revision.
    Loaded { version: i64, revision: i64 },
    /// Opened by this batch.
    New,
}

/// A row, and the row that was read; `seen` is `None` if this batch made the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeenRow<T> {
    pub(crate) row: T,
    pub(crate) seen: Option<T>,
}

/// The closed period, as far as the batch knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    /// Whether the batch has read it. If not, the whole past counts as closed.
    pub(crate) is_known: bool,
    /// The moment that was read.
    pub(crate) seen: Option<Timestamp>,
    pub(crate) closed_before: Option<Timestamp>,
    /// Whether a transaction was accepted because the period is not closed.
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
    /// An account, with the changes of this batch.
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

    /// The step and the postings of a transaction that a later one may be about.
    #[must_use]
    pub fn recorded(&self, id: &TransactionId) -> Option<(Step, &[RecordedPosting])> {
        if let Some((step, postings)) = self.recorded.get(id) {
            return Some((*step, postings));
        }
        // Ids from one source grow, so a binary search finds them. If there are several sources, it may miss an id;
        // then every transaction is looked at.
        let posted = self.posted.as_slice();
        let at = posted.binary_search_by_key(id, |posted| posted.id);
        let own = match at {
            Ok(at) => posted.get(at)?,
            Err(_) => posted.iter().find(|posted| posted.id == *id)?,
        };
        Some((own.step, &own.postings))
    }

    /// An earlier transaction with its whole content, if it was loaded for comparison.
    #[must_use]
    pub fn written(&self, id: &TransactionId) -> Option<&RecordedTransaction> {
        self.written.get(id)
    }

    /// The holds of the postings of a pending transaction, in order.
    #[must_use]
    pub fn holds(&self, pending: &TransactionId) -> Vec<Hold> {
        let of_it = self.holds.range((*pending, 0)..=(*pending, i16::MAX));
        of_it.map(|(_, kept)| kept.row).collect()
    }

    /// All pending transactions of the shelf with their holds, as this batch leaves them.
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

    /// Adds a pending transaction as a cache has it. If the transaction has changed since, the writes of the batch
    /// about it are a conflict.
    pub fn put_promise(&mut self, promise: Promise) {
        *self.put_recorded(promise.transaction, Step::Pending) = promise.postings;
        for hold in promise.holds {
            self.put_loaded_hold(hold);
        }
    }

    /// The correction of a posting, if any part of it was reversed.
    #[must_use]
    pub fn correction(&self, transaction: &TransactionId, ordinal: i16) -> Option<&Correction> {
        let kept = self.corrections.get(&(*transaction, ordinal));
        kept.map(|kept| &kept.row)
    }

    /// The moment before which the books are closed. If the batch has not read it, everything before `now` counts
    /// as closed.
    #[must_use]
    pub fn closed_before(&self, now: Timestamp) -> Option<Timestamp> {
        if self.period.value.is_known {
            self.period.value.closed_before
        } else {
            Some(now)
        }
    }

    /// All accounts of the shelf, as this batch leaves them.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|held| &held.account)
    }

    /// The accounts that this batch opened, in the order of their codes, which are unique. With this order, two
    /// processes that open the same accounts wait for each other but never in a circle.
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

    /// The transactions that this batch recorded, in order.
    #[must_use]
    pub fn posted(&self) -> &[RecordedTransaction] {
        self.posted.as_slice()
    }

    /// The exchanges that this batch made, in order.
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

    /// Whether a transaction that a later one may be about is an exchange.
    #[must_use]
    pub fn is_exchange(&self, transaction: &TransactionId) -> bool {
        self.exchanged.contains(transaction) || self.exchange(transaction).is_some()
    }

    /// Adds an account as a cache has it. If the account has changed since, the writes of the batch to it are a
    /// conflict.
    pub fn put_remembered(&mut self, account: Account) {
        self.put_loaded(account);
    }

    /// Checks that no transaction has this external id, if one is given.
    pub(crate) fn check_external_id(&self, wanted: Option<&String>) -> Result<(), Refusal> {
        match wanted.and_then(|name| self.transaction_named(name)) {
            Some(by) => Err(Refusal::ExternalIdTaken { by }),
            None => Ok(()),
        }
    }

    /// Checks that `effective_at` lies in no closed period.
    pub(crate) fn check_period(
        &self,
        effective_at: Timestamp,
        recorded_at: Timestamp,
    ) -> Result<(), Refusal> {
        match self.closed_before(recorded_at) {
            Some(closed_before) if effective_at < closed_before => {
                Err(Refusal::PeriodClosed { closed_before })
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn put_loaded(&mut self, account: Account) {
        let origin = Origin::Loaded {
            version: account.version,
            revision: account.revision,
        };
        self.by_code.put(account.code.clone(), account.id);
        self.accounts.put(account.id, ShelfRow { account, origin });
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

    pub(crate) fn put_written(&mut self, posted: RecordedTransaction) {
        self.written.insert(posted.id, posted);
    }

    pub(crate) fn put_metadata_since(&mut self, id: TransactionId, metadata: Option<Metadata>) {
        self.metadata_since.insert(id, metadata);
    }

    /// Whether an earlier transaction was recorded with this metadata, or has it now.
    pub(crate) fn has_had(
        &self,
        posted: &RecordedTransaction,
        is_it: impl Fn(Option<&Metadata>) -> bool,
    ) -> bool {
        let since = self.metadata_since.get(&posted.id);
        is_it(posted.metadata.as_ref()) || since.is_some_and(|since| is_it(since.as_ref()))
    }

    pub(crate) fn put_recorded(
        &mut self,
        id: TransactionId,
        step: Step,
    ) -> &mut Vec<RecordedPosting> {
        let entry = self.recorded.entry(id).or_insert((step, Vec::new()));
        &mut entry.1
    }

    pub(crate) fn put_exchanged(&mut self, id: TransactionId) {
        self.exchanged.insert(id);
    }

    /// Adds the holds of a pending transaction as its postings state them. A hold that has a row of its own is later
    /// replaced by that row.
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
        self.holds.put(key, SeenRow { row: hold, seen });
    }

    pub(crate) fn put_loaded_correction(&mut self, correction: Correction) {
        let seen = Some(correction);
        let key = (correction.transaction, correction.ordinal);
        let row = correction;
        self.corrections.put(key, SeenRow { row, seen });
    }

    pub(crate) fn put_described(&mut self, kept: describe::PresentMetadata) {
        self.described.put(kept.posted.id, kept);
    }

    pub(crate) fn described_mut(
        &mut self,
        id: &TransactionId,
    ) -> Option<&mut describe::PresentMetadata> {
        self.described.get_mut(id)
    }

    /// The transactions whose metadata was set by this batch.
    pub(crate) fn redescribed(&self) -> impl Iterator<Item = &describe::PresentMetadata> {
        let kept = self.described.values();
        kept.filter(|kept| kept.revision != kept.seen_revision)
    }

    pub(crate) fn put_period(&mut self, period: Period) {
        self.period.value = period;
    }

    pub(crate) fn put_new(&mut self, account: Account) {
        self.by_code.put(account.code.clone(), account.id);
        let origin = Origin::New;
        self.accounts.put(account.id, ShelfRow { account, origin });
    }

    /// Puts an account, with its revision one higher; `None` if the shelf does not hold it.
    pub(crate) fn put_revised(&mut self, account: Account) -> Option<&Account> {
        let held = self.accounts.get_mut(&account.id)?;
        held.account = account;
        held.account.revision = held.account.revision.saturating_add(1);
        Some(&held.account)
    }

    pub(crate) fn put_hold(&mut self, hold: Hold) {
        let key = (hold.transaction, hold.ordinal);
        let seen = self.holds.get(&key).and_then(|kept| kept.seen);
        self.holds.put(key, SeenRow { row: hold, seen });
    }

    pub(crate) fn put_correction(&mut self, correction: Correction) {
        let key = (correction.transaction, correction.ordinal);
        let seen = self.corrections.get(&key).and_then(|kept| kept.seen);
        let row = correction;
        self.corrections.put(key, SeenRow { row, seen });
    }

    pub(crate) fn put_exchange(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }

    pub(crate) fn put_closed(&mut self, before: Timestamp) {
        self.period.value.closed_before = Some(before);
    }

    /// Adds a transaction, and its accounts as the transaction leaves them.
    pub(crate) fn put_posted(&mut self, accounts: Vec<Account>, posted: RecordedTransaction) {
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

    /// The accounts that this batch read and changed, in id order, with the version and the revision at which they
    /// were read.
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

    pub(crate) fn kept_holds(&self) -> impl Iterator<Item = &SeenRow<Hold>> {
        self.holds.values()
    }

    pub(crate) fn kept_corrections(&self) -> impl Iterator<Item = &SeenRow<Correction>> {
        self.corrections.values()
    }

    pub(crate) const fn period(&self) -> &Period {
        &self.period.value
    }
}
