//! Where a transaction is decided: posted at once, or promised.

use money::{Currency, Day};
use store::Timestamp;

use crate::condition;
use crate::entries::{self, Missing, Movement, Overflow};
use crate::limits::{too_little, too_much};
use crate::transaction::{MOST_POSTINGS, RELEASES_FROM, too_far_ahead};
use crate::withdrawn::{TooLate, too_late};
use crate::{
    Account, AccountId, AccountStatus, Condition, Hold, Kind, NewTransaction, Phase, Posted,
    PostedPosting, Posting, Shelf, Step, TransactionId,
};

/// Why a transaction was refused: the first broken rule, in the order of the variants. `posting` and
/// `condition` count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The external id names another transaction.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has it.
        by: TransactionId,
    },
    /// A transaction moves something.
    #[error("a transaction needs at least one posting")]
    NoPostings,
    /// A transaction is no bulk of them.
    #[error("a transaction has at most {MOST_POSTINGS} postings")]
    TooManyPostings,
    /// An account does not move money to itself.
    #[error("a posting's two accounts must differ")]
    SameAccount {
        /// Which posting.
        posting: usize,
    },
    /// A condition is about an account that the transaction moves: of no other is it known how it is.
    #[error("condition {condition} is about an account that no posting names")]
    ConditionElsewhere {
        /// Which condition.
        condition: usize,
    },
    /// What is promised can be kept.
    #[error("it would expire at {expires_at}, before anybody could post it")]
    ExpiresTooSoon {
        /// When it would expire.
        expires_at: Timestamp,
    },
    /// What happens later cannot be spent now.
    #[error("effective_at is at most {latest}: five minutes after the time of recording")]
    EffectiveInTheFuture {
        /// The latest moment that is allowed.
        latest: Timestamp,
    },
    /// No such account, or another tenant's.
    #[error("account {account} does not exist")]
    AccountNotFound {
        /// Which posting.
        posting: usize,
        /// The account asked for.
        account: AccountId,
    },
    /// An account holds one currency.
    #[error("account {account} holds {holds:?}, not {asked:?}")]
    CurrencyMismatch {
        /// Which posting.
        posting: usize,
        /// The account.
        account: AccountId,
        /// What it holds.
        holds: Currency,
        /// What the posting moves.
        asked: Currency,
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
    /// There was no such currency any more, and the posting does more than empty balances in it.
    #[error(
        "{currency} was withdrawn on {since}: what happens from then on only empties balances in it"
    )]
    CurrencyWithdrawn {
        /// Which posting.
        posting: usize,
        /// The currency.
        currency: Currency,
        /// The first day without it, which begins at midnight UTC.
        since: Day,
    },
    /// The account's floor, less its credit line.
    #[error("account {account} has {available} available, its floor is {floor}")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// What is available before the transaction, in minor units.
        available: i64,
        /// The least that must be left, in minor units.
        floor: i64,
    },
    /// The account's ceiling.
    #[error("account {account} may come to {possible} without this, its ceiling is {ceiling}")]
    CeilingExceeded {
        /// The account.
        account: AccountId,
        /// What it may come to before the transaction, in minor units.
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

impl PostError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
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

    /// The rule's name; it never changes.
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

/// Posts a transaction, or promises it: all of it or nothing.
///
/// # Errors
/// [`PostError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn post(shelf: &mut Shelf, new: NewTransaction) -> Result<Posted, PostError> {
    post_buying(shelf, new, None)
}

/// Posts a transaction that is an exchange, if one of its postings is what is bought.
pub(crate) fn post_buying(
    shelf: &mut Shelf,
    new: NewTransaction,
    bought: Option<usize>,
) -> Result<Posted, PostError> {
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
    let posted = Posted {
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
    if new.postings.len() > MOST_POSTINGS {
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
    postings: &[PostedPosting],
    new: &NewTransaction,
    bought: Option<usize>,
) -> Result<(), PostError> {
    // What a provider has taken is a fact, whatever became of the currency meanwhile.
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
