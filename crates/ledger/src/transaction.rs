//! A transaction: what is asked for, and what became part of the books.

use money::{Amount, Currency, MinorUnits};
use store::Timestamp;

use crate::{AccountId, Condition, Kind, Metadata};

store::typed_id!(
    /// A transaction's id: `txn_…`.
    TransactionId,
    "txn"
);

/// At most so many postings a transaction.
pub const MOST_POSTINGS: usize = 100;

/// A posting that releases what posting n of a pending transaction holds has the ordinal n plus this.
pub const RELEASES_FROM: i16 = 100;

/// What happens may be recorded at most so long before, in seconds: clocks differ. What is effective later
/// would be spent before it is there.
pub const MOST_AHEAD_SECONDS: i64 = 300;

/// The latest moment at which something may happen that is recorded at `recorded_at`, if `effective_at` is
/// later.
pub(crate) fn too_far_ahead(effective_at: Timestamp, recorded_at: Timestamp) -> Option<Timestamp> {
    let latest = recorded_at.plus_seconds(MOST_AHEAD_SECONDS);
    (effective_at > latest).then_some(latest)
}

/// A posting that posts more than posting n of a pending transaction still held has the ordinal n plus
/// this.
pub const EXCEEDS_FROM: i16 = 200;

/// One movement: `amount` goes onto the debit side of `debit` and the credit side of `credit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The debited account.
    pub debit: AccountId,
    /// The credited account.
    pub credit: AccountId,
    /// How much, in minor units.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl Posting {
    /// Whether it moves this account.
    pub(crate) fn names(&self, id: &AccountId) -> bool {
        self.debit == *id || self.credit == *id
    }
}

/// The side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The account was debited.
    Debit,
    /// The account was credited.
    Credit,
}

/// What a posting does to its two accounts. Each of them is an entry with a number on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It is promised: it adds to what is pending.
    Pending,
    /// It is final at once: it adds to what is posted.
    Posted,
    /// What was promised becomes final: it adds to what is posted and to what is released.
    Settled,
    /// What was promised will not be: it adds to what is released.
    Released,
}

impl Phase {
    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Settled => "settled",
            Self::Released => "released",
        }
    }

    /// Whether the posted balances move.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Posted | Self::Settled => true,
            Self::Pending | Self::Released => false,
        }
    }
}

/// What a transaction is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It promises: its postings hold amounts until they are posted, voided or expired.
    Pending,
    /// It is final at once.
    Posted,
    /// It posts a pending one, or a part of it.
    Settlement,
    /// It releases all that a pending one still holds.
    Void,
    /// The same, because its time is over.
    Expiry,
    /// It undoes a final one, or a part of it.
    Reversal,
}

impl Step {
    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Settlement => "post",
            Self::Void => "void",
            Self::Expiry => "expiry",
            Self::Reversal => "reversal",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What is asked of a transaction that is to be posted later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// From when on it can no longer be posted; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// What is asked for. Time and id are given, so that a run can be repeated exactly.
#[derive(Debug, Clone)]
pub struct NewTransaction {
    /// Its id.
    pub id: TransactionId,
    /// The purpose of the transaction.
    pub kind: Kind,
    /// One or more movements, applied together or not at all.
    pub postings: Vec<Posting>,
    /// Whether it is only promised as yet.
    pub pending: Option<Pending>,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
    /// The caller's own id for the transaction; unique per tenant.
    pub external_id: Option<String>,
    /// Free text for people.
    pub description: Option<String>,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
    /// When it happened: earlier than it is written, or at most [`MOST_AHEAD_SECONDS`] later.
    pub effective_at: Timestamp,
    /// The time at which the transaction was recorded.
    pub recorded_at: Timestamp,
}

impl NewTransaction {
    /// A transaction that is final at once and happens now, with nothing else said of it.
    #[must_use]
    pub const fn plain(
        id: TransactionId,
        kind: Kind,
        postings: Vec<Posting>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            postings,
            pending: None,
            conditions: Vec::new(),
            external_id: None,
            description: None,
            metadata: None,
            effective_at: now,
            recorded_at: now,
        }
    }
}

/// A posting with its place in each account's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedPosting {
    /// Its place in the transaction, from 0. Where the transaction is about another one: that of the
    /// other's posting, and [`RELEASES_FROM`] more if it releases what that one holds, or
    /// [`EXCEEDS_FROM`] more if it posts what that one did not hold.
    pub ordinal: i16,
    /// What it does to its accounts.
    pub phase: Phase,
    /// What moved.
    pub posting: Posting,
    /// The number of this entry on the debited account.
    pub debit_version: i64,
    /// The posted balance of that account after the entry.
    pub debit_balance: MinorUnits,
    /// The number of this entry on the credited account.
    pub credit_version: i64,
    /// The posted balance of that account after the entry.
    pub credit_balance: MinorUnits,
}

/// A transaction that is part of the books.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its id.
    pub id: TransactionId,
    /// The purpose of the transaction.
    pub kind: Kind,
    /// What it is to others.
    pub step: Step,
    /// The transaction it is about, if it is about one.
    pub about: Option<TransactionId>,
    /// If it is pending: from when on it can no longer be posted; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// Its movements, in the order given.
    pub postings: Vec<PostedPosting>,
    /// The caller's own id for the transaction.
    pub external_id: Option<String>,
    /// Free text for people.
    pub description: Option<String>,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
    /// The effective time: when the transaction happened.
    pub effective_at: Timestamp,
    /// The time at which the transaction was recorded.
    pub recorded_at: Timestamp,
}

/// What a transaction that is about another one says of itself.
#[derive(Debug, Clone)]
pub struct Heading {
    /// Its id.
    pub id: TransactionId,
    /// The purpose of the transaction.
    pub kind: Kind,
    /// The caller's own id for the transaction; unique per tenant.
    pub external_id: Option<String>,
    /// Free text for people.
    pub description: Option<String>,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
    /// The effective time: when the transaction happened.
    pub effective_at: Timestamp,
    /// When we wrote it; expiry is looked at as of this moment.
    pub recorded_at: Timestamp,
}

impl Heading {
    /// It happens now, with nothing else said of it.
    #[must_use]
    pub const fn plain(id: TransactionId, kind: Kind, now: Timestamp) -> Self {
        Self {
            id,
            kind,
            external_id: None,
            description: None,
            metadata: None,
            effective_at: now,
            recorded_at: now,
        }
    }

    pub(crate) fn too_far_ahead(&self) -> Option<Timestamp> {
        too_far_ahead(self.effective_at, self.recorded_at)
    }

    pub(crate) fn becomes(
        self,
        step: Step,
        about: TransactionId,
        mut postings: Vec<PostedPosting>,
    ) -> Posted {
        // Told in the order in which they are kept, in whichever they were asked for: a reply that is
        // made again from what is kept must be the same.
        postings.sort_unstable_by_key(|posted| posted.ordinal);
        Posted {
            id: self.id,
            kind: self.kind,
            step,
            about: Some(about),
            expires_at: None,
            postings,
            external_id: self.external_id,
            description: self.description,
            metadata: self.metadata,
            effective_at: self.effective_at,
            recorded_at: self.recorded_at,
        }
    }
}

/// A part of a transaction: so much of the posting with this ordinal.
pub type Part = (i16, Amount);

/// The first ordinal that is named twice.
pub(crate) fn named_twice(parts: &[Part]) -> Option<i16> {
    let mut seen = Vec::with_capacity(parts.len());
    parts.iter().find_map(|(ordinal, _)| {
        let twice = seen.contains(ordinal);
        seen.push(*ordinal);
        twice.then_some(*ordinal)
    })
}
