//! The replies about a move of a payment: a capture, a cancellation, an increment.

use edge::Problem;
use edge::reply::{problem, refusal_reply};
use engine::{Command, RefusalReply, Reply};

use crate::balances_after::{BalancesAfter, answer};
use crate::charging::codes;
use crate::charging::show::payment;
use crate::disputes::codes::{DISPUTE_STATE_CONFLICT, EVIDENCE_REQUIRED};
use crate::late::codes::NOTHING_UNALLOCATED;
use crate::payouts::codes::PAYOUT_STATE_CONFLICT;
use crate::problems::{declined, sentence};
use crate::{
    NoProvider, Operation, OperationState, Payment, Refusal, bank_accounts, bank_orders, customers,
};

/// The reply to a request that moves a payment.
pub(crate) fn reply(operation: &Operation, moved: &Payment, after: &BalancesAfter) -> Reply {
    match operation.state {
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
            answer(202, payment(moved), after)
        }
        OperationState::Succeeded => answer(200, payment(moved), after),
        OperationState::Failed | OperationState::Canceled => {
            problem(&declined(operation).with_resource(moved.id.to_string()))
        }
    }
}

/// The reply to a request that has moved a payment at once, without the provider.
pub(crate) fn at_once(moved: &Payment) -> Reply {
    answer(200, payment(moved), &BalancesAfter::NONE)
}

/// The reply to a refusal of any command of payments.
pub(crate) fn show_refusal<C>(_command: &C, rule: &Refusal) -> RefusalReply
where
    C: Command<Refusal = Refusal>,
{
    refusal_reply(&refused(rule), rule.code())
}

/// The problem of a refusal.
pub(crate) fn refused(rule: &Refusal) -> Problem {
    match rule {
        Refusal::NotFound => Problem::new(edge::code::NOT_FOUND),
        Refusal::NoCustomer => Problem::new(customers::codes::CUSTOMER_NOT_FOUND).at("/customer"),
        Refusal::NoSavedMethod => Problem::new(customers::codes::PAYMENT_METHOD_NOT_FOUND)
            .with_detail(sentence(&rule.to_string()))
            .at("/payment_method"),
        Refusal::ExternalIdTaken { by } => Problem::new(books::code::EXTERNAL_ID_TAKEN)
            .with_detail(sentence(&rule.to_string()))
            .at("/external_id")
            .with_resource(by.to_string()),
        Refusal::WrongState { state, moves, .. } => Problem::new(codes::PAYMENT_STATE_CONFLICT)
            .with_detail(sentence(&rule.to_string()))
            .with_state(state, moves.clone()),
        Refusal::InFlight => {
            Problem::new(codes::OPERATION_IN_FLIGHT).with_detail(sentence(&rule.to_string()))
        }
        Refusal::DisputeState { state } => Problem::new(DISPUTE_STATE_CONFLICT)
            .with_detail(sentence(&rule.to_string()))
            .with_state(state, Vec::new()),
        Refusal::PayoutState { state } => Problem::new(PAYOUT_STATE_CONFLICT)
            .with_detail(sentence(&rule.to_string()))
            .with_state(state.name(), Vec::new()),
        Refusal::NoEvidence => Problem::new(EVIDENCE_REQUIRED),
        Refusal::TooMuch { left, .. } => Problem::new(books::code::EXCEEDS_REMAINING)
            .with_detail(sentence(&rule.to_string()))
            .at("/amount")
            .with_left(*left),
        Refusal::Overflow => Problem::new(books::code::BALANCE_OVERFLOW)
            .with_detail(sentence(&rule.to_string()))
            .at("/amount"),
        Refusal::NothingUnallocated => {
            Problem::new(NOTHING_UNALLOCATED).with_detail(sentence(&rule.to_string()))
        }
        Refusal::CurrencyWithdrawn { .. } => Problem::new(books::code::CURRENCY_WITHDRAWN)
            .with_detail(sentence(&rule.to_string()))
            .at("/currency"),
        Refusal::NoWallet => Problem::new(edge::code::INVALID_FIELD)
            .with_detail(sentence(&rule.to_string()))
            .at("/from"),
        Refusal::NoPaymentMethod => Problem::new(edge::code::INVALID_FIELD)
            .with_detail(sentence(&rule.to_string()))
            .at("/payment_method"),
        Refusal::NoProvider(unserved) => Problem::new(codes::NO_PROVIDER)
            .with_detail(sentence(&rule.to_string()))
            .at(match unserved {
                NoProvider::Currency(_) => "/currency",
                NoProvider::Method(_) => "/payment_method",
            }),
        Refusal::NoBankAccount => {
            Problem::new(bank_accounts::codes::BANK_ACCOUNT_NOT_FOUND).at("/destination")
        }
        Refusal::BankAccountClosed => {
            Problem::new(bank_accounts::codes::BANK_ACCOUNT_CLOSED).at("/destination")
        }
        Refusal::NotPayableByBank(_) => Problem::new(bank_orders::codes::NOT_PAYABLE_BY_BANK)
            .with_detail(sentence(&rule.to_string()))
            .at("/amount"),
        Refusal::NoPayoutProvider(_) => Problem::new(codes::NO_PROVIDER)
            .with_detail(sentence(&rule.to_string()))
            .at("/destination"),
        Refusal::CustomerMayNot {
            customer, standing, ..
        } => Problem::new(customers::codes::CUSTOMER_MAY_NOT)
            .with_detail(sentence(&rule.to_string()))
            .with_resource(customer.to_string())
            .with_state(standing.name(), Vec::new()),
        Refusal::Ledger(rule) => books::refused_step(rule),
    }
}
