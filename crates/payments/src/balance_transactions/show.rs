//! The answer about the movements of the balance.

use edge::reply::moment;
use serde::Serialize;
use utoipa::ToSchema;

use crate::refunds::key::RefundId;
use crate::shapes::*;
use crate::{OperationKind, OperationOwner};

/// A movement of the merchant's balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceTransaction {
    /// `txn_…`: the transaction of the ledger.
    #[schema(value_type = TransactionId)]
    pub id: String,
    /// Always `balance_transaction`.
    pub object: &'static str,
    /// The purpose: the name of a posting set of payments, or the kind of another transaction.
    pub kind: String,
    /// The amount before the fee: `net` and `fee` together, in minor units.
    #[schema(value_type = MinorUnits)]
    pub amount: i64,
    /// The fee, in minor units.
    #[schema(value_type = MinorUnits)]
    pub fee: i64,
    /// The change of the balance, in minor units: `available`, `pending` and `reserved` together.
    #[schema(value_type = MinorUnits)]
    pub net: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The change of what is available, in minor units.
    #[schema(value_type = MinorUnits)]
    pub available: i64,
    /// The change of what is pending, in minor units.
    #[schema(value_type = MinorUnits)]
    pub pending: i64,
    /// The change of what is reserved, in minor units.
    #[schema(value_type = MinorUnits)]
    pub reserved: i64,
    /// The payment, refund, payout or dispute that has moved the balance; null for another transaction.
    #[schema(required)]
    pub source: Option<String>,
    /// The payment that the movement belongs to, if it belongs to one.
    #[schema(value_type = Option<PaymentId>, required)]
    pub payment: Option<String>,
    /// The operation that the movement belongs to, if it belongs to one.
    #[schema(value_type = Option<OperationId>, required)]
    pub operation: Option<String>,
    /// The day on which the money is available, in UTC; null if it is not pending.
    #[schema(value_type = Option<Day>, required)]
    pub available_on: Option<String>,
    /// Time at which the balance was moved.
    #[schema(value_type = Moment)]
    pub created_at: String,
}

/// A movement of the balance in a currency.
pub(super) fn movement(movement: &super::BalanceTransaction, currency: &str) -> BalanceTransaction {
    let [available, pending, reserved] = movement.changes;
    let net = available.saturating_add(pending).saturating_add(reserved);
    let operation = movement.operation.as_ref();
    let of_payment = operation.filter(|it| it.kind.owner() == OperationOwner::Payment);
    let payment = of_payment.map(|operation| operation.payment().to_string());
    let day = operation.and_then(|operation| operation.available_on);
    let day = day.filter(|_| pending > 0).map(calendars::date_of);
    let transaction = &movement.transaction;
    BalanceTransaction {
        id: transaction.id.to_string(),
        object: "balance_transaction",
        kind: transaction.kind.name().to_owned(),
        amount: net.saturating_add(movement.fee),
        fee: movement.fee,
        net,
        currency: currency.to_owned(),
        available,
        pending,
        reserved,
        source: source(movement),
        payment,
        operation: operation.map(|operation| operation.id.to_string()),
        available_on: day.map(|day| day.to_string()),
        created_at: moment(transaction.recorded_at),
    }
}

/// The thing that has moved the balance.
fn source(movement: &super::BalanceTransaction) -> Option<String> {
    let Some(operation) = &movement.operation else {
        let (subject, _set) = movement.transaction.external_id.as_ref()?.split_once(':')?;
        return subject.starts_with("dp_").then(|| subject.to_owned());
    };
    Some(match operation.kind {
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Capture
        | OperationKind::Void
        | OperationKind::Increment => operation.payment().to_string(),
        OperationKind::Refund | OperationKind::RefundReturn => {
            RefundId::of(operation.id).to_string()
        }
        OperationKind::Payout | OperationKind::PayoutReturn => operation.payout().to_string(),
        OperationKind::Evidence => operation.dispute().to_string(),
    })
}
