//! Custom assets.

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
