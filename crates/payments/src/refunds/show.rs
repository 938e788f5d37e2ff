//! The replies about refunds.

use std::collections::BTreeMap;

use edge::reply::{moment, problem};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use crate::balances_after::{AccountAfter, BalancesAfter, answer, moved};
use crate::problems::declined;
use crate::shapes::*;
use crate::{Operation, OperationState};

/// A refund in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refund {
    /// `re_…`
    #[schema(value_type = RefundId)]
    pub id: String,
    /// Always `refund`.
    pub object: &'static str,
    /// The payment whose money goes back.
    #[schema(value_type = PaymentId)]
    pub payment: String,
    /// The amount, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// `pending`, `succeeded` or `failed`.
    #[schema(value_type = RefundStatus)]
    pub status: &'static str,
    /// Why the refund was not sent to the provider yet: `insufficient_funds`, or null.
    #[schema(required)]
    pub pending_reason: Option<&'static str>,
    /// The operation whose late money goes back; null if captured money goes back.
    #[schema(value_type = Option<OperationId>, required)]
    pub gives_back: Option<String>,
    /// Your reason.
    #[schema(value_type = Option<ShortText>, required)]
    pub reason: Option<String>,
    /// Your own words.
    #[schema(value_type = Option<LongText>, required)]
    pub description: Option<String>,
    /// The metadata that you keep with it.
    #[schema(value_type = Option<Metadata>, required)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The provider's reason, if it has refused the refund.
    #[schema(required)]
    pub decline_code: Option<String>,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the refund was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(Refund);

/// The reply to the request that has made a refund.
pub(crate) fn reply(operation: &Operation, after: &BalancesAfter) -> Reply {
    match operation.state {
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
            answer(202, refund(operation), after)
        }
        OperationState::Succeeded => answer(201, refund(operation), after),
        OperationState::Failed | OperationState::Canceled => {
            let id = super::key::RefundId::of(operation.id).to_string();
            problem(&declined(operation).with_resource(id))
        }
    }
}

/// A refund, by its operation.
pub(crate) fn refund(operation: &Operation) -> Refund {
    Refund {
        id: super::key::RefundId::of(operation.id).to_string(),
        object: "refund",
        payment: operation.payment().to_string(),
        amount: operation.money.amount.get(),
        currency: operation.money.currency.code().to_owned(),
        status: match operation.state {
            OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
                "pending"
            }
            OperationState::Succeeded => "succeeded",
            OperationState::Failed | OperationState::Canceled => "failed",
        },
        pending_reason: (operation.state == OperationState::Created)
            .then_some(super::key::INSUFFICIENT_FUNDS),
        gives_back: operation.gives_back.map(|id| id.to_string()),
        reason: operation.reason.clone(),
        description: operation.description.clone(),
        metadata: operation.metadata.as_ref().map(ledger::Metadata::entries),
        decline_code: operation.decline_code.clone(),
        version: operation.version,
        created_at: moment(operation.created_at),
        balances_after: None,
    }
}
