//! International bank account numbers (ISO 13616) that were checked: [`Iban`].

use std::fmt;
use std::str::FromStr;

use crate::iban::{COUNTRIES, modulo, places};
use crate::national;

/// Hyphens that people write between groups: of ASCII, soft, of typography, unbreakable, small and full-width.
const HYPHENS: [char; 6] = [
    '-', '\u{ad}', '\u{2010}', '\u{2011}', '\u{fe63}', '\u{ff0d}',
];

/// Territories whose numbers are written with the code of another country (SWIFT IBAN registry, release 101).
const TERRITORIES: [(&str, &str); 15] = [
    ("BL", "FR"),
    ("GF", "FR"),
    ("GG", "GB"),
    ("GP", "FR"),
    ("IM", "GB"),
    ("JE", "GB"),
    ("MF", "FR"),
    ("MQ", "FR"),
    ("NC", "FR"),
    ("PF", "FR"),
    ("PM", "FR"),
    ("RE", "FR"),
    ("TF", "FR"),
    ("WF", "FR"),
    ("YT", "FR"),
];

/// An international bank account number: country, length, structure and check digits are right.
///
/// It is kept in the electronic form, 15 to 34 capital letters and digits, and is shown in groups of four. Whether
/// the account exists, and at which bank, it does not tell.
///
/// ```
/// let iban: text::Iban = "iban de89 3704-0044 0532 0130 00".parse()?;
/// assert_eq!(iban.electronic(), "DE89370400440532013000");
/// assert_eq!(iban.to_string(), "DE89 3704 0044 0532 0130 00");
/// # Ok::<(), text::IbanError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iban(String);

/// Why a text is not an [`Iban`]: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IbanError {
    /// The text does not begin with two letters and two digits, or has other characters than letters and digits.
    #[error("an IBAN is two letters, two digits, and then letters and digits of ASCII")]
    Malformed,
    /// No country with this code has such numbers.
    #[error("{}", unknown(country))]
    UnknownCountry {
        /// The first two letters.
        country: String,
    },
    /// The number is too short or too long for its country.
    #[error("an IBAN of {country} has {right} characters, and this one has {found}")]
    Length {
        /// The first two letters.
        country: String,
        /// Number of characters that the country's numbers have.
        right: usize,
        /// Number of characters of this one.
        found: usize,
    },
    /// A letter stands where the country has a digit, or the reverse.
    #[error("character {position} of an IBAN of {country} is {right}")]
    Structure {
        /// The first two letters.
        country: String,
        /// The place of the first wrong character; the first character of the number is 1.
        position: usize,
        /// What stands there.
        right: &'static str,
    },
    /// The check digits are not 02 to 98, or do not fit the rest.
    #[error("the check digits of the IBAN do not fit the rest of it: a character is wrong")]
    CheckDigits,
}

impl IbanError {
    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "iban_malformed",
            Self::UnknownCountry { .. } => "iban_country_unknown",
            Self::Length { .. } => "iban_length",
            Self::Structure { .. } => "iban_structure",
            Self::CheckDigits => "iban_check_digits",
        }
    }
}

fn unknown(country: &str) -> String {
    let written = territory(country).filter(|written| *written != country);
    match written {
        Some(written) => format!("IBANs of {country} begin with {written}"),
        None => format!("{country} is not a country whose accounts have IBANs"),
    }
}

/// The code with which the numbers of a country or territory begin; `None` if it has none.
fn territory(country: &str) -> Option<&'static str> {
    let own = COUNTRIES.map(|(code, _)| (code, code));
    let mut all = TERRITORIES.into_iter().chain(own);
    let found = all.find(|(code, _)| *code == country);
    found.map(|(_, written)| written)
}

