//! Exceptions: the differences that reconciliation has found, each until it is resolved.

use store::Timestamp;

store::typed_id!(
    /// The id of an exception: `exc_…`.
    ExceptionId,
    "exc"
);

/// The kind of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionKind {
    /// A line is about something that the books do not have.
    MissingHere,
    /// The books have something that the report should have and has not.
    MissingThere,
    /// The amounts differ.
    Amount,
    /// The currencies differ.
    Currency,
    /// A fee belongs to no operation, or is more than the amount, or is not the agreed one.
    Fee,
    /// The same thing is settled by another line already.
    Duplicate,
    /// The line is about something that has no outcome in the books yet.
    Timing,
    /// The report does not tell to which settlement its lines belong.
    Unlinked,
    /// A provider or a bank has not told the outcome of an operation in time.
    Overdue,
}

impl ExceptionKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::MissingHere,
        Self::MissingThere,
        Self::Amount,
        Self::Currency,
        Self::Fee,
        Self::Duplicate,
        Self::Timing,
        Self::Unlinked,
        Self::Overdue,
    ];

    /// The name, in the database and in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Fee => "fee",
            Self::Duplicate => "duplicate",
            Self::Timing => "timing",
            Self::Unlinked => "unlinked",
            Self::Overdue => "overdue",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How a difference was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// A later line has matched.
    Matched,
    /// A person has accepted the difference, and given a reason.
    Accepted,
    /// A person has posted the money as a fee of the provider.
    PostedAsFee,
    /// A person has posted the money to the unallocated receipts.
    PostedAsUnallocated,
}

impl Resolution {
    /// Every resolution.
    pub const ALL: [Self; 4] = [
        Self::Matched,
        Self::Accepted,
        Self::PostedAsFee,
        Self::PostedAsUnallocated,
    ];

    /// The name, in the database and in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Accepted => "accepted",
            Self::PostedAsFee => "posted_as_fee",
            Self::PostedAsUnallocated => "posted_as_unallocated",
        }
    }

    /// The resolution of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The fees that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// The agreed fee, in minor units.
    pub expected: i64,
    /// The reported fee, in minor units.
    pub reported: i64,
}

/// A difference between two sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its id.
    pub id: ExceptionId,
    /// Its kind.
    pub kind: ExceptionKind,
    /// The id of the line, operation, dispute or settlement that it is about.
    pub subject: String,
    /// The provider, or the bank account.
    pub provider: String,
    /// The amount in minor units, as the report or the statement signs it.
    pub amount: i64,
    /// The code of the currency.
    pub currency: String,
    /// The day of the difference, in days since 1970.
    pub day: i32,
    /// The difference in words.
    pub detail: String,
    /// The fees, if the agreed and the reported fee of a matched line differ.
    pub fees: Option<Fees>,
    /// How it was resolved; `None` while it is open.
    pub resolution: Option<Resolution>,
    /// The reason that a person gave.
    pub reason: Option<String>,
    /// The person, by the label of the API key.
    pub closed_by: Option<String>,
    /// The transaction that was posted, if any.
    pub transaction: Option<ledger::TransactionId>,
    /// Number of the version, from 1.
    pub version: i64,
    /// Time at which it was found.
    pub opened_at: Timestamp,
    /// Time at which it was resolved.
    pub closed_at: Option<Timestamp>,
}
