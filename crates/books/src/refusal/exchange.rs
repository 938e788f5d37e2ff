//! The problem of each rule of exchanges.

use edge::Problem;
use ledger::{ExchangeError, PostError};

use super::rules;
use crate::code;

pub(super) fn refused(rule: &ExchangeError) -> Problem {
    let (code, pointer) = match rule {
        ExchangeError::Post(rule) => return refused_post(rule),
        ExchangeError::SameCurrency { .. } => (code::SAME_CURRENCY, "/to"),
        ExchangeError::SidesDiffer { .. } => (code::SIDES_DIFFER, "/to"),
        ExchangeError::AmountTooSmall => (code::AMOUNT_TOO_SMALL, "/rate"),
        ExchangeError::AmountTooLarge => (code::AMOUNT_TOO_LARGE, "/rate"),
    };
    rules::problem(code, rule, Some(pointer), None)
}

/// The rules for every transaction, with the names that the fields have here.
fn refused_post(rule: &PostError) -> Problem {
    let liquidity = |posting: &usize| match posting {
        0 => "/sold_to",
        _ => "/bought_from",
    };
    let (code, pointer, about) = match rule {
        PostError::SameAccount { posting } => (code::SAME_ACCOUNT, Some(liquidity(posting)), None),
        PostError::CurrencyMismatch { posting, .. } => {
            (code::CURRENCY_MISMATCH, Some(liquidity(posting)), None)
        }
        PostError::CurrencyWithdrawn { posting, .. } => {
            let leg = match posting {
                0 => "/from",
                _ => "/to",
            };
            (code::CURRENCY_WITHDRAWN, Some(leg), None)
        }
        PostError::AccountNotFound { account, .. } => {
            (code::ACCOUNT_NOT_FOUND, None, Some(account.to_string()))
        }
        PostError::ExternalIdTaken { .. }
        | PostError::NoPostings
        | PostError::TooManyPostings
        | PostError::ConditionElsewhere { .. }
        | PostError::ExpiresTooSoon { .. }
        | PostError::EffectiveInTheFuture { .. }
        | PostError::AccountFrozen { .. }
        | PostError::AccountClosed { .. }
        | PostError::PeriodClosed { .. }
        | PostError::VersionMismatch { .. }
        | PostError::Overflow { .. }
        | PostError::InsufficientFunds { .. }
        | PostError::CeilingExceeded { .. }
        | PostError::ConditionFailed { .. } => return rules::refused_post(rule),
    };
    rules::problem(code, rule, pointer, about)
}
