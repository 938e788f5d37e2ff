//! A positive number of minor units.

use std::num::NonZero;

use thiserror::Error;

/// An amount that moves: from 1 to `i64::MAX` minor units. The currency is kept beside it.
///
/// The sign never states a direction: a posting names the account that gives and the account that gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(NonZero<i64>);

/// Why a number is not an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// The number is zero, so nothing would move.
    #[error("an amount is at least one minor unit, not zero")]
    Zero,
    /// The number is below zero.
    #[error("an amount is at least one minor unit, not negative")]
    Negative,
}

impl Amount {
    /// The largest amount, `i64::MAX` minor units.
    pub const MAX: Amount = Amount(NonZero::<i64>::MAX);

    /// An amount of this number of minor units.
    ///
    /// # Errors
    ///
    /// [`AmountError::Zero`] or [`AmountError::Negative`].
    pub const fn new(minor_units: i64) -> Result<Amount, AmountError> {
        match NonZero::new(minor_units) {
            None => Err(AmountError::Zero),
            Some(number) if number.is_negative() => Err(AmountError::Negative),
            Some(number) => Ok(Amount(number)),
        }
    }

    /// The number of minor units, from 1 to `i64::MAX`.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0.get()
    }

    /// The sum, or `None` above `i64::MAX`.
    #[must_use]
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        let sum = self.get().checked_add(other.get())?;
        Amount::new(sum).ok()
    }

    /// The difference, or `None` if it is less than one minor unit.
    #[must_use]
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        let rest = self.get().checked_sub(other.get())?;
        Amount::new(rest).ok()
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::arithmetic_side_effects,
        reason = "a test may stop at the first surprise, and compares with plain i128"
    )]

    use proptest::prelude::*;

    use super::*;

    fn positive() -> impl Strategy<Value = i64> {
        prop_oneof![1..=3_i64, (i64::MAX - 2)..=i64::MAX, 1..=i64::MAX]
    }

    /// The amount of this number of minor units, if it is in range.
    fn fits(minor_units: i128) -> Option<Amount> {
        i64::try_from(minor_units)
            .ok()
            .filter(|minor_units| *minor_units >= 1)
            .map(|minor_units| Amount::new(minor_units).unwrap())
    }

    #[test]
    fn zero_and_less_are_refused() {
        assert_eq!(Amount::new(0), Err(AmountError::Zero));
        assert_eq!(Amount::new(-1), Err(AmountError::Negative));
        assert_eq!(Amount::new(i64::MIN), Err(AmountError::Negative));
    }

    #[test]
    fn the_edges_are_amounts() {
        assert_eq!(Amount::new(1).unwrap().get(), 1);
        assert_eq!(Amount::new(i64::MAX), Ok(Amount::MAX));
    }

    #[test]
    fn a_missing_amount_costs_no_room() {
        assert_eq!(size_of::<Option<Amount>>(), size_of::<i64>());
    }

    proptest! {
        #[test]
        fn sums_and_rests_agree_with_wider_integers(left in positive(), right in positive()) {
            let (a, b) = (Amount::new(left).unwrap(), Amount::new(right).unwrap());
            let (left, right) = (i128::from(left), i128::from(right));
            prop_assert_eq!(a.checked_add(b), fits(left + right));
            prop_assert_eq!(a.checked_sub(b), fits(left - right));
            prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        }
    }
}
