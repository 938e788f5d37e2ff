//! Here a new transaction is decided, final or pending.

use money::{Currency, Day};
use store::Timestamp;

use crate::condition;
use crate::entries::{self, Missing, Movement, Overflow};
use crate::limits::{too_little, too_much};
use crate::transaction::{MAX_POSTINGS, RELEASES_FROM, too_far_ahead};
use crate::withdrawn::{TooLate, too_late};
use crate::{
    Account, AccountId, AccountStatus, Condition, Hold, Kind, NewTransaction, Phase, Posting,
    RecordedPosting, RecordedTransaction, Shelf, Step, TransactionId,
};

/// Why a transaction was refused: the first broken rule, in the order of the variants. `posting` and
/// `condition` are positions from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Another transaction has this external id.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has this id.
        by: TransactionId,
    },
    /// There are no postings, but a transaction must move something.
    #[error("a transaction needs at least one posting")]
    NoPostings,
    /// There are more postings than one transaction may have.
    #[error("a transaction has at most {MAX_POSTINGS} postings")]
    TooManyPostings,
    /// A posting names the same account on both sides.
    #[error("a posting's two accounts must differ")]
    SameAccount {
        /// Position of the posting.
        posting: usize,
    },
    /// A condition names an account that the transaction does not move. The state of such an account is not known.
    #[error("condition {condition} is about an account that no posting names")]
    ConditionElsewhere {
        /// Position of the condition, from 0.
        condition: usize,
    },
    /// The time of expiry is not later than the recording time.
    #[error("it would expire at {expires_at}, before anybody could post it")]
    ExpiresTooSoon {
        /// The requested time of expiry.
        expires_at: Timestamp,
    },
    /// The effective time is too far in the future: money cannot be spent before it is there.
    #[error("effective_at is at most {latest}: five minutes after the time of recording")]
    EffectiveInTheFuture {
        /// The latest moment that is allowed.
        latest: Timestamp,
    },
    /// There is no such account, or it belongs to another tenant.
    #[error("account {account} does not exist")]
    AccountNotFound {
        /// Position of the posting.
        posting: usize,
        /// The id that was not found.
        account: AccountId,
    },
    /// An account does not have the currency of the posting.
    #[error("account {account} holds {holds:?}, not {asked:?}")]
    CurrencyMismatch {
        /// Position of the posting.
        posting: usize,
        /// The account.
        account: AccountId,
        /// The currency of the account.
        holds: Currency,
        /// The currency of the posting.
        asked: Currency,
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
    /// The currency no longer existed at the effective time, and the posting does more than empty balances in it.
    #[error(
        "{currency} was withdrawn on {since}: what happens from then on only empties balances in it"
    )]
    CurrencyWithdrawn {
        /// Position of the posting.
        posting: usize,
        /// The currency.
        currency: Currency,
        /// The first day on which the currency no longer existed; it begins at midnight UTC.
        since: Day,
    },
    /// The available balance would be below the floor less the credit line.
    #[error("account {account} has {available} available, its floor is {floor}")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// The available balance before the transaction, in minor units.
        available: i64,
        /// The least that must be left, in minor units.
        floor: i64,
    },
    /// The possible balance would be above the ceiling.
    #[error("account {account} may come to {possible} without this, its ceiling is {ceiling}")]
    CeilingExceeded {
        /// The account.
        account: AccountId,
        /// The possible balance before the transaction, in minor units.
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

impl PostError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "external_id_taken",
            "An external id names one transaction of a tenant.",
        ),
        ("no_postings", "A transaction has a posting."),
        (
            "too_many_postings",
            "A transaction has at most 100 postings.",
        ),
        ("same_account", "A posting's two accounts differ."),
        (
            "condition_elsewhere",
            "A condition is about an account that some posting names.",
        ),
        (
            "expires_too_soon",
            "What is pending expires after it is recorded.",
        ),
        (
            "effective_in_the_future",
            "What happens, happens at most five minutes after it is recorded.",
        ),
        (
            "account_not_found",
            "Both accounts of each posting exist, and are the tenant's.",
        ),
        (
            "currency_mismatch",
            "Both accounts of each posting hold its currency.",
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

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExternalIdTaken { .. } => "external_id_taken",
            Self::NoPostings => "no_postings",
            Self::TooManyPostings => "too_many_postings",
            Self::SameAccount { .. } => "same_account",
            Self::ConditionElsewhere { .. } => "condition_elsewhere",
            Self::ExpiresTooSoon { .. } => "expires_too_soon",
            Self::EffectiveInTheFuture { .. } => "effective_in_the_future",
            Self::AccountNotFound { .. } => "account_not_found",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
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

/// Posts a transaction, final or pending: all of it or nothing.
///
/// # Errors
/// [`PostError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn post(shelf: &mut Shelf, new: NewTransaction) -> Result<RecordedTransaction, PostError> {
    post_buying(shelf, new, None)
}

