//! The replies about custom assets.

use edge::reply::{json, moment};
use engine::Reply;
use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

/// An asset that accounts may hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asset {
    /// Always `asset`.
    pub object: &'static str,
    /// What stands for it wherever a `currency` is named.
    #[schema(value_type = CurrencyCode)]
    pub code: String,
    /// Decimal places of its minor unit: 6 means that 1 is a millionth.
    #[schema(value_type = Exponent)]
    pub exponent: u8,
    /// What people call it.
    #[schema(value_type = ShortText)]
    pub name: String,
    /// When it was registered.
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
