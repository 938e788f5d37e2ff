//! The replies about prices.

use edge::Problem;
use edge::reply::{json, moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CreatePrice, Price, PriceError, codes};
use crate::shapes::*;
use crate::terms::show::decimal;

/// A version of the prices of a provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderPrice {
    /// Number of the version, from 1.
    #[schema(value_type = Count)]
    pub version: i32,
    /// Always `provider_price`.
    pub object: &'static str,
    /// The provider.
    #[schema(value_type = ShortText)]
    pub provider: String,
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// The kind of lines of settlement reports.
    #[schema(value_type = PricedLineKind)]
    pub kind: &'static str,
    /// The share of the amount that is the fee.
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
    /// Greatest difference that is no exception, in minor units.
    #[schema(value_type = Count)]
    pub tolerance: i64,
    /// The first day of the lines that the price is for.
    #[schema(value_type = Day)]
    pub valid_from: String,
    /// When the version was made.
    #[schema(value_type = Moment)]
    pub created_at: String,
}

/// The reply with a new version.
pub(crate) fn made(made: &Price, _is_dry_run: bool) -> Reply {
    json(201, &price(made))
}

/// The reply to a refusal.
pub(crate) fn show_refusal(_command: &CreatePrice, rule: &PriceError) -> RefusalReply {
    match rule {
        PriceError::MostBelowLeast => {
            let problem = Problem::new(edge::code::INVALID_FIELD).with_detail(rule.to_string());
            refusal_reply(&problem.at("/most"), "most_below_least")
        }
        PriceError::TooMany => refusal_reply(
            &Problem::new(codes::TOO_MANY_PRICES),
            codes::TOO_MANY_PRICES.name,
        ),
    }
}

/// A version.
pub(crate) fn price(price: &Price) -> ProviderPrice {
    let agreed = &price.agreed;
    ProviderPrice {
        version: price.version,
        object: "provider_price",
        provider: agreed.provider.clone(),
        currency: agreed.currency.code().to_owned(),
        kind: agreed.kind.name(),
        rate: decimal(agreed.tariff.rate_millionths),
        fixed: agreed.tariff.fixed,
        least: agreed.tariff.least,
        most: agreed.tariff.most,
        tolerance: agreed.tolerance,
        valid_from: calendars::date_of(agreed.valid_from).to_string(),
        created_at: moment(price.created_at),
    }
}
