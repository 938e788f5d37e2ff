//! The replies about terms.

use edge::Problem;
use edge::reply::{json, moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CreateTerms, Terms, TermsError, codes};
use crate::shapes::*;

/// A version of the terms.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentTerms {
    /// Number of the version, from 1.
    #[schema(value_type = Count)]
    pub version: i32,
    /// Always `payment_terms`.
    pub object: &'static str,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The beginning of the payment methods; null for all.
    #[schema(value_type = Option<ShortText>, required)]
    pub method: Option<String>,
    /// The share of the captured amount that is the fee.
    #[schema(value_type = FeeRate)]
    pub rate: String,
    /// The fixed part of the fee, in minor units.
    #[schema(value_type = Count)]
    pub fixed: i64,
    /// The least fee, in minor units.
    #[schema(value_type = Count)]
    pub least: i64,
    /// The greatest fee, in minor units; null for no limit.
    #[schema(value_type = Option<Count>, required)]
    pub most: Option<i64>,
    /// The fee for a dispute, in minor units.
    #[schema(value_type = Count)]
    pub dispute_fee: i64,
    /// Business days after the capture on which the money is available.
    #[schema(value_type = BusinessDays)]
    pub available_after_days: u16,
    /// The calendar of business days.
    #[schema(value_type = CalendarName)]
    pub calendar: &'static str,
    /// The share that is held back of the money of a capture when it becomes available.
    #[schema(value_type = FeeRate)]
    pub reserve_rate: String,
    /// Days for which the share is held back.
    #[schema(value_type = ReserveDays)]
    pub reserve_days: i32,
    /// What happens to money that is taken after its operation has failed: `hold` or `refund`.
    #[schema(value_type = LateMoneyRule)]
    pub late_money: &'static str,
    /// When the version was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
}

/// The reply with a new version.
pub(crate) fn made(made: &Terms, _is_dry_run: bool) -> Reply {
    json(201, &terms(made))
}

/// The reply to a refusal.
pub(crate) fn show_refusal(_command: &CreateTerms, rule: &TermsError) -> RefusalReply {
    match rule {
        TermsError::MostBelowLeast => {
            let problem = Problem::new(edge::code::INVALID_FIELD).with_detail(rule.to_string());
            refusal_reply(&problem.at("/most"), "most_below_least")
        }
        TermsError::HalfAReserve => {
            let problem = Problem::new(edge::code::INVALID_FIELD).with_detail(rule.to_string());
            refusal_reply(&problem.at("/reserve_rate"), "half_a_reserve")
        }
        TermsError::TooMany => refusal_reply(
            &Problem::new(codes::TOO_MANY_TERMS),
            codes::TOO_MANY_TERMS.name,
        ),
    }
}

/// A version of the terms.
pub(crate) fn terms(terms: &Terms) -> PaymentTerms {
    PaymentTerms {
        version: terms.version,
        object: "payment_terms",
        currency: terms.currency.code().to_owned(),
        method: (!terms.method.is_empty()).then(|| terms.method.clone()),
        rate: decimal(terms.rate_millionths),
        fixed: terms.fixed,
        least: terms.least,
        most: terms.most,
        dispute_fee: terms.dispute_fee,
        available_after_days: terms.delay.days,
        calendar: terms.delay.calendar.name(),
        reserve_rate: decimal(terms.reserve.rate_millionths),
        reserve_days: terms.reserve.days,
        late_money: terms.late_money.name(),
        created_at: moment(terms.created_at),
    }
}

/// Millionths as decimal text, without zeros at the end.
pub(crate) fn decimal(millionths: i64) -> String {
    let (whole, rest) = (
        millionths.div_euclid(1_000_000),
        millionths.rem_euclid(1_000_000),
    );
    let text = format!("{whole}.{rest:06}");
    let text = text.trim_end_matches('0');
    text.trim_end_matches('.').to_owned()
}
