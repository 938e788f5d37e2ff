//! An amount with its currency, and its decimal text.

use std::{fmt, iter};

use thiserror::Error;

use crate::{Amount, AmountError, Currency, MinorUnits};

/// An amount with its currency. It prints as `EUR 10.99`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount, in minor units.
    pub amount: Amount,
    /// The currency of the amount.
    pub currency: Currency,
}

/// Why a text is not [`Money`] of the given currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// The text is not a plain decimal number: digits without unneeded leading zeros, then optionally a point and
    /// more digits.
    #[error("a decimal is digits, then perhaps a point and digits, and nothing else")]
    Malformed,
    /// The text has more decimal places than the currency, even if they are zeros.
    #[error("the currency has {exponent} decimal places, and the decimal has more")]
    TooPrecise {
        /// Number of decimal places of the currency.
        exponent: u8,
    },
    /// The value is more than `i64::MAX` minor units.
    #[error("the decimal is more than {} minor units", i64::MAX)]
    TooLarge,
    /// The value is zero.
    #[error("an amount is at least one minor unit, not zero")]
    Zero,
}

impl Money {
    /// The money that a decimal number in units of the currency means: `10.99`, `10.9` or `10` of `EUR`.
    ///
    /// The form is that of a JSON number without sign and exponent. It has at most the decimal places of the
    /// currency. So `1099.00` of `JPY` is refused, because its author must have meant another currency or another
    /// unit. Nothing is ever rounded.
    ///
    /// # Errors
    ///
    /// In this order: [`DecimalError::Malformed`], [`DecimalError::TooPrecise`],
    /// [`DecimalError::TooLarge`], [`DecimalError::Zero`].
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Money, DecimalError> {
        let minor_units = i64::try_from(magnitude(text, currency)?)
            .map_err(|_too_large| DecimalError::TooLarge)?;
        match Amount::new(minor_units) {
            Ok(amount) => Ok(Money { amount, currency }),
            // Text of digits only is never negative.
            Err(AmountError::Zero | AmountError::Negative) => Err(DecimalError::Zero),
        }
    }

    /// The exact decimal number in units of the currency, with all its decimal places: `10.90`, `1099`.
    #[must_use]
    pub fn to_decimal_string(self) -> String {
        MinorUnits::from(self.amount).to_decimal_string(self.currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.currency, self.to_decimal_string()))
    }
}

/// The exact number of minor units of a decimal number without a sign.
pub(crate) fn magnitude(text: &str, currency: Currency) -> Result<u64, DecimalError> {
    let (whole, fraction) = split_decimal(text).ok_or(DecimalError::Malformed)?;
    let exponent = currency.exponent();
    let missing_places = usize::from(exponent)
        .checked_sub(fraction.len())
        .ok_or(DecimalError::TooPrecise { exponent })?;
    let mut digits = whole
        .bytes()
        .chain(fraction.bytes())
        .chain(iter::repeat_n(b'0', missing_places));
    digits
        .try_fold(0_u64, |number, digit| {
            let digit = u64::from(digit.checked_sub(b'0')?);
            number.checked_mul(10)?.checked_add(digit)
        })
        .ok_or(DecimalError::TooLarge)
}

