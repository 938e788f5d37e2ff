//! The problem of each rule of the ledger.

use edge::{Code, Problem};
use ledger::{ChangeError, Leg, PeriodError, Refusal};

use super::place::{Fields, Place};
use crate::code;

/// The problem of a broken rule, with the field names of this kind of request.
pub(super) fn refused(rule: &Refusal, fields: Fields) -> Problem {
    let (code, place) = code_and_place(rule);
    place.show_refusal(Problem::new(code).with_detail(rule.to_string()), fields)
}

/// The code of each rule, and the part of the request that it is about.
fn code_and_place(rule: &Refusal) -> (&'static Code, Place) {
    match rule {
        Refusal::NoPostings | Refusal::TooManyPostings => {
            (code::INVALID_FIELD, Place::Field("/postings"))
        }
        Refusal::NoAmounts { .. }
        | Refusal::PostingNamedTwice { .. }
        | Refusal::PostingNotFound { .. } => (code::INVALID_FIELD, Place::Field("/amounts")),
        Refusal::ConditionElsewhere { condition, .. } => {
            (code::INVALID_FIELD, Place::Condition(*condition))
        }
        Refusal::ExpiresTooSoon { .. } => {
            (code::INVALID_FIELD, Place::Field("/pending/expires_at"))
        }
        Refusal::NotAnExchange { leg } => (code::INVALID_FIELD, field(*leg)),
        Refusal::ExternalIdTaken { by } => (code::EXTERNAL_ID_TAKEN, Place::ExternalId(*by)),
        Refusal::EffectiveInTheFuture { .. } => (code::EFFECTIVE_IN_THE_FUTURE, MOMENT),
        Refusal::PeriodClosed { .. } => (code::PERIOD_CLOSED, MOMENT),
        Refusal::TransactionNotFound { .. } => (code::TRANSACTION_NOT_FOUND, Place::Whole),
        Refusal::NotPending { .. }
        | Refusal::Ended { .. }
        | Refusal::NotExpired
        | Refusal::NotReversible { .. }
        | Refusal::Reversed => (code::TRANSACTION_STATE_CONFLICT, Place::Whole),
        Refusal::Expired { .. } => (code::TRANSACTION_EXPIRED, Place::Whole),
        Refusal::ExceedsPending { .. } | Refusal::ExceedsPosted { .. } => {
            (code::EXCEEDS_REMAINING, Place::Field("/amounts"))
        }
        Refusal::ExceedsLeg { leg, .. } => (code::EXCEEDS_REMAINING, field(*leg)),
        Refusal::LegAlone => (code::LEG_ALONE, Place::Field("/amounts")),
        Refusal::NotInProportion { .. } => (code::NOT_IN_PROPORTION, Place::Field("/amounts")),
        Refusal::ShareTooSmall { leg } => (code::AMOUNT_TOO_SMALL, field(*leg)),
        Refusal::AmountTooSmall => (code::AMOUNT_TOO_SMALL, Place::Field("/rate")),
        Refusal::AmountTooLarge => (code::AMOUNT_TOO_LARGE, Place::Field("/rate")),
        Refusal::SameCurrency { .. } => (code::SAME_CURRENCY, Place::Field("/to")),
        Refusal::SidesDiffer { .. } => (code::SIDES_DIFFER, Place::Field("/to")),
        Refusal::SameAccount { posting } => (code::SAME_ACCOUNT, Place::Accounts(*posting)),
        Refusal::AccountNotFound { posting, account } => {
            (code::ACCOUNT_NOT_FOUND, Place::Account(*posting, *account))
        }
        Refusal::CurrencyMismatch { posting, .. } => {
            (code::CURRENCY_MISMATCH, Place::Held(*posting))
        }
        Refusal::CurrencyWithdrawn { posting, .. } => {
            let place = posting.map_or(MOMENT, Place::Currency);
            (code::CURRENCY_WITHDRAWN, place)
        }
        Refusal::AccountFrozen { account } => (code::ACCOUNT_FROZEN, Place::Status(*account)),
        Refusal::AccountClosed { account } => (code::ACCOUNT_CLOSED, Place::Status(*account)),
        Refusal::VersionMismatch { account, .. } => {
            (code::VERSION_MISMATCH, Place::Demand(*account))
        }
        Refusal::Overflow { account } => (code::BALANCE_OVERFLOW, Place::Balance(*account)),
        Refusal::InsufficientFunds { account, .. } => {
            (code::INSUFFICIENT_FUNDS, Place::Balance(*account))
        }
        Refusal::CeilingExceeded { account, .. } => {
            (code::LIMIT_EXCEEDED, Place::Balance(*account))
        }
        Refusal::ConditionFailed { account, .. } => {
            (code::CONDITION_FAILED, Place::Demand(*account))
        }
    }
}

const MOMENT: Place = Place::Field("/effective_at");

/// The field that names an amount of a leg.
const fn field(leg: Leg) -> Place {
    match leg {
        Leg::Sold => Place::Field("/sell"),
        Leg::Bought => Place::Field("/buy"),
    }
}

pub(super) fn refused_change(rule: &ChangeError) -> Problem {
    let code = match rule {
        ChangeError::AccountNotFound { .. } => code::NOT_FOUND,
        ChangeError::WrongStatus { .. }
        | ChangeError::HasPending { .. }
        | ChangeError::HasBalance { .. } => code::ACCOUNT_STATE_CONFLICT,
    };
    Problem::new(code).with_detail(rule.to_string())
}

pub(super) fn refused_period(rule: &PeriodError) -> Problem {
    let code = match rule {
        PeriodError::InTheFuture { .. } => code::INVALID_FIELD,
        PeriodError::Closed { .. } => code::PERIOD_CLOSED,
    };
    let problem = Problem::new(code).with_detail(rule.to_string());
    problem.at("/closed_before")
}
