//! The tables of settlement lines, settlements and exceptions.

use ledger::TransactionId;
use store::{Error, TenantId, Timestamp};

use super::exception::{Exception, ExceptionId, ExceptionKind, Fees, Resolution};
use super::{ReportLine, SettlementId, SettlementLineId};

/// The status of a line that was matched.
pub(super) const MATCHED: &str = "matched";
/// The status of a line that is not matched.
pub(super) const OPEN: &str = "open";
/// The status of a line that is no money of its own.
pub(super) const IGNORED: &str = "ignored";
/// The status of an exception, or of its line, that a person has resolved.
pub(super) const RESOLVED: &str = "resolved";

store::bulk_insert! {
    /// A row of `settlement_line`. Amounts are minor units, times microseconds since 1970.
    pub struct SettlementLineRow in settlement_line {
        tenant_id: TenantId,
        id: SettlementLineId,
        number: i64,
        content: Vec<u8>,
        provider: String,
        report: String,
        kind: String,
        reference: String,
        gross: i64,
        fee: i64,
        net: i64,
        currency: String,
        day: i32,
        settlement: String,
        status: String,
        subject: Option<String>,
        transaction_id: Option<TransactionId>,
        created_at: i64,
    }
}

store::bulk_update! {
    /// An open line that was matched or resolved.
    pub struct LineResolved in settlement_line {
        find { tenant_id: TenantId = tenant_id, id: SettlementLineId = id, seen_status: String = status }
        set {
            status: String = status,
            subject: Option<String> = subject,
            transaction_id: Option<TransactionId> = transaction_id,
        }
    }
}

store::bulk_find! {
    /// A line by its content.
    pub struct LineByContent => SettlementLineRow in settlement_line {
        /// SHA-256 of the content and of the ordinal among equal lines.
        content: Vec<u8>,
    }
}

store::bulk_find! {
    /// The lines of a subject.
    pub struct LineBySubject => SettlementLineRow in settlement_line {
        /// The operation or dispute that is settled.
        subject: String,
    }
}

store::bulk_insert! {
    /// A row of `settlement`. Amounts are minor units, times microseconds since 1970.
    pub struct SettlementRow in settlement {
        tenant_id: TenantId,
        id: SettlementId,
        provider: String,
        reference: String,
        currency: String,
        day: i32,
        lines: i64,
        gross: i64,
        fee: i64,
        net: i64,
        banked: i64,
        version: i64,
        created_at: i64,
        updated_at: i64,
    }
}

store::bulk_update! {
    /// A changed settlement, with the version at which it was read.
    pub struct SettlementChange in settlement {
        find {
            tenant_id: TenantId = tenant_id,
            id: SettlementId = id,
            seen_version: i64 = version,
        }
        set {
            day: i32 = day,
            lines: i64 = lines,
            gross: i64 = gross,
            fee: i64 = fee,
            net: i64 = net,
            banked: i64 = banked,
            next_version: i64 = version,
            updated_at: i64 = updated_at,
        }
    }
}

store::bulk_find! {
    /// The settlements that are called so.
    pub struct SettlementByReference => SettlementRow in settlement {
        /// The provider's name of the settlement.
        reference: String,
    }
}

store::bulk_insert! {
    /// A row of `reconciliation_exception`.
    pub struct ExceptionRow in reconciliation_exception {
        tenant_id: TenantId,
        id: ExceptionId,
        kind: String,
        subject: String,
        provider: String,
        amount: i64,
        currency: String,
        day: i32,
        detail: String,
        status: String,
        resolution: Option<String>,
        reason: Option<String>,
        closed_by: Option<String>,
        transaction_id: Option<TransactionId>,
        version: i64,
        opened_at: i64,
        closed_at: Option<i64>,
        expected_fee: Option<i64>,
        reported_fee: Option<i64>,
    }
}