/// Posts a transaction; if it is an exchange, `bought` is the position of the posting that is bought.
pub(crate) fn post_buying(
    shelf: &mut Shelf,
    new: NewTransaction,
    bought: Option<usize>,
) -> Result<RecordedTransaction, PostError> {
    if let Some(by) = shelf.taken(new.external_id.as_ref()) {
        return Err(PostError::ExternalIdTaken { by });
    }
    check_shape(&new)?;
    let mut accounts = entries::copies(shelf, new.postings.iter())
        .map_err(|Missing { posting, account }| PostError::AccountNotFound { posting, account })?;
    check_currencies(&accounts, &new.postings)?;
    check_open(&accounts)?;
    if let Some(closed_before) = shelf.closes(new.effective_at, new.recorded_at) {
        return Err(PostError::PeriodClosed { closed_before });
    }
    check_versions(&accounts, &new.conditions)?;
    let (step, phase) = match new.pending {
        None => (Step::Posted, Phase::Posted),
        Some(_) => (Step::Pending, Phase::Pending),
    };
    let numbered = (0..RELEASES_FROM).zip(&new.postings);
    let movements = numbered.map(|(ordinal, posting)| Movement {
        ordinal,
        phase,
        posting: *posting,
    });
    let postings = entries::apply(&mut accounts, movements)
        .map_err(|Overflow(account)| PostError::Overflow { account })?;
    check_withdrawn(shelf, &accounts, &postings, &new, bought)?;
    check_limits(shelf, &accounts)?;
    check_available(&accounts, &new.conditions)?;
    // After this point it must succeed.
    let posted = RecordedTransaction {
        id: new.id,
        kind: new.kind,
        step,
        about: None,
        expires_at: new.pending.and_then(|pending| pending.expires_at),
        postings,
        external_id: new.external_id,
        description: new.description,
        metadata: new.metadata,
        effective_at: new.effective_at,
        recorded_at: new.recorded_at,
    };
    for promised in &posted.postings {
        if promised.phase == Phase::Pending {
            shelf.put_hold(Hold::of(posted.id, promised, posted.expires_at));
        }
    }
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_shape(new: &NewTransaction) -> Result<(), PostError> {
    if new.postings.is_empty() {
        return Err(PostError::NoPostings);
    }
    if new.postings.len() > MAX_POSTINGS {
        return Err(PostError::TooManyPostings);
    }
    for (posting, p) in new.postings.iter().enumerate() {
        if p.debit == p.credit {
            return Err(PostError::SameAccount { posting });
        }
    }
    let moves = |id: &AccountId| new.postings.iter().any(|p| p.names(id));
    if let Some(condition) = condition::elsewhere(&new.conditions, moves) {
        return Err(PostError::ConditionElsewhere { condition });
    }
    if let Some(expires_at) = new.pending.and_then(|pending| pending.expires_at)
        && expires_at <= new.recorded_at
    {
        return Err(PostError::ExpiresTooSoon { expires_at });
    }
    match too_far_ahead(new.effective_at, new.recorded_at) {
        Some(latest) => Err(PostError::EffectiveInTheFuture { latest }),
        None => Ok(()),
    }
}

fn check_currencies(accounts: &[Account], postings: &[Posting]) -> Result<(), PostError> {
    for (posting, p) in postings.iter().enumerate() {
        for account in accounts {
            if p.names(&account.id) && account.currency != p.currency {
                return Err(PostError::CurrencyMismatch {
                    posting,
                    account: account.id,
                    holds: account.currency,
                    asked: p.currency,
                });
            }
        }
    }
    Ok(())
}

fn check_open(accounts: &[Account]) -> Result<(), PostError> {
    if let Some(account) = entries::first_that_is(accounts, AccountStatus::Frozen) {
        return Err(PostError::AccountFrozen { account });
    }
    if let Some(account) = entries::first_that_is(accounts, AccountStatus::Closed) {
        return Err(PostError::AccountClosed { account });
    }
    Ok(())
}

fn check_versions(accounts: &[Account], conditions: &[Condition]) -> Result<(), PostError> {
    match condition::other_version(accounts, conditions) {
        Some(broken) => Err(PostError::VersionMismatch {
            account: broken.account,
            version: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}

fn check_withdrawn(
    shelf: &Shelf,
    accounts: &[Account],
    postings: &[RecordedPosting],
    new: &NewTransaction,
    bought: Option<usize>,
) -> Result<(), PostError> {
    // What a provider has taken is a fact, even if the currency was withdrawn in the meantime.
    if new.kind == Kind::Capture {
        return Ok(());
    }
    match too_late(shelf, accounts, postings, new.effective_at, bought) {
        Some(TooLate {
            posting,
            currency,
            since,
        }) => Err(PostError::CurrencyWithdrawn {
            posting,
            currency,
            since,
        }),
        None => Ok(()),
    }
}

fn check_limits(shelf: &Shelf, accounts: &[Account]) -> Result<(), PostError> {
    if let Some(breach) = too_little(shelf, accounts) {
        return Err(PostError::InsufficientFunds {
            account: breach.account,
            available: breach.before,
            floor: breach.limit,
        });
    }
    if let Some(breach) = too_much(shelf, accounts) {
        return Err(PostError::CeilingExceeded {
            account: breach.account,
            possible: breach.before,
            ceiling: breach.limit,
        });
    }
    Ok(())
}

fn check_available(accounts: &[Account], conditions: &[Condition]) -> Result<(), PostError> {
    match condition::too_little_left(accounts, conditions) {
        Some(broken) => Err(PostError::ConditionFailed {
            account: broken.account,
            available: broken.is,
            wanted: broken.wanted,
        }),
        None => Ok(()),
    }
}
