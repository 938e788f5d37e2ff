//! The problem of each refusal of the books, and its reply in the form that the lane takes.

use edge::Problem;
use edge::reply;
use edge::strict_json::FieldError;
use engine::{Command, RefusalReply};
use ledger::{OpenError, RegisterError};

use super::place::Fields;
use super::rules;
use crate::{Refusal, code};

/// The reply to a refusal of any command of the books.
#[must_use]
pub fn refusal_reply(refusal: &Refusal) -> RefusalReply {
    reply::refusal_reply(&refused(refusal), refusal.code())
}

/// The reply to the refusal of this command of the books.
pub fn show_refusal<C: Command<Refusal = Refusal>>(
    _command: &C,
    refusal: &Refusal,
) -> RefusalReply {
    refusal_reply(refusal)
}

/// The problem of a step that the ledger has refused to another family.
pub fn refused_step(rule: &ledger::Refusal) -> Problem {
    rules::refused(rule, Fields::Transaction).nowhere()
}

/// The problem of a refusal. The match is exhaustive: a new refusal does not compile until it has a problem.
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
        Refusal::Step(rule) => rules::refused(rule, Fields::Transaction),
        Refusal::Exchange(rule) => rules::refused(rule, Fields::Exchange),
        Refusal::Transfer { from, rule } => rules::refused(rule, Fields::Transfer { from: *from }),
        Refusal::Change(rule) => rules::refused_change(rule),
        Refusal::Period(rule) => rules::refused_period(rule),
        // A step of a bulk: the pointers begin at its position.
        Refusal::At { index, refusal } => refused(refusal).below(&format!("/transactions/{index}")),
    }
}
