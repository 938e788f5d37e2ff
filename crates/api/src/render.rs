//! From domain values to wire types, and to the bytes of a reply that is saved with its commit.

mod balances;
mod books;
mod exchange;
mod pending;
mod times;

use ::books::transactions::{Again, Made, Results};
use ::books::{Form, Refusal};
use ::payments::{ConfirmError, PaymentState};
use edge::Problem;
use edge::strict_json::FieldError;
use engine::{Command, Reply, Told};
use ledger::{AccountClass, Kind, NormalSide, OpenError, PostError, RegisterError, Side};
use money::MinorUnits;
use store::{AnyConnection, Error, TenantId, Timestamp};

pub(crate) use books::{period, transaction_made, transaction_now};
pub(crate) use exchange::exchange;
pub(crate) use pending::pending_page;
pub(crate) use times::{past_balance, statement, subtree_balances, trial_balance};

use crate::code;
use crate::wire::{self, moment};

/// A custom asset that was registered.
pub(crate) fn asset_registered(registered: &ledger::Asset, _is_dry_run: bool) -> Reply {
    json(201, &asset(registered))
}

/// An account that was opened.
pub fn account_opened(opened: &ledger::Account, _is_dry_run: bool) -> Reply {
    json(201, &account(opened))
}

/// An account that was changed.
pub(crate) fn account_changed(changed: &ledger::Account, _is_dry_run: bool) -> Reply {
    json(200, &account(changed))
}

/// A transfer that was posted.
pub fn transfer_made(posted: &ledger::Posted, _is_dry_run: bool) -> Reply {
    json(201, &transfer(posted, Form::Now))
}

/// A step of the books that was made.
pub fn made(step: &Made, is_dry_run: bool) -> Reply {
    match &step.exchange {
        Some(terms) => exchange::reply(&step.posted, terms, is_dry_run),
        None => books::transaction_reply(&step.posted, is_dry_run, Form::Now),
    }
}

/// Many steps, each made or refused.
pub fn bulk_made(results: &Results, is_dry_run: bool) -> Reply {
    books::bulk(&results.0, is_dry_run, Form::Now)
}

/// A transaction of which the metadata was set.
pub(crate) fn described(posted: &ledger::Posted, _is_dry_run: bool) -> Reply {
    json(200, &transaction_made(posted))
}

/// A period that was closed.
pub(crate) fn period_closed(before: &Timestamp, _is_dry_run: bool) -> Reply {
    json(200, &period(Some(*before)))
}

/// A payment that was made or confirmed.
pub(crate) fn payment_made(made: &::payments::Payment, _is_dry_run: bool) -> Reply {
    payment_reply(made)
}

/// The reply that tells of a payment as it stands.
#[must_use]
pub fn payment_reply(made: &::payments::Payment) -> Reply {
    match (made.state, &made.decline_code) {
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
    }
}

/// Makes replies again that were kept by reference, byte for byte.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn make_again(
    connection: &mut AnyConnection,
    tenant: TenantId,
    references: &[String],
) -> Result<Vec<Option<Reply>>, Error> {
    let again = ::books::transactions::again(connection, tenant, references)?;
    let reply = |again| match again {
        Again::One(posted, form) if posted.kind == Kind::Transfer => {
            json(201, &transfer(&posted, form))
        }
        Again::One(posted, form) => books::transaction_reply(&posted, false, form),
        Again::Bulk(results, form) => books::bulk(&results.0, false, form),
    };
    Ok(again.into_iter().map(|again| again.map(reply)).collect())
}

/// The refusal of a command of the books.
pub fn tell<C: Command<Refusal = Refusal>>(_command: &C, refusal: &Refusal) -> Told {
    Told {
        is_kept: refusal.is_kept(),
        reason: refusal.code(),
        reply: problem(&refused(refusal)),
    }
}

/// The refusal of a payment.
pub(crate) fn tell_payment<C>(_command: &C, rule: &ConfirmError) -> Told
where
    C: Command<Refusal = ConfirmError>,
{
    Told {
        is_kept: rule.is_kept(),
        reason: rule.code(),
        reply: problem(&refused_payment(rule)),
    }
}

fn refused_payment(rule: &ConfirmError) -> Problem {
    match rule {
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
