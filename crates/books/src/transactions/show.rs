//! The replies about transactions.

mod balances;

use std::collections::BTreeMap;

use edge::problem::described::Problem;
use edge::reply::{json, moment};
use engine::Reply;
use ledger::{Correction, Hold, HoldStatus, RecordedTransaction, Step};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Results, StepResult};
use crate::refusal::refused;
use crate::shapes::*;
use crate::{Form, Refusal, exchanges};

pub use balances::BalanceAfter;
pub(crate) use balances::after;

/// A step of the books: a new transaction, or a step about an earlier one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transaction {
    /// `txn_…`
    #[schema(value_type = TransactionId)]
    pub id: String,
    /// Always `transaction`.
    pub object: &'static str,
    /// True for a dry run: nothing was kept, and the id has no meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
    /// The purpose of the transaction.
    #[schema(value_type = Kind)]
    pub kind: String,
    /// `pending`, `posted`, `post` (posts a pending transaction), `void`, `expiry` or `reversal`.
    #[schema(value_type = StepName)]
    pub step: &'static str,
    /// The transaction that this one posts, voids, expires or reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransactionId>, nullable = false)]
    pub about: Option<String>,
    /// `pending`, `posted`, `voided` or `expired`. Only `GET /v1/transactions/{id}` shows it. A part may have been
    /// posted before the rest was voided or has expired: the postings show the amounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransactionStatus>, nullable = false)]
    pub status: Option<&'static str>,
    /// The moment from which a pending transaction can no longer be posted, if it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Moment>, nullable = false)]
    pub expires_at: Option<String>,
    /// The postings of the transaction.
    pub postings: Vec<Posting>,
    /// Your own name for the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ShortText>, nullable = false)]
    pub external_id: Option<String>,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>, nullable = false)]
    pub description: Option<String>,
    /// The metadata that you keep with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Metadata>, nullable = false)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it happened.
    #[schema(value_type = Moment)]
    pub effective_at: String,
    /// When it was recorded.
    #[schema(value_type = Moment)]
    pub recorded_at: String,
    /// The balance of each account right after the transaction, in the order in which the postings name the
    /// accounts. It is absent in a reply that an older version gave first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<BalanceAfter>>,
}

/// A movement from the credited account to the debited account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Posting {
    /// The place of the posting in its transaction, from 0. In a step about an earlier transaction, it is the place
    /// of the earlier posting, plus 100 if the step releases the held amount, or plus 200 if it posts more than
    /// was held.
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
    /// The amount in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The amount that is still held or, if the posting was posted, can still be reversed. Only
    /// `GET /v1/transactions/{id}` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub remaining: Option<i64>,
    /// The amount that was posted, if the posting was pending. Only `GET /v1/transactions/{id}` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub posted: Option<i64>,
    /// The amount that was released, if the posting was pending. Only `GET /v1/transactions/{id}` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub released: Option<i64>,
    /// The amount that was reversed, if the posting was posted. Only `GET /v1/transactions/{id}` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Count>, nullable = false)]
    pub reversed: Option<i64>,
}

/// The outcome of a bulk.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkReply {
    /// Always `bulk`.
    pub object: &'static str,
    /// True for a dry run: nothing was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
    /// The outcome of each step, in order.
    pub results: Vec<BulkResult>,
}

/// The outcome of one step of a bulk.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    /// The HTTP status that the step would have as a request of its own.
    #[schema(minimum = 200, maximum = 599)]
    pub status: u16,
    /// `txn_…`, if the step was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransactionId>, nullable = false)]
    pub transaction: Option<String>,
    /// The balance of each account right after the step, if it was made. It is absent in a reply that an older
    /// version gave first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<BalanceAfter>>,
    /// The problem, if the step was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>, nullable = false)]
    pub problem: Option<serde_json::Value>,
}

/// The reply with a step that was made.
pub fn made(step: &StepResult, is_dry_run: bool) -> Reply {
    match &step.exchange {
        Some(terms) => exchanges::show::reply(&step.posted, terms, is_dry_run),
        None => reply(&step.posted, is_dry_run, Form::Now),
    }
}

