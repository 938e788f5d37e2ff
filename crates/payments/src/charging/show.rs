//! The replies about payments, and the problem of each refusal.

use edge::Problem;
use edge::reply::{json, moment, problem};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use crate::PaymentState;
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
    /// Your reference for the payer.
    #[schema(value_type = Option<ShortText>, required)]
    pub customer: Option<String>,
    /// The provider's token for the payment method.
    #[schema(value_type = Option<ShortText>, required)]
    pub payment_method: Option<String>,
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
pub fn reply(made: &crate::Payment) -> Reply {
    match (made.state, &made.decline_code) {
        (PaymentState::RequiresPaymentMethod, Some(reason)) => {
            let declined =
                Problem::new(codes::DECLINED).with_reason("decline_code", reason.as_str());
            problem(&declined.with_resource(made.id.to_string()))
        }
        (PaymentState::Processing, _) => json(202, &payment(made)),
        (
            PaymentState::RequiresPaymentMethod
            | PaymentState::RequiresConfirmation
            | PaymentState::RequiresAction
            | PaymentState::RequiresCapture
            | PaymentState::Succeeded
            | PaymentState::Canceled,
            _,
        ) => json(201, &payment(made)),
    }
}

/// A rule as a sentence: with a capital and a full stop.
pub(crate) fn sentence(rule: &str) -> String {
    let mut letters = rule.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
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
        customer: payment.customer.clone(),
        payment_method: payment.payment_method.clone(),
        decline_code: payment.decline_code.clone(),
        next_action: payment.action_url.clone().map(|url| NextAction {
            r#type: "redirect",
            url,
        }),
        capture_before: payment.capture_before.map(moment),
        version: payment.version,
        created_at: moment(payment.created_at),
        updated_at: moment(payment.updated_at),
    }
}
