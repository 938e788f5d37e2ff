//! What is pending on an account.

use ledger::{Account, Outstanding, Side};

use super::balances;
use crate::wire::{self, moment};

pub(crate) fn pending_page(
    account: &Account,
    held: &[Outstanding],
    next_cursor: Option<String>,
) -> wire::PendingPage {
    wire::PendingPage {
        object: "pending",
        account: account.id.to_string(),
        balances: balances(account),
        pending_debits: account.outstanding_debits(),
        pending_credits: account.outstanding_credits(),
        version: account.version,
        data: held.iter().map(hold).collect(),
        next_cursor,
    }
}

fn hold(held: &Outstanding) -> wire::PendingHold {
    wire::PendingHold {
        transaction: held.transaction.to_string(),
        ordinal: held.ordinal,
        side: match held.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        },
        other_account: held.other.to_string(),
        amount: held.amount,
        remaining: held.remaining,
        expires_at: held.expires_at.map(moment),
        version: held.version,
    }
}
