//! A tariff: how a fee follows from an amount.

use money::{Rounding, divide};

/// The divisor of rates.
const MILLION: i128 = 1_000_000;

/// A rate, a fixed part, and the least and the greatest fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tariff {
    /// The fee for each million of the amount.
    pub rate_millionths: i64,
    /// The fixed part, in minor units.
    pub fixed: i64,
    /// The least fee, in minor units.
    pub least: i64,
    /// The greatest fee, in minor units; `None` for no limit.
    pub most: Option<i64>,
}

impl Tariff {
    /// The fee for an amount, in minor units: the rate, rounded half-even to a minor unit, and the fixed part, within
    /// the least and the greatest fee.
    #[must_use]
    pub fn fee(&self, amount: i64) -> i64 {
        let amount = i128::from(amount);
        let product = amount.checked_mul(i128::from(self.rate_millionths));
        let share = product.and_then(|product| divide(product, MILLION, Rounding::HalfEven));
        let share = share.unwrap_or(amount);
        let fee = share.saturating_add(i128::from(self.fixed));
        let fee = fee.max(i128::from(self.least));
        let fee = self.most.map_or(fee, |most| fee.min(i128::from(most)));
        i64::try_from(fee).unwrap_or(i64::MAX)
    }
}
