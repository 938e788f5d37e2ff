//! Here the fulfilment of a pending transaction is decided: wholly or in part, once or several times.
//!
//! For the amount that is held, no limit is checked: limits were checked when the transaction became pending,
//! so fulfilling it cannot break them. If the request allows it, more than the held amount can be posted. The
//! excess is posted at once and is checked like any new posting. (An excess that was first made pending in the
//! same commit would have the same effect, because nobody could see it pending.) If an account was frozen in the
//! meantime, nothing can be fulfilled on it; the hold expires or is voided. A closed account holds nothing.

mod movements;

use money::{Currency, Day};
use store::Timestamp;

use self::movements::{advance, movements, moves};
use crate::condition;
use crate::entries::{self, Overflow};
use crate::hold::{self, HoldError};
use crate::limits::{Breach, too_little, too_much};
use crate::transaction::{Part, named_twice};
use crate::withdrawn::{TooLate, too_late};
use crate::{
    Account, AccountId, AccountStatus, Condition, Heading, Hold, HoldStatus, RecordedPosting,
    RecordedTransaction, Shelf, Step, TransactionId,
};

/// A request to fulfil a pending transaction.
#[derive(Debug, Clone)]
pub struct NewFulfilment {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The pending transaction.
    pub pending: TransactionId,
    /// The amounts by posting; `None`: all that remains.
    pub amounts: Option<Vec<Part>>,
    /// Whether the rest is released afterwards.
    pub last: bool,
    /// Whether an amount may be more than its posting still holds.
    pub exceed: bool,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// Why nothing was posted: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FulfilError {
    /// Another transaction has this external id.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has this id.
        by: TransactionId,
    },
    /// No amount is given, but a transaction must move something.
    #[error("a settlement needs at least one amount")]
    NoAmounts,
    /// The amounts name one posting twice.
    #[error("posting {ordinal} is named twice")]
    PostingNamedTwice {
        /// The ordinal of the posting.
        ordinal: i16,
    },
    /// The effective time is too far in the future: money cannot be spent before it is there.
    #[error("effective_at is at most {latest}: five minutes after the time of recording")]
    EffectiveInTheFuture {
        /// The latest moment that is allowed.
        latest: Timestamp,
    },
    /// There is no such transaction, or it belongs to another tenant.
    #[error("transaction {transaction} does not exist")]
    TransactionNotFound {
        /// The id that was not found.
        transaction: TransactionId,
    },
    /// The pending transaction has no posting with this ordinal.
    #[error("there is no posting {ordinal}")]
    PostingNotFound {
        /// The ordinal of the posting.
        ordinal: i16,
    },
    /// The transaction is not pending.
    #[error("the transaction is not a pending one, it is a {step} one")]
    NotPending {
        /// The step of that transaction.
        step: Step,
    },
    /// The pending transaction holds nothing any more.
    #[error("the transaction is {how} already")]
    Ended {
        /// The way in which it ended.
        how: HoldStatus,
    },
    /// The time of expiry has come, whether or not the expiry was recorded.
    #[error("the transaction has expired at {expires_at}")]
    Expired {
        /// The time of expiry.
        expires_at: Timestamp,
    },
    /// An amount is more than its posting still holds, and the request does not allow an excess.
    #[error("posting {ordinal} still holds {remaining}")]
    ExceedsPending {
        /// The ordinal of the posting.
        ordinal: i16,
        /// Amount that the posting still holds, in minor units.
        remaining: i64,
    },
    /// A condition names an account that the step does not move. The state of such an account is not known.
    #[error("condition {condition} is about an account that is not moved")]
    ConditionElsewhere {
        /// Position of the condition, from 0.
        condition: usize,
    },
    /// An account is frozen and takes no postings.
    #[error("account {account} is frozen")]
    AccountFrozen {
        /// The account.
        account: AccountId,
    },
    /// An account is closed and takes no postings.
    #[error("account {account} is closed")]
    AccountClosed {
        /// The account.
        account: AccountId,
    },
    /// The effective time lies in a closed period.
    #[error("the books are closed before {closed_before}")]
    PeriodClosed {
        /// The earliest moment that is not closed.
        closed_before: Timestamp,
    },
    /// The account has more or fewer entries than a condition demands.
    #[error("account {account} is at version {version}, not {wanted}")]
    VersionMismatch {
        /// The account.
        account: AccountId,
        /// Number of entries that the account has.
        version: i64,
        /// Number of entries that the condition names.
        wanted: i64,
    },
    /// A counter would pass `i64::MAX`.
    #[error("a counter of account {account} would overflow")]
    Overflow {
        /// The account.
        account: AccountId,
    },
    /// The currency no longer existed at the effective time, and the step does more than empty balances in it.
    #[error(
        "{currency} was withdrawn on {since}: what happens from then on only empties balances in it"
    )]
    CurrencyWithdrawn {
        /// The currency.
        currency: Currency,
        /// The first day on which the currency no longer existed; it begins at midnight UTC.
        since: Day,
    },
    /// What exceeds the hold would lower the available balance below the floor less the credit line.
    #[error("account {account} has {available} available, its floor is {floor}")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// The available balance before the step, in minor units.
        available: i64,
        /// The least that must be left, in minor units.
        floor: i64,
    },
    /// What exceeds the hold would raise the possible balance above the ceiling.
    #[error("account {account} may come to {possible} without this, its ceiling is {ceiling}")]
    CeilingExceeded {
        /// The account.
        account: AccountId,
        /// The possible balance before the step, in minor units.
        possible: i64,
        /// The greatest balance that is allowed, in minor units.
        ceiling: i64,
    },
    /// Less would be available after the step than a condition demands.
    #[error("account {account} would have {available} available, not {wanted}")]
    ConditionFailed {
        /// The account.
        account: AccountId,
        /// Amount that would be available after the step, in minor units.
        available: i64,
        /// Amount that the condition demands, in minor units.
        wanted: i64,
    },
}

