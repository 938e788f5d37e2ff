//! The replies about payments, and the problem of each refusal.

use edge::Problem;
use edge::reply::{json, moment, problem, refusal_reply};
use engine::{Command, RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use crate::shapes::*;
use crate::{ConfirmError, NoProvider, PaymentState};

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
    /// `requires_payment_method`, `requires_confirmation`, `processing`, `succeeded` or `canceled`.
    #[schema(value_type = PaymentStatus)]
    pub status: &'static str,
    /// The captured amount, in minor units.
    #[schema(value_type = Count)]
    pub amount_captured: i64,
    /// The refunded amount, in minor units.
    #[schema(value_type = Count)]
    pub amount_refunded: i64,
    /// Your reference for the payer.
    #[schema(value_type = Option<ShortText>, required)]
    pub customer: Option<String>,
    /// The provider's token for the payment method.
    #[schema(value_type = Option<ShortText>, required)]
    pub payment_method: Option<String>,
    /// The reason for which the last attempt was declined.
    #[schema(required)]
    pub decline_code: Option<String>,
    /// When the payment was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When the payment last changed.
    #[schema(value_type = Moment)]
    pub updated_at: String,
}

/// The reply with a payment that was made or confirmed.
pub(crate) fn made(payment: &crate::Payment, _is_dry_run: bool) -> Reply {
    reply(payment)
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
            | PaymentState::Succeeded
            | PaymentState::Canceled,
            _,
        ) => json(201, &payment(made)),
    }
}

/// The reply to a refusal.
pub(crate) fn show_refusal<C>(_command: &C, rule: &ConfirmError) -> RefusalReply
where
    C: Command<Refusal = ConfirmError>,
{
    refusal_reply(&refused(rule), rule.code())
}

fn refused(rule: &ConfirmError) -> Problem {
    match rule {
        ConfirmError::NotFound => Problem::new(edge::code::NOT_FOUND),
        ConfirmError::WrongState { .. } => {
            Problem::new(codes::PAYMENT_STATE_CONFLICT).with_detail(rule.to_string())
        }
        ConfirmError::CurrencyWithdrawn { .. } => Problem::new(books::code::CURRENCY_WITHDRAWN)
            .with_detail(rule.to_string())
            .at("/currency"),
        ConfirmError::NoPaymentMethod => Problem::new(edge::code::INVALID_FIELD)
            .with_detail(rule.to_string())
            .at("/payment_method"),
        ConfirmError::NoProvider(unserved) => Problem::new(codes::NO_PROVIDER)
            .with_detail(rule.to_string())
            .at(match unserved {
                NoProvider::Currency(_) => "/currency",
                NoProvider::Method(_) => "/payment_method",
            }),
    }
}

pub(crate) fn payment(payment: &crate::Payment) -> Payment {
    Payment {
        id: payment.id.to_string(),
        object: "payment",
        amount: payment.money.amount.get(),
        currency: payment.money.currency.code().to_owned(),
        status: payment.state.name(),
        amount_captured: payment.captured,
        amount_refunded: payment.refunded,
        customer: payment.customer.clone(),
        payment_method: payment.payment_method.clone(),
        decline_code: payment.decline_code.clone(),
        created_at: moment(payment.created_at),
        updated_at: moment(payment.updated_at),
    }
}
