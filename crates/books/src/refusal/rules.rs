//! The problem of each rule of the ledger.

use edge::{Code, Problem};
use ledger::{
    ChangeError, DescribeError, FulfilError, Leg, PeriodError, PostError, ReleaseError,
    ReverseError,
};

use crate::code;

pub(super) fn refused_post(rule: &PostError) -> Problem {
    let (code, pointer, about) = match rule {
        PostError::NoPostings | PostError::TooManyPostings => {
            (code::INVALID_FIELD, Some("/postings".to_owned()), None)
        }
        PostError::SameAccount { posting } => (
            code::SAME_ACCOUNT,
            Some(format!("/postings/{posting}")),
            None,
        ),
        PostError::ConditionElsewhere { condition } => {
            return elsewhere(rule, *condition);
        }
        PostError::ExpiresTooSoon { .. } => (
            code::INVALID_FIELD,
            Some("/pending/expires_at".to_owned()),
            None,
        ),
        PostError::ExternalIdTaken { by } => (
            code::EXTERNAL_ID_TAKEN,
            Some("/external_id".to_owned()),
            Some(by.to_string()),
        ),
        PostError::AccountNotFound { posting, account } => (
            code::ACCOUNT_NOT_FOUND,
            Some(format!("/postings/{posting}")),
            Some(account.to_string()),
        ),
        PostError::CurrencyMismatch { posting, .. } => (
            code::CURRENCY_MISMATCH,
            Some(format!("/postings/{posting}/currency")),
            None,
        ),
        PostError::EffectiveInTheFuture { .. } => (
            code::EFFECTIVE_IN_THE_FUTURE,
            Some("/effective_at".to_owned()),
            None,
        ),
        PostError::PeriodClosed { .. } => {
            (code::PERIOD_CLOSED, Some("/effective_at".to_owned()), None)
        }
        PostError::AccountFrozen { account } => {
            (code::ACCOUNT_FROZEN, None, Some(account.to_string()))
        }
        PostError::AccountClosed { account } => {
            (code::ACCOUNT_CLOSED, None, Some(account.to_string()))
        }
        PostError::VersionMismatch { account, .. } => {
            (code::VERSION_MISMATCH, None, Some(account.to_string()))
        }
        PostError::Overflow { account } => {
            (code::BALANCE_OVERFLOW, None, Some(account.to_string()))
        }
        PostError::CurrencyWithdrawn { posting, .. } => (
            code::CURRENCY_WITHDRAWN,
            Some(format!("/postings/{posting}/currency")),
            None,
        ),
        PostError::InsufficientFunds { account, .. } => {
            (code::INSUFFICIENT_FUNDS, None, Some(account.to_string()))
        }
        PostError::CeilingExceeded { account, .. } => {
            (code::LIMIT_EXCEEDED, None, Some(account.to_string()))
        }
        PostError::ConditionFailed { account, .. } => {
            (code::CONDITION_FAILED, None, Some(account.to_string()))
        }
    };
    problem(code, rule, pointer.as_deref(), about)
}

