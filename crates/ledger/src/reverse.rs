//! Here a reversal is decided: a new transaction with debit and credit swapped, which counts against the
//! transaction that it reverses. Final postings can be reversed, and so can the fulfilled part of a pending
//! transaction: wholly or in part, but never more than was posted. A reversal cannot be reversed; if it was
//! wrong, the transaction is posted again. A pending transaction is voided instead. An exchange is reversed
//! as a whole, or by the same share of both legs.

mod parts;

use store::Timestamp;

use crate::condition;
use crate::entries::{self, Movement, Overflow};
use crate::limits::{too_little, too_much};
use crate::transaction::{Part, named_twice};
use crate::{
    Account, AccountId, AccountStatus, Condition, Heading, Leg, Phase, Posting,
    RecordedTransaction, Shelf, Step, TransactionId,
};
use money::Amount;

/// A request to reverse a transaction.
#[derive(Debug, Clone)]
pub struct NewReversal {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The transaction to reverse.
    pub of: TransactionId,
    /// The part of it to reverse.
    pub amounts: Amounts,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// The part of a transaction that is reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amounts {
    /// All that remains.
    Rest,
    /// The named amounts of the named postings. For an exchange both postings are named, in proportion.
    OfPostings(Vec<Part>),
    /// An amount of one leg of an exchange, and the same share of the other leg.
    OfLeg(Leg, Amount),
}

/// All that remains, if no postings are named.
impl From<Option<Vec<Part>>> for Amounts {
    fn from(named: Option<Vec<Part>>) -> Self {
        named.map_or(Self::Rest, Self::OfPostings)
    }
}

/// The reversed amount of a posting. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The transaction that is reversed.
    pub transaction: TransactionId,
    /// The ordinal of its posting.
    pub ordinal: i16,
    /// The amount that was posted.
    pub amount: i64,
    /// The amount of it that was reversed.
    pub reversed: i64,
}

impl Correction {
    /// The amount that can still be reversed.
    #[must_use]
    pub const fn remaining(&self) -> i64 {
        self.amount.saturating_sub(self.reversed)
    }
}

/// Why nothing was reversed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReverseError {
    /// Another transaction has this external id.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has this id.
        by: TransactionId,
    },
    /// No amount is given, but a transaction must move something.
    #[error("a reversal needs at least one amount")]
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
    /// The transaction has no such posting, or the posting has not moved a posted balance.
    #[error("there is no posting {ordinal} to reverse")]
    PostingNotFound {
        /// The ordinal of the posting.
        ordinal: i16,
    },
    /// The transaction has not moved a posted balance, or is a reversal itself.
    #[error("{}", not_reversible(*step))]
    NotReversible {
        /// The step of that transaction.
        step: Step,
    },
    /// A leg is named, but the transaction is not an exchange.
    #[error("the transaction is not an exchange: nothing was {leg} by it")]
    NotAnExchange {
        /// The leg that was named.
        leg: Leg,
    },
    /// Only one leg is named by its posting; the rate would then describe neither what was reversed nor what is left.
    #[error(
        "an exchange is reversed on both sides: name what is sold or what is bought, and the other follows, or name both postings"
    )]
    LegAlone,
    /// The whole transaction was reversed already.
    #[error("the transaction is reversed already")]
    Reversed,
    /// An amount is more than what can still be reversed of its posting.
    #[error("of posting {ordinal}, {remaining} can still be reversed")]
    ExceedsPosted {
        /// The ordinal of the posting.
        ordinal: i16,
        /// Amount that can still be reversed, in minor units.
        remaining: i64,
    },
    /// An amount is more than what can still be reversed of its leg.
    #[error("of what was {leg}, {remaining} can still be reversed")]
    ExceedsLeg {
        /// The leg.
        leg: Leg,
        /// Amount that can still be reversed, in minor units.
        remaining: i64,
    },
    /// The share of the other leg would be zero, but both legs must be moved.
    #[error("the amount of what was {leg} comes to less than one minor unit of the other side")]
    AmountTooSmall {
        /// The leg of which the amount is too small.
        leg: Leg,
    },
    /// The amounts of the two legs are not of the same share.
    #[error("with this amount of what was sold, {bought} of what was bought has to be reversed")]
    NotInProportion {
        /// The amount of the bought leg that fits the amount of the sold leg, in minor units.
        bought: i64,
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
    /// The available balance would be below the floor less the credit line.
    #[error("account {account} has {available} available, its floor is {floor}")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// The available balance before the reversal, in minor units.
        available: i64,
        /// The least that must be left, in minor units.
        floor: i64,
    },
    /// The possible balance would be above the ceiling.
    #[error("account {account} may come to {possible} without this, its ceiling is {ceiling}")]
    CeilingExceeded {
        /// The account.
        account: AccountId,
        /// The possible balance before the reversal, in minor units.
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

const fn not_reversible(step: Step) -> &'static str {
    match step {
        Step::Pending => {
            "this transaction holds and moves nothing: void what it still holds, and reverse what was posted of \
             it by the id of the transaction that posted it"
        }
        Step::Void => "a void moved nothing, so there is nothing to reverse",
        Step::Expiry => "an expiry moved nothing, so there is nothing to reverse",
        Step::Reversal => "a reversal is not reversed: post again what was reversed by mistake",
        Step::Posted | Step::Fulfilment => "this transaction can be reversed",
    }
}

