//! A currency: its code and the exponent of its minor unit.

use std::{fmt, str};

use thiserror::Error;

/// A currency whose minor unit is known, ordered by its code.
///
/// Codes and exponents are those of ISO 4217, as `iso_currency` lists them; codes since withdrawn
/// (`HRK`) are among them, because old books still have to be read.
///
/// The value carries its exponent instead of looking it up, and callers see only [`code`] and
/// [`exponent`]: an asset that ISO does not list can be given the same shape without a change for
/// them.
///
/// [`code`]: Currency::code
/// [`exponent`]: Currency::exponent
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; CODE_LENGTH],
    exponent: u8,
}

/// Why a text is not a [`Currency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CurrencyError {
    /// The text is not three letters from `A` to `Z`.
    #[error("a currency code is three upper-case letters")]
    Malformed,
    /// ISO 4217 does not list the code.
    #[error("the currency code is not one of ISO 4217")]
    Unknown,
    /// ISO 4217 lists the code without a minor unit, as it does gold (`XAU`) and the test code
    /// (`XTS`), so that no whole number of it means anything.
    #[error("the currency has no minor unit")]
    NoMinorUnit,
}

impl Currency {
    /// The currency with this ISO 4217 alphabetic code, written in upper case.
    ///
    /// # Errors
    ///
    /// In this order: [`CurrencyError::Malformed`], [`CurrencyError::Unknown`],
    /// [`CurrencyError::NoMinorUnit`].
    pub fn from_code(code: &str) -> Result<Currency, CurrencyError> {
        let bytes = <[u8; CODE_LENGTH]>::try_from(code.as_bytes())
            .ok()
            .filter(|bytes| bytes.iter().all(u8::is_ascii_uppercase))
            .ok_or(CurrencyError::Malformed)?;
        let listed = iso_currency::Currency::from_code(code).ok_or(CurrencyError::Unknown)?;
        let exponent = listed
            .exponent()
            .and_then(|exponent| u8::try_from(exponent).ok())
            .ok_or(CurrencyError::NoMinorUnit)?;
        Ok(Currency {
            code: bytes,
            exponent,
        })
    }

    /// The code: `EUR`.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters are ever stored, so the default is never taken.
        str::from_utf8(&self.code).unwrap_or_default()
    }

    /// How many decimal places the minor unit is away from the unit: 2 for `EUR`, 0 for `JPY`.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl str::FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Currency, CurrencyError> {
        Currency::from_code(code)
    }
}

const CODE_LENGTH: usize = 3;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    /// ISO 4217, list one: every current code whose exponent is not 2.
    const EXPONENTS_OTHER_THAN_TWO: [(u8, &[&str]); 3] = [
        (
            0,
            &[
                "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                "VND", "VUV", "XAF", "XOF", "XPF",
            ],
        ),
        (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
        (4, &["CLF", "UYW"]),
    ];

    fn every_possible_code() -> impl Iterator<Item = String> {
        ('A'..='Z').flat_map(|first| {
            ('A'..='Z').flat_map(move |second| {
                ('A'..='Z').map(move |third| String::from_iter([first, second, third]))
            })
        })
    }

    #[test]
    fn every_currency_has_the_exponent_of_the_standard() {
        let mut accepted = 0_usize;
        for code in every_possible_code() {
            let Ok(currency) = Currency::from_code(&code) else {
                continue;
            };
            let expected = EXPONENTS_OTHER_THAN_TWO
                .iter()
                .find(|(_, codes)| codes.contains(&code.as_str()))
                .map_or(2, |(exponent, _)| *exponent);
            assert_eq!(currency.exponent(), expected, "{code}");
            assert_eq!(currency.code(), code);
            accepted = accepted.saturating_add(1);
        }
        assert!(accepted > 150, "only {accepted} currencies are known");
        for (exponent, codes) in EXPONENTS_OTHER_THAN_TWO {
            for code in codes {
                assert_eq!(Currency::from_code(code).unwrap().exponent(), exponent);
            }
        }
    }

    #[test]
    fn a_code_without_a_minor_unit_is_refused() {
        for code in [
            "XAU", "XAG", "XPT", "XPD", "XXX", "XTS", "XDR", "XBA", "XUA",
        ] {
            assert_eq!(
                Currency::from_code(code),
                Err(CurrencyError::NoMinorUnit),
                "{code}"
            );
        }
    }

    #[test]
    fn a_code_that_nobody_issued_is_refused() {
        for code in ["AAA", "BTC", "ZZZ"] {
            assert_eq!(
                Currency::from_code(code),
                Err(CurrencyError::Unknown),
                "{code}"
            );
        }
    }

    #[test]
    fn a_text_that_is_no_code_is_refused() {
        for text in [
            "",
            "E",
            "EU",
            "EURO",
            "eur",
            "Eur",
            "EU1",
            " EUR",
            "EUR ",
            "EU\0",
            "\u{415}UR",
            "\u{20ac}",
            "978",
        ] {
            assert_eq!(
                Currency::from_code(text),
                Err(CurrencyError::Malformed),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_currency_is_read_back_from_what_it_prints() {
        let euro: Currency = "EUR".parse().unwrap();
        assert_eq!(euro.to_string(), "EUR");
        assert_eq!(euro.to_string().parse(), Ok(euro));
        assert_eq!(format!("{euro:?}"), "EUR");
    }

    #[test]
    fn currencies_sort_by_code_and_stay_small() {
        let mut currencies = ["USD", "BHD", "JPY", "EUR"].map(|code| code.parse().unwrap());
        currencies.sort_unstable();
        assert_eq!(
            currencies.map(|currency: Currency| currency.to_string()),
            ["BHD", "EUR", "JPY", "USD"]
        );
        assert_eq!(size_of::<Currency>(), 4);
    }
}
