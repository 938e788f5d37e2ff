//! The replies about payments, and the problem of each refusal.

use std::collections::BTreeMap;

use edge::Problem;
use edge::reply::{moment, problem};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use crate::PaymentState;
use crate::balances_after::{AccountAfter, BalancesAfter, answer, moved};
use crate::customers::show::{Customer, PaymentMethod};
use crate::disputes::show::Dispute;
use crate::operations::show::Operation;
use crate::refunds::show::Refund;
use crate::shapes::*;

/// A payment in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payment {
    /// `pay_…`
    #[schema(value_type = PaymentId)]
    pub id: String,
    /// Always `payment`.
    pub object: &'static str,
    /// The amount to be paid, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// `automatic` or `manual`.
    #[schema(value_type = CaptureMethodName)]
    pub capture_method: &'static str,
    /// `requires_payment_method`, `requires_confirmation`, `requires_action`, `processing`, `requires_capture`,
    /// `succeeded` or `canceled`.
    #[schema(value_type = PaymentStatus)]
    pub status: &'static str,
    /// The authorized amount, in minor units.
    #[schema(value_type = Count)]
    pub amount_authorized: i64,
    /// The amount that can still be captured, in minor units.
    #[schema(value_type = Count)]
    pub amount_capturable: i64,
    /// The captured amount, in minor units.
    #[schema(value_type = Count)]
    pub amount_captured: i64,
    /// The refunded amount, in minor units. Refunds whose outcome is not known count.
    #[schema(value_type = Count)]
    pub amount_refunded: i64,
    /// The captured amount that is disputed, in minor units. It cannot be refunded.
    #[schema(value_type = Count)]
    pub amount_disputed: i64,
    /// Your own name for the payment.
    #[schema(value_type = Option<ShortText>, required)]
    pub external_id: Option<String>,
    /// A description for people.
    #[schema(value_type = Option<LongText>, required)]
    pub description: Option<String>,
    /// The metadata that you keep with it.
    #[schema(value_type = Option<Metadata>, required)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The customer who pays.
    #[schema(required)]
    pub customer: Option<CustomerOrId>,
    /// The payment method.
    #[schema(required)]
    pub payment_method: Option<PaymentMethodOrToken>,
    /// The reason for which the last attempt was declined.
    #[schema(required)]
    pub decline_code: Option<String>,
    /// Where the payer must go, if the status is `requires_action`.
    #[schema(required)]
    pub next_action: Option<NextAction>,
    /// When what is left of the authorization is voided; null if nothing is authorized for later.
    #[schema(value_type = Option<Moment>, required)]
    pub capture_before: Option<String>,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the payment was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When the payment last changed.
    #[schema(value_type = Moment)]
    pub updated_at: String,
    /// The newest operations, newest first, if `expand[]` asks for them: at most 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub operations: Option<Vec<Operation>>,
    /// The refunds among the newest 20 operations, newest first, if `expand[]` asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refunds: Option<Vec<Refund>>,
    /// The newest disputes, newest first, if `expand[]` asks for them: at most 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub disputes: Option<Vec<Dispute>>,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(Payment);

/// The id of a customer, or the customer if `expand[]` asks for it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum CustomerOrId {
    /// The id.
    Id(String),
    /// The customer.
    Customer(Box<Customer>),
}

/// The id of a payment method of a customer, or the provider's token; or the payment method of the customer if
/// `expand[]` asks for it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum PaymentMethodOrToken {
    /// The id, or the token.
    Text(String),
    /// The payment method.
    PaymentMethod(Box<PaymentMethod>),
}

/// The next thing that the payer must do.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextAction {
    /// Always `redirect`: the payer must open the address in a browser.
    pub r#type: &'static str,
    /// The address, at the provider.
    pub url: String,
}

/// The reply with the present state of a payment.
#[must_use]
pub fn reply(made: &crate::Payment, after: &BalancesAfter) -> Reply {
    match (made.state, &made.decline_code) {
        (PaymentState::RequiresPaymentMethod, Some(reason)) => {
            let declined =
                Problem::new(codes::DECLINED).with_reason("decline_code", reason.as_str());
            problem(&declined.with_resource(made.id.to_string()))
        }
        (PaymentState::Processing, _) => answer(202, payment(made), after),
        (
            PaymentState::RequiresPaymentMethod
            | PaymentState::RequiresConfirmation
            | PaymentState::RequiresAction
            | PaymentState::RequiresCapture
            | PaymentState::Succeeded
            | PaymentState::Canceled,
            _,
        ) => answer(201, payment(made), after),
    }
}

pub(crate) fn payment(payment: &crate::Payment) -> Payment {
    Payment {
        id: payment.id.to_string(),
        object: "payment",
        amount: payment.money.amount.get(),
        currency: payment.money.currency.code().to_owned(),
        capture_method: payment.capture_method.name(),
        status: payment.state.name(),
        amount_authorized: payment.authorized,
        amount_capturable: payment.capturable,
        amount_captured: payment.captured,
        amount_refunded: payment.refunded,
        amount_disputed: payment.disputed,
        external_id: payment.external_id.clone(),
        description: payment.description.clone(),
        metadata: payment.metadata.as_ref().map(ledger::Metadata::entries),
        customer: payment.customer.map(|id| CustomerOrId::Id(id.to_string())),
        payment_method: payment
            .saved_method
            .map(|id| id.to_string())
            .or_else(|| payment.payment_method.clone())
            .map(PaymentMethodOrToken::Text),
        decline_code: payment.decline_code.clone(),
        next_action: payment.action_url.clone().map(|url| NextAction {
            r#type: "redirect",
            url,
        }),
        capture_before: payment.capture_before.map(moment),
        version: payment.version,
        created_at: moment(payment.created_at),
        updated_at: moment(payment.updated_at),
        operations: None,
        refunds: None,
        disputes: None,
        balances_after: None,
    }
}
