//! The answers about settlements and exceptions.

use edge::Problem;
use edge::reply::{moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::exception;
use super::resolve::{ResolveError, ResolveException};
use super::{EXCEPTION_RESOLVED, NOTHING_TO_POST};
use crate::balances_after::{AccountAfter, BalancesAfter, answer, moved};
use crate::shapes::*;

/// A settlement: the money of many lines, which the provider sends to the bank as one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settlement {
    /// `set_…`
    #[schema(value_type = SettlementId)]
    pub id: String,
    /// The provider's name of the settlement.
    pub reference: String,
    /// Always `settlement`.
    pub object: &'static str,
    /// The provider.
    pub provider: String,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The day of its latest line.
    #[schema(value_type = Day)]
    pub day: String,
    /// Number of its lines.
    #[schema(value_type = Count)]
    pub lines: i64,
    /// The amounts before fees, in minor units.
    #[schema(value_type = MinorUnits)]
    pub gross: i64,
    /// The provider's fees, in minor units.
    #[schema(value_type = Count)]
    pub fee: i64,
    /// What the provider sends, in minor units.
    #[schema(value_type = MinorUnits)]
    pub net: i64,
    /// What has arrived at the bank, in minor units.
    #[schema(value_type = MinorUnits)]
    pub banked: i64,
    /// Time at which the first line was read.
    #[schema(value_type = Moment)]
    pub created_at: String,
}

/// A line of a settlement report.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettlementLine {
    /// `srl_…`
    #[schema(value_type = SettlementLineId)]
    pub id: String,
    /// Always `settlement_line`.
    pub object: &'static str,
    /// What the line is about.
    #[schema(value_type = SettlementLineKind)]
    pub kind: String,
    /// `matched`, `open`, `ignored` or `resolved`.
    #[schema(value_type = SettlementLineStatus)]
    pub status: String,
    /// The report.
    pub report: String,
    /// Number of the line in its report.
    #[schema(value_type = Count)]
    pub number: i64,
    /// The provider's reference; empty if there is none.
    pub reference: String,
    /// The amount before the fee, in minor units.
    #[schema(value_type = MinorUnits)]
    pub gross: i64,
    /// The provider's fee, in minor units.
    #[schema(value_type = Count)]
    pub fee: i64,
    /// The amount less the fee, in minor units.
    #[schema(value_type = MinorUnits)]
    pub net: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The day of the line.
    #[schema(value_type = Day)]
    pub day: String,
    /// The operation or dispute that it settles.
    #[schema(required)]
    pub subject: Option<String>,
    /// The transaction that was posted.
    #[schema(value_type = Option<TransactionId>, required)]
    pub transaction: Option<String>,
}

pub(super) fn line(row: &super::SettlementLineRow) -> SettlementLine {
    SettlementLine {
        id: row.id.to_string(),
        object: "settlement_line",
        kind: row.kind.clone(),
        status: row.status.clone(),
        report: row.report.clone(),
        number: row.number,
        reference: row.reference.clone(),
        gross: row.gross,
        fee: row.fee,
        net: row.net,
        currency: row.currency.clone(),
        day: calendars::date_of(row.day).to_string(),
        subject: row.subject.clone(),
        transaction: row.transaction_id.map(|id| id.to_string()),
    }
}

/// A difference that reconciliation has found.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciliationException {
    /// `exc_…`
    #[schema(value_type = ExceptionId)]
    pub id: String,
    /// Always `reconciliation_exception`.
    pub object: &'static str,
    /// The kind of the difference.
    #[schema(value_type = ExceptionKindName)]
    pub kind: &'static str,
    /// `open` or `resolved`.
    #[schema(value_type = ExceptionStatus)]
    pub status: &'static str,
    /// The line, operation, dispute or report that it is about.
    pub subject: String,
    /// The provider, or the account at the bank.
    pub provider: String,
    /// The amount in minor units, with its sign on the side where it was found.
    #[schema(value_type = MinorUnits)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The day of the difference.
    #[schema(value_type = Day)]
    pub day: String,
    /// The difference in words.
    pub detail: String,
    /// The fee by the agreed price, in minor units; null if the exception is about something else.
    #[schema(value_type = Option<Count>, required)]
    pub expected_fee: Option<i64>,
    /// The fee in the report, in minor units; null if the exception is about something else.
    #[schema(value_type = Option<Count>, required)]
    pub reported_fee: Option<i64>,
    /// How it was resolved; null while it is open.
    #[schema(required)]
    pub resolution: Option<&'static str>,
    /// The reason that a person gave.
    #[schema(required)]
    pub reason: Option<String>,
    /// The person who has resolved it, by the label of the API key.
    #[schema(required)]
    pub resolved_by: Option<String>,
    /// The transaction that was posted.
    #[schema(value_type = Option<TransactionId>, required)]
    pub transaction: Option<String>,
    /// Number of the version, from 1.
    #[schema(value_type = Count)]
    pub version: i64,
    /// Time at which it was found.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// Time at which it was resolved.
    #[schema(value_type = Option<Moment>, required)]
    pub resolved_at: Option<String>,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(ReconciliationException);

pub(super) fn settlement(row: &super::SettlementRow) -> Settlement {
    Settlement {
        id: row.id.to_string(),
        reference: row.reference.clone(),
        object: "settlement",
        provider: row.provider.clone(),
        currency: row.currency.clone(),
        day: calendars::date_of(row.day).to_string(),
        lines: row.lines,
        gross: row.gross,
        fee: row.fee,
        net: row.net,
        banked: row.banked,
        created_at: moment(store::Timestamp::from_micros(row.created_at)),
    }
}

pub(super) fn exception(row: &exception::Exception) -> ReconciliationException {
    ReconciliationException {
        id: row.id.to_string(),
        object: "reconciliation_exception",
        kind: row.kind.name(),
        status: super::rows::status(row),
        subject: row.subject.clone(),
        provider: row.provider.clone(),
        amount: row.amount,
        currency: row.currency.clone(),
        day: calendars::date_of(row.day).to_string(),
        detail: row.detail.clone(),
        expected_fee: row.fees.map(|fees| fees.expected),
        reported_fee: row.fees.map(|fees| fees.reported),
        resolution: row.resolution.map(exception::Resolution::name),
        reason: row.reason.clone(),
        resolved_by: row.closed_by.clone(),
        transaction: row.transaction.map(|id| id.to_string()),
        version: row.version,
        created_at: moment(row.opened_at),
        resolved_at: row.closed_at.map(moment),
        balances_after: None,
    }
}

pub(super) fn resolved(
    (done, after): &(exception::Exception, BalancesAfter),
    _is_dry_run: bool,
) -> Reply {
    answer(200, exception(done), after)
}

pub(super) fn show_refusal(_command: &ResolveException, rule: &ResolveError) -> RefusalReply {
    let code = match rule {
        ResolveError::NotFound => edge::code::NOT_FOUND,
        ResolveError::Resolved => EXCEPTION_RESOLVED,
        ResolveError::NothingToPost(_) | ResolveError::Ledger(_) => NOTHING_TO_POST,
    };
    let problem = Problem::new(code).with_detail(format!("{rule}."));
    refusal_reply(&problem, code.name)
}