impl FulfilError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
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
            "effective_in_the_future",
            "What happens, happens at most five minutes after it is recorded.",
        ),
        (
            "transaction_not_found",
            "The pending transaction exists, and is the tenant's.",
        ),
        (
            "posting_not_found",
            "The pending transaction has the postings that are named.",
        ),
        ("not_pending", "Only a pending transaction is posted."),
        ("ended", "Something of it is still held."),
        ("expired", "Its time is not over."),
        (
            "exceeds_pending",
            "No more of a posting is posted than it still holds, unless `exceed` is wished.",
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
            "currency_withdrawn",
            "What happened after the end of a withdrawn currency only empties balances in it.",
        ),
        (
            "insufficient_funds",
            "No account is lowered below its floor less its credit line by what exceeds a hold.",
        ),
        (
            "ceiling_exceeded",
            "No account is raised above its ceiling by what exceeds a hold.",
        ),
        (
            "condition_failed",
            "Each account has as much available afterwards as a condition names.",
        ),
    ];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExternalIdTaken { .. } => "external_id_taken",
            Self::NoAmounts => "no_amounts",
            Self::PostingNamedTwice { .. } => "posting_named_twice",
            Self::EffectiveInTheFuture { .. } => "effective_in_the_future",
            Self::TransactionNotFound { .. } => "transaction_not_found",
            Self::PostingNotFound { .. } => "posting_not_found",
            Self::NotPending { .. } => "not_pending",
            Self::Ended { .. } => "ended",
            Self::Expired { .. } => "expired",
            Self::ExceedsPending { .. } => "exceeds_pending",
            Self::ConditionElsewhere { .. } => "condition_elsewhere",
            Self::AccountFrozen { .. } => "account_frozen",
            Self::AccountClosed { .. } => "account_closed",
            Self::PeriodClosed { .. } => "period_closed",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::Overflow { .. } => "balance_overflow",
            Self::CurrencyWithdrawn { .. } => "currency_withdrawn",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::CeilingExceeded { .. } => "ceiling_exceeded",
            Self::ConditionFailed { .. } => "condition_failed",
        }
    }
}

