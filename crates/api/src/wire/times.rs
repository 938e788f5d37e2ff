//! What goes out about time, and about many accounts.

use serde::Serialize;
use utoipa::ToSchema;

use super::texts::*;

/// What was posted on an account as of a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastBalance {
    /// Always `balance`.
    pub object: &'static str,
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The moment, which is included.
    #[schema(value_type = Moment)]
    pub as_of: String,
    /// `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// Minor units on the account's normal side.
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
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// The first moment that belongs to it.
    #[schema(value_type = Moment)]
    pub from: String,
    /// The first moment after it.
    #[schema(value_type = Moment)]
    pub to: String,
    /// What was posted before, in minor units.
    #[schema(value_type = MinorUnits)]
    pub opening_balance: i64,
    /// What was posted at its end, in minor units.
    #[schema(value_type = MinorUnits)]
    pub closing_balance: i64,
    /// Oldest first.
    pub data: Vec<StatementLine>,
    /// Give it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// An entry that moved the posted balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementLine {
    /// Its number on the account, from 1, in the order of recording.
    #[schema(value_type = Count)]
    pub version: i64,
    /// `debit` or `credit`.
    #[schema(value_type = Side)]
    pub side: &'static str,
    /// `posted`, or `settled` if it was pending before.
    #[schema(value_type = Phase)]
    pub phase: &'static str,
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// The balance after it in the order of the statement, in minor units.
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

/// All accounts' balances as debits and credits.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialBalance {
    /// Always `trial_balance`.
    pub object: &'static str,
    /// The moment, which is included; null: as they stand.
    #[schema(value_type = Option<Moment>, required)]
    pub as_of: Option<String>,
    /// `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// Of all accounts, by currency: on the first page, which no cursor asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub totals: Option<Vec<CurrencyTotal>>,
    /// A page of accounts, by code.
    pub data: Vec<AccountStanding>,
    /// Give it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What the accounts of a subtree hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubtreeBalances {
    /// Always `balances`.
    pub object: &'static str,
    /// The code that was asked for.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// The moment, which is included; null: as they stand.
    #[schema(value_type = Option<Moment>, required)]
    pub as_of: Option<String>,
    /// `recorded` or `effective`.
    #[schema(value_type = TimeKind)]
    pub by: &'static str,
    /// By currency.
    pub totals: Vec<CurrencyTotal>,
}

/// What accounts of one currency hold together.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrencyTotal {
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// How many accounts there are.
    #[schema(value_type = Count)]
    pub accounts: u64,
    /// The balances that are debits, in minor units.
    #[schema(value_type = Sum)]
    pub debits: i128,
    /// The balances that are credits, in minor units.
    #[schema(value_type = Sum)]
    pub credits: i128,
    /// What they come to: the one less the other, in minor units.
    #[schema(value_type = Sum)]
    pub balance: i128,
    /// On which side that is: `debit` or `credit`; null for nothing.
    #[schema(value_type = Option<Side>, required)]
    pub side: Option<&'static str>,
}

/// One account in a trial balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountStanding {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// Its place in the chart of accounts.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The balance, if it is a debit, in minor units; else 0.
    #[schema(value_type = Sum)]
    pub debit: i128,
    /// The balance, if it is a credit, in minor units; else 0.
    #[schema(value_type = Sum)]
    pub credit: i128,
}
