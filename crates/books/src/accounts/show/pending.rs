//! The reply about the pending holds of an account.

use edge::reply::moment;
use ledger::{Account, OutstandingHold};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Balances, balances};
use crate::shapes::*;

/// What is pending on an account, with its balances as the same snapshot has them.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingPage {
    /// Always `pending`.
    pub object: &'static str,
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// Its balances.
    pub balances: Balances,
    /// All its debits that are pending now, in minor units: what is listed as `debit` on all pages.
    #[schema(value_type = Count)]
    pub pending_debits: i64,
    /// All its credits that are pending now, in minor units: what is listed as `credit` on all pages.
    #[schema(value_type = Count)]
    pub pending_credits: i64,
    /// The number of its entries: the same on each page if nothing has moved between them.
    #[schema(value_type = Count)]
    pub version: i64,
    /// The newest first. A page may have fewer than were asked for, even none, and a next one.
    pub data: Vec<PendingHold>,
    /// Give it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What one posting of a pending transaction holds on an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingHold {
    /// `txn_…`, the pending transaction.
    #[schema(value_type = TransactionId)]
    pub transaction: String,
    /// The posting's place in it, from 0.
    #[schema(value_type = Ordinal)]
    pub ordinal: i16,
    /// `debit` or `credit`: the side of the account on which it is pending.
    #[schema(value_type = Side)]
    pub side: &'static str,
    /// The posting's other account.
    #[schema(value_type = AccountId)]
    pub other_account: String,
    /// What was promised, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// What is still held of it, in minor units.
    #[schema(value_type = Amount)]
    pub remaining: i64,
    /// From when on it can no longer be posted; null: it does not expire.
    #[schema(value_type = Option<Moment>, required)]
    pub expires_at: Option<String>,
    /// The number of the entry on the account.
    #[schema(value_type = Count)]
    pub version: i64,
}

/// A page of the pending holds of an account.
pub(crate) fn pending_page(
    account: &Account,
    held: &[OutstandingHold],
    next_cursor: Option<String>,
) -> PendingPage {
    PendingPage {
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

fn hold(held: &OutstandingHold) -> PendingHold {
    PendingHold {
        transaction: held.transaction.to_string(),
        ordinal: held.ordinal,
        side: match held.side {
            ledger::Side::Debit => "debit",
            ledger::Side::Credit => "credit",
        },
        other_account: held.other.to_string(),
        amount: held.amount,
        remaining: held.remaining,
        expires_at: held.expires_at.map(moment),
        version: held.version,
    }
}
