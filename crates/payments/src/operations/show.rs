//! The answer about operations.

use edge::reply::moment;
use serde::Serialize;
use utoipa::ToSchema;

use crate::balances_after::{AccountAfter, moved};
use crate::shapes::*;

/// An operation in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operation {
    /// `op_…`. The provider gets it as its idempotency key.
    #[schema(value_type = OperationId)]
    pub id: String,
    /// Always `operation`.
    pub object: &'static str,
    /// What the provider is asked to do.
    #[schema(value_type = OperationKindName)]
    pub kind: &'static str,
    /// The state.
    #[schema(value_type = OperationStatus)]
    pub status: &'static str,
    /// The amount, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// Number of the conversation with a provider, from 1.
    #[schema(value_type = Count)]
    pub attempt: i32,
    /// The provider.
    pub provider: String,
    /// The provider's reference of its record.
    #[schema(required)]
    pub provider_reference: Option<String>,
    /// The provider's token for the payment method.
    pub payment_method: String,
    /// The provider's reason, if it has refused the operation.
    #[schema(required)]
    pub decline_code: Option<String>,
    /// The fee, in minor units.
    #[schema(value_type = Count)]
    pub fee: i64,
    /// The version of the terms that the fee and the day are from; null without terms.
    #[schema(value_type = Option<Count>, required)]
    pub terms: Option<i32>,
    /// The day on which the captured money is available, in UTC.
    #[schema(value_type = Option<Day>, required)]
    pub available_on: Option<String>,
    /// The part of the money that is not available yet, in minor units.
    #[schema(value_type = Count)]
    pub pending: i64,
    /// The money that was taken although the operation had failed and about which nobody has decided, in minor units. It
    /// is in `unallocated_receipts`.
    #[schema(value_type = Count)]
    pub unallocated: i64,
    /// The part of the late money that the merchant got, in minor units, the fee included.
    #[schema(value_type = Count)]
    pub allocated: i64,
    /// The part of the late money that goes back to the payer, in minor units.
    #[schema(value_type = Count)]
    pub given_back: i64,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the operation was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(Operation);

/// An operation.
pub(crate) fn operation(operation: &crate::Operation) -> Operation {
    let available_on = operation.available_on.map(calendars::date_of);
    Operation {
        id: operation.id.to_string(),
        object: "operation",
        kind: operation.kind.name(),
        status: operation.state.name(),
        amount: operation.money.amount.get(),
        currency: operation.money.currency.code().to_owned(),
        attempt: operation.attempt,
        provider: operation.provider.clone(),
        provider_reference: operation.provider_ref.clone(),
        payment_method: operation.payment_method.clone(),
        decline_code: operation.decline_code.clone(),
        fee: operation.fee,
        terms: operation.terms,
        available_on: available_on.map(|date| date.to_string()),
        pending: operation.unreleased,
        unallocated: operation.undecided(),
        allocated: operation.allocated,
        given_back: operation.given_back,
        version: operation.version,
        created_at: moment(operation.created_at),
        balances_after: None,
    }
}
