//! The table of disputes.

use diesel::prelude::*;
use money::{Amount, Currency, Money};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::dispute::{Dispute, DisputeId, DisputeState};
use super::evidence::Evidence;
use crate::schema::dispute;
use crate::{OperationId, PaymentId, Shelf};

store::bulk_insert! {
    /// A row of `dispute`. Amounts are minor units, times microseconds since 1970.
    pub struct DisputeRow in dispute {
        tenant_id: TenantId,
        id: DisputeId,
        payment_id: PaymentId,
        provider: String,
        reference: String,
        amount: i64,
        currency: String,
        fee: i64,
        blocked: i64,
        reason: String,
        status: String,
        is_withdrawn: i16,
        is_reinstated: i16,
        is_released: i16,
        version: i64,
        created_at: i64,
        updated_at: i64,
        evidence: Option<String>,
        evidence_due_by: Option<i64>,
        submissions: i32,
        submission: Option<OperationId>,
        submitted_at: Option<i64>,
        evidence_decline_code: Option<String>,
    }
}

store::bulk_update! {
    /// A changed dispute, with the version at which it was locked.
    pub struct DisputeChange in dispute {
        find { tenant_id: TenantId = tenant_id, id: DisputeId = id, seen_version: i64 = version }
        set {
            status: String = status,
            is_withdrawn: i16 = is_withdrawn,
            is_reinstated: i16 = is_reinstated,
            is_released: i16 = is_released,
            next_version: i64 = version,
            updated_at: i64 = updated_at,
            evidence: Option<String> = evidence,
            evidence_due_by: Option<i64> = evidence_due_by,
            submissions: i32 = submissions,
            submission: Option<OperationId> = submission,
            submitted_at: Option<i64> = submitted_at,
            evidence_decline_code: Option<String> = evidence_decline_code,
        }
    }
}

store::bulk_find! {
    /// A dispute by the provider's reference.
    pub struct DisputeByReference => DisputeRow in dispute {
        /// The provider's reference.
        reference: String,
    }
}

store::bulk_find! {
    /// A dispute by its id.
    pub struct DisputeById => DisputeRow in dispute {
        /// Its id.
        id: DisputeId,
    }
}

store::bulk_find! {
    /// The disputes of a payment: as many as the payer's bank has opened.
    pub struct DisputesOfPayment => DisputeRow in dispute {
        /// The payment.
        payment_id: PaymentId,
    }
}

/// All disputes of these payments. No payment may occur twice.
pub(crate) fn of_payments(
    connection: &mut AnyConnection,
    tenant: TenantId,
    payments: &[PaymentId],
) -> Result<Vec<Dispute>, Error> {
    let payments = payments.iter();
    let payments: Vec<DisputesOfPayment> = payments
        .map(|id| DisputesOfPayment { payment_id: *id })
        .collect();
    let rows = DisputesOfPayment::find(connection, Lock::Nothing, tenant, &payments)?;
    rows.into_iter().map(DisputeRow::read).collect()
}

/// The disputes with these references or ids, locked in the order of their ids.
pub(crate) fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut references: Vec<String>,
    mut ids: Vec<DisputeId>,
) -> Result<Vec<Dispute>, Error> {
    references.sort_unstable();
    references.dedup();
    let references = references.into_iter();
    let references: Vec<DisputeByReference> = references
        .map(|reference| DisputeByReference { reference })
        .collect();
    let named = DisputeByReference::find(connection, Lock::Nothing, tenant, &references)?;
    ids.extend(named.iter().map(|row| row.id));
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<DisputeById> = ids.into_iter().map(|id| DisputeById { id }).collect();
    let rows = DisputeById::find(connection, Lock::Rows, tenant, &ids)?;
    rows.into_iter().map(DisputeRow::read).collect()
}

