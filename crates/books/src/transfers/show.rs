//! The replies about transfers.

use edge::reply::{json, moment};
use engine::Reply;
use ledger::RecordedTransaction;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Form;
use crate::shapes::*;
use crate::transactions::show::{BalanceAfter, after};

/// Money that was moved from one wallet to another.
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
    /// The amount in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// Always `posted`.
    pub status: &'static str,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>, nullable = false)]
    pub description: Option<String>,
    /// When the transfer was posted.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// The balances of the two accounts right after the transfer. They are absent in a reply that an older version
    /// gave first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<BalanceAfter>>,
}

/// The reply with a transfer that was posted.
pub fn made(posted: &RecordedTransaction, _is_dry_run: bool) -> Reply {
    reply(posted, Form::Now)
}

/// The reply with a transfer, in the form of its first reply.
pub(crate) fn reply(posted: &RecordedTransaction, form: Form) -> Reply {
    json(201, &transfer(posted, form))
}

/// The transfer that a transaction made. The transaction has one posting, which debits the wallet that pays.
fn transfer(posted: &RecordedTransaction, form: Form) -> Option<Transfer> {
    let moved = posted.postings.first()?.posting;
    Some(Transfer {
        id: posted.id.to_string(),
        object: "transfer",
        from: moved.debit.to_string(),
        to: moved.credit.to_string(),
        amount: moved.amount.get(),
        currency: moved.currency.code().to_owned(),
        status: "posted",
        description: posted.description.clone(),
        created_at: moment(posted.recorded_at),
        balances_after: after(posted, form),
    })
}
