//! The replies about accounts.

mod pending;

use std::collections::BTreeMap;

use edge::reply::{json, moment};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

pub(crate) use pending::pending_page;
pub use pending::{PendingHold, PendingPage};

/// An account with its balances.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub id: String,
    /// Always `account`.
    pub object: &'static str,
    /// The place in the chart of accounts.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// The name for people.
    #[schema(value_type = ShortText)]
    pub name: String,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// `debit` or `credit`.
    #[schema(value_type = Side)]
    pub normal_side: &'static str,
    /// `asset`, `liability`, `equity`, `income` or `expense`; null if the account was opened before there
    /// were classes.
    #[schema(value_type = Option<AccountClass>, required)]
    pub class: Option<&'static str>,
    /// The least available balance, in minor units; null: no limit.
    #[schema(value_type = Option<MinorUnits>, required)]
    pub floor: Option<i64>,
    /// The greatest possible balance, in minor units; null: no limit.
    #[schema(value_type = Option<MinorUnits>, required)]
    pub ceiling: Option<i64>,
    /// How far below the floor the available balance may go, in minor units; null: not at all.
    #[schema(value_type = Option<Count>, required)]
    pub credit_line: Option<i64>,
    /// `open`, `frozen` or `closed`.
    #[schema(value_type = AccountStatus)]
    pub status: &'static str,
    /// The metadata that you keep with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Metadata>, nullable = false)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The balances of the account.
    pub balances: Balances,
    /// The debits that are pending now, in minor units.
    #[schema(value_type = Count)]
    pub pending_debits: i64,
    /// The credits that are pending now, in minor units.
    #[schema(value_type = Count)]
    pub pending_credits: i64,
    /// The number of entries of the account.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the account was opened.
    #[schema(value_type = Moment)]
    pub opened_at: String,
}

/// An account's balances, in minor units on its normal side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balances {
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The posted balance.
    #[schema(value_type = MinorUnits)]
    pub posted: i64,
    /// The posted balance, with every pending entry applied.
    #[schema(value_type = MinorUnits)]
    pub pending: i64,
    /// The posted balance, less the pending entries that would lower it.
    #[schema(value_type = MinorUnits)]
    pub available: i64,
}

/// An entry: a posting, as it affects one of its two accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// The number of the entry on the account, from 1.
    #[schema(value_type = Count)]
    pub version: i64,
    /// `debit` or `credit`.
    #[schema(value_type = Side)]
    pub side: &'static str,
    /// `pending`, `posted`, `settled` (pending before, posted now) or `released`.
    #[schema(value_type = Phase)]
    pub phase: &'static str,
    /// The amount in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The account's posted balance after the entry, in minor units.
    #[schema(value_type = MinorUnits)]
    pub balance: i64,
    /// `txn_…`
    #[schema(value_type = TransactionId)]
    pub transaction: String,
    /// When the entry was recorded.
    #[schema(value_type = Moment)]
    pub recorded_at: String,
}

/// The reply with an account that was opened.
pub fn opened(opened: &ledger::Account, _is_dry_run: bool) -> Reply {
    json(201, &account(opened))
}

/// The reply with an account that was changed.
pub(crate) fn changed(changed: &ledger::Account, _is_dry_run: bool) -> Reply {
    json(200, &account(changed))
}

pub(crate) fn account(account: &ledger::Account) -> Account {
    Account {
        id: account.id.to_string(),
        object: "account",
        code: account.code.clone(),
        name: account.name.clone(),
        currency: account.currency.code().to_owned(),
        normal_side: match account.normal_side {
            ledger::NormalSide::Debit => "debit",
            ledger::NormalSide::Credit => "credit",
        },
        class: account.class.map(ledger::AccountClass::name),
        floor: account.limits.floor().map(money::MinorUnits::get),
        ceiling: account.limits.ceiling().map(money::MinorUnits::get),
        credit_line: account.limits.credit_line().map(money::MinorUnits::get),
        status: account.status.name(),
        metadata: account.metadata.as_ref().map(ledger::Metadata::entries),
        balances: balances(account),
        pending_debits: account.outstanding_debits(),
        pending_credits: account.outstanding_credits(),
        version: account.version,
        opened_at: moment(account.opened_at),
    }
}

pub(crate) fn balances(account: &ledger::Account) -> Balances {
    Balances {
        currency: account.currency.code().to_owned(),
        posted: account.posted().get(),
        pending: account.pending().get(),
        available: account.available().get(),
    }
}

pub(crate) fn entry(entry: &ledger::Entry) -> Entry {
    Entry {
        version: entry.version,
        side: match entry.side {
            ledger::Side::Debit => "debit",
            ledger::Side::Credit => "credit",
        },
        phase: entry.phase.name(),
        amount: entry.amount,
        currency: entry.currency.code().to_owned(),
        balance: entry.balance,
        transaction: entry.transaction.to_string(),
        recorded_at: moment(entry.recorded_at),
    }
}
