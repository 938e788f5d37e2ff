//! A currency exchange as it was made.

use serde::Serialize;
use utoipa::ToSchema;

use super::Transaction;
use super::texts::*;

/// An amount of a currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct Money {
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
}

/// A currency exchange that was made, or (in a dry run) would have been.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exchange {
    /// Always `exchange`.
    pub object: &'static str,
    /// What was sold.
    pub sold: Money,
    /// What was bought.
    pub bought: Money,
    /// Which of the two was given: `sold` or `bought`. The other follows from it.
    #[schema(value_type = GivenSide)]
    pub given: &'static str,
    /// Units of the bought currency for one unit of the sold one.
    #[schema(value_type = Rate)]
    pub rate: String,
    /// How the other amount became minor units.
    #[schema(value_type = RoundingMode)]
    pub rounding: &'static str,
    /// Who quoted the rate.
    #[schema(value_type = SourceText)]
    pub source: String,
    /// When they quoted it.
    #[schema(value_type = Moment)]
    pub quoted_at: String,
    /// The transaction that made it: posting 0 is what was sold, posting 1 what was bought.
    pub transaction: Transaction,
}