/// Adds the writes of the changed disputes.
pub(crate) fn save(writes: &mut Writes, tenant_id: TenantId, shelf: &Shelf) {
    let new: Vec<DisputeRow> = shelf
        .new_disputes()
        .map(|row| DisputeRow::of(tenant_id, row))
        .collect();
    writes.add(new);
    let changed: Vec<DisputeChange> = shelf
        .changed_disputes()
        .map(|(row, seen_version)| DisputeChange {
            tenant_id,
            id: row.id,
            seen_version,
            status: row.state.name().to_owned(),
            is_withdrawn: row.is_withdrawn.into(),
            is_reinstated: row.is_reinstated.into(),
            is_released: row.is_released.into(),
            next_version: row.version,
            updated_at: row.updated_at.micros(),
            evidence: row.evidence.as_ref().map(Evidence::as_json),
            evidence_due_by: row.evidence_due_by.map(Timestamp::micros),
            submissions: row.submissions,
            submission: row.submission,
            submitted_at: row.submitted_at.map(Timestamp::micros),
            evidence_decline_code: row.evidence_decline_code.clone(),
        })
        .collect();
    writes.add(changed);
}

/// One dispute of the tenant, if it exists.
pub(super) fn dispute(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: DisputeId,
) -> Result<Option<Dispute>, Error> {
    let row: Option<DisputeRow> = dispute::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(DisputeRow::read).transpose()
}

/// At most `limit` disputes, newest first, that became known before the dispute `before`.
pub(super) fn disputes(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<DisputeId>,
    limit: i64,
) -> Result<Vec<Dispute>, Error> {
    let newest = DisputeId::from_bytes([0xff; 16]);
    let rows: Vec<DisputeRow> = dispute::table
        .filter(dispute::tenant_id.eq(tenant))
        .filter(dispute::id.lt(before.unwrap_or(newest)))
        .order(dispute::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(DisputeRow::read).collect()
}

impl DisputeRow {
    fn of(tenant_id: TenantId, row: &Dispute) -> Self {
        Self {
            tenant_id,
            id: row.id,
            payment_id: row.payment,
            provider: row.provider.clone(),
            reference: row.reference.clone(),
            amount: row.money.amount.get(),
            currency: row.money.currency.code().to_owned(),
            fee: row.fee,
            blocked: row.blocked,
            reason: row.reason.clone(),
            status: row.state.name().to_owned(),
            is_withdrawn: row.is_withdrawn.into(),
            is_reinstated: row.is_reinstated.into(),
            is_released: row.is_released.into(),
            version: row.version,
            created_at: row.created_at.micros(),
            updated_at: row.updated_at.micros(),
            evidence: row.evidence.as_ref().map(Evidence::as_json),
            evidence_due_by: row.evidence_due_by.map(Timestamp::micros),
            submissions: row.submissions,
            submission: row.submission,
            submitted_at: row.submitted_at.map(Timestamp::micros),
            evidence_decline_code: row.evidence_decline_code.clone(),
        }
    }

    pub(crate) fn read(self) -> Result<Dispute, Error> {
        let wrong = |column: &str| Error::Refused(format!("dispute {}: bad {column}", self.id));
        Ok(Dispute {
            id: self.id,
            payment: self.payment_id,
            money: Money {
                amount: Amount::new(self.amount).map_err(|_rule| wrong("amount"))?,
                currency: Currency::from_code(&self.currency)
                    .map_err(|_unknown| wrong("currency"))?,
            },
            provider: self.provider,
            reference: self.reference,
            fee: self.fee,
            blocked: self.blocked,
            reason: self.reason,
            state: DisputeState::from_name(&self.status).ok_or_else(|| wrong("status"))?,
            is_withdrawn: self.is_withdrawn != 0,
            is_reinstated: self.is_reinstated != 0,
            is_released: self.is_released != 0,
            evidence: match self.evidence.as_deref() {
                Some(json) => Some(Evidence::stored(json).ok_or_else(|| wrong("evidence"))?),
                None => None,
            },
            evidence_due_by: self.evidence_due_by.map(Timestamp::from_micros),
            submissions: self.submissions,
            submission: self.submission,
            submitted_at: self.submitted_at.map(Timestamp::from_micros),
            evidence_decline_code: self.evidence_decline_code,
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}