impl Iban {
    /// The number that a text means. All white space of Unicode and all hyphens are taken out, ASCII letters become
    /// capitals, and the word `IBAN` in front, also with a colon, is cut off.
    ///
    /// # Errors
    /// [`IbanError`] names the first broken rule.
    pub fn parse(text: &str) -> Result<Self, IbanError> {
        let is_kept = |c: &char| !c.is_whitespace() && !HYPHENS.contains(c);
        let kept: String = text.chars().filter(is_kept).collect();
        let kept = kept.to_ascii_uppercase();
        let number = kept.strip_prefix("IBAN").unwrap_or(&kept);
        let number = number.strip_prefix(':').unwrap_or(number);
        let (country, rest) = number.split_at_checked(2).ok_or(IbanError::Malformed)?;
        let (check, national) = rest.split_at_checked(2).ok_or(IbanError::Malformed)?;
        let is_shaped = country.bytes().all(|byte| byte.is_ascii_uppercase())
            && check.bytes().all(|byte| byte.is_ascii_digit())
            && national.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_shaped {
            return Err(IbanError::Malformed);
        }
        let country = country.to_owned();
        let known = COUNTRIES.iter().find(|(code, _)| *code == country);
        let Some((_, structure)) = known else {
            return Err(IbanError::UnknownCountry { country });
        };
        let right = places(structure).count().saturating_add(4);
        if number.len() != right {
            let found = number.len();
            return Err(IbanError::Length {
                country,
                right,
                found,
            });
        }
        for (position, (kind, byte)) in (5..).zip(places(structure).zip(national.bytes())) {
            let (fits, right) = match kind {
                b'n' => (byte.is_ascii_digit(), "a digit"),
                b'a' => (byte.is_ascii_uppercase(), "a letter"),
                _ => (true, "a letter or a digit"),
            };
            if !fits {
                return Err(IbanError::Structure {
                    country,
                    position,
                    right,
                });
            }
        }
        let moved = national.bytes().chain(country.bytes()).chain(check.bytes());
        if !("02"..="98").contains(&check) || moved.fold(0, modulo) != 1 {
            return Err(IbanError::CheckDigits);
        }
        Ok(Self(number.to_owned()))
    }

    /// The electronic form: capital letters and digits without blanks.
    #[must_use]
    pub fn electronic(&self) -> &str {
        &self.0
    }

    /// The first two letters: the country, or the country to which a territory belongs.
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    /// The part after the check digits, as the country defines it.
    #[must_use]
    pub fn national(&self) -> &str {
        self.0.get(4..).unwrap_or_default()
    }

    /// Whether the accounts of a country or territory have numbers with the country code of this one. `GG`, for
    /// Guernsey, belongs to `GB`.
    #[must_use]
    pub fn is_of(&self, country: &str) -> bool {
        territory(country).unwrap_or(country) == self.country()
    }

    /// Whether the country has check digits of its own in the national part, and they are wrong. The number is valid
    /// all the same: banks have issued such numbers, so this is a reason to warn and not to refuse.
    #[must_use]
    pub fn has_wrong_national_digits(&self) -> bool {
        national::is_right(self.country(), self.national()) == Some(false)
    }

    /// Whether this is a QR-IBAN of Switzerland or Liechtenstein: the number of the institution is 30000 to 31999.
    /// Payments to it need a QR reference.
    #[must_use]
    pub fn is_qr(&self) -> bool {
        let institution = self.national().get(..5).unwrap_or_default();
        matches!(self.country(), "CH" | "LI") && ("30000"..="31999").contains(&institution)
    }
}

impl FromStr for Iban {
    type Err = IbanError;

