//! Custom assets, in and out.

use serde::Serialize;
use utoipa::ToSchema;

/// An asset that accounts may hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asset {
    /// Always `asset`.
    pub object: &'static str,
    /// What stands for it wherever a `currency` is named.
    #[schema(example = "USDC")]
    pub code: String,
    /// Decimal places of its minor unit: 6 means that 1 is a millionth.
    #[schema(example = 6)]
    pub exponent: u8,
    /// What people call it.
    pub name: String,
    /// When it was registered.
    pub created_at: String,
}

/// Registers an asset.
#[derive(Debug, ToSchema)]
pub struct NewAsset {
    /// 3 to 10 upper-case letters and digits, a letter first, and none of ISO 4217.
    #[schema(example = "USDC")]
    pub code: String,
    /// Decimal places of its minor unit, 0 to 18, for ever.
    #[schema(example = 6)]
    pub exponent: u8,
    /// What people call it: at most 255 characters; the code, if absent.
    pub name: Option<String>,
}
