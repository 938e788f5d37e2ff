//! The refusals of every step that records a transaction, and of setting its metadata later. A rule that several
//! operations share is one variant here. [`order`] lists the rules of each operation.

pub mod order;

use money::{Currency, Day};
use store::Timestamp;

use crate::transaction::MAX_POSTINGS;
use crate::{AccountId, HoldStatus, Leg, Step, TransactionId};
use order::Rule;

/// Why a step was refused: the first broken rule, in the [`order`] of the operation. `posting` and `condition`
/// are positions from 0; `ordinal` is the ordinal of a posting of the transaction that the step is about.
/// Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
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
    /// No amount is given, but a transaction must move something.
    #[error("{}", no_amounts(*step))]
    NoAmounts {
        /// The step that was asked for.
        step: Step,
    },
    /// The amounts name one posting twice.
    #[error("posting {ordinal} is named twice")]
    PostingNamedTwice {
        /// The ordinal of the posting.
        ordinal: i16,
    },
    /// A condition names an account that the step does not move. The state of such an account is not known.
    #[error("condition {condition} is about an account that {}", unmoved(*step))]
    ConditionElsewhere {
        /// Position of the condition.
        condition: usize,
        /// The step that was asked for.
        step: Step,
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
    /// There is no such transaction, or it belongs to another tenant.
    #[error("transaction {transaction} does not exist")]
    TransactionNotFound {
        /// The id that was not found.
        transaction: TransactionId,
    },
    /// The transaction has no such posting. For a reversal, a posting that has not moved a posted balance counts as
    /// not found.
    #[error("there is no posting {ordinal}{}", to_do(*step))]
    PostingNotFound {
        /// The ordinal that was not found.
        ordinal: i16,
        /// The step that was asked for.
        step: Step,
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
    /// The time of expiry has come, whether or not the expiry was recorded: the transaction can neither be fulfilled
    /// nor voided.
    #[error("the transaction has expired at {expires_at}")]
    Expired {
        /// The time of expiry.
        expires_at: Timestamp,
    },
    /// The time of expiry has not come.
    #[error("the transaction has not expired")]
    NotExpired,
    /// An amount is more than its posting still holds, and the request does not allow an excess.
    #[error("posting {ordinal} still holds {remaining}")]
    ExceedsPending {
        /// The ordinal of the posting.
        ordinal: i16,
        /// Amount that the posting still holds.
        remaining: i64,
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
        /// Amount that can still be reversed.
        remaining: i64,
    },
    /// An amount is more than what can still be reversed of its leg.
    #[error("of what was {leg}, {remaining} can still be reversed")]
    ExceedsLeg {
        /// The leg.
        leg: Leg,
        /// Amount that can still be reversed.
        remaining: i64,
    },
    /// The share of the other leg would be zero, but both legs must be moved.
    #[error("the amount of what was {leg} comes to less than one minor unit of the other side")]
    ShareTooSmall {
        /// The leg of which the amount is too small.
        leg: Leg,
    },
    /// The amounts of the two legs are not of the same share.
    #[error("with this amount of what was sold, {bought} of what was bought has to be reversed")]
    NotInProportion {
        /// The amount of the bought leg that fits the amount of the sold leg.
        bought: i64,
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
    /// Both accounts of an exchange have the same currency.
    #[error("both accounts hold {currency}")]
    SameCurrency {
        /// The currency of both accounts.
        currency: Currency,
    },
    /// The two accounts have different normal sides. One account must lose what the other gains, but an asset and a
    /// liability would both lose, or both gain.
    #[error("account {from} and account {to} do not grow on the same side")]
    SidesDiffer {
        /// The account that would give.
        from: AccountId,
        /// The account that would get.
        to: AccountId,
    },
    /// The amount that follows from the rate is zero, but an exchange moves something in both currencies.
    #[error("the amount comes to less than one minor unit of the other currency")]
    AmountTooSmall,
    /// The amount that follows from the rate is more than `i64::MAX`.
    #[error(
        "the amount comes to more than {} minor units of the other currency",
        i64::MAX
    )]
    AmountTooLarge,
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
        /// Position of the posting; `None` if the postings are those of a pending transaction.
        posting: Option<usize>,
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
        /// The available balance before the step.
        available: i64,
        /// The least that must be left.
        floor: i64,
    },
    /// The possible balance would be above the ceiling.
    #[error("account {account} may come to {possible} without this, its ceiling is {ceiling}")]
    CeilingExceeded {
        /// The account.
        account: AccountId,
        /// The possible balance before the step.
        possible: i64,
        /// The greatest balance that is allowed.
        ceiling: i64,
    },
    /// Less would be available after the step than a condition demands.
    #[error("account {account} would have {available} available, not {wanted}")]
    ConditionFailed {
        /// The account.
        account: AccountId,
        /// Amount that would be available after the step.
        available: i64,
        /// Amount that the condition demands.
        wanted: i64,
    },
}

