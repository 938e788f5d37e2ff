//! Here a pending transaction ends without being fulfilled: it is voided, or it expires. Amounts that were
//! fulfilled before stay posted. No limit forbids a release, and neither does a frozen account.

use store::Timestamp;

use crate::condition;
use crate::entries::{self, Movement, Overflow};
use crate::hold::{self, HoldError};
use crate::transaction::RELEASES_FROM;
use crate::{
    Account, AccountId, Condition, Heading, Hold, HoldStatus, Phase, RecordedPosting,
    RecordedTransaction, Shelf, Step, TransactionId,
};

/// A request to void or to expire a pending transaction.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The pending transaction.
    pub pending: TransactionId,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// Why nothing was released: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Another transaction has this external id.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has this id.
        by: TransactionId,
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
    /// The time of expiry has come: the transaction will expire and cannot be voided. Only [`void`] refuses this.
    #[error("the transaction has expired at {expires_at}")]
    Expired {
        /// The time of expiry.
        expires_at: Timestamp,
    },
    /// The time of expiry has not come. Only [`expire`] refuses this.
    #[error("the transaction has not expired")]
    NotExpired,
    /// A condition names an account that the step does not move. The state of such an account is not known.
    #[error("condition {condition} is about an account that is not moved")]
    ConditionElsewhere {
        /// Position of the condition, from 0.
        condition: usize,
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

impl ReleaseError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "external_id_taken",
            "An external id names one transaction of a tenant.",
        ),
        (
            "effective_in_the_future",
            "What happens, happens at most five minutes after it is recorded.",
        ),
        (
            "transaction_not_found",
            "The pending transaction exists, and is the tenant's.",
        ),
        (
            "not_pending",
            "Only a pending transaction is voided, or expires.",
        ),
        ("ended", "Something of it is still held."),
        ("expired", "What is voided has not expired."),
        ("not_expired", "What expires has expired."),
        (
            "condition_elsewhere",
            "A condition is about an account that is moved.",
        ),
        (
            "period_closed",
            "What happened, happened in an open period.",
        ),
        (
            "version_mismatch",
            "Each account is at the version that a condition names.",
        ),
        ("balance_overflow", "No counter passes 2^63 - 1."),
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
            Self::EffectiveInTheFuture { .. } => "effective_in_the_future",
            Self::TransactionNotFound { .. } => "transaction_not_found",
            Self::NotPending { .. } => "not_pending",
            Self::Ended { .. } => "ended",
            Self::Expired { .. } => "expired",
            Self::NotExpired => "not_expired",
            Self::ConditionElsewhere { .. } => "condition_elsewhere",
            Self::PeriodClosed { .. } => "period_closed",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::Overflow { .. } => "balance_overflow",
            Self::ConditionFailed { .. } => "condition_failed",
        }
    }
}

/// Releases all that a pending transaction still holds, on request.
///
/// # Errors
/// [`ReleaseError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn void(shelf: &mut Shelf, new: NewRelease) -> Result<RecordedTransaction, ReleaseError> {
    release(shelf, new, Step::Void)
}

/// Releases all that a pending transaction still holds, because its time of expiry has come.
///
/// # Errors
/// [`ReleaseError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn expire(shelf: &mut Shelf, new: NewRelease) -> Result<RecordedTransaction, ReleaseError> {
    release(shelf, new, Step::Expiry)
}

fn release(
    shelf: &mut Shelf,
    new: NewRelease,
    step: Step,
) -> Result<RecordedTransaction, ReleaseError> {
    if let Some(by) = shelf.taken(new.heading.external_id.as_ref()) {
        return Err(ReleaseError::ExternalIdTaken { by });
    }
    if let Some(latest) = new.heading.too_far_ahead() {
        return Err(ReleaseError::EffectiveInTheFuture { latest });
    }
    let transaction = new.pending;
    let (postings, mut accounts) = entries::concerned(shelf, &transaction)
        .ok_or(ReleaseError::TransactionNotFound { transaction })?;
    let held = hold::held(shelf, &transaction, &postings).map_err(|not| match not {
        HoldError::NotPending(step) => ReleaseError::NotPending { step },
        HoldError::Ended(how) => ReleaseError::Ended { how },
    })?;
    let heading = &new.heading;
    let ends = check_time(&held, heading.recorded_at, step)?;
    let conditions = &new.conditions;
    let left = || held.iter().filter(|(_, hold)| hold.remaining() > 0);
    let moves = |id: &AccountId| left().any(|(posted, _)| posted.posting.names(id));
    if let Some(condition) = condition::elsewhere(conditions, moves) {
        return Err(ReleaseError::ConditionElsewhere { condition });
    }
    if let Some(closed_before) = shelf.closes(heading.effective_at, heading.recorded_at) {
        return Err(ReleaseError::PeriodClosed { closed_before });
    }
    check_versions(&accounts, conditions)?;
    let movements = held.iter().filter_map(|(p, hold)| {
        let ordinal = p.ordinal.saturating_add(RELEASES_FROM);
        Movement::of(p.posting, ordinal, Phase::Released, hold.remaining())
    });
    let postings = entries::apply(&mut accounts, movements)
        .map_err(|Overflow(account)| ReleaseError::Overflow { account })?;
    check_available(&accounts, conditions)?;
    // After this point it must succeed.
    for (_, hold) in held {
        shelf.put_hold(hold.moved_on(0, hold.remaining(), ends));
    }
    let posted = new.heading.becomes(step, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

/// The status with which the holds will end.
fn check_time(
    held: &[(RecordedPosting, Hold)],
    now: Timestamp,
    step: Step,
) -> Result<HoldStatus, ReleaseError> {
    let over = held.iter().find(|(_, hold)| hold.has_expired(now));
    let over = over.and_then(|(_, hold)| hold.expires_at);
    match (step == Step::Expiry, over) {
        (true, Some(_)) => Ok(HoldStatus::Expired),
        (true, None) => Err(ReleaseError::NotExpired),
        (false, Some(expires_at)) => Err(ReleaseError::Expired { expires_at }),
        (false, None) => Ok(HoldStatus::Voided),
    }
}

fn check_versions(accounts: &[Account], conditions: &[Condition]) -> Result<(), ReleaseError> {
    match condition::other_version(accounts, conditions) {
        Some(broken) => Err(ReleaseError::VersionMismatch {
            account: broken.account,
            version: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}

fn check_available(accounts: &[Account], conditions: &[Condition]) -> Result<(), ReleaseError> {
    match condition::too_little_left(accounts, conditions) {
        Some(broken) => Err(ReleaseError::ConditionFailed {
            account: broken.account,
            available: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}
