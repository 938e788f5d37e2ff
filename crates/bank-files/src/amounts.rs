//! Amounts and currencies as files write them.

use money::{Currency, DecimalError, MinorUnits};

use crate::error::{Problem, shown};

/// The currency with this code.
pub(crate) fn currency(code: &str) -> Result<Currency, Problem> {
    let unknown = |_| Problem::Currency { found: shown(code) };
    Currency::from_code(code).map_err(unknown)
}

/// The number of minor units of digits with a point, without a sign. Zeros in front are taken. More decimal places than
/// those of the currency are refused even if they are zeros, because such an amount must have been written for another
/// currency.
pub(crate) fn units(
    decimal: &str,
    currency: Currency,
    right: &'static str,
) -> Result<MinorUnits, Problem> {
    let malformed = || Problem::malformed("the amount", decimal, right);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    if decimal.len() < 2 && fraction.is_empty() && whole.is_empty()
        || whole.is_empty() && fraction.is_empty()
        || !is_number(whole)
        || !is_number(fraction)
    {
        return Err(malformed());
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let plain = match fraction {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    };
    MinorUnits::from_decimal(&plain, currency).map_err(|error| match error {
        DecimalError::Malformed | DecimalError::Zero => malformed(),
        DecimalError::TooPrecise { .. } => Problem::TooPrecise {
            found: shown(decimal),
            currency,
        },
        DecimalError::TooLarge => Problem::AmountTooLarge,
    })
}

/// The sum, if it fits.
pub(crate) fn sum(terms: impl IntoIterator<Item = MinorUnits>) -> Result<MinorUnits, Problem> {
    MinorUnits::sum(terms).ok_or(Problem::AmountTooLarge)
}

/// The amount with the sign of its direction.
pub(crate) fn signed(units: MinorUnits, is_in: bool) -> Result<MinorUnits, Problem> {
    if is_in {
        return Ok(units);
    }
    units.checked_neg().ok_or(Problem::AmountTooLarge)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_amount_has_at_most_the_decimal_places_of_its_currency() {
        let read = |text, code| units(text, currency(code).unwrap(), "x").map(MinorUnits::get);
        for (text, code, right) in [
            ("1.234", "KWD", 1_234),
            ("1000", "JPY", 1_000),
            ("0.5", "EUR", 50),
            ("007.50", "EUR", 750),
            (".5", "EUR", 50),
            ("5.", "EUR", 500),
            ("0", "EUR", 0),
        ] {
            assert_eq!(read(text, code), Ok(right), "{text} {code}");
        }
        for text in ["", ".", "-1", "+1", "1,5", "1e3", "1.2.3", " 1"] {
            assert!(
                matches!(read(text, "EUR"), Err(Problem::Malformed { .. })),
                "{text}"
            );
        }
        for (text, code) in [("1.000", "EUR"), ("1000.00", "JPY"), ("1.2345", "KWD")] {
            assert!(
                matches!(read(text, code), Err(Problem::TooPrecise { .. })),
                "{text}"
            );
        }
        assert_eq!(
            read("99999999999999999999", "EUR"),
            Err(Problem::AmountTooLarge)
        );
        assert!(currency("eur").is_err() && currency("XAU").is_err());
    }
}
