//! The replies about custom assets.

use edge::reply::{json, moment};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

/// A custom asset, which accounts may hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asset {
    /// Always `asset`.
    pub object: &'static str,
    /// The code of the asset. It is the value of a `currency` field for amounts of the asset.
    #[schema(value_type = CurrencyCode)]
    pub code: String,
    /// The number of decimal places of the minor unit: 6 means that an amount of 1 is a millionth.
    #[schema(value_type = Exponent)]
    pub exponent: u8,
    /// The name for people.
    #[schema(value_type = ShortText)]
    pub name: String,
    /// When the asset was registered.
    #[schema(value_type = Moment)]
    pub created_at: String,
}

/// The reply with a custom asset that was registered.
pub(crate) fn made(registered: &ledger::Asset, _is_dry_run: bool) -> Reply {
    json(201, &asset(registered))
}

pub(crate) fn asset(asset: &ledger::Asset) -> Asset {
    Asset {
        object: "asset",
        code: asset.currency.code().to_owned(),
        exponent: asset.currency.exponent(),
        name: asset.name.clone(),
        created_at: moment(asset.created_at),
    }
}
