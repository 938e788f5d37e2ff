//! B1: orders for banks.

use std::collections::BTreeMap;

use diesel::prelude::*;
use engine::errand::waiting;
use store::{AnyConnection, CheckError, Error, TenantId};

use super::{PAGE, tick};
use crate::bank_orders::rows::{bank_order, bank_order_transfer};
use crate::bank_orders::{BANK_TRANSFER, BankOrderId};
use crate::schema::operation;
use crate::{OperationId, OperationKind, OperationState};

/// The states of an operation that has an outcome.
const ENDED: [OperationState; 3] = [
    OperationState::Succeeded,
    OperationState::Failed,
    OperationState::Canceled,
];

/// The columns of an order that are checked.
type Order = (BankOrderId, String, String, i64, i32);
/// A transfer of an order, with the columns of its operation.
type Transfer = (BankOrderId, OperationId, String, String, String, i64);

/// B1: an order is the sum of its payouts, each of its provider and currency; and a payout that is in an order, or has
/// an outcome, waits for no order. Returns the number of orders and of waiting payouts.
///
/// # Errors
/// [`CheckError::Broken`] names the first order or payout that breaks this.
pub fn orders_are_whole(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut after = BankOrderId::from_bytes([0; 16]);
    let mut providers: Vec<String> = Vec::new();
    loop {
        // A page of orders has up to 500 times as many transfers.
        let orders: Vec<Order> = bank_order::table
            .filter(bank_order::tenant_id.eq(tenant))
            .filter(bank_order::id.gt(after))
            .order(bank_order::id)
            .limit(PAGE / 100)
            .select((
                bank_order::id,
                bank_order::provider,
                bank_order::currency,
                bank_order::sum,
                bank_order::transfers,
            ))
            .load(connection)
            .map_err(Error::from)?;
        let Some((last, ..)) = orders.last() else {
            break;
        };
        let ids: Vec<BankOrderId> = orders.iter().map(|(id, ..)| *id).collect();
        after = *last;
        let mut found = transfers(connection, tenant, &ids)?;
        for order in orders {
            tick(&mut examined, progress);
            if !providers.contains(&order.1) {
                providers.push(order.1.clone());
            }
            let of = found.remove(&order.0).unwrap_or_default();
            is_whole(&order, &of)?;
        }
    }
    for provider in providers {
        let subjects = waiting(connection, tenant, BANK_TRANSFER, &provider, PAGE)?;
        let ids: Vec<OperationId> = subjects.into_iter().map(OperationId::from_bytes).collect();
        let ordered: Option<OperationId> = bank_order_transfer::table
            .filter(bank_order_transfer::tenant_id.eq(tenant))
            .filter(bank_order_transfer::operation_id.eq_any(&ids))
            .select(bank_order_transfer::operation_id)
            .first(connection)
            .optional()
            .map_err(Error::from)?;
        if let Some(id) = ordered {
            let detail = "it waits for an order, and is in one already";
            return Err(CheckError::broken(id, detail));
        }
        let ended: Option<OperationId> = operation::table
            .filter(operation::tenant_id.eq(tenant))
            .filter(operation::id.eq_any(&ids))
            .filter(operation::status.eq_any(ENDED.map(OperationState::name)))
            .select(operation::id)
            .first(connection)
            .optional()
            .map_err(Error::from)?;
        if let Some(id) = ended {
            let detail = "it waits for an order, and has an outcome";
            return Err(CheckError::broken(id, detail));
        }
        for _waiting in ids {
            tick(&mut examined, progress);
        }
    }
    Ok(examined)
}

/// The transfers of these orders, by order.
fn transfers(
    connection: &mut AnyConnection,
    tenant: TenantId,
    orders: &[BankOrderId],
) -> Result<BTreeMap<BankOrderId, Vec<Transfer>>, Error> {
    let rows: Vec<Transfer> = bank_order_transfer::table
        .inner_join(
            operation::table.on(operation::tenant_id
                .eq(bank_order_transfer::tenant_id)
                .and(operation::id.eq(bank_order_transfer::operation_id))),
        )
        .filter(bank_order_transfer::tenant_id.eq(tenant))
        .filter(bank_order_transfer::order_id.eq_any(orders))
        .select((
            bank_order_transfer::order_id,
            operation::id,
            operation::kind,
            operation::provider,
            operation::currency,
            operation::amount,
        ))
        .load(connection)?;
    let mut by_order: BTreeMap<BankOrderId, Vec<Transfer>> = BTreeMap::new();
    for row in rows {
        by_order.entry(row.0).or_default().push(row);
    }
    Ok(by_order)
}

fn is_whole(
    (id, provider, currency, sum, count): &Order,
    of: &[Transfer],
) -> Result<(), CheckError> {
    for (_, operation, kind, its_provider, its_currency, _) in of {
        let is_its_own = kind == OperationKind::Payout.name()
            && its_provider == provider
            && its_currency == currency;
        if !is_its_own {
            let detail = format!("{operation} is no payout of {provider} in {currency}");
            return Err(CheckError::broken(id, detail));
        }
    }
    let amounts = of.iter().map(|(.., amount)| *amount);
    let total = amounts.fold(0, i64::saturating_add);
    if (i32::try_from(of.len()).ok(), total) != (Some(*count), *sum) {
        let detail = format!("its payouts are {}, together {total}", of.len());
        return Err(CheckError::broken(id, detail));
    }
    Ok(())
}

/// The ids of orders after this one, in order, at most a page.
pub(super) fn orders_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&BankOrderId>,
) -> Result<Vec<BankOrderId>, Error> {
    let first = BankOrderId::from_bytes([0; 16]);
    Ok(bank_order::table
        .filter(bank_order::tenant_id.eq(tenant))
        .filter(bank_order::id.gt(after.copied().unwrap_or(first)))
        .order(bank_order::id)
        .limit(PAGE)
        .select(bank_order::id)
        .load(connection)?)
}