/// Fulfils a pending transaction, or a part of it.
///
/// # Errors
/// [`FulfilError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn fulfil(shelf: &mut Shelf, new: NewFulfilment) -> Result<RecordedTransaction, FulfilError> {
    if let Some(by) = shelf.taken(new.heading.external_id.as_ref()) {
        return Err(FulfilError::ExternalIdTaken { by });
    }
    let named = new.amounts.as_deref();
    check_amounts(named)?;
    if let Some(latest) = new.heading.too_far_ahead() {
        return Err(FulfilError::EffectiveInTheFuture { latest });
    }
    let transaction = new.pending;
    let (postings, mut accounts) = entries::concerned(shelf, &transaction)
        .ok_or(FulfilError::TransactionNotFound { transaction })?;
    check_named(named, &postings)?;
    let held = hold::held(shelf, &transaction, &postings).map_err(|not| match not {
        HoldError::NotPending(step) => FulfilError::NotPending { step },
        HoldError::Ended(how) => FulfilError::Ended { how },
    })?;
    check_time(&held, new.heading.recorded_at)?;
    if !new.exceed {
        check_remaining(named, &held)?;
    }
    let conditions = &new.conditions;
    let moved = |id: &AccountId| moves(named, new.last, &held, id);
    if let Some(condition) = condition::elsewhere(conditions, moved) {
        return Err(FulfilError::ConditionElsewhere { condition });
    }
    check_open(&accounts, |id| moves(named, false, &held, id))?;
    let heading = &new.heading;
    if let Some(closed_before) = shelf.closes(heading.effective_at, heading.recorded_at) {
        return Err(FulfilError::PeriodClosed { closed_before });
    }
    check_versions(&accounts, conditions)?;
    let next: Vec<(RecordedPosting, Hold, Hold)> = held
        .iter()
        .map(|(posted, hold)| (*posted, *hold, advance(*hold, named, new.last)))
        .collect();
    let postings = entries::apply(&mut accounts, movements(&next, named))
        .map_err(|Overflow(account)| FulfilError::Overflow { account })?;
    check_withdrawn(shelf, &accounts, &postings, heading.effective_at)?;
    check_limits(shelf, &accounts)?;
    check_available(&accounts, conditions)?;
    // After this point it must succeed.
    for (_, _, hold) in next {
        shelf.put_hold(hold);
    }
    let posted = new.heading.becomes(Step::Fulfilment, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_amounts(named: Option<&[Part]>) -> Result<(), FulfilError> {
    let Some(parts) = named else { return Ok(()) };
    if parts.is_empty() {
        return Err(FulfilError::NoAmounts);
    }
    match named_twice(parts) {
        Some(ordinal) => Err(FulfilError::PostingNamedTwice { ordinal }),
        None => Ok(()),
    }
}

fn check_named(named: Option<&[Part]>, postings: &[RecordedPosting]) -> Result<(), FulfilError> {
    for (ordinal, _) in named.unwrap_or_default() {
        if !postings.iter().any(|posted| posted.ordinal == *ordinal) {
            return Err(FulfilError::PostingNotFound { ordinal: *ordinal });
        }
    }
    Ok(())
}

fn check_time(held: &[(RecordedPosting, Hold)], now: Timestamp) -> Result<(), FulfilError> {
    let over = held.iter().find(|(_, hold)| hold.has_expired(now));
    match over.and_then(|(_, hold)| hold.expires_at) {
        Some(expires_at) => Err(FulfilError::Expired { expires_at }),
        None => Ok(()),
    }
}

fn check_remaining(
    named: Option<&[Part]>,
    held: &[(RecordedPosting, Hold)],
) -> Result<(), FulfilError> {
    for (ordinal, amount) in named.unwrap_or_default() {
        let of_it = held.iter().find(|(_, hold)| hold.ordinal == *ordinal);
        let remaining = of_it.map_or(0, |(_, hold)| hold.remaining());
        if amount.get() > remaining {
            return Err(FulfilError::ExceedsPending {
                ordinal: *ordinal,
                remaining,
            });
        }
    }
    Ok(())
}

/// Only accounts whose posted balance moves must be open, because a release is always allowed.
fn check_open(
    accounts: &[Account],
    concerned: impl Fn(&AccountId) -> bool,
) -> Result<(), FulfilError> {
    let moved: Vec<Account> = accounts
        .iter()
        .filter(|account| concerned(&account.id))
        .cloned()
        .collect();
    if let Some(account) = entries::first_that_is(&moved, AccountStatus::Frozen) {
        return Err(FulfilError::AccountFrozen { account });
    }
    if let Some(account) = entries::first_that_is(&moved, AccountStatus::Closed) {
        return Err(FulfilError::AccountClosed { account });
    }
    Ok(())
}

fn check_versions(accounts: &[Account], conditions: &[Condition]) -> Result<(), FulfilError> {
    match condition::other_version(accounts, conditions) {
        Some(broken) => Err(FulfilError::VersionMismatch {
            account: broken.account,
            version: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}

/// A released amount was never final and is not checked.
fn check_withdrawn(
    shelf: &Shelf,
    accounts: &[Account],
    postings: &[RecordedPosting],
    effective_at: Timestamp,
) -> Result<(), FulfilError> {
    match too_late(shelf, accounts, postings, effective_at, None) {
        Some(TooLate {
            posting: _,
            currency,
            since,
        }) => Err(FulfilError::CurrencyWithdrawn { currency, since }),
        None => Ok(()),
    }
}

/// Fulfilling a hold lowers no available balance and raises no possible balance. So only an excess can break
/// the limits.
fn check_limits(shelf: &Shelf, accounts: &[Account]) -> Result<(), FulfilError> {
    if let Some(Breach {
        account,
        before: available,
        limit: floor,
    }) = too_little(shelf, accounts)
    {
        return Err(FulfilError::InsufficientFunds {
            account,
            available,
            floor,
        });
    }
    match too_much(shelf, accounts) {
        Some(Breach {
            account,
            before: possible,
            limit: ceiling,
        }) => Err(FulfilError::CeilingExceeded {
            account,
            possible,
            ceiling,
        }),
        None => Ok(()),
    }
}

fn check_available(accounts: &[Account], conditions: &[Condition]) -> Result<(), FulfilError> {
    match condition::too_little_left(accounts, conditions) {
        Some(broken) => Err(FulfilError::ConditionFailed {
            account: broken.account,
            available: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}
