//! The replies about reserves.

use edge::Problem;
use edge::reply::{moment, refusal_reply};
use engine::{Command, RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::ReserveRefusal;
use crate::balances_after::{AccountAfter, BalancesAfter, answer, moved};
use crate::problems::sentence;
use crate::shapes::*;

/// A reserve in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reserve {
    /// `rsv_…`
    #[schema(value_type = ReserveId)]
    pub id: String,
    /// Always `reserve`.
    pub object: &'static str,
    /// The amount that was held back at first, in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// What is left to release, in minor units.
    #[schema(value_type = Count)]
    pub left: i64,
    /// The payment whose share it is; null if a person has made the reserve.
    #[schema(value_type = Option<PaymentId>, required)]
    pub payment: Option<String>,
    /// The reason of the person who has made it.
    #[schema(value_type = Option<ShortText>, required)]
    pub reason: Option<String>,
    /// When what is left is released; null if a person has to release it.
    #[schema(value_type = Option<Moment>, required)]
    pub release_at: Option<String>,
    /// Number of this version, from 1. Each change makes the next one.
    #[schema(value_type = Count)]
    pub version: i64,
    /// When the reserve was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When the reserve last changed.
    #[schema(value_type = Moment)]
    pub updated_at: String,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(Reserve);

/// The reply with a new reserve.
pub(crate) fn made((made, after): &(super::Reserve, BalancesAfter), _is_dry_run: bool) -> Reply {
    answer(201, reserve(made), after)
}

/// The reply with a reserve of which a part was released.
pub(crate) fn released(
    (released, after): &(super::Reserve, BalancesAfter),
    _is_dry_run: bool,
) -> Reply {
    answer(200, reserve(released), after)
}

/// The reply to a refusal.
pub(crate) fn show_refusal<C>(_command: &C, rule: &ReserveRefusal) -> RefusalReply
where
    C: Command<Refusal = ReserveRefusal>,
{
    let told = || sentence(&rule.to_string());
    match rule {
        ReserveRefusal::NotFound => {
            refusal_reply(&Problem::new(edge::code::NOT_FOUND), "not_found")
        }
        ReserveRefusal::ReleaseInThePast => {
            let problem = Problem::new(edge::code::INVALID_FIELD).with_detail(told());
            refusal_reply(&problem.at("/release_at"), "release_in_the_past")
        }
        ReserveRefusal::TooMuch { left, .. } => {
            let code = books::code::EXCEEDS_REMAINING;
            let problem = Problem::new(code).with_detail(told()).at("/amount");
            refusal_reply(&problem.with_left(*left), code.name)
        }
        ReserveRefusal::NotAvailable { left, .. } => {
            let code = books::code::INSUFFICIENT_FUNDS;
            let problem = Problem::new(code).with_detail(told()).at("/amount");
            refusal_reply(&problem.with_left(*left), code.name)
        }
        ReserveRefusal::Ledger(rule) => {
            refusal_reply(&books::refused_step(rule), "refused_by_the_ledger")
        }
    }
}

/// A reserve.
pub(crate) fn reserve(reserve: &super::Reserve) -> Reserve {
    Reserve {
        id: reserve.id.to_string(),
        object: "reserve",
        amount: reserve.money.amount.get(),
        currency: reserve.money.currency.code().to_owned(),
        left: reserve.remaining,
        payment: reserve.of.map(|(payment, _)| payment.to_string()),
        reason: reserve.reason.clone(),
        release_at: reserve.release_at.map(moment),
        version: reserve.version,
        created_at: moment(reserve.created_at),
        updated_at: moment(reserve.updated_at),
        balances_after: None,
    }
}