store::bulk_update! {
    /// A changed exception, with the version at which it was read.
    pub struct ExceptionChange in reconciliation_exception {
        find { tenant_id: TenantId = tenant_id, id: ExceptionId = id, seen_version: i64 = version }
        set {
            status: String = status,
            resolution: Option<String> = resolution,
            reason: Option<String> = reason,
            closed_by: Option<String> = closed_by,
            transaction_id: Option<TransactionId> = transaction_id,
            next_version: i64 = version,
            closed_at: Option<i64> = closed_at,
        }
    }
}

store::bulk_find! {
    /// The exceptions about a subject.
    pub struct ExceptionBySubject => ExceptionRow in reconciliation_exception {
        /// The id of the subject.
        subject: String,
    }
}

store::bulk_find! {
    /// An exception by its id.
    pub struct ExceptionById => ExceptionRow in reconciliation_exception {
        /// Its id.
        id: ExceptionId,
    }
}

impl SettlementLineRow {
    /// The row of a new line.
    pub(super) fn of(
        tenant_id: TenantId,
        id: SettlementLineId,
        (provider, report): (&str, &str),
        line: &ReportLine,
        now: Timestamp,
    ) -> Self {
        Self {
            tenant_id,
            id,
            number: line.number,
            content: line.content.to_vec(),
            provider: provider.to_owned(),
            report: report.to_owned(),
            kind: line.kind.name().to_owned(),
            reference: line.reference.clone(),
            gross: line.gross,
            fee: line.fee,
            net: line.net(),
            currency: line.currency.code().to_owned(),
            day: line.day,
            settlement: line.settlement.clone(),
            status: OPEN.to_owned(),
            subject: None,
            transaction_id: None,
            created_at: now.micros(),
        }
    }
}

impl ExceptionRow {
    pub(super) fn of(tenant_id: TenantId, row: &Exception) -> Self {
        Self {
            tenant_id,
            id: row.id,
            kind: row.kind.name().to_owned(),
            subject: row.subject.clone(),
            provider: row.provider.clone(),
            amount: row.amount,
            currency: row.currency.clone(),
            day: row.day,
            detail: row.detail.clone(),
            status: status(row).to_owned(),
            resolution: row.resolution.map(|one| one.name().to_owned()),
            reason: row.reason.clone(),
            closed_by: row.closed_by.clone(),
            transaction_id: row.transaction,
            version: row.version,
            opened_at: row.opened_at.micros(),
            closed_at: row.closed_at.map(Timestamp::micros),
            expected_fee: row.fees.map(|fees| fees.expected),
            reported_fee: row.fees.map(|fees| fees.reported),
        }
    }

    /// # Errors
    /// [`Error::Refused`] for a row that this program never writes.
    pub(super) fn read(self) -> Result<Exception, Error> {
        let wrong = |column: &str| Error::Refused(format!("exception {}: bad {column}", self.id));
        let resolution = match &self.resolution {
            None => None,
            Some(name) => Some(Resolution::from_name(name).ok_or_else(|| wrong("resolution"))?),
        };
        Ok(Exception {
            id: self.id,
            kind: ExceptionKind::from_name(&self.kind).ok_or_else(|| wrong("kind"))?,
            subject: self.subject,
            provider: self.provider,
            amount: self.amount,
            currency: self.currency,
            day: self.day,
            detail: self.detail,
            fees: self
                .expected_fee
                .zip(self.reported_fee)
                .map(|(expected, reported)| Fees { expected, reported }),
            resolution,
            reason: self.reason,
            closed_by: self.closed_by,
            transaction: self.transaction_id,
            version: self.version,
            opened_at: Timestamp::from_micros(self.opened_at),
            closed_at: self.closed_at.map(Timestamp::from_micros),
        })
    }
}

/// The status of an exception.
pub(super) const fn status(exception: &Exception) -> &'static str {
    match exception.resolution {
        None => OPEN,
        Some(_) => RESOLVED,
    }
}
