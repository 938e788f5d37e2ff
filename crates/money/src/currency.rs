//! A currency: its code and the exponent of its minor unit.

mod withdrawn;

use std::borrow::Cow;
use std::{fmt, str};

use thiserror::Error;

use self::withdrawn::WITHOUT_MINOR_UNIT;

pub use self::withdrawn::Day;

/// A currency with a known minor unit. Currencies are ordered by code.
///
/// Most currencies are those of ISO 4217, with the codes and exponents that `iso_currency` lists. Currencies that
/// ISO 4217 has withdrawn (`HRK`) are known too, from a table of this crate, because old books must stay
/// readable: [`withdrawn_since`](Currency::withdrawn_since). All others are custom assets (a stablecoin, loyalty
/// points), with a code and an exponent that somebody chose.
///
/// The value carries its exponent and does not look it up. So callers need not know which of the two it is: they
/// use [`code`] and [`exponent`].
///
/// [`code`]: Currency::code
/// [`exponent`]: Currency::exponent
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    /// ASCII, filled up with zero bytes, which sort before every letter and digit.
    code: [u8; MAX_CODE_LENGTH],
    exponent: u8,
    is_custom: bool,
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
    /// ISO 4217 lists the code without a minor unit, as for gold (`XAU`), the test code (`XTS`) and many withdrawn
    /// codes (`ALK`). So a whole number of minor units has no meaning.
    #[error("ISO 4217 gives the currency no minor unit")]
    NoMinorUnit,
}

/// Why a custom asset is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AssetError {
    /// The code is not a letter from `A` to `Z` and then two to nine letters or digits.
    #[error("an asset's code is 3 to 10 upper-case letters and digits, a letter first")]
    Malformed,
    /// ISO 4217 uses this code, or has used it.
    #[error("the code is one of ISO 4217: no asset has it, and it stands without decimal places")]
    TakenByIso,
    /// The exponent is above [`Currency::MAX_EXPONENT`].
    #[error("an asset has at most {} decimal places", Currency::MAX_EXPONENT)]
    TooPrecise,
}

impl AssetError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "malformed_code",
            "A code is 3 to 10 upper-case letters and digits, a letter first.",
        ),
        (
            "taken_by_iso",
            "A code is none of ISO 4217, neither one that was withdrawn nor one without a minor unit.",
        ),
        ("too_precise", "An asset has at most 18 decimal places."),
    ];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_code",
            Self::TakenByIso => "taken_by_iso",
            Self::TooPrecise => "too_precise",
        }
    }
}

/// Why a stored text is not a [`Currency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoredError {
    /// The text has no `/` and is not an ISO 4217 code.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The parts before and after the `/` are not a custom asset.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// The part after the `/` is not a number without unneeded zeros.
    #[error("an asset's exponent is a plain number")]
    MalformedExponent,
}

impl Currency {
    /// Greatest number of decimal places. One unit is then 10^18 minor units; the next power of ten does not fit
    /// into an `i64`. An amount can then be up to about nine whole units.
    pub const MAX_EXPONENT: u8 = 18;

    /// The currency with this ISO 4217 alphabetic code, written in upper case.
    ///
    /// # Errors
    ///
    /// In this order: [`CurrencyError::Malformed`], [`CurrencyError::Unknown`],
    /// [`CurrencyError::NoMinorUnit`].
    pub fn from_code(code: &str) -> Result<Currency, CurrencyError> {
        let is_shaped = code.len() == ISO_LENGTH && code.bytes().all(|b| b.is_ascii_uppercase());
        let bytes = filled(code)
            .filter(|_| is_shaped)
            .ok_or(CurrencyError::Malformed)?;
        let exponent = match withdrawn::find(code) {
            Some(withdrawn) => Some(withdrawn.exponent),
            None if WITHOUT_MINOR_UNIT.contains(&code) => None,
            None => iso_currency::Currency::from_code(code)
                .ok_or(CurrencyError::Unknown)?
                .exponent()
                .and_then(|exponent| u8::try_from(exponent).ok()),
        };
        let exponent = exponent.ok_or(CurrencyError::NoMinorUnit)?;
        Ok(Currency {
            code: bytes,
            exponent,
            is_custom: false,
        })
    }

