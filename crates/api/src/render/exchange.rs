//! Currency exchanges, made and refused.

use ::books::Form;
use edge::Problem;
use engine::Reply;
use ledger::{Exchange, ExchangeError, Leg, PostError, Posted};

use super::{books, json};
use crate::code;
use crate::wire::{self, moment};

/// An exchange that was made, or (in a dry run) would have been.
pub(super) fn reply(posted: &Posted, made: &Exchange, dry_run: bool) -> Reply {
    json(
        if dry_run { 200 } else { 201 },
        &exchange(posted, made, dry_run),
    )
}

pub(crate) fn exchange(posted: &Posted, made: &Exchange, dry_run: bool) -> wire::Exchange {
    let currency = |leg: Leg| {
        let mut legs = posted.postings.iter();
        let moved = legs.find(|moved| moved.ordinal == leg.ordinal());
        moved.map_or_else(String::new, |moved| {
            moved.posting.currency.code().to_owned()
        })
    };
    wire::Exchange {
        object: "exchange",
        sold: wire::Money {
            amount: made.sold.get(),
            currency: currency(Leg::Sold),
        },
        bought: wire::Money {
            amount: made.bought.get(),
            currency: currency(Leg::Bought),
        },
        given: match made.given {
            Leg::Sold => "sold",
            Leg::Bought => "bought",
        },
        rate: made.quote.rate.to_string(),
        rounding: made.quote.rounding.name(),
        source: made.quote.source.to_string(),
        quoted_at: moment(made.quote.quoted_at),
        transaction: books::transaction(posted, dry_run, Form::Now),
    }
}

pub(super) fn refused(rule: &ExchangeError) -> Problem {
    let (code, pointer) = match rule {
        ExchangeError::Post(rule) => return refused_post(rule),
        ExchangeError::SameCurrency { .. } => (code::SAME_CURRENCY, "/to"),
        ExchangeError::SidesDiffer { .. } => (code::SIDES_DIFFER, "/to"),
        ExchangeError::AmountTooSmall => (code::AMOUNT_TOO_SMALL, "/rate"),
        ExchangeError::AmountTooLarge => (code::AMOUNT_TOO_LARGE, "/rate"),
    };
    books::told(code, rule, Some(pointer), None)
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
        | PostError::ConditionFailed { .. } => return books::refused_post(rule),
    };
    books::told(code, rule, pointer, about)
}