impl Refusal {
    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        let (code, _) = match self {
            Self::ExternalIdTaken { .. } => order::EXTERNAL_ID_TAKEN,
            Self::NoPostings => order::NO_POSTINGS,
            Self::TooManyPostings => order::TOO_MANY_POSTINGS,
            Self::SameAccount { .. } => order::SAME_ACCOUNT,
            Self::NoAmounts { .. } => order::NO_AMOUNTS,
            Self::PostingNamedTwice { .. } => order::POSTING_NAMED_TWICE,
            Self::ConditionElsewhere { .. } => order::CONDITION_ELSEWHERE,
            Self::ExpiresTooSoon { .. } => order::EXPIRES_TOO_SOON,
            Self::EffectiveInTheFuture { .. } => order::EFFECTIVE_IN_THE_FUTURE,
            Self::TransactionNotFound { .. } => order::TRANSACTION_NOT_FOUND,
            Self::PostingNotFound { .. } => order::POSTING_NOT_FOUND,
            Self::NotPending { .. } => order::NOT_PENDING,
            Self::Ended { .. } => order::ENDED,
            Self::Expired { .. } => order::EXPIRED,
            Self::NotExpired => order::NOT_EXPIRED,
            Self::ExceedsPending { .. } => order::EXCEEDS_PENDING,
            Self::NotReversible { .. } => order::NOT_REVERSIBLE,
            Self::NotAnExchange { .. } => order::NOT_AN_EXCHANGE,
            Self::LegAlone => order::LEG_ALONE,
            Self::Reversed => order::REVERSED,
            Self::ExceedsPosted { .. } | Self::ExceedsLeg { .. } => order::EXCEEDS_POSTED,
            Self::NotInProportion { .. } => order::NOT_IN_PROPORTION,
            Self::AccountNotFound { .. } => order::ACCOUNT_NOT_FOUND,
            Self::CurrencyMismatch { .. } => order::CURRENCY_MISMATCH,
            Self::SameCurrency { .. } => order::SAME_CURRENCY,
            Self::SidesDiffer { .. } => order::SIDES_DIFFER,
            Self::AmountTooSmall | Self::ShareTooSmall { .. } => order::AMOUNT_TOO_SMALL,
            Self::AmountTooLarge => order::AMOUNT_TOO_LARGE,
            Self::AccountFrozen { .. } => order::ACCOUNT_FROZEN,
            Self::AccountClosed { .. } => order::ACCOUNT_CLOSED,
            Self::PeriodClosed { .. } => order::PERIOD_CLOSED,
            Self::VersionMismatch { .. } => order::VERSION_MISMATCH,
            Self::Overflow { .. } => order::BALANCE_OVERFLOW,
            Self::CurrencyWithdrawn { .. } => order::CURRENCY_WITHDRAWN,
            Self::InsufficientFunds { .. } => order::INSUFFICIENT_FUNDS,
            Self::CeilingExceeded { .. } => order::CEILING_EXCEEDED,
            Self::ConditionFailed { .. } => order::CONDITION_FAILED,
        };
        code
    }

    /// Returns the refusal of an operation unchanged. A debug build panics if the operation does not list the rule.
    pub(crate) fn among(self, rules: &[Rule]) -> Self {
        debug_assert!(
            rules.iter().any(|(code, _)| *code == self.code()),
            "the operation does not list {self:?}"
        );
        self
    }
}

const fn no_amounts(step: Step) -> &'static str {
    if matches!(step, Step::Reversal) {
        "a reversal needs at least one amount"
    } else {
        "a settlement needs at least one amount"
    }
}

const fn unmoved(step: Step) -> &'static str {
    if matches!(step, Step::Posted | Step::Pending) {
        "no posting names"
    } else {
        "is not moved"
    }
}

const fn to_do(step: Step) -> &'static str {
    if matches!(step, Step::Reversal) {
        " to reverse"
    } else {
        ""
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "the operation does not list NoPostings")]
    fn a_rule_that_an_operation_does_not_list_is_noticed() {
        let listed = Refusal::NotExpired.among(order::RELEASE);
        assert_eq!(listed, Refusal::NotExpired);
        let _ = Refusal::NoPostings.among(order::RELEASE);
    }
}
