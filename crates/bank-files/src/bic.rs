//! Business identifier codes (ISO 9362), which name banks.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The branch of a code of eight characters.
const MAIN_BRANCH: &str = "XXX";

/// A business identifier code of 8 or 11 characters.
///
/// It is written as it was given. A code of 8 is equal to the one of 11 that ends with `XXX`: both mean the main office.
///
/// ```
/// let short: bank_files::Bic = "COBADEFF".parse()?;
/// assert_eq!(short, "cobadeffxxx".parse()?);
/// assert_eq!(short.country(), "DE");
/// # Ok::<(), bank_files::BicError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bic(String);

/// The text is not a [`Bic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a BIC is six letters, of them two of the country, two letters or digits, and perhaps three more: COBADEFFXXX"
)]
pub struct BicError;

impl Bic {
    /// The code that a text means. White space around it is cut off, and small letters become capitals.
    ///
    /// # Errors
    /// [`BicError`], if the text has another form. The form is the one of the schemas of ISO 20022.
    pub fn parse(text: &str) -> Result<Self, BicError> {
        let code = text.trim().to_ascii_uppercase();
        let (letters, rest) = code.split_at_checked(6).ok_or(BicError)?;
        let (place, branch) = rest.split_at_checked(2).ok_or(BicError)?;
        let is_of_capitals = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        // The digits 0 and 1 and the letter O are not used at these places.
        let is_place = !place.starts_with(['0', '1']) && !place.ends_with('O');
        let is_right = letters.chars().all(|c| c.is_ascii_uppercase())
            && rest.chars().all(is_of_capitals)
            && is_place
            && matches!(branch.len(), 0 | 3);
        if is_right {
            Ok(Self(code))
        } else {
            Err(BicError)
        }
    }

    /// The code as it was given, in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country of the bank.
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.get(4..6).unwrap_or_default()
    }

    fn bank(&self) -> &str {
        self.0.get(..8).unwrap_or_default()
    }

    fn branch(&self) -> &str {
        self.0
            .get(8..)
            .filter(|branch| !branch.is_empty())
            .unwrap_or(MAIN_BRANCH)
    }
}

impl PartialEq for Bic {
    fn eq(&self, other: &Self) -> bool {
        self.bank() == other.bank() && self.branch() == other.branch()
    }
}

impl Eq for Bic {}

impl Hash for Bic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bank().hash(state);
        self.branch().hash(state);
    }
}

impl FromStr for Bic {
    type Err = BicError;

    fn from_str(text: &str) -> Result<Self, BicError> {
        Self::parse(text)
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_of_8_compares_as_with_xxx() {
        let read = |text| Bic::parse(text).unwrap();
        assert_eq!(read("COBADEFF"), read(" cobadeffxxx "));
        assert_ne!(read("COBADEFF"), read("COBADEFF370"));
        assert_ne!(read("COBADEFF"), read("COBADEHH"));
        assert_eq!(
            HashSet::from([read("COBADEFF"), read("COBADEFFXXX")]).len(),
            1
        );
        assert_eq!(read("COBADEFF").to_string(), "COBADEFF");
    }

    #[test]
    fn a_code_has_the_form_of_the_schemas() {
        for text in [
            "",
            "COBADEF",
            "COBADEFFXX",
            "COBADEFFXXXX",
            "COBA1EFF",
            "COBADE0F",
            "COBADEFO",
            "COBADEF-",
            "COBAD\u{c9}FF",
        ] {
            assert_eq!(Bic::parse(text).err(), Some(BicError), "{text}");
        }
    }
}
