//! The answer about the balance.

use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

/// The merchant's balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balance {
    /// Always `balance`.
    pub object: &'static str,
    /// One entry for each currency, in the order of the codes.
    pub balances: Vec<CurrencyBalance>,
}

/// The balance in one currency, in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrencyBalance {
    /// ISO 4217 code.
    #[schema(value_type = IsoCurrencyCode)]
    pub currency: String,
    /// Captured money that is not available yet.
    #[schema(value_type = MinorUnits)]
    pub pending: i64,
    /// Money that can be paid out. Only a dispute can make it negative.
    #[schema(value_type = MinorUnits)]
    pub available: i64,
    /// Money that is held back for a while.
    #[schema(value_type = MinorUnits)]
    pub reserved: i64,
    /// Money that is on its way to a bank account.
    #[schema(value_type = MinorUnits)]
    pub in_transit: i64,
}
