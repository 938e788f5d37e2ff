//! Balances as of a moment, statements and totals.

use ledger::{Account, By, Line, Side, Span, Standing, Total};
use money::MinorUnits;
use store::Timestamp;

use crate::wire::{self, bound, moment};

pub(crate) fn past_balance(
    account: &Account,
    posted: MinorUnits,
    at: Timestamp,
    by: By,
) -> wire::PastBalance {
    wire::PastBalance {
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
) -> wire::Statement {
    wire::Statement {
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
    standings: &[Standing],
    totals: Option<&[Total]>,
    as_of: Option<(Timestamp, By)>,
    next_cursor: Option<String>,
) -> wire::TrialBalance {
    wire::TrialBalance {
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
) -> wire::SubtreeBalances {
    wire::SubtreeBalances {
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

fn line(line: &Line) -> wire::StatementLine {
    wire::StatementLine {
        version: line.version,
        side: match line.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        },
        phase: line.phase.name(),
        amount: line.amount,
        balance: line.balance.get(),
        transaction: line.transaction.to_string(),
        effective_at: moment(line.effective_at),
        recorded_at: moment(line.recorded_at),
    }
}

fn total(total: &Total) -> wire::CurrencyTotal {
    let net = total.debits - total.credits;
    wire::CurrencyTotal {
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

fn standing(standing: &Standing) -> wire::AccountStanding {
    let debit = standing.debit();
    wire::AccountStanding {
        account: standing.account.id.to_string(),
        code: standing.account.code.clone(),
        currency: standing.account.currency.code().to_owned(),
        debit: debit.max(0),
        credit: (-debit).max(0),
    }
}