/// The digits before and after the point, if the text is a plain decimal number.
fn split_decimal(text: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let no_needless_zero = whole == "0" || !whole.starts_with('0');
    let is_plain =
        !whole.is_empty() && no_needless_zero && only_digits(whole) && only_digits(fraction);
    is_plain.then_some((whole, fraction))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::arithmetic_side_effects,
        reason = "a test may stop at the first surprise, and compares with plain i128"
    )]

    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    fn read(text: &str, code: &str) -> Result<i64, DecimalError> {
        Money::from_decimal(text, Currency::from_stored(code).unwrap())
            .map(|money| money.amount.get())
    }

    fn currency() -> impl Strategy<Value = Currency> {
        let listed = vec!["JPY", "EUR", "BHD", "CLF"];
        let custom = (0..=Currency::MAX_EXPONENT)
            .prop_map(|exponent| Currency::custom("COIN", exponent).unwrap());
        prop_oneof![
            prop::sample::select(listed).prop_map(|code| code.parse().unwrap()),
            custom
        ]
    }

    fn positive() -> impl Strategy<Value = i64> {
        prop_oneof![1..=3_i64, (i64::MAX - 2)..=i64::MAX, 1..=i64::MAX]
    }

    #[test]
    fn a_decimal_is_read_in_units_of_its_currency() {
        assert_eq!(read("10.99", "EUR"), Ok(1099));
        assert_eq!(read("10.9", "EUR"), Ok(1090));
        assert_eq!(read("10", "EUR"), Ok(1000));
        assert_eq!(read("0.01", "EUR"), Ok(1));
        assert_eq!(read("1099", "JPY"), Ok(1099));
        assert_eq!(read("1.099", "BHD"), Ok(1099));
        assert_eq!(read("0.1099", "CLF"), Ok(1099));
        assert_eq!(read("1.000001", "USDC/6"), Ok(1_000_001));
        assert_eq!(read("0.000000000000000001", "WEI/18"), Ok(1));
    }

    #[test]
    fn money_prints_its_currency_first() {
        let money = Money::from_decimal("10.9", "EUR".parse().unwrap()).unwrap();
        assert_eq!(money.to_string(), "EUR 10.90");
        assert_eq!(money.to_decimal_string(), "10.90");
        assert_eq!(format!("{money:>12}"), "   EUR 10.90");
    }

    #[test]
    fn a_decimal_that_does_not_fit_is_refused_and_never_rounded() {
        let too_precise = |exponent| Err(DecimalError::TooPrecise { exponent });
        assert_eq!(read("10.991", "EUR"), too_precise(2));
        assert_eq!(read("0.001", "EUR"), too_precise(2));
        assert_eq!(read("1.5", "JPY"), too_precise(0));
        assert_eq!(read("1.0001", "BHD"), too_precise(3));
        assert_eq!(read("1.00001", "CLF"), too_precise(4));
        let deep = format!("1.{}1", "0".repeat(60));
        assert_eq!(read(&deep, "EUR"), too_precise(2));
        assert_eq!(read("0.0000000000000000001", "WEI/18"), too_precise(18));
    }

    #[test]
    fn more_places_than_the_currency_has_are_refused_though_they_be_zeros() {
        let too_precise = |exponent| Err(DecimalError::TooPrecise { exponent });
        assert_eq!(read("10.0", "JPY"), too_precise(0));
        assert_eq!(read("1099.00", "JPY"), too_precise(0));
        assert_eq!(read("10.990", "EUR"), too_precise(2));
        assert_eq!(read("1.0000", "BHD"), too_precise(3));
        assert_eq!(read("0.000", "EUR"), too_precise(2));
        assert_eq!(read("1.0000000", "USDC/6"), too_precise(6));
        let long = format!("10.99{}", "0".repeat(60));
        assert_eq!(read(&long, "EUR"), too_precise(2));
    }

    #[test]
    fn a_text_that_is_no_plain_decimal_is_refused() {
        for text in [
            "",
            " ",
            "1e3",
            "1E3",
            "+1",
            "-1",
            "-0",
            "1_000",
            "1,000",
            "1.000,00",
            "1,000.00",
            "1'000",
            "1\u{2019}000",
            "1 000",
            "1\u{a0}000",
            "1\u{202f}000",
            "1,5",
            " 1",
            "1 ",
            "1\n",
            "1.",
            ".5",
            ".",
            "1.2.3",
            "1..2",
            "01",
            "00",
            "00.5",
            "0x10",
            "NaN",
            "inf",
            "\u{661}",
            "\u{ff11}",
            "1.\u{665}",
            "\0",
            "1\0",
            "EUR 1",
            "1.-5",
            "1.+5",
        ] {
            assert_eq!(read(text, "EUR"), Err(DecimalError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn zero_is_refused() {
        for text in ["0", "0.0", "0.00"] {
            assert_eq!(read(text, "EUR"), Err(DecimalError::Zero), "{text:?}");
        }
    }

    #[test]
    fn the_largest_amount_is_read_and_one_more_is_refused() {
        assert_eq!(read("9223372036854775807", "JPY"), Ok(i64::MAX));
        assert_eq!(
            read("9223372036854775808", "JPY"),
            Err(DecimalError::TooLarge)
        );
        assert_eq!(read("92233720368547758.07", "EUR"), Ok(i64::MAX));
        assert_eq!(
            read("92233720368547758.08", "EUR"),
            Err(DecimalError::TooLarge)
        );
        assert_eq!(
            read("9223372036854775807", "EUR"),
            Err(DecimalError::TooLarge)
        );
        assert_eq!(read(&"9".repeat(1_000), "EUR"), Err(DecimalError::TooLarge));
        assert_eq!(read("9.223372036854775807", "WEI/18"), Ok(i64::MAX));
        assert_eq!(
            read("9.223372036854775808", "WEI/18"),
            Err(DecimalError::TooLarge)
        );
        assert_eq!(read("10", "WEI/18"), Err(DecimalError::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor_units in positive(), currency in currency()) {
            let money = Money { amount: Amount::new(minor_units).unwrap(), currency };
            prop_assert_eq!(Money::from_decimal(&money.to_decimal_string(), currency), Ok(money));
        }

        #[test]
        fn one_minor_unit_past_the_range_is_refused(excess in 1..=1_000_000_i128, currency in currency()) {
            let minor_units = i128::from(i64::MAX) + excess;
            let text =
                Decimal::from_i128_with_scale(minor_units, u32::from(currency.exponent())).to_string();
            prop_assert_eq!(Money::from_decimal(&text, currency), Err(DecimalError::TooLarge));
        }

        #[test]
        fn reading_agrees_with_decimal_arithmetic(
            text in "(0|[1-9][0-9]{0,16})(\\.[0-9]{1,11})?",
            currency in currency(),
        ) {
            // The digits of the text, moved by the difference in decimal places.
            let decimal = Decimal::from_str_exact(&text).unwrap();
            let scale = i32::from(currency.exponent()) - i32::try_from(decimal.scale()).unwrap();
            let minor_units = if scale >= 0 {
                decimal.mantissa().checked_mul(10_i128.pow(scale.unsigned_abs()))
            } else {
                None
            };
            let expected = minor_units
                .and_then(|number| i64::try_from(number).ok())
                .filter(|number| *number > 0);
            let read = Money::from_decimal(&text, currency).ok();
            prop_assert_eq!(read.map(|money| money.amount.get()), expected);
        }

        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,12}|[0-9.eE+_ -]{0,30}", currency in currency()) {
            if let Ok(money) = Money::from_decimal(&text, currency) {
                prop_assert!(Decimal::from_str_exact(&text).is_ok());
                prop_assert!(money.amount.get() > 0);
            }
        }
    }
}
