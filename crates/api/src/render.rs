//! From domain values to wire types, and to the bytes of a reply that is saved with its commit.

mod balances;
mod books;
mod exchange;
mod pending;
mod times;

use ::payments::{ConfirmError, PaymentState};
use edge::Problem;
use edge::strict_json::FieldError;
use engine::{Form, Refusal, Rendered, Reply};
use ledger::{AccountClass, NormalSide, OpenError, PostError, RegisterError, Side};
use money::MinorUnits;

pub(crate) use books::{period, transaction_made, transaction_now};
pub(crate) use exchange::exchange;
pub(crate) use pending::pending_page;
pub(crate) use times::{past_balance, statement, subtree_balances, trial_balance};

use crate::code;
use crate::wire::{self, moment};

/// Makes the reply that is saved with its commit and replayed byte for byte.
#[must_use]
pub fn render(outcome: Rendered<'_>) -> Reply {
    match outcome {
        Rendered::Asset(registered) => json(201, &asset(registered)),
        Rendered::Account(made) => json(201, &account(made)),
        Rendered::Changed(account_now) => json(200, &account(account_now)),
        Rendered::Transfer(posted, form) => json(201, &transfer(posted, form)),
        // No request of the API asks for it: `florin import` reads it.
        Rendered::Imported(imported) => json(
            201,
            &serde_json::json!({
                "object": "import",
                "accounts": imported.accounts.len(),
                "transactions": imported.transactions.len(),
                "known": imported.known.iter().map(|known| serde_json::json!({
                    "line": known.line, "record": known.what, "name": known.name,
                })).collect::<Vec<_>>(),
            }),
        ),
        Rendered::Transaction(posted, form) => books::transaction_reply(posted, false, form),
        Rendered::Described(posted) => json(200, &transaction_made(posted)),
        Rendered::WouldPost(posted) => books::transaction_reply(posted, true, Form::Now),
        Rendered::Exchanged {
            posted,
            exchange: terms,
            dry_run,
        } => exchange::reply(posted, terms, dry_run),
        Rendered::Bulk {
            results,
            dry_run,
            form,
        } => books::bulk(results, dry_run, form),
        Rendered::PeriodClosed(before) => json(200, &period(Some(before))),
        Rendered::Payment(made) => match (made.state, &made.decline_code) {
            (PaymentState::RequiresPaymentMethod, Some(reason)) => {
                let declined =
                    Problem::new(code::DECLINED).with_reason("decline_code", reason.as_str());
                problem(&declined.with_resource(made.id.to_string()))
            }
            (PaymentState::Processing, _) => json(202, &payment(made)),
            (
                PaymentState::RequiresPaymentMethod
                | PaymentState::RequiresConfirmation
                | PaymentState::Succeeded
                | PaymentState::Canceled,
                _,
            ) => json(201, &payment(made)),
        },
        Rendered::Refused(refusal) => problem(&refused(refusal)),
    }
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
        Refusal::Confirm(rule) => match rule {
            ConfirmError::NotFound => Problem::new(code::NOT_FOUND),
            ConfirmError::WrongState { .. } => {
                Problem::new(code::PAYMENT_STATE_CONFLICT).with_detail(rule.to_string())
            }
            ConfirmError::CurrencyWithdrawn { .. } => Problem::new(code::CURRENCY_WITHDRAWN)
                .with_detail(rule.to_string())
                .at("/currency"),
            ConfirmError::NoPaymentMethod => Problem::new(code::INVALID_FIELD)
                .with_detail(rule.to_string())
                .at("/payment_method"),
        },
        Refusal::Post(rule) => books::refused_post(rule),
        Refusal::Settle(rule) => books::refused_settle(rule),
        Refusal::Release(rule) => books::refused_release(rule),
        Refusal::Reverse(rule) => books::refused_reverse(rule),
        Refusal::Exchange(rule) => exchange::refused(rule),
        Refusal::Change(rule) => books::refused_change(rule),
        Refusal::Describe(rule) => books::refused_describe(rule),
        Refusal::Period(rule) => books::refused_period(rule),
        Refusal::At { index, refusal } => books::refused_at(*index, refusal),
    }
}

pub(crate) fn asset(asset: &ledger::Asset) -> wire::Asset {
    wire::Asset {
        object: "asset",
        code: asset.currency.code().to_owned(),
        exponent: asset.currency.exponent(),
        name: asset.name.clone(),
        created_at: moment(asset.created_at),
    }
}

pub(crate) fn account(account: &ledger::Account) -> wire::Account {
    wire::Account {
        id: account.id.to_string(),
        object: "account",
        code: account.code.clone(),
        name: account.name.clone(),
        currency: account.currency.code().to_owned(),
        normal_side: match account.normal_side {
            NormalSide::Debit => "debit",
            NormalSide::Credit => "credit",
        },
        class: account.class.map(AccountClass::name),
        floor: account.limits.floor().map(MinorUnits::get),
        ceiling: account.limits.ceiling().map(MinorUnits::get),
        credit_line: account.limits.credit_line().map(MinorUnits::get),
        status: account.status.name(),
        metadata: account.metadata.as_ref().map(ledger::Metadata::entries),
        balances: balances(account),
        pending_debits: account.outstanding_debits(),
        pending_credits: account.outstanding_credits(),
        version: account.version,
        opened_at: moment(account.opened_at),
    }
}

pub(crate) fn balances(account: &ledger::Account) -> wire::Balances {
    wire::Balances {
        currency: account.currency.code().to_owned(),
        posted: account.posted().get(),
        pending: account.pending().get(),
        available: account.available().get(),
    }
}

pub(crate) fn entry(entry: &ledger::Entry) -> wire::Entry {
    wire::Entry {
        version: entry.version,
        side: match entry.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        },
        phase: entry.phase.name(),
        amount: entry.amount,
        currency: entry.currency.code().to_owned(),
        balance: entry.balance,
        transaction: entry.transaction.to_string(),
        recorded_at: moment(entry.recorded_at),
    }
}

pub(crate) fn payment(payment: &::payments::Payment) -> wire::Payment {
    wire::Payment {
        id: payment.id.to_string(),
        object: "payment",
        amount: payment.money.amount.get(),
        currency: payment.money.currency.code().to_owned(),
        status: payment.state.name(),
        amount_captured: payment.captured,
        amount_refunded: payment.refunded,
        customer: payment.customer.clone(),
        payment_method: payment.payment_method.clone(),
        decline_code: payment.decline_code.clone(),
        created_at: moment(payment.created_at),
        updated_at: moment(payment.updated_at),
    }
}

/// A transfer has one posting: the wallet that pays is debited.
fn transfer(posted: &ledger::Posted, form: Form) -> Option<wire::Transfer> {
    let moved = posted.postings.first()?.posting;
    Some(wire::Transfer {
        id: posted.id.to_string(),
        object: "transfer",
        from: moved.debit.to_string(),
        to: moved.credit.to_string(),
        amount: moved.amount.get(),
        currency: moved.currency.code().to_owned(),
        status: "posted",
        description: posted.description.clone(),
        created_at: moment(posted.recorded_at),
        balances_after: balances::after(posted, form),
    })
}

fn json(status: u16, body: &impl serde::Serialize) -> Reply {
    // Texts and integers alone cannot fail to be written.
    Reply {
        status,
        body: serde_json::to_vec(body).unwrap_or_default(),
    }
}

fn problem(problem: &Problem) -> Reply {
    Reply {
        status: problem.status(),
        body: problem.to_saved_bytes(),
    }
}
