//! An exchange rate: an exact decimal number, as it was quoted.

use money::{Amount, Currency, Rounding, divide};

use crate::Leg;

/// Number of units of the bought currency for one unit of the sold currency: `1.0842`. It is a positive decimal
/// number of at most 18 digits, all of which may stand after the point. So every amount is computed exactly
/// and rounded once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    digits: i64,
    /// Number of digits after the point. The last digit is not zero.
    places: u8,
}

/// Why a text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// The text is not a plain decimal number.
    #[error("a rate is digits, then perhaps a point and digits, and nothing else")]
    Malformed,
    /// The number has too many digits for an exact computation.
    #[error("a rate has at most 18 digits")]
    TooPrecise,
    /// The number is zero.
    #[error("a rate is above zero")]
    Zero,
}

/// Why an amount cannot be exchanged at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConversionError {
    /// The other amount comes to zero.
    TooSmall,
    /// The other amount is more than `i64::MAX`.
    TooLarge,
}

/// Greatest number of digits, of the whole number and also after the point alone.
const MAX_DIGITS: usize = 18;

impl Rate {
    /// A rate from a decimal number: digits without unneeded leading zeros, then optionally a point and more digits.
    ///
    /// # Errors
    /// In this order: [`RateError::Malformed`], [`RateError::TooPrecise`], [`RateError::Zero`].
    pub fn parse(text: &str) -> Result<Self, RateError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(RateError::Malformed),
            Some(parts) => parts,
            None => (text, ""),
        };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let begins = whole == "0" || (!whole.is_empty() && !whole.starts_with('0'));
        if !begins || !is_number(whole) || !is_number(fraction) {
            return Err(RateError::Malformed);
        }
        // Trailing zeros have no meaning: 1.10 is 1.1.
        let fraction = fraction.trim_end_matches('0');
        let significant = format!("{whole}{fraction}");
        let significant = significant.trim_start_matches('0');
        let places = u8::try_from(fraction.len()).map_err(|_too_many| RateError::TooPrecise)?;
        if significant.len() > MAX_DIGITS || fraction.len() > MAX_DIGITS {
            return Err(RateError::TooPrecise);
        }
        match significant.parse() {
            Ok(digits) => Ok(Self { digits, places }),
            // The text has only digits, so the only possible error is that none are left.
            Err(_empty) => Err(RateError::Zero),
        }
    }

    /// The sold and the bought amount, if `amount` of one leg is given. The other amount is computed exactly and
    /// rounded once.
    pub(crate) fn amounts(
        self,
        (given, leg): (Amount, Leg),
        (sold, bought): (Currency, Currency),
        rounding: Rounding,
    ) -> Result<(Amount, Amount), ConversionError> {
        let other = self
            .ratio(given, leg, (sold, bought))
            .and_then(|(dividend, divisor)| divide(dividend, divisor, rounding))
            .and_then(|other| i64::try_from(other).ok())
            .ok_or(ConversionError::TooLarge)?;
        let other = Amount::new(other).map_err(|_zero| ConversionError::TooSmall)?;
        Ok(match leg {
            Leg::Sold => (given, other),
            Leg::Bought => (other, given),
        })
    }

    /// The other amount as a ratio in minor units: bought = sold × digits × 10^up / 10^down, where only one of
    /// the powers is more than 1. If a term does not fit, the result would not fit either.
    fn ratio(
        self,
        given: Amount,
        leg: Leg,
        (sold, bought): (Currency, Currency),
    ) -> Option<(i128, i128)> {
        let raised = u32::from(bought.exponent());
        let lowered = u32::from(sold.exponent()).checked_add(u32::from(self.places))?;
        let up = 10_i128.checked_pow(raised.saturating_sub(lowered))?;
        let down = 10_i128.checked_pow(lowered.saturating_sub(raised))?;
        let (given, digits) = (i128::from(given.get()), i128::from(self.digits));
        match leg {
            Leg::Sold => Some((given.checked_mul(digits)?.checked_mul(up)?, down)),
            Leg::Bought => Some((given.checked_mul(down)?, digits.checked_mul(up)?)),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = usize::from(self.places);
        let digits = format!("{:0>width$}", self.digits, width = places.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        if fraction.is_empty() {
            f.write_str(whole)
        } else {
            write!(f, "{whole}.{fraction}")
        }
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

    #[test]
    fn a_rate_is_read_back_from_what_it_prints() {
        for (text, printed) in [
            ("1", "1"),
            ("1.10", "1.1"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("999999999999999999", "999999999999999999"),
            ("157.25", "157.25"),
            ("0.0063", "0.0063"),
        ] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!(rate.to_string(), printed);
            assert_eq!(Rate::parse(printed), Ok(rate));
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "", ".", "1.", ".5", "01", "1e3", "+1", "-1", "1,5", " 1", "1_0", "NaN",
        ] {
            assert_eq!(Rate::parse(text), Err(RateError::Malformed), "{text:?}");
        }
        for text in [
            "1000000000000000000",
            "1.000000000000000001",
            "0.0000000000000000001",
        ] {
            assert_eq!(Rate::parse(text), Err(RateError::TooPrecise), "{text}");
        }
        for text in ["0", "0.000"] {
            assert_eq!(Rate::parse(text), Err(RateError::Zero), "{text}");
        }
    }

    fn amounts(
        given: (i64, Leg),
        rate: &str,
        currencies: (&str, &str),
        rounding: Rounding,
    ) -> Result<(i64, i64), ConversionError> {
        let given = (Amount::new(given.0).unwrap(), given.1);
        let currency = |stored| Currency::from_stored(stored).unwrap();
        let currencies = (currency(currencies.0), currency(currencies.1));
        let found = Rate::parse(rate)
            .unwrap()
            .amounts(given, currencies, rounding);
        found.map(|(sold, bought)| (sold.get(), bought.get()))
    }

    #[test]
    fn exponents_of_both_currencies_count() {
        let down = |given, rate, currencies| amounts(given, rate, currencies, Rounding::Down);
        let (sold, bought) = (Leg::Sold, Leg::Bought);
        assert_eq!(
            down((10_000, sold), "1.0842", ("EUR", "USD")),
            Ok((10_000, 10_842))
        );
        assert_eq!(
            down((10_000, sold), "157.25", ("USD", "JPY")),
            Ok((10_000, 15_725))
        );
        assert_eq!(
            down((15_725, sold), "0.0063", ("JPY", "USD")),
            Ok((15_725, 9_906))
        );
        assert_eq!(
            down((10_000, sold), "0.3767", ("USD", "BHD")),
            Ok((10_000, 37_670))
        );
        assert_eq!(
            down((10_842, bought), "1.0842", ("EUR", "USD")),
            Ok((10_000, 10_842))
        );
        assert_eq!(
            down((1, sold), "300", ("EUR", "WEI/18")),
            Ok((1, 3 * 10_i64.pow(18)))
        );
        assert_eq!(
            down((1, sold), "3000", ("EUR", "WEI/18")),
            Err(ConversionError::TooLarge)
        );
    }

    #[test]
    fn nothing_and_too_much_are_refused_whatever_the_rounding() {
        for mode in Rounding::ALL {
            let too_much = amounts((i64::MAX, Leg::Sold), "2", ("EUR", "USD"), mode);
            assert_eq!(too_much, Err(ConversionError::TooLarge));
            let too_much = amounts(
                (i64::MAX, Leg::Bought),
                "0.000000000000000001",
                ("WEI/18", "JPY"),
                mode,
            );
            assert_eq!(too_much, Err(ConversionError::TooLarge));
        }
        let little = |mode| amounts((1, Leg::Sold), "0.5", ("EUR", "USD"), mode);
        assert_eq!(little(Rounding::Down), Err(ConversionError::TooSmall));
        assert_eq!(little(Rounding::HalfEven), Err(ConversionError::TooSmall));
        assert_eq!(little(Rounding::HalfUp), Ok((1, 1)));
    }

    proptest! {
        #[test]
        fn what_is_bought_is_within_one_unit_of_the_exact_ratio(
            given in 1..=1_000_000_000_i64,
            digits in 1..=999_999_999_i64,
            places in 0..=9_u32,
            mode in prop::sample::select(Rounding::ALL.to_vec()),
        ) {
            let whole = digits / 10_i64.pow(places);
            let fraction = digits % 10_i64.pow(places);
            let text = if places == 0 {
                whole.to_string()
            } else {
                format!("{whole}.{fraction:0width$}", width = usize::try_from(places).unwrap())
            };
            let exact = i128::from(given) * i128::from(digits);
            let unit = 10_i128.pow(places);
            if let Ok((_, bought)) = amounts((given, Leg::Sold), &text, ("EUR", "USD"), mode) {
                prop_assert!((i128::from(bought) * unit - exact).abs() < unit);
            } else {
                prop_assert!(exact < unit);
            }
            let exact = i128::from(given) * unit;
            if let Ok((sold, _)) = amounts((given, Leg::Bought), &text, ("EUR", "USD"), mode) {
                prop_assert!((i128::from(sold) * i128::from(digits) - exact).abs() < i128::from(digits));
            } else {
                prop_assert!(exact < i128::from(digits));
            }
        }
    }
}
