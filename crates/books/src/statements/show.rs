//! The replies about balances, statements and totals.

use edge::reply::{bound, moment};
use ledger::{Account, AccountBalance, By, Line, Span, Total};
use money::MinorUnits as Units;
use serde::Serialize;
use store::Timestamp;
use utoipa::ToSchema;

use crate::shapes::*;

/// The posted balance of an account as of a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastBalance {
    /// Always `balance`.
    pub object: &'static str,
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The moment, itself included.
    #[schema(value_type = Moment)]
    pub as_of: String,
    /// The time that counts: `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// The posted balance, in minor units on the account's normal side.
    #[schema(value_type = MinorUnits)]
    pub posted: i64,
}

/// A page of an account's statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statement {
    /// Always `statement`.
    pub object: &'static str,
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The time that counts: `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// The first moment of the statement.
    #[schema(value_type = Moment)]
    pub from: String,
    /// The first moment after the statement.
    #[schema(value_type = Moment)]
    pub to: String,
    /// The posted balance before the statement, in minor units.
    #[schema(value_type = MinorUnits)]
    pub opening_balance: i64,
    /// The posted balance at the end of the statement, in minor units.
    #[schema(value_type = MinorUnits)]
    pub closing_balance: i64,
    /// The entries, oldest first.
    pub data: Vec<StatementLine>,
    /// Pass it as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// An entry that moved the posted balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementLine {
    /// The number of the entry on the account, from 1, in the order of recording.
    #[schema(value_type = Count)]
    pub version: i64,
    /// `debit` or `credit`.
    #[schema(value_type = Side)]
    pub side: &'static str,
    /// `posted`, or `settled` if it was pending before.
    #[schema(value_type = Phase)]
    pub phase: &'static str,
    /// The amount in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// The balance after the entry, in the order of the statement, in minor units.
    #[schema(value_type = MinorUnits)]
    pub balance: i64,
    /// `txn_…`
    #[schema(value_type = TransactionId)]
    pub transaction: String,
    /// When it happened.
    #[schema(value_type = Moment)]
    pub effective_at: String,
    /// When it was recorded.
    #[schema(value_type = Moment)]
    pub recorded_at: String,
}

/// The balances of all accounts, as debits and credits.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialBalance {
    /// Always `trial_balance`.
    pub object: &'static str,
    /// The moment, itself included; null: the present balances.
    #[schema(value_type = Option<Moment>, required)]
    pub as_of: Option<String>,
    /// The time that counts: `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// The totals of all accounts, by currency. Only the first page, which is read without a cursor, has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub totals: Option<Vec<CurrencyTotal>>,
    /// A page of accounts, by code.
    pub data: Vec<AccountStanding>,
    /// Pass it as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// The balances of the accounts of a subtree.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubtreeBalances {
    /// Always `balances`.
    pub object: &'static str,
    /// The code of the subtree.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// The moment, itself included; null: the present balances.
    #[schema(value_type = Option<Moment>, required)]
    pub as_of: Option<String>,
    /// The time that counts: `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// The totals, by currency.
    pub totals: Vec<CurrencyTotal>,
}

/// The total balance of the accounts of one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrencyTotal {
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The number of accounts.
    #[schema(value_type = Count)]
    pub accounts: u64,
    /// The sum of the balances that are debits, in minor units.
    #[schema(value_type = Sum)]
    pub debits: i128,
    /// The sum of the balances that are credits, in minor units.
    #[schema(value_type = Sum)]
    pub credits: i128,
    /// The total balance: the difference between debits and credits, in minor units. It is never negative.
    #[schema(value_type = Sum)]
    pub balance: i128,
    /// The side of the total balance: `debit` or `credit`; null if it is zero.
    #[schema(value_type = Option<Side>, required)]
    pub side: Option<&'static str>,
}

/// One account in a trial balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountStanding {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// The place in the chart of accounts.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The balance in minor units, if it is a debit; otherwise 0.
    #[schema(value_type = Sum)]
    pub debit: i128,
    /// The balance in minor units, if it is a credit; otherwise 0.
    #[schema(value_type = Sum)]
    pub credit: i128,
}

pub(crate) fn past_balance(account: &Account, posted: Units, at: Timestamp, by: By) -> PastBalance {
    PastBalance {
        object: "balance",
        account: account.id.to_string(),
        currency: account.currency.code().to_owned(),
        as_of: bound(at),
        by: name(by),
        posted: posted.get(),
    }
}

pub(crate) fn statement(
    account: &Account,
    span: Span,
    found: &ledger::Statement,
    next_cursor: Option<String>,
) -> Statement {
    Statement {
        object: "statement",
        account: account.id.to_string(),
        currency: account.currency.code().to_owned(),
        by: name(span.by),
        from: bound(span.from),
        to: bound(span.to),
        opening_balance: found.opening.get(),
        closing_balance: found.closing.get(),
        data: found.lines.iter().map(line).collect(),
        next_cursor,
    }
}

pub(crate) fn trial_balance(
    standings: &[AccountBalance],
    totals: Option<&[Total]>,
    as_of: Option<(Timestamp, By)>,
    next_cursor: Option<String>,
) -> TrialBalance {
    TrialBalance {
        object: "trial_balance",
        as_of: as_of.map(|(at, _)| bound(at)),
        by: name(as_of.map_or(By::Recorded, |(_, by)| by)),
        totals: totals.map(|totals| totals.iter().map(total).collect()),
        data: standings.iter().map(standing).collect(),
        next_cursor,
    }
}

pub(crate) fn subtree_balances(
    code: String,
    totals: &[Total],
    as_of: Option<(Timestamp, By)>,
) -> SubtreeBalances {
    SubtreeBalances {
        object: "balances",
        code,
        as_of: as_of.map(|(at, _)| bound(at)),
        by: name(as_of.map_or(By::Recorded, |(_, by)| by)),
        totals: totals.iter().map(total).collect(),
    }
}

const fn name(by: By) -> &'static str {
    match by {
        By::Recorded => "recorded",
        By::Effective => "effective",
    }
}

fn line(line: &Line) -> StatementLine {
    StatementLine {
        version: line.version,
        side: match line.side {
            ledger::Side::Debit => "debit",
            ledger::Side::Credit => "credit",
        },
        phase: line.phase.name(),
        amount: line.amount,
        balance: line.balance.get(),
        transaction: line.transaction.to_string(),
        effective_at: moment(line.effective_at),
        recorded_at: moment(line.recorded_at),
    }
}

fn total(total: &Total) -> CurrencyTotal {
    let net = total.debits - total.credits;
    CurrencyTotal {
        currency: total.currency.code().to_owned(),
        accounts: total.accounts,
        debits: total.debits,
        credits: total.credits,
        balance: net.abs(),
        side: match net.signum() {
            1 => Some("debit"),
            -1 => Some("credit"),
            _ => None,
        },
    }
}

fn standing(standing: &AccountBalance) -> AccountStanding {
    let debit = standing.debit();
    AccountStanding {
        account: standing.account.id.to_string(),
        code: standing.account.code.clone(),
        currency: standing.account.currency.code().to_owned(),
        debit: debit.max(0),
        credit: (-debit).max(0),
    }
}
