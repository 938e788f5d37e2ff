//! Where a reversal is decided: a new transaction with debit and credit swapped, counted against what
//! it reverses. What was posted at once and what was posted of a pending one can be reversed, whole or
//! in part, and never more than was posted. A reversal cannot: what was reversed by mistake is posted
//! again. What is pending is voided instead.

use store::Timestamp;

use crate::condition;
use crate::entries::{self, Movement, Overflow};
use crate::limits::{too_little, too_much};
use crate::transaction::{Part, named_twice};
use crate::{
    Account, AccountId, AccountStatus, Condition, Heading, Phase, Posted, PostedPosting, Posting,
    Shelf, Step, TransactionId,
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewReversal {
    /// What it says of itself.
    pub heading: Heading,
    /// The transaction to undo.
    pub of: TransactionId,
    /// How much of which of its postings; `None`: all that remains.
    pub amounts: Option<Vec<Part>>,
    /// What else must be so.
    pub conditions: Vec<Condition>,
}

/// How much of a posting was reversed. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The transaction that is undone.
    pub transaction: TransactionId,
    /// Its posting.
    pub ordinal: i16,
    /// What was posted.
    pub amount: i64,
    /// How much of it was reversed.
    pub reversed: i64,
}

impl Correction {
    /// What can still be reversed.
    #[must_use]
    pub const fn remaining(&self) -> i64 {
        self.amount.saturating_sub(self.reversed)
    }
}

/// Why nothing was reversed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReverseError {
    /// The external id names another transaction.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has it.
        by: TransactionId,
    },
    /// A transaction moves something.
    #[error("a reversal needs at least one amount")]
    NoAmounts,
    /// A posting has one amount.
    #[error("posting {ordinal} is named twice")]
    PostingNamedTwice {
        /// Which posting.
        ordinal: i16,
    },
    /// No such transaction, or another tenant's.
    #[error("transaction {transaction} does not exist")]
    TransactionNotFound {
        /// The transaction asked for.
        transaction: TransactionId,
    },
    /// The transaction has no such posting, or that one has moved no balance.
    #[error("there is no posting {ordinal} to reverse")]
    PostingNotFound {
        /// Which posting.
        ordinal: i16,
    },
    /// It has moved no balance, or is a reversal itself.
    #[error("{}", not_reversible(*step))]
    NotReversible {
        /// What it is.
        step: Step,
    },
    /// All of it was reversed.
    #[error("the transaction is reversed already")]
    Reversed,
    /// Never more than was posted.
    #[error("of posting {ordinal}, {remaining} can still be reversed")]
    ExceedsPosted {
        /// Which posting.
        ordinal: i16,
        /// What can still be reversed, in minor units.
        remaining: i64,
    },
    /// A condition is about an account that the step moves: of no other is it known how it is.
    #[error("condition {condition} is about an account that is not moved")]
    ConditionElsewhere {
        /// Which condition, from 0.
        condition: usize,
    },
    /// A frozen account takes no postings.
    #[error("account {account} is frozen")]
    AccountFrozen {
        /// The account.
        account: AccountId,
    },
    /// A closed account takes no postings.
    #[error("account {account} is closed")]
    AccountClosed {
        /// The account.
        account: AccountId,
    },
    /// A closed period takes no transactions.
    #[error("the books are closed before {closed_before}")]
    PeriodClosed {
        /// The earliest moment that is open.
        closed_before: Timestamp,
    },
    /// The account has had other entries than the caller thinks.
    #[error("account {account} is at version {version}, not {wanted}")]
    VersionMismatch {
        /// The account.
        account: AccountId,
        /// How many entries it has.
        version: i64,
        /// How many it should have.
        wanted: i64,
    },
    /// A counter would pass `i64::MAX`.
    #[error("a counter of account {account} would overflow")]
    Overflow {
        /// The account.
        account: AccountId,
    },
    /// The account's floor, less its credit line.
    #[error("account {account} has {available} available, its floor is {floor}")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// What is available before the reversal, in minor units.
        available: i64,
        /// The least that must be left, in minor units.
        floor: i64,
    },
    /// The account's ceiling.
    #[error("account {account} may come to {possible}, its ceiling is {ceiling}")]
    CeilingExceeded {
        /// The account.
        account: AccountId,
        /// What it may come to before the reversal, in minor units.
        possible: i64,
        /// The most it may hold, in minor units.
        ceiling: i64,
    },
    /// Less would be available than the caller wants.
    #[error("account {account} would have {available} available, not {wanted}")]
    ConditionFailed {
        /// The account.
        account: AccountId,
        /// What would be available afterwards, in minor units.
        available: i64,
        /// What should be, in minor units.
        wanted: i64,
    },
}

