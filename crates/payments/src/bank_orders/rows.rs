//! The tables of orders.

use diesel::prelude::*;
use engine::errand::waiting as errands_of;
use money::{Amount, Currency, Money};
use store::{AnyConnection, Error, TenantId, Timestamp};

use super::{BANK_TRANSFER, BankOrder, BankOrderId, MAX_TRANSFERS, named};
use crate::bank_accounts::BankAccountId;
use crate::schema::operation;
use crate::{OperationId, OperationKind};

diesel::table! {
    bank_order (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        provider -> Text,
        currency -> Text,
        sum -> BigInt,
        transfers -> Integer,
        requested_on -> Integer,
        file -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    bank_order_transfer (tenant_id, operation_id) {
        tenant_id -> BigInt,
        operation_id -> Binary,
        order_id -> Binary,
        position -> Integer,
    }
}

diesel::allow_tables_to_appear_in_same_query!(bank_order_transfer, operation);

store::bulk_insert! {
    /// A row of `bank_order`. The sum is in minor units, the time in microseconds since 1970.
    pub struct BankOrderRow in bank_order {
        tenant_id: TenantId,
        id: BankOrderId,
        provider: String,
        currency: String,
        sum: i64,
        transfers: i32,
        requested_on: i32,
        file: Vec<u8>,
        created_at: i64,
    }
}

store::bulk_insert! {
    /// A row of `bank_order_transfer`: a payout in an order.
    pub struct BankTransferRow in bank_order_transfer {
        tenant_id: TenantId,
        operation_id: OperationId,
        order_id: BankOrderId,
        position: i32,
    }
}

/// A transfer of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The operation.
    pub operation: OperationId,
    /// The name of the operation for its provider.
    pub provider_key: String,
    /// The money that was ordered.
    pub money: Money,
}

/// The payouts that wait for an order of a provider, oldest first, with their bank accounts: as many as an order has.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn waiting(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider: &str,
) -> Result<Vec<(OperationId, BankAccountId)>, Error> {
    let subjects = errands_of(connection, tenant, BANK_TRANSFER, provider, MAX_TRANSFERS)?;
    let ids: Vec<OperationId> = subjects.into_iter().map(OperationId::from_bytes).collect();
    let rows: Vec<(OperationId, String)> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.eq_any(&ids))
        .order(operation::id)
        .select((operation::id, operation::payment_method))
        .load(connection)?;
    let rows = rows.into_iter();
    Ok(rows
        .filter_map(|(id, destination)| Some((id, destination.parse().ok()?)))
        .collect())
}

/// The transfers of the order whose file has this message id; `None` if the provider has no such order.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn of_message(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider: &str,
    message_id: &str,
) -> Result<Option<Vec<Ordered>>, Error> {
    let Some(id) = named(message_id).map(|id| BankOrderId::from_bytes(id.bytes())) else {
        return Ok(None);
    };
    let order: Option<String> = bank_order::table
        .find((tenant, id))
        .select(bank_order::provider)
        .first(connection)
        .optional()?;
    if order.as_deref() != Some(provider) {
        return Ok(None);
    }
    let rows: Vec<(OperationId, String, i64, String)> = bank_order_transfer::table
        .inner_join(
            operation::table.on(operation::tenant_id
                .eq(bank_order_transfer::tenant_id)
                .and(operation::id.eq(bank_order_transfer::operation_id))),
        )
        .filter(bank_order_transfer::tenant_id.eq(tenant))
        .filter(bank_order_transfer::order_id.eq(id))
        .order(bank_order_transfer::position)
        .select((
            operation::id,
            operation::provider_key,
            operation::amount,
            operation::currency,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(ordered)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The payouts of a provider among these operations.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn open_transfers(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider: &str,
    ids: &[OperationId],
) -> Result<Vec<Ordered>, Error> {
    let mut found = Vec::new();
    // A statement may name more than one statement of the database has room for.
    for some in ids.chunks(500) {
        let rows: Vec<(OperationId, String, i64, String)> = operation::table
            .filter(operation::tenant_id.eq(tenant))
            .filter(operation::id.eq_any(some))
            .filter(operation::provider.eq(provider))
            .filter(operation::kind.eq(OperationKind::Payout.name()))
            .select((
                operation::id,
                operation::provider_key,
                operation::amount,
                operation::currency,
            ))
            .load(connection)?;
        for row in rows {
            found.push(ordered(row)?);
        }
    }
    Ok(found)
}

fn ordered(
    (operation, provider_key, amount, currency): (OperationId, String, i64, String),
) -> Result<Ordered, Error> {
    let wrong = |column: &str| Error::Refused(format!("operation {operation}: bad {column}"));
    Ok(Ordered {
        operation,
        provider_key,
        money: Money {
            amount: Amount::new(amount).map_err(|_rule| wrong("amount"))?,
            currency: Currency::from_code(&currency).map_err(|_unknown| wrong("currency"))?,
        },
    })
}

/// One order of the tenant with its file, if it exists.
pub(super) fn order(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: BankOrderId,
) -> Result<Option<(BankOrder, Vec<u8>)>, Error> {
    let row: Option<BankOrderRow> = bank_order::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    let read = |mut row: BankOrderRow| {
        let file = std::mem::take(&mut row.file);
        Ok((row.read()?, file))
    };
    row.map(read).transpose()
}

/// The file of an order; empty if the tenant has no such order.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn file_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: BankOrderId,
) -> Result<Vec<u8>, Error> {
    let found = order(connection, tenant, id)?;
    Ok(found.map_or_else(Vec::new, |(_, file)| file))
}

/// At most `limit` orders, newest first, that were made before the order `before`.
pub(super) fn orders(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<BankOrderId>,
    limit: i64,
) -> Result<Vec<BankOrder>, Error> {
    let newest = BankOrderId::from_bytes([0xff; 16]);
    let rows: Vec<BankOrderRow> = bank_order::table
        .filter(bank_order::tenant_id.eq(tenant))
        .filter(bank_order::id.lt(before.unwrap_or(newest)))
        .order(bank_order::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(BankOrderRow::read).collect()
}

impl BankOrderRow {
    pub(super) fn of(tenant_id: TenantId, row: &BankOrder, file: &[u8]) -> Self {
        Self {
            tenant_id,
            id: row.id,
            provider: row.provider.clone(),
            currency: row.currency.code().to_owned(),
            sum: row.sum,
            transfers: row.transfers,
            requested_on: row.requested_on,
            file: file.to_vec(),
            created_at: row.created_at.micros(),
        }
    }

    pub(crate) fn read(self) -> Result<BankOrder, Error> {
        let wrong = |column: &str| Error::Refused(format!("bank_order {}: bad {column}", self.id));
        Ok(BankOrder {
            id: self.id,
            currency: Currency::from_code(&self.currency).map_err(|_unknown| wrong("currency"))?,
            provider: self.provider,
            sum: self.sum,
            transfers: self.transfers,
            requested_on: self.requested_on,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}