    fn from_str(text: &str) -> Result<Self, IbanError> {
        Self::parse(text)
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = self.0.as_bytes().chunks(4).map(str::from_utf8);
        if let Some(Ok(first)) = groups.next() {
            f.write_str(first)?;
        }
        for group in groups.flatten() {
            write!(f, " {group}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> IbanError {
        Iban::parse(text).unwrap_err()
    }

    #[test]
    fn an_iban_is_right_by_country_length_structure_and_check_digits() {
        for text in [
            "DE89370400440532013000",
            "PK36SCBL0000001123456702",
            "HN88CABF00000000000250005469",
            "BE10919000000004",
            "BY13NBRB3600900000002Z00AB00",
        ] {
            assert_eq!(Iban::parse(text).unwrap().electronic(), text);
        }
        let country = || "DE".to_owned();
        let right = 22;
        for (text, error) in [
            ("", IbanError::Malformed),
            ("DE", IbanError::Malformed),
            ("DEXX370400440532013000", IbanError::Malformed),
            ("DE89_70400440532013000", IbanError::Malformed),
            ("D\u{c9}89370400440532013000", IbanError::Malformed),
            (
                "DE8937040044053201300",
                IbanError::Length {
                    country: country(),
                    right,
                    found: 21,
                },
            ),
            (
                "DE89A70400440532013000",
                IbanError::Structure {
                    country: country(),
                    position: 5,
                    right: "a digit",
                },
            ),
            ("DE88370400440532013000", IbanError::CheckDigits),
            ("DE90370400440532013000", IbanError::CheckDigits),
        ] {
            assert_eq!(refused(text), error, "{text}");
        }
    }

    #[test]
    fn check_digits_are_02_to_98() {
        // 00, 01 and 99 leave the same remainders as 97, 98 and 02.
        for national in 0..2_000_u32 {
            let national = format!("{national:018}");
            let right =
                (0..=99).filter(|check| Iban::parse(&format!("DE{check:02}{national}")).is_ok());
            let right: Vec<u32> = right.collect();
            assert_eq!(right.len(), 1, "{national}");
            assert!(right.iter().all(|check| (2..=98).contains(check)));
        }
    }

    #[test]
    fn an_unknown_country_is_an_error_of_its_own_and_territories_are_told_their_country() {
        for (text, says) in [
            (
                "XX89370400440532013000",
                "XX is not a country whose accounts have IBANs",
            ),
            (
                "US89370400440532013000",
                "US is not a country whose accounts have IBANs",
            ),
            ("RE7630006000011234567890189", "IBANs of RE begin with FR"),
            ("GG29NWBK60161331926819", "IBANs of GG begin with GB"),
            ("JE29NWBK60161331926819", "IBANs of JE begin with GB"),
        ] {
            let error = refused(text);
            assert_eq!(error.code(), "iban_country_unknown");
            assert_eq!(error.to_string(), says);
        }
        let british = Iban::parse("GB29NWBK60161331926819").unwrap();
        assert!(british.is_of("GB") && british.is_of("IM") && !british.is_of("IE"));
    }

    #[test]
    fn white_space_hyphens_small_letters_and_the_word_in_front_are_taken() {
        for text in [
            "IBAN DE89 3704 0044 0532 0130 00",
            "iban: de89370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "\u{2003}DE89\u{a0}3704\u{202f}0044\u{3000}0532\t0130\n00 ",
            "DE89\u{2011}3704\u{ad}0044\u{2010}0532\u{ff0d}0130\u{fe63}00",
        ] {
            let iban = Iban::parse(text).unwrap();
            assert_eq!(iban.electronic(), "DE89370400440532013000", "{text}");
            assert_eq!(iban.to_string(), "DE89 3704 0044 0532 0130 00");
        }
    }

    #[test]
    fn a_qr_iban_is_known_by_its_institution() {
        assert!(Iban::parse("CH4431999123000889012").unwrap().is_qr());
        assert!(!Iban::parse("CH9300762011623852957").unwrap().is_qr());
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(account in 0..1_000_000_000_000_u64, at in 4..22_usize, by in 1..10_u8) {
            let national = format!("370400{account:012}");
            let iban = (2..=98).find_map(|check| Iban::parse(&format!("DE{check:02}{national}")).ok());
            let mut wrong = iban.unwrap().electronic().to_owned().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(Iban::parse(&wrong), Err(IbanError::CheckDigits));
        }
    }
}
