//! Conversion of a decimal number that does not fit exactly into minor units, by a named mode.

use rust_decimal::{Decimal, RoundingStrategy};
use thiserror::Error;

use crate::{Currency, MinorUnits};

/// The rule by which a decimal number between two minor units becomes one of them.
///
/// The modes treat both signs alike: "up" means away from zero and "down" means towards zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// The nearer one; from the middle, the even one, so that many roundings do not drift.
    #[default]
    HalfEven,
    /// The nearer one; from the middle, the one away from zero.
    HalfUp,
    /// The one towards zero.
    Down,
    /// The one away from zero.
    Up,
}

impl Rounding {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::HalfEven, Self::HalfUp, Self::Down, Self::Up];

    /// The name, as stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfEven => "half_even",
            Self::HalfUp => "half_up",
            Self::Down => "down",
            Self::Up => "up",
        }
    }

    /// The mode with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

impl std::fmt::Display for Rounding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a decimal number cannot become minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RoundingError {
    /// The result lies outside the range of `i64`.
    #[error("the decimal is beyond the range of minor units")]
    OutOfRange,
}

/// The minor units nearest to a decimal number in units of the currency, by the given mode.
///
/// ```
/// use money::{Currency, Decimal, MinorUnits, Rounding, round};
///
/// let fee = Decimal::from_str_exact("0.125")?;
/// let eur = Currency::from_code("EUR")?;
/// assert_eq!(round(fee, eur, Rounding::HalfEven)?, MinorUnits::new(12));
/// assert_eq!(round(fee, eur, Rounding::HalfUp)?, MinorUnits::new(13));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RoundingError::OutOfRange`] if the result does not fit into an `i64`.
pub fn round(
    decimal: Decimal,
    currency: Currency,
    rounding: Rounding,
) -> Result<MinorUnits, RoundingError> {
    let exponent = u32::from(currency.exponent());
    let rounded = decimal.round_dp_with_strategy(exponent, strategy(rounding));
    in_minor_units(rounded, exponent)
        .and_then(|minor_units| i64::try_from(minor_units).ok())
        .map(MinorUnits::new)
        .ok_or(RoundingError::OutOfRange)
}

/// The whole number nearest to an exact ratio, by the given mode. `None` if the divisor is zero or the result
/// does not fit into an `i128`.
///
/// ```
/// use money::{Rounding, divide};
///
/// assert_eq!(divide(5, 2, Rounding::HalfEven), Some(2));
/// assert_eq!(divide(5, 2, Rounding::Up), Some(3));
/// ```
#[must_use]
pub fn divide(dividend: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    let towards_zero = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?.unsigned_abs();
    // Twice the rest may not fit, so the rest is compared with the difference to the next whole number.
    let middle = rest.cmp(&divisor.unsigned_abs().checked_sub(rest)?);
    let goes_away = match rounding {
        _ if rest == 0 => false,
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::HalfUp => middle.is_ge(),
        Rounding::HalfEven => {
            middle.is_gt() || (middle.is_eq() && towards_zero.checked_rem(2)? != 0)
        }
    };
    let away = if dividend.is_negative() == divisor.is_negative() {
        1
    } else {
        -1
    };
    if goes_away {
        towards_zero.checked_add(away)
    } else {
        Some(towards_zero)
    }
}

fn strategy(rounding: Rounding) -> RoundingStrategy {
    match rounding {
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::Down => RoundingStrategy::ToZero,
        Rounding::Up => RoundingStrategy::AwayFromZero,
    }
}