    /// A custom asset: a code of 3 to 10 letters and digits, and the number of decimal places of its minor unit.
    ///
    /// Two assets with the same code and different exponents are different currencies; the register of assets makes
    /// sure that a code has one exponent. ISO 4217 may one day use a code of three letters, but never a longer
    /// one.
    ///
    /// ```
    /// use money::{AssetError, Currency, Money};
    ///
    /// let usdc = Currency::custom("USDC", 6)?;
    /// assert_eq!(Money::from_decimal("0.000001", usdc).map(|money| money.amount.get()), Ok(1));
    /// assert_eq!(Currency::custom("EUR", 6), Err(AssetError::TakenByIso));
    /// # Ok::<(), AssetError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In this order: [`AssetError::Malformed`], [`AssetError::TakenByIso`] (also for a withdrawn code such as `DEM`,
    /// and for one without a minor unit such as `XAU`), [`AssetError::TooPrecise`].
    pub fn custom(code: &str, exponent: u8) -> Result<Currency, AssetError> {
        let is_shaped = code.len() >= MIN_CODE_LENGTH
            && code.starts_with(|first: char| first.is_ascii_uppercase())
            && code
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let bytes = filled(code)
            .filter(|_| is_shaped)
            .ok_or(AssetError::Malformed)?;
        let is_of_iso = iso_currency::Currency::from_code(code).is_some()
            || withdrawn::find(code).is_some()
            || WITHOUT_MINOR_UNIT.contains(&code);
        if is_of_iso {
            return Err(AssetError::TakenByIso);
        }
        if exponent > Currency::MAX_EXPONENT {
            return Err(AssetError::TooPrecise);
        }
        Ok(Currency {
            code: bytes,
            exponent,
            is_custom: true,
        })
    }

    /// The code: `EUR`, `USDC`.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII is ever stored, so the default is never used.
        str::from_utf8(&self.code)
            .unwrap_or_default()
            .trim_end_matches('\0')
    }

    /// Number of decimal places of the minor unit: 2 for `EUR`, 0 for `JPY`.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// Whether this is a custom asset and not a currency of ISO 4217.
    #[must_use]
    pub const fn is_custom(self) -> bool {
        self.is_custom
    }

    /// The first day, from midnight UTC, on which ISO 4217 no longer had the currency; `None` if ISO 4217 still has
    /// it, or if it is a custom asset.
    ///
    /// ```
    /// let kuna = money::Currency::from_code("HRK")?;
    /// assert_eq!(kuna.withdrawn_since().map(|day| day.to_string()), Some("2023-01-01".to_owned()));
    /// # Ok::<(), money::CurrencyError>(())
    /// ```
    #[must_use]
    pub fn withdrawn_since(&self) -> Option<Day> {
        let known = (!self.is_custom).then(|| withdrawn::find(self.code()));
        known.flatten().map(|withdrawn| withdrawn.since)
    }

    /// The exact decimal number of units for a number of minor units, with all its decimal places: `-0.05`,
    /// `1099`. The argument is an `i128`, because a sum of many balances may not fit into an `i64`.
    #[must_use]
    pub fn decimal(self, minor_units: i128) -> String {
        let places = usize::from(self.exponent);
        let sign = if minor_units < 0 { "-" } else { "" };
        // The zero in front of the point needs a digit too.
        let at_least = places.saturating_add(1);
        let digits = format!("{:0>at_least$}", minor_units.unsigned_abs());
        match digits.split_at_checked(digits.len().saturating_sub(places)) {
            Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
            Some(_) | None => format!("{sign}{digits}"),
        }
    }

    /// The text from which [`from_stored`](Currency::from_stored) makes the same currency again without a look-up:
    /// `EUR`; for a custom asset, the code with its exponent: `USDC/6`.
    #[must_use]
    pub fn stored(&self) -> Cow<'_, str> {
        if self.is_custom {
            Cow::Owned(format!("{}/{}", self.code(), self.exponent))
        } else {
            Cow::Borrowed(self.code())
        }
    }

    /// The currency that was [`stored`](Currency::stored) as this text. Each currency has exactly one such text.
    ///
    /// # Errors
    ///
    /// [`StoredError`], as described at [`from_code`](Currency::from_code) and [`custom`](Currency::custom).
    pub fn from_stored(text: &str) -> Result<Currency, StoredError> {
        let Some((code, places)) = text.split_once('/') else {
            return Ok(Currency::from_code(text)?);
        };
        let is_plain = places.bytes().all(|b| b.is_ascii_digit())
            && (places == "0" || !places.starts_with('0'));
        let exponent = places
            .parse::<u8>()
            .ok()
            .filter(|_| is_plain)
            .ok_or(StoredError::MalformedExponent)?;
        Ok(Currency::custom(code, exponent)?)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.stored())
    }
}

