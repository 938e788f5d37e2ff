//! What goes out, field by field.

mod assets;
mod exchange;
mod pending;
mod problem;
pub mod texts;
mod times;

use std::collections::BTreeMap;

use serde::Serialize;
use store::Timestamp;
use utoipa::ToSchema;

use texts::*;

pub use assets::Asset;
pub use exchange::{Exchange, Money};
pub use pending::{PendingHold, PendingPage};
pub use problem::{Problem, ProblemError, ProblemFamily, ProblemField};
pub use times::{
    AccountStanding, CurrencyTotal, PastBalance, Statement, StatementLine, SubtreeBalances,
    TrialBalance,
};

/// A moment on the wire: RFC 3339 in UTC with microseconds.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_string()
}

/// A moment that a question was asked about. Where it meant no bound, that is the end of the range.
pub(crate) fn bound(at: Timestamp) -> String {
    moment(at.clamped())
}

/// An account with its balances.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub id: String,
    /// Always `account`.
    pub object: &'static str,
    /// Its place in the chart of accounts.
    #[schema(value_type = AccountCode)]
    pub code: String,
    /// What people call it.
    #[schema(value_type = ShortText)]
    pub name: String,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// `debit` or `credit`.
    #[schema(value_type = Side)]
    pub normal_side: &'static str,
    /// `asset`, `liability`, `equity`, `income` or `expense`; null if it was opened before there were any.
    #[schema(value_type = Option<AccountClass>, required)]
    pub class: Option<&'static str>,
    /// The least available balance, in minor units; null: no limit.
    #[schema(value_type = Option<MinorUnits>, required)]
    pub floor: Option<i64>,
    /// The greatest possible balance, in minor units; null: no limit.
    #[schema(value_type = Option<MinorUnits>, required)]
    pub ceiling: Option<i64>,
    /// How far below the floor it may go, in minor units; null: not at all.
    #[schema(value_type = Option<Count>, required)]
    pub credit_line: Option<i64>,
    /// `open`, `frozen` or `closed`.
    #[schema(value_type = AccountStatus)]
    pub status: &'static str,
    /// What you keep with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Metadata>, nullable = false)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// Its balances.
    pub balances: Balances,
    /// The debits that are pending now, in minor units.
    #[schema(value_type = Count)]
    pub pending_debits: i64,
    /// The credits that are pending now, in minor units.
    #[schema(value_type = Count)]
    pub pending_credits: i64,
    /// The number of its entries.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When it was opened.
    #[schema(value_type = Moment)]
    pub opened_at: String,
}

/// An account's balances, in minor units on its normal side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balances {
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// What is posted.
    #[schema(value_type = MinorUnits)]
    pub posted: i64,
    /// Posted, with every pending entry applied.
    #[schema(value_type = MinorUnits)]
    pub pending: i64,
    /// Posted, less the pending entries that would lower it.
    #[schema(value_type = MinorUnits)]
    pub available: i64,
}

/// A posting as one of its accounts sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// Its number on the account, from 1.
    #[schema(value_type = Count)]
    pub version: i64,
    /// `debit` or `credit`.
    #[schema(value_type = Side)]
    pub side: &'static str,
    /// `pending`, `posted`, `settled` (pending before, posted now) or `released`.
    #[schema(value_type = Phase)]
    pub phase: &'static str,
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The account's posted balance afterwards, in minor units.
    #[schema(value_type = MinorUnits)]
    pub balance: i64,
    /// `txn_…`
    #[schema(value_type = TransactionId)]
    pub transaction: String,
    /// When it was written.
    #[schema(value_type = Moment)]
    pub recorded_at: String,
}

/// Money that moved from wallet to wallet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transfer {
    /// `txn_…`
    #[schema(value_type = TransactionId)]
    pub id: String,
    /// Always `transfer`.
    pub object: &'static str,
    /// The account that paid.
    #[schema(value_type = AccountId)]
    pub from: String,
    /// The account that was paid.
    #[schema(value_type = AccountId)]
    pub to: String,
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// Always `posted`.
    pub status: &'static str,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>, nullable = false)]
    pub description: Option<String>,
    /// When it was posted.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// How it left its two accounts. A reply that was first given by an older version is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<BalanceAfter>>,
}

/// How a movement left an account. It is what the account's entry says, and never changes; how the account
/// stands now, with what is pending and available, the account itself tells.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceAfter {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// Its posted balance, in minor units on its normal side.
    #[schema(value_type = MinorUnits)]
    pub posted: i64,
    /// The number of its entries.
    #[schema(value_type = Count)]
    pub version: i64,
}