/// A decimal number of at most `exponent` places, times ten to the power of `exponent`. `None` if it has more
/// places or does not fit.
fn in_minor_units(decimal: Decimal, exponent: u32) -> Option<i128> {
    let missing_places = exponent.checked_sub(decimal.scale())?;
    decimal
        .mantissa()
        .checked_mul(10_i128.checked_pow(missing_places)?)
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

    const MODES: [Rounding; 4] = Rounding::ALL;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn in_every_mode(text: &str, code: &str) -> [i64; 4] {
        MODES.map(|mode| {
            round(decimal(text), code.parse().unwrap(), mode)
                .unwrap()
                .get()
        })
    }

    #[test]
    fn each_mode_treats_the_middle_as_its_name_says() {
        //                                     half-even, half-up, down, up
        assert_eq!(in_every_mode("0.125", "EUR"), [12, 13, 12, 13]);
        assert_eq!(in_every_mode("0.135", "EUR"), [14, 14, 13, 14]);
        assert_eq!(in_every_mode("-0.125", "EUR"), [-12, -13, -12, -13]);
        assert_eq!(in_every_mode("0.1250000001", "EUR"), [13, 13, 12, 13]);
        assert_eq!(in_every_mode("0.1249999999", "EUR"), [12, 12, 12, 13]);
        assert_eq!(in_every_mode("0.5", "JPY"), [0, 1, 0, 1]);
        assert_eq!(in_every_mode("-1.5", "JPY"), [-2, -2, -1, -2]);
    }

    #[test]
    fn what_fits_exactly_is_the_same_in_every_mode() {
        assert_eq!(in_every_mode("10.99", "EUR"), [1099; 4]);
        assert_eq!(in_every_mode("10.9", "EUR"), [1090; 4]);
        assert_eq!(in_every_mode("10.990000", "EUR"), [1099; 4]);
        assert_eq!(in_every_mode("-0.1099", "CLF"), [-1099; 4]);
        assert_eq!(in_every_mode("0", "BHD"), [0; 4]);
    }

    #[test]
    fn half_even_is_the_default() {
        assert_eq!(Rounding::default(), Rounding::HalfEven);
    }

    #[test]
    fn what_leaves_the_range_is_refused() {
        let eur = "EUR".parse().unwrap();
        let clf = "CLF".parse().unwrap();
        for mode in MODES {
            for (far, currency) in [
                (Decimal::MAX, eur),
                (Decimal::MIN, eur),
                (Decimal::MAX, clf),
            ] {
                assert_eq!(round(far, currency, mode), Err(RoundingError::OutOfRange));
            }
        }
        let edge = decimal("92233720368547758.075");
        assert_eq!(
            round(edge, eur, Rounding::Down),
            Ok(MinorUnits::new(i64::MAX))
        );
        assert_eq!(
            round(edge, eur, Rounding::Up),
            Err(RoundingError::OutOfRange)
        );
        assert_eq!(
            round(decimal("-92233720368547758.08"), eur, Rounding::HalfEven),
            Ok(MinorUnits::new(i64::MIN))
        );
    }

    /// The rule of each mode, written out in whole numbers.
    fn expected(mantissa: i128, scale: u32, exponent: u32, mode: Rounding) -> Option<i64> {
        let minor_units = if scale <= exponent {
            mantissa.checked_mul(10_i128.pow(exponent - scale))?
        } else {
            let unit = 10_i128.pow(scale - exponent);
            let (towards_zero, rest) = (mantissa / unit, mantissa % unit);
            let away_from_zero = towards_zero + rest.signum();
            let middle = (rest.abs() * 2).cmp(&unit);
            let goes_away = match mode {
                Rounding::Down => false,
                Rounding::Up => true,
                Rounding::HalfUp => middle.is_ge(),
                Rounding::HalfEven => middle.is_gt() || (middle.is_eq() && towards_zero % 2 != 0),
            };
            if goes_away {
                away_from_zero
            } else {
                towards_zero
            }
        };
        i64::try_from(minor_units).ok()
    }

    #[test]
    fn a_mode_is_read_back_from_its_name() {
        for mode in MODES {
            assert_eq!(Rounding::from_name(mode.name()), Some(mode));
        }
        assert_eq!(Rounding::from_name("HalfEven"), None);
    }

    #[test]
    fn a_ratio_is_rounded_at_the_edges_of_what_fits() {
        let (least, most) = (i128::MIN, i128::MAX);
        assert_eq!(divide(1, 0, Rounding::Up), None);
        assert_eq!(divide(least, -1, Rounding::Down), None);
        assert_eq!(divide(most, 1, Rounding::Up), Some(most));
        assert_eq!(divide(1, most, Rounding::Up), Some(1));
        assert_eq!(divide(-1, most, Rounding::Up), Some(-1));
        assert_eq!(divide(1, least, Rounding::Up), Some(-1));
        assert_eq!(divide(most, least, Rounding::HalfEven), Some(-1));
        assert_eq!(divide(most - 1, most, Rounding::HalfUp), Some(1));
    }

    proptest! {
        #[test]
        fn a_ratio_is_rounded_as_the_decimal_of_the_same_value(
            number in any::<i64>(),
            scale in 0..=12_u32,
            mode in prop::sample::select(MODES.to_vec()),
        ) {
            let decimal = Decimal::from_i128_with_scale(i128::from(number), scale);
            let rounded = round(decimal, "JPY".parse().unwrap(), mode).unwrap();
            let divided = divide(i128::from(number), 10_i128.pow(scale), mode);
            prop_assert_eq!(divided, Some(i128::from(rounded.get())));
            let turned = divide(-i128::from(number), -10_i128.pow(scale), mode);
            prop_assert_eq!(turned, divided);
        }

        #[test]
        fn rounding_agrees_with_its_rule_over_whole_numbers(
            mantissa in prop_oneof![
                -2_000..=2_000_i128,
                any::<i64>().prop_map(i128::from),
                any::<i64>().prop_map(|number| i128::from(number) * 5_000),
                prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX])
                    .prop_map(i128::from),
                -(1_i128 << 96) + 1..(1_i128 << 96),
            ],
            scale in 0..=28_u32,
            code in prop::sample::select(vec!["JPY", "EUR", "BHD", "CLF", "USDC/6", "BTC/8", "WEI/18"]),
            mode in prop::sample::select(MODES.to_vec()),
        ) {
            let currency = Currency::from_stored(code).unwrap();
            let decimal = Decimal::from_i128_with_scale(mantissa, scale);
            let rounded = round(decimal, currency, mode).ok().map(MinorUnits::get);
            prop_assert_eq!(
                rounded,
                expected(mantissa, scale, u32::from(currency.exponent()), mode)
            );
        }
    }
}
