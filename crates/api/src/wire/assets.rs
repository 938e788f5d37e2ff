//! Custom assets, in and out.

use serde::Serialize;
use utoipa::ToSchema;

use super::texts::*;

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

/// Registers an asset.
#[derive(Debug, ToSchema)]
pub struct NewAsset {
    /// 3 to 10 upper-case letters and digits, a letter first, and none of ISO 4217.
    #[schema(value_type = CurrencyCode)]
    pub code: String,
    /// Decimal places of its minor unit, 0 to 18, for ever.
    #[schema(value_type = Exponent)]
    pub exponent: u8,
    /// What people call it: at most 255 characters; the code, if absent.
    #[schema(value_type = Option<ShortText>)]
    pub name: Option<String>,
}
