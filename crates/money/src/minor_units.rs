//! A signed number of minor units.

use crate::money::magnitude;
use crate::{Amount, Currency, DecimalError};

/// A balance or a difference: any `i64` number of minor units. The currency is kept beside it.
///
/// An amount that moves is an [`Amount`]; only results may be zero or negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinorUnits(i64);

impl MinorUnits {
    /// Zero minor units.
    pub const ZERO: MinorUnits = MinorUnits(0);

    /// A value of this number of minor units.
    #[must_use]
    pub const fn new(minor_units: i64) -> MinorUnits {
        MinorUnits(minor_units)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` if it does not fit into an `i64`.
    #[must_use]
    pub fn checked_add(self, other: MinorUnits) -> Option<MinorUnits> {
        self.0.checked_add(other.0).map(MinorUnits)
    }

    /// The difference, or `None` if it does not fit into an `i64`.
    #[must_use]
    pub fn checked_sub(self, other: MinorUnits) -> Option<MinorUnits> {
        self.0.checked_sub(other.0).map(MinorUnits)
    }

    /// The value with the opposite sign, or `None` for `i64::MIN`, which has no opposite.
    #[must_use]
    pub fn checked_neg(self) -> Option<MinorUnits> {
        self.0.checked_neg().map(MinorUnits)
    }

    /// The sum of all terms, or `None` if it does not fit into an `i64`.
    ///
    /// The sum is computed in `i128`, so only the result has to fit, whatever the order of the terms is.
    #[must_use]
    pub fn sum(terms: impl IntoIterator<Item = impl Into<MinorUnits>>) -> Option<MinorUnits> {
        let total = terms.into_iter().try_fold(0_i128, |total, term| {
            total.checked_add(i128::from(term.into().0))
        })?;
        i64::try_from(total).ok().map(MinorUnits)
    }

    /// The value of a decimal number in units of the currency, with a minus sign if it is negative: `-0.05`, `0`,
    /// `10.9`. Zero has no sign, and nothing is ever rounded.
    ///
    /// # Errors
    ///
    /// In this order: [`DecimalError::Malformed`], [`DecimalError::TooPrecise`],
    /// [`DecimalError::TooLarge`].
    pub fn from_decimal(text: &str, currency: Currency) -> Result<MinorUnits, DecimalError> {
        let negative = text.strip_prefix('-');
        let magnitude = i128::from(magnitude(negative.unwrap_or(text), currency)?);
        let minor_units = match negative {
            Some(_) if magnitude == 0 => return Err(DecimalError::Malformed),
            Some(_) => magnitude.checked_neg(),
            None => Some(magnitude),
        };
        let minor_units = minor_units.and_then(|number| i64::try_from(number).ok());
        minor_units.map(MinorUnits).ok_or(DecimalError::TooLarge)
    }

    /// The exact decimal number in units of the currency, with all its decimal places: `-0.05`, `1099`.
    #[must_use]
    pub fn to_decimal_string(self, currency: Currency) -> String {
        currency.decimal(i128::from(self.0))
    }
}

impl From<Amount> for MinorUnits {
    fn from(amount: Amount) -> MinorUnits {
        MinorUnits(amount.get())
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

    fn edgy() -> impl Strategy<Value = i64> {
        prop_oneof![
            -3..=3_i64,
            (i64::MAX - 2)..=i64::MAX,
            i64::MIN..=(i64::MIN + 2),
            any::<i64>()
        ]
    }

    fn fits(minor_units: i128) -> Option<MinorUnits> {
        i64::try_from(minor_units).ok().map(MinorUnits::new)
    }

    fn text(minor_units: i64, code: &str) -> String {
        MinorUnits::new(minor_units).to_decimal_string(Currency::from_stored(code).unwrap())
    }

    #[test]
    fn every_exponent_is_written_in_full() {
        assert_eq!(text(1099, "JPY"), "1099");
        assert_eq!(text(1099, "EUR"), "10.99");
        assert_eq!(text(1099, "BHD"), "1.099");
        assert_eq!(text(1099, "CLF"), "0.1099");
        assert_eq!(text(-5, "EUR"), "-0.05");
        assert_eq!(text(0, "EUR"), "0.00");
        assert_eq!(text(0, "JPY"), "0");
        assert_eq!(text(1000, "EUR"), "10.00");
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_read() {
        let read = |text, code| {
            MinorUnits::from_decimal(text, Currency::from_stored(code).unwrap())
                .map(MinorUnits::get)
        };
        assert_eq!(read("-0.05", "EUR"), Ok(-5));
        assert_eq!(read("0", "EUR"), Ok(0));
        assert_eq!(read("10.9", "EUR"), Ok(1090));
        assert_eq!(read("-92233720368547758.08", "EUR"), Ok(i64::MIN));
        assert_eq!(
            read("92233720368547758.08", "EUR"),
            Err(DecimalError::TooLarge)
        );
        assert_eq!(
            read("0.005", "EUR"),
            Err(DecimalError::TooPrecise { exponent: 2 })
        );
        for text in ["-0", "-0.00", "--1", "+1", "", "-", "1e3", "1,5"] {
            assert_eq!(read(text, "EUR"), Err(DecimalError::Malformed), "{text}");
        }
    }

    #[test]
    fn the_edges_of_the_range_are_written_exactly() {
        assert_eq!(text(i64::MAX, "EUR"), "92233720368547758.07");
        assert_eq!(text(i64::MIN, "EUR"), "-92233720368547758.08");
        assert_eq!(text(i64::MIN, "JPY"), "-9223372036854775808");
        assert_eq!(text(i64::MIN, "CLF"), "-922337203685477.5808");
        assert_eq!(text(i64::MAX, "WEI/18"), "9.223372036854775807");
        assert_eq!(text(i64::MIN, "WEI/18"), "-9.223372036854775808");
        assert_eq!(text(-1, "WEI/18"), "-0.000000000000000001");
        assert_eq!(text(0, "WEI/18"), "0.000000000000000000");
    }

    #[test]
    fn a_sum_may_leave_the_range_on_its_way() {
        let terms = [i64::MAX, i64::MAX, i64::MIN, i64::MIN, 2].map(MinorUnits::new);
        assert_eq!(MinorUnits::sum(terms), Some(MinorUnits::ZERO));
    }

    #[test]
    fn amounts_are_summed_too() {
        let amounts = [Amount::MAX, Amount::new(1).unwrap()];
        assert_eq!(MinorUnits::sum(amounts), None);
        assert_eq!(
            MinorUnits::sum(amounts.first().copied()),
            Some(MinorUnits::new(i64::MAX))
        );
    }

    proptest! {
        #[test]
        fn checked_arithmetic_agrees_with_wider_integers(left in edgy(), right in edgy()) {
            let (a, b) = (MinorUnits::new(left), MinorUnits::new(right));
            let (left, right) = (i128::from(left), i128::from(right));
            prop_assert_eq!(a.checked_add(b), fits(left + right));
            prop_assert_eq!(a.checked_sub(b), fits(left - right));
            prop_assert_eq!(a.checked_neg(), fits(-left));
        }

        #[test]
        fn the_decimal_agrees_with_decimal_arithmetic(number in edgy(), exponent in 0..=18_u8) {
            let currency = Currency::custom("COIN", exponent).unwrap();
            let expected = rust_decimal::Decimal::new(number, u32::from(exponent)).to_string();
            prop_assert_eq!(MinorUnits::new(number).to_decimal_string(currency), expected);
        }

        #[test]
        fn a_sum_agrees_with_wider_integers(terms in prop::collection::vec(edgy(), 0..20)) {
            let expected = fits(terms.iter().copied().map(i128::from).sum());
            prop_assert_eq!(MinorUnits::sum(terms.into_iter().map(MinorUnits::new)), expected);
        }
    }
}