const fn not_reversible(step: Step) -> &'static str {
    match step {
        Step::Pending => {
            "this transaction holds and moves nothing: void what it still holds, and reverse what was posted of \
             it by the id of the transaction that posted it"
        }
        Step::Void => "a void moved nothing, so there is nothing to reverse",
        Step::Expiry => "an expiry moved nothing, so there is nothing to reverse",
        Step::Reversal => "a reversal is not reversed: post again what was reversed by mistake",
        Step::Posted | Step::Settlement => "this transaction can be reversed",
    }
}

impl ReverseError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "external_id_taken",
            "An external id names one transaction of a tenant.",
        ),
        (
            "no_amounts",
            "Amounts, where they are given, are at least one.",
        ),
        ("posting_named_twice", "A posting is given one amount."),
        (
            "transaction_not_found",
            "The transaction exists, and is the tenant's.",
        ),
        (
            "posting_not_found",
            "The transaction has the postings that are named.",
        ),
        (
            "not_reversible",
            "Only what was posted is reversed, and no reversal.",
        ),
        ("reversed", "Something of it is not reversed yet."),
        (
            "exceeds_posted",
            "No more of a posting is reversed than was posted.",
        ),
        (
            "condition_elsewhere",
            "A condition is about an account that is moved.",
        ),
        ("account_frozen", "No account is frozen."),
        ("account_closed", "No account is closed."),
        (
            "period_closed",
            "What happened, happened in an open period.",
        ),
        (
            "version_mismatch",
            "Each account is at the version that a condition names.",
        ),
        (
            "balance_overflow",
            "No counter, nor what is posted and pending together, passes 2^63 - 1.",
        ),
        (
            "insufficient_funds",
            "No account is lowered below its floor less its credit line, counting what is pending against it.",
        ),
        (
            "ceiling_exceeded",
            "No account is raised above its ceiling, counting what is pending in favour of it.",
        ),
        (
            "condition_failed",
            "Each account has as much available afterwards as a condition names.",
        ),
    ];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExternalIdTaken { .. } => "external_id_taken",
            Self::NoAmounts => "no_amounts",
            Self::PostingNamedTwice { .. } => "posting_named_twice",
            Self::TransactionNotFound { .. } => "transaction_not_found",
            Self::PostingNotFound { .. } => "posting_not_found",
            Self::NotReversible { .. } => "not_reversible",
            Self::Reversed => "reversed",
            Self::ExceedsPosted { .. } => "exceeds_posted",
            Self::ConditionElsewhere { .. } => "condition_elsewhere",
            Self::AccountFrozen { .. } => "account_frozen",
            Self::AccountClosed { .. } => "account_closed",
            Self::PeriodClosed { .. } => "period_closed",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::Overflow { .. } => "balance_overflow",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::CeilingExceeded { .. } => "ceiling_exceeded",
            Self::ConditionFailed { .. } => "condition_failed",
        }
    }
}