pub(super) fn refused_fulfil(rule: &FulfilError) -> Problem {
    let (code, pointer, about) = match rule {
        FulfilError::ExternalIdTaken { by } => (
            code::EXTERNAL_ID_TAKEN,
            Some("/external_id"),
            Some(by.to_string()),
        ),
        FulfilError::NoAmounts | FulfilError::PostingNamedTwice { .. } => {
            (code::INVALID_FIELD, Some("/amounts"), None)
        }
        FulfilError::TransactionNotFound { .. } => (code::TRANSACTION_NOT_FOUND, None, None),
        FulfilError::PostingNotFound { .. } => (code::INVALID_FIELD, Some("/amounts"), None),
        FulfilError::NotPending { .. } | FulfilError::Ended { .. } => {
            (code::TRANSACTION_STATE_CONFLICT, None, None)
        }
        FulfilError::Expired { .. } => (code::TRANSACTION_EXPIRED, None, None),
        FulfilError::ExceedsPending { .. } => (code::EXCEEDS_REMAINING, Some("/amounts"), None),
        FulfilError::AccountFrozen { account } => {
            (code::ACCOUNT_FROZEN, None, Some(account.to_string()))
        }
        FulfilError::AccountClosed { account } => {
            (code::ACCOUNT_CLOSED, None, Some(account.to_string()))
        }
        FulfilError::EffectiveInTheFuture { .. } => {
            (code::EFFECTIVE_IN_THE_FUTURE, Some("/effective_at"), None)
        }
        FulfilError::PeriodClosed { .. } => (code::PERIOD_CLOSED, Some("/effective_at"), None),
        FulfilError::Overflow { account } => {
            (code::BALANCE_OVERFLOW, None, Some(account.to_string()))
        }
        FulfilError::CurrencyWithdrawn { .. } => {
            (code::CURRENCY_WITHDRAWN, Some("/effective_at"), None)
        }
        FulfilError::InsufficientFunds { account, .. } => {
            (code::INSUFFICIENT_FUNDS, None, Some(account.to_string()))
        }
        FulfilError::CeilingExceeded { account, .. } => {
            (code::LIMIT_EXCEEDED, None, Some(account.to_string()))
        }
        FulfilError::ConditionElsewhere { condition } => {
            return elsewhere(rule, *condition);
        }
        FulfilError::VersionMismatch { account, .. } => {
            (code::VERSION_MISMATCH, None, Some(account.to_string()))
        }
        FulfilError::ConditionFailed { account, .. } => {
            (code::CONDITION_FAILED, None, Some(account.to_string()))
        }
    };
    problem(code, rule, pointer, about)
}

pub(super) fn refused_release(rule: &ReleaseError) -> Problem {
    let (code, pointer, about) = match rule {
        ReleaseError::ExternalIdTaken { by } => (
            code::EXTERNAL_ID_TAKEN,
            Some("/external_id"),
            Some(by.to_string()),
        ),
        ReleaseError::TransactionNotFound { .. } => (code::TRANSACTION_NOT_FOUND, None, None),
        ReleaseError::NotPending { .. } | ReleaseError::Ended { .. } | ReleaseError::NotExpired => {
            (code::TRANSACTION_STATE_CONFLICT, None, None)
        }
        ReleaseError::Expired { .. } => (code::TRANSACTION_EXPIRED, None, None),
        ReleaseError::EffectiveInTheFuture { .. } => {
            (code::EFFECTIVE_IN_THE_FUTURE, Some("/effective_at"), None)
        }
        ReleaseError::PeriodClosed { .. } => (code::PERIOD_CLOSED, Some("/effective_at"), None),
        ReleaseError::Overflow { account } => {
            (code::BALANCE_OVERFLOW, None, Some(account.to_string()))
        }
        ReleaseError::ConditionElsewhere { condition } => {
            return elsewhere(rule, *condition);
        }
        ReleaseError::VersionMismatch { account, .. } => {
            (code::VERSION_MISMATCH, None, Some(account.to_string()))
        }
        ReleaseError::ConditionFailed { account, .. } => {
            (code::CONDITION_FAILED, None, Some(account.to_string()))
        }
    };
    problem(code, rule, pointer, about)
}

