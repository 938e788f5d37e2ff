//! The replies about payouts.

use std::collections::BTreeMap;

use edge::reply::{moment, problem, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BegunPayout, CreatePayout, PayoutState};
use crate::balances_after::{AccountAfter, BalancesAfter, answer, moved};
use crate::charging::codes;
use crate::shapes::*;
use crate::{Operation, Refusal, moved};

/// A payout in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payout {
    /// `po_…`
    #[schema(value_type = PayoutId)]
    pub id: String,
    /// Always `payout`.
    pub object: &'static str,
    /// The amount, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The account that pays; null: the merchant's available money.
    #[schema(value_type = Option<AccountId>, required)]
    pub from: Option<String>,
    /// The customer who is paid, if it is one.
    #[schema(value_type = Option<CustomerId>, required)]
    pub customer: Option<String>,
    /// The provider's token for the bank account.
    #[schema(value_type = ShortText)]
    pub destination: String,
    /// Your own words.
    #[schema(value_type = Option<ShortText>, required)]
    pub description: Option<String>,
    /// The metadata that you keep with it.
    #[schema(value_type = Option<Metadata>, required)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// `requires_approval`, `processing`, `paid`, `failed` or `canceled`.
    #[schema(value_type = PayoutStatus)]
    pub status: &'static str,
    /// The approval of a second person that it needs, or needed.
    #[schema(value_type = Option<ApprovalId>, required)]
    pub approval: Option<String>,
    /// The provider's reason, if it has refused the payout.
    #[schema(required)]
    pub decline_code: Option<String>,
    /// True if it came back after it was paid.
    pub returned: bool,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the payout was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When the payout last changed.
    #[schema(value_type = Moment)]
    pub updated_at: String,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(Payout);

/// The reply of the command, at the moment of its decision. A payout that waits for an approval has moved no money.
pub(crate) fn begun(begun: &BegunPayout, _is_dry_run: bool) -> Reply {
    answer(202, payout(&begun.payout), &BalancesAfter::NONE)
}

/// The reply to a cancellation.
pub(crate) fn canceled(
    (canceled, after): &(super::Payout, BalancesAfter),
    _is_dry_run: bool,
) -> Reply {
    answer(200, payout(canceled), after)
}

/// The reply to a refusal.
pub(crate) fn show_refusal(command: &CreatePayout, rule: &Refusal) -> RefusalReply {
    let Refusal::Ledger(cause) = rule else {
        return moved::show_refusal(command, rule);
    };
    let problem = books::refused_step(cause);
    let of_source = [
        books::code::ACCOUNT_NOT_FOUND,
        books::code::ACCOUNT_FROZEN,
        books::code::ACCOUNT_CLOSED,
        books::code::CURRENCY_MISMATCH,
    ];
    let place = if of_source.contains(&problem.code()) {
        "/from"
    } else {
        "/amount"
    };
    refusal_reply(&problem.at(place), rule.code())
}

/// The reply to the request that has made a payout.
pub(crate) fn reply(operation: &Operation, made: &super::Payout, after: &BalancesAfter) -> Reply {
    match made.state {
        PayoutState::RequiresApproval | PayoutState::Processing | PayoutState::Canceled => {
            answer(202, payout(made), after)
        }
        PayoutState::Paid => answer(201, payout(made), after),
        PayoutState::Failed => {
            let reason = operation.decline_code.clone().unwrap_or_default();
            let declined = edge::Problem::new(codes::DECLINED);
            let declined = declined.with_reason("decline_code", reason);
            problem(&declined.with_resource(made.id.to_string()))
        }
    }
}

/// A payout.
pub(crate) fn payout(payout: &super::Payout) -> Payout {
    Payout {
        id: payout.id.to_string(),
        object: "payout",
        amount: payout.money.amount.get(),
        currency: payout.money.currency.code().to_owned(),
        from: payout.source.map(|account| account.to_string()),
        customer: payout.customer.map(|id| id.to_string()),
        destination: payout.destination.clone(),
        description: payout.description.clone(),
        metadata: payout.metadata.as_ref().map(ledger::Metadata::entries),
        status: payout.state.name(),
        approval: payout.approval.map(|approval| approval.to_string()),
        decline_code: payout.decline_code.clone(),
        returned: payout.is_returned,
        version: payout.version,
        created_at: moment(payout.created_at),
        updated_at: moment(payout.updated_at),
        balances_after: None,
    }
}
