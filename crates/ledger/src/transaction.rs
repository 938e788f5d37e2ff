//! A transaction: as it is requested, and as it is recorded.

use money::{Amount, Currency, MinorUnits};
use store::Timestamp;

use crate::{AccountId, Condition, Kind, Metadata, Refusal};

store::typed_id!(
    /// The id of a transaction: `txn_…`.
    TransactionId,
    "txn"
);

/// Greatest number of postings in one transaction.
pub const MAX_POSTINGS: usize = 100;

/// A posting that releases what posting n of a pending transaction holds has the ordinal n plus this number.
pub const RELEASES_FROM: i16 = 100;

/// Greatest time by which an effective time may be later than the recording time, in seconds, because clocks
/// differ. Money with a later effective time could be spent before it is there.
pub const MAX_AHEAD_SECONDS: i64 = 300;

/// Checks that an effective time is not too late for what is recorded at `recorded_at`.
pub(crate) fn check_moment(effective_at: Timestamp, recorded_at: Timestamp) -> Result<(), Refusal> {
    let latest = recorded_at.plus_seconds(MAX_AHEAD_SECONDS);
    if effective_at > latest {
        return Err(Refusal::EffectiveInTheFuture { latest });
    }
    Ok(())
}

/// A posting that posts more than posting n of a pending transaction still held has the ordinal n plus this number.
pub const EXCEEDS_FROM: i16 = 200;

/// One movement: `amount` is debited to the account `debit` and credited to the account `credit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The debited account.
    pub debit: AccountId,
    /// The credited account.
    pub credit: AccountId,
    /// The amount, in minor units.
    pub amount: Amount,
    /// The currency of the amount.
    pub currency: Currency,
}

impl Posting {
    /// Whether the posting moves this account.
    pub(crate) fn names(&self, id: &AccountId) -> bool {
        self.debit == *id || self.credit == *id
    }
}

/// The side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// A debit of the account.
    Debit,
    /// A credit of the account.
    Credit,
}

/// The effect of a posting on its two accounts. Each posting is an entry with a number on both of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The amount is pending: it adds to the pending counters.
    Pending,
    /// The amount is final at once: it adds to the posted counters.
    Posted,
    /// A pending amount becomes final (a fulfilled hold): it adds to the posted and to the released counters.
    Fulfilled,
    /// A pending amount will not become final: it adds to the released counters.
    Released,
}

impl Phase {
    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Fulfilled => "settled",
            Self::Released => "released",
        }
    }

    /// Whether the posted balances change.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Posted | Self::Fulfilled => true,
            Self::Pending | Self::Released => false,
        }
    }
}

/// The role of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Pending: its postings hold amounts until they are fulfilled, voided or expired.
    Pending,
    /// Final at once.
    Posted,
    /// Fulfils a pending transaction, or a part of it.
    Fulfilment,
    /// Releases all that a pending transaction still holds, on request.
    Void,
    /// Releases all that a pending transaction still holds, because its time of expiry has come.
    Expiry,
    /// Reverses a final transaction, or a part of it.
    Reversal,
}

impl Step {
    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Fulfilment => "post",
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

/// The terms of a pending transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// From this moment on the holds can no longer be fulfilled; `None`: they never expire.
    pub expires_at: Option<Timestamp>,
}

/// A request for a new transaction. Time and id are given by the caller, so that a run can be repeated exactly.
#[derive(Debug, Clone)]
pub struct NewTransaction {
    /// The transaction's id.
    pub id: TransactionId,
    /// The purpose of the transaction.
    pub kind: Kind,
    /// One or more postings, applied together or not at all.
    pub postings: Vec<Posting>,
    /// The terms, if the transaction is pending; `None` if it is final at once.
    pub pending: Option<Pending>,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
    /// The caller's own id for the transaction; unique per tenant.
    pub external_id: Option<String>,
    /// Free text for people.
    pub description: Option<String>,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
    /// The effective time: any time before `recorded_at`, or at most [`MAX_AHEAD_SECONDS`] after it.
    pub effective_at: Timestamp,
    /// The time at which the transaction was recorded.
    pub recorded_at: Timestamp,
    /// True for what has happened already and cannot be refused: a debit that another party has made. The limits of
    /// the accounts are not checked.
    pub beyond_limits: bool,
}

impl NewTransaction {
    /// A transaction that is final at once and happens now, without external id, description, metadata or conditions.
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
            beyond_limits: false,
        }
    }
}

/// A recorded posting, with its place in the history of each account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedPosting {
    /// The posting's place in the transaction, from 0. In a transaction about another one, it is the ordinal of the
    /// other transaction's posting: plus [`RELEASES_FROM`] if it releases what that posting holds, or plus
    /// [`EXCEEDS_FROM`] if it posts more than that posting held.
    pub ordinal: i16,
    /// The effect on the two accounts.
    pub phase: Phase,
    /// Accounts, amount and currency.
    pub posting: Posting,
    /// The number of the entry on the debited account.
    pub debit_version: i64,
    /// The posted balance of that account after the entry.
    pub debit_balance: MinorUnits,
    /// The number of the entry on the credited account.
    pub credit_version: i64,
    /// The posted balance of that account after the entry.
    pub credit_balance: MinorUnits,
}

/// A recorded transaction.
#[derive(Debug, Clone)]
pub struct RecordedTransaction {
    /// The transaction's id.
    pub id: TransactionId,
    /// The purpose of the transaction.
    pub kind: Kind,
    /// The role of the transaction.
    pub step: Step,
    /// The transaction that this one is about, if any.
    pub about: Option<TransactionId>,
    /// For a pending transaction: from this moment on it can no longer be fulfilled; `None`: it never expires.
    pub expires_at: Option<Timestamp>,
    /// The postings, in the order of their ordinals.
    pub postings: Vec<RecordedPosting>,
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

/// The data of a transaction that is about another one, except its postings.
#[derive(Debug, Clone)]
pub struct Heading {
    /// The transaction's id.
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
    /// The time at which the transaction was recorded; expiry is checked as of this moment.
    pub recorded_at: Timestamp,
}

impl Heading {
    /// The heading of a transaction that happens now, without external id, description or metadata.
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

    pub(crate) fn check_moment(&self) -> Result<(), Refusal> {
        check_moment(self.effective_at, self.recorded_at)
    }

    pub(crate) fn becomes(
        self,
        step: Step,
        about: TransactionId,
        mut postings: Vec<RecordedPosting>,
    ) -> RecordedTransaction {
        // Postings are in the order in which they are stored, whatever the order of the request was. A reply that is
        // made again from the stored rows must be the same.
        postings.sort_unstable_by_key(|posted| posted.ordinal);
        RecordedTransaction {
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

/// A part of a transaction: the ordinal of a posting, and an amount.
pub type Part = (i16, Amount);

/// Checks that a step names some amount, and no posting twice.
pub(crate) fn check_amounts(parts: &[Part], step: Step) -> Result<(), Refusal> {
    if parts.is_empty() {
        return Err(Refusal::NoAmounts { step });
    }
    let mut seen = Vec::with_capacity(parts.len());
    for (ordinal, _) in parts {
        let ordinal = *ordinal;
        if seen.contains(&ordinal) {
            return Err(Refusal::PostingNamedTwice { ordinal });
        }
        seen.push(ordinal);
    }
    Ok(())
}