/// A step of the books: a transaction, or what became of one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transaction {
    /// `txn_…`
    #[schema(value_type = TransactionId)]
    pub id: String,
    /// Always `transaction`.
    pub object: &'static str,
    /// True if nothing was kept, and the id means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
    /// What it is for.
    #[schema(value_type = Kind)]
    pub kind: String,
    /// `pending`, `posted`, `post` (of a pending one), `void`, `expiry` or `reversal`.
    #[schema(value_type = StepName)]
    pub step: &'static str,
    /// The transaction that it posts, voids, expires or reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransactionId>, nullable = false)]
    pub about: Option<String>,
    /// Where it is read: `pending`, `posted`, `voided` or `expired`; what was posted in part before it
    /// ended otherwise, its postings tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransactionStatus>, nullable = false)]
    pub status: Option<&'static str>,
    /// If it is pending and expires: from when on it can no longer be posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Moment>, nullable = false)]
    pub expires_at: Option<String>,
    /// Its movements.
    pub postings: Vec<Posting>,
    /// Your own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ShortText>, nullable = false)]
    pub external_id: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>, nullable = false)]
    pub description: Option<String>,
    /// What you keep with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Metadata>, nullable = false)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it happened.
    #[schema(value_type = Moment)]
    pub effective_at: String,
    /// When it was written.
    #[schema(value_type = Moment)]
    pub recorded_at: String,
    /// How it left each of its accounts, in the order in which its postings name them. A reply that was
    /// first given by an older version is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<BalanceAfter>>,
}

/// A movement from the credited to the debited account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Posting {
    /// Its place; where the transaction is about another one, that of the other's posting, and 100 more
    /// if it releases what that one holds, 200 more if it posts what that one did not hold.
    pub ordinal: i16,
    /// `pending`, `posted`, `settled` or `released`.
    #[schema(value_type = Phase)]
    pub phase: &'static str,
    /// The debited account.
    #[schema(value_type = AccountId)]
    pub debit: String,
    /// The credited account.
    #[schema(value_type = AccountId)]
    pub credit: String,
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// Where it is read: how much of it is still held, or (if it was posted) can still be reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub remaining: Option<i64>,
    /// Where it is read and was pending: how much of it was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub posted: Option<i64>,
    /// Where it is read and was pending: how much of it was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub released: Option<i64>,
    /// Where it is read and was posted: how much of it was reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub reversed: Option<i64>,
}

/// What became of many.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkReply {
    /// Always `bulk`.
    pub object: &'static str,
    /// True if nothing was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
    /// What became of each, in order.
    pub results: Vec<BulkResult>,
}

/// What became of one of many.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    /// The status it would have been answered with alone.
    #[schema(minimum = 200, maximum = 599)]
    pub status: u16,
    /// `txn_…`, if it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransactionId>, nullable = false)]
    pub transaction: Option<String>,
    /// If it was made: how it left each of its accounts. A reply that was first given by an older version
    /// is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<BalanceAfter>>,
    /// Why not, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>, nullable = false)]
    pub problem: Option<serde_json::Value>,
}

/// What of the books is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Period {
    /// Always `period`.
    pub object: &'static str,
    /// Nothing that happened before is accepted any more; null: all is open.
    #[schema(value_type = Option<Moment>, required)]
    pub closed_before: Option<String>,
}

/// A payment as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payment {
    /// `pay_…`
    #[schema(value_type = PaymentId)]
    pub id: String,
    /// Always `payment`.
    pub object: &'static str,
    /// What is wanted, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// `requires_payment_method`, `requires_confirmation`, `processing`, `succeeded` or `canceled`.
    #[schema(value_type = PaymentStatus)]
    pub status: &'static str,
    /// What was taken, in minor units.
    #[schema(value_type = Count)]
    pub amount_captured: i64,
    /// What was given back, in minor units.
    #[schema(value_type = Count)]
    pub amount_refunded: i64,
    /// The merchant's reference for the payer.
    #[schema(value_type = Option<ShortText>, required)]
    pub customer: Option<String>,
    /// The provider's token.
    #[schema(value_type = Option<ShortText>, required)]
    pub payment_method: Option<String>,
    /// Why the last attempt was declined.
    #[schema(required)]
    pub decline_code: Option<String>,
    /// When it was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When it last changed.
    #[schema(value_type = Moment)]
    pub updated_at: String,
}

/// What became of a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookReceipt {
    /// `applied`, `duplicate`, `parked`, `stored` or `quarantined`.
    #[schema(value_type = ReceiptStatus)]
    pub status: &'static str,
}