pub(super) fn refused_reverse(rule: &ReverseError) -> Problem {
    let (code, pointer, about) = match rule {
        ReverseError::ExternalIdTaken { by } => (
            code::EXTERNAL_ID_TAKEN,
            Some("/external_id"),
            Some(by.to_string()),
        ),
        ReverseError::NoAmounts
        | ReverseError::PostingNamedTwice { .. }
        | ReverseError::PostingNotFound { .. } => (code::INVALID_FIELD, Some("/amounts"), None),
        ReverseError::TransactionNotFound { .. } => (code::TRANSACTION_NOT_FOUND, None, None),
        ReverseError::NotReversible { .. } | ReverseError::Reversed => {
            (code::TRANSACTION_STATE_CONFLICT, None, None)
        }
        ReverseError::NotAnExchange { leg } => (code::INVALID_FIELD, Some(field(*leg)), None),
        ReverseError::LegAlone => (code::LEG_ALONE, Some("/amounts"), None),
        ReverseError::ExceedsPosted { .. } => (code::EXCEEDS_REMAINING, Some("/amounts"), None),
        ReverseError::ExceedsLeg { leg, .. } => (code::EXCEEDS_REMAINING, Some(field(*leg)), None),
        ReverseError::AmountTooSmall { leg } => (code::AMOUNT_TOO_SMALL, Some(field(*leg)), None),
        ReverseError::NotInProportion { .. } => (code::NOT_IN_PROPORTION, Some("/amounts"), None),
        ReverseError::AccountFrozen { account } => {
            (code::ACCOUNT_FROZEN, None, Some(account.to_string()))
        }
        ReverseError::AccountClosed { account } => {
            (code::ACCOUNT_CLOSED, None, Some(account.to_string()))
        }
        ReverseError::EffectiveInTheFuture { .. } => {
            (code::EFFECTIVE_IN_THE_FUTURE, Some("/effective_at"), None)
        }
        ReverseError::PeriodClosed { .. } => (code::PERIOD_CLOSED, Some("/effective_at"), None),
        ReverseError::Overflow { account } => {
            (code::BALANCE_OVERFLOW, None, Some(account.to_string()))
        }
        ReverseError::InsufficientFunds { account, .. } => {
            (code::INSUFFICIENT_FUNDS, None, Some(account.to_string()))
        }
        ReverseError::CeilingExceeded { account, .. } => {
            (code::LIMIT_EXCEEDED, None, Some(account.to_string()))
        }
        ReverseError::ConditionElsewhere { condition } => {
            return elsewhere(rule, *condition);
        }
        ReverseError::VersionMismatch { account, .. } => {
            (code::VERSION_MISMATCH, None, Some(account.to_string()))
        }
        ReverseError::ConditionFailed { account, .. } => {
            (code::CONDITION_FAILED, None, Some(account.to_string()))
        }
    };
    problem(code, rule, pointer, about)
}

/// The field that names an amount of a leg.
const fn field(leg: Leg) -> &'static str {
    match leg {
        Leg::Sold => "/sell",
        Leg::Bought => "/buy",
    }
}

pub(super) fn refused_change(rule: &ChangeError) -> Problem {
    let code = match rule {
        ChangeError::AccountNotFound { .. } => code::NOT_FOUND,
        ChangeError::WrongStatus { .. }
        | ChangeError::HasPending { .. }
        | ChangeError::HasBalance { .. } => code::ACCOUNT_STATE_CONFLICT,
    };
    problem(code, rule, None, None)
}

pub(super) fn refused_describe(rule: &DescribeError) -> Problem {
    let code = match rule {
        DescribeError::TransactionNotFound { .. } => code::TRANSACTION_NOT_FOUND,
    };
    problem(code, rule, None, None)
}

pub(super) fn refused_period(rule: &PeriodError) -> Problem {
    let code = match rule {
        PeriodError::InTheFuture { .. } => code::INVALID_FIELD,
        PeriodError::Closed { .. } => code::PERIOD_CLOSED,
    };
    problem(code, rule, Some("/closed_before"), None)
}

/// A condition is about an account that is not moved.
fn elsewhere(rule: &dyn std::fmt::Display, condition: usize) -> Problem {
    let pointer = format!("/conditions/{condition}");
    problem(code::INVALID_FIELD, rule, Some(&pointer), None)
}

pub(super) fn problem(
    code: &'static Code,
    rule: &dyn std::fmt::Display,
    pointer: Option<&str>,
    about: Option<String>,
) -> Problem {
    let mut problem = Problem::new(code).with_detail(rule.to_string());
    if let Some(pointer) = pointer {
        problem = problem.at(pointer);
    }
    if let Some(about) = about {
        problem = problem.with_resource(about);
    }
    problem
}
