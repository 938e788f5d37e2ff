//! The reply about the pending holds of an account.

use edge::reply::moment;
use ledger::{Account, OutstandingHold};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Balances, balances};
use crate::shapes::*;

/// A page of the pending holds of an account, with its balances from the same snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingPage {
    /// Always `pending`.
    pub object: &'static str,
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// The balances of the account.
    pub balances: Balances,
    /// The debits that are pending now, in minor units: the sum of what all pages list as `debit`.
    #[schema(value_type = Count)]
    pub pending_debits: i64,
    /// The credits that are pending now, in minor units: the sum of what all pages list as `credit`.
    #[schema(value_type = Count)]
    pub pending_credits: i64,
    /// The number of entries of the account. It is the same on each page if the account has not moved meanwhile.
    #[schema(value_type = Count)]
    pub version: i64,
    /// The holds, newest first. A page may have fewer holds than its limit, or none, and still have a next page.
    pub data: Vec<PendingHold>,
    /// Pass it as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// The hold of one posting of a pending transaction on an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingHold {
    /// `txn_…`, the pending transaction.
    #[schema(value_type = TransactionId)]
    pub transaction: String,
    /// The posting's place in the transaction, from 0.
    #[schema(value_type = Ordinal)]
    pub ordinal: i16,
    /// `debit` or `credit`: the side of the account on which the amount is pending.
    #[schema(value_type = Side)]
    pub side: &'static str,
    /// The posting's other account.
    #[schema(value_type = AccountId)]
    pub other_account: String,
    /// The amount of the posting, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// The part of the amount that is still held, in minor units.
    #[schema(value_type = Amount)]
    pub remaining: i64,
    /// The moment from which the transaction can no longer be posted; null: it does not expire.
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
