//! The problem of each refusal of the books, and a refusal as the lane takes it.

use edge::Problem;
use edge::reply;
use edge::strict_json::FieldError;
use engine::{Command, RefusalReply};
use ledger::{OpenError, PostError, RegisterError};

use super::{exchange, rules};
use crate::{Refusal, code};

/// Tells a refusal of the books, whichever command it is of.
#[must_use]
pub fn refusal_reply(refusal: &Refusal) -> RefusalReply {
    reply::refusal_reply(&refused(refusal), refusal.code())
}

/// Tells the refusal of a command of the books.
pub fn show_refusal<C: Command<Refusal = Refusal>>(
    _command: &C,
    refusal: &Refusal,
) -> RefusalReply {
    refusal_reply(refusal)
}

/// A domain rule's problem. Exhaustive, so that a new rule does not compile until it has one.
pub(crate) fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Register(rule @ RegisterError::CodeTaken { by }) => {
            Problem::new(code::ASSET_EXISTS)
                .with_detail(rule.to_string())
                .at("/code")
                .with_resource(by.code())
        }
        Refusal::Open(rule @ OpenError::AssetNotRegistered { .. }) => {
            let error = FieldError::here("unknown_currency", rule.to_string());
            Problem::invalid_fields(vec![error.below("currency")])
        }
        Refusal::Open(rule @ OpenError::CodeTaken { by }) => Problem::new(code::ACCOUNT_EXISTS)
            .with_detail(rule.to_string())
            .at("/code")
            .with_resource(by.to_string()),
        Refusal::Transfer { from, rule } => {
            let side = |account| if account == from { "/from" } else { "/to" };
            let (code, pointer) = match rule {
                PostError::NoPostings
                | PostError::TooManyPostings
                | PostError::ConditionElsewhere { .. }
                | PostError::ExpiresTooSoon { .. } => (code::INVALID_FIELD, None),
                PostError::SameAccount { .. } => (code::SAME_ACCOUNT, Some("/to")),
                PostError::ExternalIdTaken { .. } => (code::EXTERNAL_ID_TAKEN, None),
                PostError::EffectiveInTheFuture { .. } => (code::EFFECTIVE_IN_THE_FUTURE, None),
                PostError::PeriodClosed { .. } => (code::PERIOD_CLOSED, None),
                PostError::VersionMismatch { .. } => (code::VERSION_MISMATCH, None),
                PostError::AccountNotFound { account, .. } => {
                    (code::ACCOUNT_NOT_FOUND, Some(side(account)))
                }
                PostError::CurrencyMismatch { .. } => (code::CURRENCY_MISMATCH, Some("/currency")),
                PostError::AccountFrozen { account } => (code::ACCOUNT_FROZEN, Some(side(account))),
                PostError::AccountClosed { account } => (code::ACCOUNT_CLOSED, Some(side(account))),
                PostError::Overflow { .. } => (code::BALANCE_OVERFLOW, Some("/amount")),
                PostError::CurrencyWithdrawn { .. } => {
                    (code::CURRENCY_WITHDRAWN, Some("/currency"))
                }
                PostError::ConditionFailed { .. } => (code::CONDITION_FAILED, None),
                PostError::InsufficientFunds { .. } => (code::INSUFFICIENT_FUNDS, Some("/amount")),
                PostError::CeilingExceeded { .. } => (code::LIMIT_EXCEEDED, Some("/amount")),
            };
            let told = Problem::new(code).with_detail(rule.to_string());
            match pointer {
                Some(pointer) => told.at(pointer),
                None => told,
            }
        }
        Refusal::Post(rule) => rules::refused_post(rule),
        Refusal::Fulfil(rule) => rules::refused_fulfil(rule),
        Refusal::Release(rule) => rules::refused_release(rule),
        Refusal::Reverse(rule) => rules::refused_reverse(rule),
        Refusal::Exchange(rule) => exchange::refused(rule),
        Refusal::Change(rule) => rules::refused_change(rule),
        Refusal::Describe(rule) => rules::refused_describe(rule),
        Refusal::Period(rule) => rules::refused_period(rule),
        // One of many: the pointers begin at its place.
        Refusal::At { index, refusal } => refused(refusal).below(&format!("/transactions/{index}")),
    }
}
