//! Everything of payments that must have an audit record.

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::customers::{customers, methods};
use super::orders::orders_after;
use super::{PAGE, payments, settled};
use crate::approvals::ApprovalId;
use crate::bank_accounts::{self, BankAccountId};
use crate::bank_orders::BankOrderId;
use crate::disputes::DisputeId;
use crate::payouts::PayoutId;
use crate::refunds::key::RefundId;
use crate::reserves::ReserveId;
use crate::schema::{approval, dispute, operation, payout, reserve};
use crate::{OperationId, OperationKind, prices, terms};

/// Calls `look` with the kind and the id of each payment, refund, payout, approval, dispute, reserve, customer, payment
/// method, bank account, bank order, matched line, exception, version of the terms and price.
pub(crate) fn each_recordable(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut look: impl FnMut(&'static str, String) -> Result<(), CheckError>,
) -> Result<(), CheckError> {
    let mut payments = payments(tenant);
    while let Some(payment) = payments.next(connection)? {
        look("payment", payment.id.to_string())?;
    }
    let mut refunds: Pages<OperationId> = Pages::new(tenant, refunds_after);
    while let Some(id) = refunds.next(connection)? {
        look("refund", RefundId::of(id).to_string())?;
    }
    let mut payouts: Pages<PayoutId> = Pages::new(tenant, payouts_after);
    while let Some(id) = payouts.next(connection)? {
        look("payout", id.to_string())?;
    }
    let mut approvals: Pages<ApprovalId> = Pages::new(tenant, approvals_after);
    while let Some(id) = approvals.next(connection)? {
        look("approval", id.to_string())?;
    }
    let mut disputes: Pages<DisputeId> = Pages::new(tenant, disputes_after);
    while let Some(id) = disputes.next(connection)? {
        look("dispute", id.to_string())?;
    }
    let mut customers = customers(tenant);
    while let Some(row) = customers.next(connection)? {
        look("customer", row.id.to_string())?;
    }
    let mut methods = methods(tenant);
    while let Some(row) = methods.next(connection)? {
        look("payment_method", row.id.to_string())?;
    }
    let mut accounts: Pages<BankAccountId> = Pages::new(tenant, |connection, tenant, after| {
        bank_accounts::each_id(connection, tenant, after.copied(), PAGE)
    });
    while let Some(id) = accounts.next(connection)? {
        look("bank_account", id.to_string())?;
    }
    let mut orders: Pages<BankOrderId> = Pages::new(tenant, orders_after);
    while let Some(id) = orders.next(connection)? {
        look("bank_order", id.to_string())?;
    }
    let mut reserves: Pages<ReserveId> = Pages::new(tenant, reserves_after);
    while let Some(id) = reserves.next(connection)? {
        look("reserve", id.to_string())?;
    }
    settled::each_recordable(connection, tenant, &mut look)?;
    for version in terms::versions(connection, tenant)? {
        look("terms", version.to_string())?;
    }
    for version in prices::versions(connection, tenant)? {
        look("price", version.to_string())?;
    }
    Ok(())
}

fn refunds_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&OperationId>,
) -> Result<Vec<OperationId>, Error> {
    let first = OperationId::from_bytes([0; 16]);
    Ok(operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::kind.eq(OperationKind::Refund.name()))
        .filter(operation::id.gt(after.copied().unwrap_or(first)))
        .order(operation::id)
        .limit(PAGE)
        .select(operation::id)
        .load(connection)?)
}

fn payouts_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&PayoutId>,
) -> Result<Vec<PayoutId>, Error> {
    let first = PayoutId::from_bytes([0; 16]);
    Ok(payout::table
        .filter(payout::tenant_id.eq(tenant))
        .filter(payout::id.gt(after.copied().unwrap_or(first)))
        .order(payout::id)
        .limit(PAGE)
        .select(payout::id)
        .load(connection)?)
}

fn approvals_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&ApprovalId>,
) -> Result<Vec<ApprovalId>, Error> {
    let first = ApprovalId::from_bytes([0; 16]);
    Ok(approval::table
        .filter(approval::tenant_id.eq(tenant))
        .filter(approval::id.gt(after.copied().unwrap_or(first)))
        .order(approval::id)
        .limit(PAGE)
        .select(approval::id)
        .load(connection)?)
}

fn disputes_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&DisputeId>,
) -> Result<Vec<DisputeId>, Error> {
    let first = DisputeId::from_bytes([0; 16]);
    Ok(dispute::table
        .filter(dispute::tenant_id.eq(tenant))
        .filter(dispute::id.gt(after.copied().unwrap_or(first)))
        .order(dispute::id)
        .limit(PAGE)
        .select(dispute::id)
        .load(connection)?)
}

fn reserves_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&ReserveId>,
) -> Result<Vec<ReserveId>, Error> {
    let first = ReserveId::from_bytes([0; 16]);
    Ok(reserve::table
        .filter(reserve::tenant_id.eq(tenant))
        .filter(reserve::id.gt(after.copied().unwrap_or(first)))
        .order(reserve::id)
        .limit(PAGE)
        .select(reserve::id)
        .load(connection)?)
}