/// Reverses a transaction, or a part of it.
///
/// # Errors
/// [`ReverseError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn reverse(shelf: &mut Shelf, new: NewReversal) -> Result<Posted, ReverseError> {
    if let Some(by) = shelf.taken(new.heading.external_id.as_ref()) {
        return Err(ReverseError::ExternalIdTaken { by });
    }
    check_amounts(new.amounts.as_deref())?;
    let transaction = new.of;
    let parts = remaining_parts(shelf, transaction, new.amounts.as_deref())?;
    let mut accounts = entries::copies(shelf, parts.iter().map(|(posted, _, _)| &posted.posting))
        .map_err(|_missing| ReverseError::TransactionNotFound { transaction })?;
    let conditions = &new.conditions;
    let moves = |id: &AccountId| accounts.iter().any(|account| account.id == *id);
    if let Some(condition) = condition::elsewhere(conditions, moves) {
        return Err(ReverseError::ConditionElsewhere { condition });
    }
    if let Some(account) = entries::first_that_is(&accounts, AccountStatus::Frozen) {
        return Err(ReverseError::AccountFrozen { account });
    }
    if let Some(account) = entries::first_that_is(&accounts, AccountStatus::Closed) {
        return Err(ReverseError::AccountClosed { account });
    }
    let heading = &new.heading;
    if let Some(closed_before) = shelf.closes(heading.effective_at, heading.recorded_at) {
        return Err(ReverseError::PeriodClosed { closed_before });
    }
    check_versions(&accounts, conditions)?;
    let movements = parts.iter().filter_map(|(posted, _, amount)| {
        let posting = Posting {
            debit: posted.posting.credit,
            credit: posted.posting.debit,
            ..posted.posting
        };
        Movement::of(posting, posted.ordinal, Phase::Posted, *amount)
    });
    let postings = entries::apply(&mut accounts, movements)
        .map_err(|Overflow(account)| ReverseError::Overflow { account })?;
    check_limits(shelf, &accounts)?;
    check_available(&accounts, conditions)?;
    // After this point it must succeed.
    for (_, correction, amount) in parts {
        shelf.put_correction(Correction {
            reversed: correction.reversed.saturating_add(amount),
            ..correction
        });
    }
    let posted = new.heading.becomes(Step::Reversal, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_amounts(named: Option<&[Part]>) -> Result<(), ReverseError> {
    let Some(parts) = named else { return Ok(()) };
    if parts.is_empty() {
        return Err(ReverseError::NoAmounts);
    }
    match named_twice(parts) {
        Some(ordinal) => Err(ReverseError::PostingNamedTwice { ordinal }),
        None => Ok(()),
    }
}

/// Each posting that is to be reversed, how much of it was, and how much of it will be.
fn remaining_parts(
    shelf: &Shelf,
    transaction: TransactionId,
    named: Option<&[Part]>,
) -> Result<Vec<(PostedPosting, Correction, i64)>, ReverseError> {
    let (step, postings) = shelf
        .recorded(&transaction)
        .ok_or(ReverseError::TransactionNotFound { transaction })?;
    for (ordinal, _) in named.unwrap_or_default() {
        let is_it = |p: &&PostedPosting| p.ordinal == *ordinal && p.phase != Phase::Released;
        if postings.iter().find(is_it).is_none() {
            return Err(ReverseError::PostingNotFound { ordinal: *ordinal });
        }
    }
    match step {
        Step::Posted | Step::Settlement => {}
        Step::Pending | Step::Void | Step::Expiry | Step::Reversal => {
            return Err(ReverseError::NotReversible { step });
        }
    }
    let moved = postings.iter().filter(|posted| posted.phase.is_final());
    let all: Vec<(PostedPosting, Correction)> = moved
        .map(|posted| {
            let fresh = Correction {
                transaction,
                ordinal: posted.ordinal,
                amount: posted.posting.amount.get(),
                reversed: 0,
            };
            let known = shelf.correction(&transaction, posted.ordinal);
            (*posted, known.copied().unwrap_or(fresh))
        })
        .collect();
    if all
        .iter()
        .all(|(_, correction)| correction.remaining() == 0)
    {
        return Err(ReverseError::Reversed);
    }
    choose(&all, named)
}

fn choose(
    all: &[(PostedPosting, Correction)],
    named: Option<&[Part]>,
) -> Result<Vec<(PostedPosting, Correction, i64)>, ReverseError> {
    let Some(named) = named else {
        let whole = |(posted, correction): &(PostedPosting, Correction)| {
            (*posted, *correction, correction.remaining())
        };
        let left = all.iter().map(whole).filter(|(_, _, amount)| *amount > 0);
        return Ok(left.collect());
    };
    let mut parts = Vec::with_capacity(named.len());
    for (ordinal, amount) in named {
        let found = all.iter().find(|(posted, _)| posted.ordinal == *ordinal);
        let (posted, correction) =
            found.ok_or(ReverseError::PostingNotFound { ordinal: *ordinal })?;
        if amount.get() > correction.remaining() {
            return Err(ReverseError::ExceedsPosted {
                ordinal: *ordinal,
                remaining: correction.remaining(),
            });
        }
        parts.push((*posted, *correction, amount.get()));
    }
    Ok(parts)
}

fn check_limits(shelf: &Shelf, accounts: &[Account]) -> Result<(), ReverseError> {
    if let Some(breach) = too_little(shelf, accounts) {
        return Err(ReverseError::InsufficientFunds {
            account: breach.account,
            available: breach.before,
            floor: breach.limit,
        });
    }
    if let Some(breach) = too_much(shelf, accounts) {
        return Err(ReverseError::CeilingExceeded {
            account: breach.account,
            possible: breach.before,
            ceiling: breach.limit,
        });
    }
    Ok(())
}

fn check_versions(accounts: &[Account], conditions: &[Condition]) -> Result<(), ReverseError> {
    match condition::other_version(accounts, conditions) {
        Some(broken) => Err(ReverseError::VersionMismatch {
            account: broken.account,
            version: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}

fn check_available(accounts: &[Account], conditions: &[Condition]) -> Result<(), ReverseError> {
    match condition::too_little_left(accounts, conditions) {
        Some(broken) => Err(ReverseError::ConditionFailed {
            account: broken.account,
            available: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}
