//! The table of payouts.

use diesel::prelude::*;
use ledger::AccountId;
use money::{Amount, Currency, Money};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::payout::{Payout, PayoutId};
use super::state::PayoutState;
use crate::approvals::state::ApprovalId;
use crate::customers::CustomerId;
use crate::schema::payout;
use crate::{Shelf, texts};

store::bulk_insert! {
    /// A row of `payout`. Amounts are minor units, times microseconds since 1970.
    pub struct PayoutRow in payout {
        tenant_id: TenantId,
        id: PayoutId,
        amount: i64,
        currency: String,
        source: Option<AccountId>,
        customer_id: Option<CustomerId>,
        destination: String,
        description: Option<String>,
        status: String,
        provider: String,
        approval: Option<ApprovalId>,
        decline_code: Option<String>,
        is_returned: i16,
        operations: i32,
        idempotency_key: String,
        version: i64,
        created_at: i64,
        updated_at: i64,
        metadata: Option<String>,
    }
}

store::bulk_update! {
    /// A changed payout, with the version at which it was locked.
    pub struct PayoutChange in payout {
        find { tenant_id: TenantId = tenant_id, id: PayoutId = id, seen_version: i64 = version }
        set {
            status: String = status,
            decline_code: Option<String> = decline_code,
            is_returned: i16 = is_returned,
            operations: i32 = operations,
            next_version: i64 = version,
            updated_at: i64 = updated_at,
            metadata: Option<String> = metadata,
        }
    }
}

store::bulk_find! {
    /// A payout by its id.
    pub struct PayoutById => PayoutRow in payout {
        /// Its id.
        id: PayoutId,
    }
}

/// The payouts with these ids, locked.
pub(crate) fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[PayoutId],
) -> Result<Vec<Payout>, Error> {
    let ids: Vec<PayoutById> = ids.iter().map(|id| PayoutById { id: *id }).collect();
    let rows = PayoutById::find(connection, Lock::Rows, tenant, &ids)?;
    rows.into_iter().map(PayoutRow::read).collect()
}

/// Adds the writes of the changed payouts.
pub(crate) fn save(writes: &mut Writes, tenant_id: TenantId, shelf: &Shelf) {
    let new: Vec<PayoutRow> = shelf
        .new_payouts()
        .map(|row| PayoutRow::of(tenant_id, row))
        .collect();
    writes.add(new);
    let changed: Vec<PayoutChange> = shelf
        .changed_payouts()
        .map(|(row, seen_version)| PayoutChange {
            tenant_id,
            id: row.id,
            seen_version,
            status: row.state.name().to_owned(),
            decline_code: row.decline_code.clone(),
            is_returned: i16::from(row.is_returned),
            operations: row.operations,
            next_version: row.version,
            updated_at: row.updated_at.micros(),
            metadata: texts::stored(row.metadata.as_ref()),
        })
        .collect();
    writes.add(changed);
}

/// The payouts with these ids.
pub(crate) fn payouts_by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: impl Iterator<Item = [u8; 16]>,
) -> Result<Vec<Payout>, Error> {
    let ids = ids.map(PayoutId::from_bytes);
    let ids: Vec<PayoutById> = ids.map(|id| PayoutById { id }).collect();
    let rows = PayoutById::find(connection, Lock::Nothing, tenant, &ids)?;
    rows.into_iter().map(PayoutRow::read).collect()
}

/// One payout of the tenant, if it exists.
pub(super) fn payout(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: PayoutId,
) -> Result<Option<Payout>, Error> {
    let row: Option<PayoutRow> = payout::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(PayoutRow::read).transpose()
}

/// At most `limit` payouts, newest first, that were made before the payout `before`.
pub(super) fn payouts(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<PayoutId>,
    limit: i64,
) -> Result<Vec<Payout>, Error> {
    let newest = PayoutId::from_bytes([0xff; 16]);
    let rows: Vec<PayoutRow> = payout::table
        .filter(payout::tenant_id.eq(tenant))
        .filter(payout::id.lt(before.unwrap_or(newest)))
        .order(payout::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(PayoutRow::read).collect()
}

impl PayoutRow {
    fn of(tenant_id: TenantId, row: &Payout) -> Self {
        Self {
            tenant_id,
            id: row.id,
            amount: row.money.amount.get(),
            currency: row.money.currency.code().to_owned(),
            source: row.source,
            customer_id: row.customer,
            destination: row.destination.clone(),
            description: row.description.clone(),
            status: row.state.name().to_owned(),
            provider: row.provider.clone(),
            approval: row.approval,
            decline_code: row.decline_code.clone(),
            is_returned: i16::from(row.is_returned),
            operations: row.operations,
            idempotency_key: row.idempotency_key.clone(),
            version: row.version,
            created_at: row.created_at.micros(),
            updated_at: row.updated_at.micros(),
            metadata: texts::stored(row.metadata.as_ref()),
        }
    }

    pub(crate) fn read(self) -> Result<Payout, Error> {
        let wrong = |column: &str| Error::Refused(format!("payout {}: bad {column}", self.id));
        Ok(Payout {
            id: self.id,
            money: Money {
                amount: Amount::new(self.amount).map_err(|_rule| wrong("amount"))?,
                currency: Currency::from_code(&self.currency)
                    .map_err(|_unknown| wrong("currency"))?,
            },
            metadata: texts::read(self.metadata.as_deref()).ok_or_else(|| wrong("metadata"))?,
            source: self.source,
            customer: self.customer_id,
            destination: self.destination,
            description: self.description,
            state: PayoutState::from_name(&self.status).ok_or_else(|| wrong("status"))?,
            provider: self.provider,
            approval: self.approval,
            decline_code: self.decline_code,
            is_returned: self.is_returned != 0,
            operations: self.operations,
            idempotency_key: self.idempotency_key,
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}