/// The reply with many steps, each made or refused.
pub fn bulk_made(results: &Results, is_dry_run: bool) -> Reply {
    bulk(&results.0, is_dry_run, Form::Now)
}

/// The reply with a transaction whose metadata was set.
pub(crate) fn described(posted: &RecordedTransaction, _is_dry_run: bool) -> Reply {
    json(200, &as_made(posted))
}

/// The reply with a step that was made or, in a dry run, would have been made.
pub(crate) fn reply(posted: &RecordedTransaction, dry_run: bool, form: Form) -> Reply {
    json(
        if dry_run { 200 } else { 201 },
        &transaction(posted, dry_run, form),
    )
}

/// The reply with the results of many steps.
pub(crate) fn bulk(
    results: &[Result<RecordedTransaction, Refusal>],
    dry_run: bool,
    form: Form,
) -> Reply {
    let results: Vec<BulkResult> = results
        .iter()
        .map(|result| match result {
            Ok(posted) => BulkResult {
                status: if dry_run { 200 } else { 201 },
                transaction: Some(posted.id.to_string()),
                balances_after: after(posted, form),
                problem: None,
            },
            Err(refusal) => {
                let told = refused(refusal);
                BulkResult {
                    status: told.status(),
                    transaction: None,
                    balances_after: None,
                    // The text was just written as JSON, so the default is never used.
                    problem: serde_json::from_slice(&told.to_saved_bytes()).ok(),
                }
            }
        })
        .collect();
    let body = BulkReply {
        object: "bulk",
        dry_run: dry_run.then_some(true),
        results,
    };
    json(200, &body)
}

/// A transaction with its present state.
pub(crate) fn now(
    posted: &RecordedTransaction,
    holds: &[Hold],
    corrections: &[Correction],
) -> Transaction {
    let mut shown = as_made(posted);
    let is_pending = posted.step == Step::Pending;
    let ended = ledger::ended(holds).unwrap_or(HoldStatus::Pending);
    shown.status = Some(
        if is_pending {
            ended
        } else {
            HoldStatus::Posted
        }
        .name(),
    );
    let is_reversible = matches!(posted.step, Step::Posted | Step::Fulfilment);
    for (line, own) in shown.postings.iter_mut().zip(&posted.postings) {
        if let Some(hold) = holds.iter().find(|hold| hold.ordinal == own.ordinal) {
            line.remaining = Some(hold.remaining());
            line.posted = Some(hold.posted);
            line.released = Some(hold.released);
        }
        if is_reversible && own.phase.is_final() {
            let found = corrections.iter().find(|one| one.ordinal == own.ordinal);
            line.remaining = Some(found.map_or(line.amount, Correction::remaining));
            line.reversed = Some(found.map_or(0, |one| one.reversed));
        }
    }
    shown
}

/// A transaction as it was recorded.
pub(crate) fn as_made(posted: &RecordedTransaction) -> Transaction {
    transaction(posted, false, Form::Now)
}

pub(crate) fn transaction(posted: &RecordedTransaction, dry_run: bool, form: Form) -> Transaction {
    Transaction {
        id: posted.id.to_string(),
        object: "transaction",
        dry_run: dry_run.then_some(true),
        kind: posted.kind.name().to_owned(),
        step: posted.step.name(),
        about: posted.about.map(|id| id.to_string()),
        status: None,
        expires_at: posted.expires_at.map(moment),
        postings: posted.postings.iter().map(posting).collect(),
        external_id: posted.external_id.clone(),
        description: posted.description.clone(),
        metadata: posted.metadata.as_ref().map(ledger::Metadata::entries),
        effective_at: moment(posted.effective_at),
        recorded_at: moment(posted.recorded_at),
        balances_after: after(posted, form),
    }
}

fn posting(posted: &ledger::RecordedPosting) -> Posting {
    Posting {
        ordinal: posted.ordinal,
        phase: posted.phase.name(),
        debit: posted.posting.debit.to_string(),
        credit: posted.posting.credit.to_string(),
        amount: posted.posting.amount.get(),
        currency: posted.posting.currency.code().to_owned(),
        remaining: None,
        posted: None,
        released: None,
        reversed: None,
    }
}