impl str::FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Currency, CurrencyError> {
        Currency::from_code(code)
    }
}

const ISO_LENGTH: usize = 3;
const MIN_CODE_LENGTH: usize = 3;
const MAX_CODE_LENGTH: usize = 10;

/// The code filled up with zero bytes, if it fits and has no zero byte itself.
fn filled(code: &str) -> Option<[u8; MAX_CODE_LENGTH]> {
    let mut bytes = [0; MAX_CODE_LENGTH];
    bytes
        .get_mut(..code.len())?
        .copy_from_slice(code.as_bytes());
    Some(bytes)
}

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
            if currency.withdrawn_since().is_some() {
                continue;
            }
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

    /// Every code that was ever accepted, with its decimal places: amounts that are stored under a code must stay
    /// readable for ever. If a newer library no longer lists a code, the code goes into the table of withdrawn
    /// currencies.
    const EVER_ACCEPTED: [(u8, &str); 4] = [
        (
            0,
            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        ),
        (
            2,
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN \
             BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD \
             FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW \
             KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN \
             NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD \
             SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU \
             UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL",
        ),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    ];

    #[test]
    fn every_code_that_was_ever_accepted_stays_readable() {
        let mut accepted = 0_usize;
        for (exponent, codes) in EVER_ACCEPTED {
            for code in codes.split_whitespace() {
                let read = Currency::from_stored(code).map(Currency::exponent);
                assert_eq!(read, Ok(exponent), "{code}");
                accepted = accepted.saturating_add(1);
            }
        }
        let all = every_possible_code().filter_map(|code| Currency::from_code(&code).ok());
        let listed = EVER_ACCEPTED.iter().flat_map(|(_, codes)| codes.split(' '));
        let is_new = |currency: &Currency| {
            currency.withdrawn_since().is_none()
                && !listed.clone().any(|code| code == currency.code())
        };
        let new: Vec<Currency> = all.filter(is_new).collect();
        assert_eq!(new, [], "accepted from now on, so to be listed above");
        assert!(accepted > 150, "{accepted}");
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
        assert_eq!(size_of::<Currency>(), 12);
    }

    fn custom(code: &str, exponent: u8) -> Currency {
        Currency::custom(code, exponent).unwrap()
    }

    #[test]
    fn a_custom_asset_has_the_code_and_exponent_it_was_given() {
        for (code, exponent) in [
            ("BTC", 8),
            ("USDC", 6),
            ("ETH", 18),
            ("A1B", 0),
            ("POINTS2030", 2),
        ] {
            let asset = custom(code, exponent);
            assert_eq!((asset.code(), asset.exponent()), (code, exponent));
            assert_eq!(asset.to_string(), code);
            assert!(asset.is_custom());
            assert!(Currency::from_code(code).is_err(), "{code} is not of ISO");
        }
    }

    #[test]
    fn a_custom_code_is_three_to_ten_letters_and_digits() {
        for code in [
            "",
            "AB",
            "ABCDEFGHIJK",
            "1INCH",
            "usdc",
            "USDc",
            "US-D",
            "US/D",
            "US D",
            "USD\0",
            "\0\0\0",
            "\u{415}URO",
            "€€€",
        ] {
            let refused = Currency::custom(code, 2);
            assert_eq!(refused, Err(AssetError::Malformed), "{code:?}");
        }
    }

    #[test]
    fn a_code_of_iso_is_nobody_elses_even_if_it_was_withdrawn_or_has_no_minor_unit() {
        for code in [
            "EUR", "JPY", "HRK", "DEM", "FRF", "ZWD", "XFU", "XAU", "XXX", "XTS",
        ] {
            let refused = Currency::custom(code, 2);
            assert_eq!(refused, Err(AssetError::TakenByIso), "{code}");
        }
    }

    #[test]
    fn an_exponent_leaves_room_for_one_whole_unit() {
        assert_eq!(custom("ETH", 18).exponent(), 18);
        for exponent in [19, u8::MAX] {
            let refused = Currency::custom("ETH", exponent);
            assert_eq!(refused, Err(AssetError::TooPrecise));
        }
        let largest = u32::from(Currency::MAX_EXPONENT);
        assert!(10_i64.checked_pow(largest).is_some());
        assert!(10_i64.checked_pow(largest.saturating_add(1)).is_none());
    }

    #[test]
    fn an_asset_is_refused_by_the_first_broken_rule() {
        let refused = |code, exponent| Currency::custom(code, exponent).err().map(|e| e.code());
        assert_eq!(refused("USDC", 18), None);
        assert_eq!(refused("usdc", 6), Some("malformed_code"));
        assert_eq!(refused("EUR", 6), Some("taken_by_iso"));
        assert_eq!(refused("EUR", 19), Some("taken_by_iso"));
        assert_eq!(refused("USDC", 19), Some("too_precise"));
        // A malformed code is not a code of ISO 4217, so it is refused as malformed even if the exponent is too large.
        assert_eq!(refused("usdc", 19), Some("malformed_code"));
        let told = AssetError::ORDER.iter().map(|(code, _)| *code);
        let order = [
            AssetError::Malformed,
            AssetError::TakenByIso,
            AssetError::TooPrecise,
        ];
        assert!(told.eq(order.iter().map(AssetError::code)));
    }

    #[test]
    fn a_currency_is_read_back_from_what_was_stored() {
        let all = every_possible_code().filter_map(|code| Currency::from_code(&code).ok());
        for currency in all {
            assert_eq!(currency.stored(), currency.code());
            assert!(matches!(currency.stored(), Cow::Borrowed(_)));
            assert_eq!(Currency::from_stored(&currency.stored()), Ok(currency));
        }
        for exponent in 0..=Currency::MAX_EXPONENT {
            let asset = custom("USDC", exponent);
            assert_eq!(asset.stored(), format!("USDC/{exponent}"));
            assert_eq!(Currency::from_stored(&asset.stored()), Ok(asset));
        }
    }

    #[test]
    fn a_text_that_was_never_stored_is_refused() {
        use StoredError::{Asset, Currency as Iso, MalformedExponent};
        for (text, expected) in [
            ("", Iso(CurrencyError::Malformed)),
            ("USDC", Iso(CurrencyError::Malformed)),
            ("BTC", Iso(CurrencyError::Unknown)),
            ("XAU", Iso(CurrencyError::NoMinorUnit)),
            ("EUR/2", Asset(AssetError::TakenByIso)),
            ("usdc/6", Asset(AssetError::Malformed)),
            ("/6", Asset(AssetError::Malformed)),
            ("USDC/19", Asset(AssetError::TooPrecise)),
            ("USDC/", MalformedExponent),
            ("USDC/06", MalformedExponent),
            ("USDC/+6", MalformedExponent),
            ("USDC/-6", MalformedExponent),
            ("USDC/256", MalformedExponent),
            ("USDC/6/6", MalformedExponent),
            ("USDC/6 ", MalformedExponent),
        ] {
            assert_eq!(Currency::from_stored(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn the_same_code_with_another_exponent_is_another_currency() {
        assert_ne!(custom("USDC", 6), custom("USDC", 18));
        let mut some = [
            custom("USDCE", 6),
            custom("USDC", 6),
            "USD".parse().unwrap(),
        ];
        some.sort_unstable();
        assert_eq!(some.map(|c| c.to_string()), ["USD", "USDC", "USDCE"]);
    }

    #[test]
    fn a_sum_of_many_balances_is_written_exactly() {
        let eur: Currency = "EUR".parse().unwrap();
        assert_eq!(
            eur.decimal(i128::from(i64::MAX) + 1),
            "92233720368547758.08"
        );
        assert_eq!(
            custom("WEI", 18).decimal(i128::MIN),
            "-170141183460469231731.687303715884105728"
        );
        let jpy: Currency = "JPY".parse().unwrap();
        assert_eq!(
            [eur.decimal(-5), eur.decimal(0), jpy.decimal(0)],
            ["-0.05", "0.00", "0"]
        );
    }
}
