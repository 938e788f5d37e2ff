//! The replies about a move of a payment: a capture, a cancellation, an increment.

use edge::Problem;
use edge::reply::{json, problem, refusal_reply};
use engine::{Command, RefusalReply, Reply};

use crate::charging::show::payment;
use crate::charging::{codes, show};
use crate::late::codes::NOTHING_UNALLOCATED;
use crate::{NoProvider, Operation, OperationState, Payment, Refusal};

/// The reply to a request that moves a payment.
pub(crate) fn reply(operation: &Operation, moved: &Payment) -> Reply {
    match operation.state {
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
            json(202, &payment(moved))
        }
        OperationState::Succeeded => json(200, &payment(moved)),
        OperationState::Failed => problem(&declined(operation).with_resource(moved.id.to_string())),
    }
}

/// The reply to a request that has moved a payment at once, without the provider.
pub(crate) fn at_once(moved: &Payment) -> Reply {
    json(200, &payment(moved))
}

/// The problem of an operation that the provider has refused.
pub(crate) fn declined(operation: &Operation) -> Problem {
    let reason = operation.decline_code.clone().unwrap_or_default();
    Problem::new(codes::DECLINED).with_reason("decline_code", reason)
}

/// The reply to a refusal of any command of payments.
pub(crate) fn show_refusal<C>(_command: &C, rule: &Refusal) -> RefusalReply
where
    C: Command<Refusal = Refusal>,
{
    refusal_reply(&refused(rule), rule.code())
}

fn refused(rule: &Refusal) -> Problem {
    match rule {
        Refusal::NotFound => Problem::new(edge::code::NOT_FOUND),
        Refusal::WrongState { state, moves, .. } => Problem::new(codes::PAYMENT_STATE_CONFLICT)
            .with_detail(show::sentence(&rule.to_string()))
            .with_state(state, moves.clone()),
        Refusal::InFlight => {
            Problem::new(codes::OPERATION_IN_FLIGHT).with_detail(show::sentence(&rule.to_string()))
        }
        Refusal::TooMuch { left, .. } => Problem::new(books::code::EXCEEDS_REMAINING)
            .with_detail(show::sentence(&rule.to_string()))
            .at("/amount")
            .with_left(*left),
        Refusal::Overflow => Problem::new(books::code::BALANCE_OVERFLOW)
            .with_detail(show::sentence(&rule.to_string()))
            .at("/amount"),
        Refusal::NothingUnallocated => {
            Problem::new(NOTHING_UNALLOCATED).with_detail(show::sentence(&rule.to_string()))
        }
        Refusal::CurrencyWithdrawn { .. } => Problem::new(books::code::CURRENCY_WITHDRAWN)
            .with_detail(show::sentence(&rule.to_string()))
            .at("/currency"),
        Refusal::NoWallet => Problem::new(edge::code::INVALID_FIELD)
            .with_detail(show::sentence(&rule.to_string()))
            .at("/from"),
        Refusal::NoPaymentMethod => Problem::new(edge::code::INVALID_FIELD)
            .with_detail(show::sentence(&rule.to_string()))
            .at("/payment_method"),
        Refusal::NoProvider(unserved) => Problem::new(codes::NO_PROVIDER)
            .with_detail(show::sentence(&rule.to_string()))
            .at(match unserved {
                NoProvider::Currency(_) => "/currency",
                NoProvider::Method(_) => "/payment_method",
            }),
        Refusal::NoPayoutProvider(_) => Problem::new(codes::NO_PROVIDER)
            .with_detail(show::sentence(&rule.to_string()))
            .at("/destination"),
        Refusal::Ledger(rule) => books::refused_step(rule),
    }
}