impl ReverseError {
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
        (
            "not_an_exchange",
            "What is sold or bought is named of an exchange alone.",
        ),
        (
            "leg_alone",
            "An exchange is reversed whole, or in a share of both sides.",
        ),
        ("reversed", "Something of it is not reversed yet."),
        (
            "exceeds_posted",
            "No more of a posting is reversed than was posted.",
        ),
        (
            "amount_too_small",
            "Of an exchange, the share of the other side is at least one minor unit.",
        ),
        (
            "not_in_proportion",
            "Of an exchange, both sides are reversed in the same share.",
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
            Self::NotReversible { .. } => "not_reversible",
            Self::NotAnExchange { .. } => "not_an_exchange",
            Self::LegAlone => "leg_alone",
            Self::Reversed => "reversed",
            Self::ExceedsPosted { .. } | Self::ExceedsLeg { .. } => "exceeds_posted",
            Self::AmountTooSmall { .. } => "amount_too_small",
            Self::NotInProportion { .. } => "not_in_proportion",
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
/// [`ReverseError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn reverse(shelf: &mut Shelf, new: NewReversal) -> Result<RecordedTransaction, ReverseError> {
    if let Some(by) = shelf.taken(new.heading.external_id.as_ref()) {
        return Err(ReverseError::ExternalIdTaken { by });
    }
    check_amounts(&new.amounts)?;
    if let Some(latest) = new.heading.too_far_ahead() {
        return Err(ReverseError::EffectiveInTheFuture { latest });
    }
    let transaction = new.of;
    let parts = parts::reversed_parts(shelf, transaction, &new.amounts)?;
    let mut accounts = entries::copies(shelf, parts.iter().map(|part| &part.posted.posting))
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
    let movements = parts.iter().filter_map(|part| {
        let was = part.posted.posting;
        let posting = Posting {
            debit: was.credit,
            credit: was.debit,
            ..was
        };
        Movement::of(posting, part.posted.ordinal, Phase::Posted, part.amount)
    });
    let postings = entries::apply(&mut accounts, movements)
        .map_err(|Overflow(account)| ReverseError::Overflow { account })?;
    check_limits(shelf, &accounts)?;
    check_available(&accounts, conditions)?;
    // After this point it must succeed.
    for part in parts {
        shelf.put_correction(Correction {
            reversed: part.correction.reversed.saturating_add(part.amount),
            ..part.correction
        });
    }
    let posted = new.heading.becomes(Step::Reversal, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_amounts(amounts: &Amounts) -> Result<(), ReverseError> {
    let Amounts::OfPostings(parts) = amounts else {
        return Ok(());
    };
    if parts.is_empty() {
        return Err(ReverseError::NoAmounts);
    }
    match named_twice(parts) {
        Some(ordinal) => Err(ReverseError::PostingNamedTwice { ordinal }),
        None => Ok(()),
    }
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
