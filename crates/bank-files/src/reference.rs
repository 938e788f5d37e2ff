//! Payees' references with check digits: RF of ISO 11649, and those of Switzerland, Norway, Finland and Belgium.

use std::fmt;

/// Why a text is not such a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text has another form.
    #[error("the reference must be {right}")]
    Malformed {
        /// The right form.
        right: &'static str,
    },
    /// The check digit does not fit the rest.
    #[error("the check digit of the reference does not fit the rest of it: a character is wrong")]
    CheckDigit,
}

/// A payee's reference of one of the kinds that have check digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// The reference of ISO 11649: `RF`, check digits 02 to 98, and 1 to 21 letters and digits.
    Rf(String),
    /// The QR reference of Switzerland and Liechtenstein: 27 digits.
    Qrr(String),
    /// The KID of Norway: 2 to 25 digits, the last of which may be a hyphen.
    Kid(String),
    /// The reference of Finland: 4 to 20 digits, without zeros in front.
    Finnish(String),
    /// The structured communication of Belgium: 12 digits.
    Belgian(String),
}

impl Reference {
    /// A reference of ISO 11649. White space is taken out, and small letters become capitals.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn rf(text: &str) -> Result<Self, ReferenceError> {
        let right = "RF, two digits, and 1 to 21 letters and digits";
        let malformed = ReferenceError::Malformed { right };
        let kept = bare(text).to_ascii_uppercase();
        let (check, rest) = kept
            .strip_prefix("RF")
            .and_then(|rest| rest.split_at_checked(2))
            .ok_or(malformed)?;
        let is_shaped = is_digits(check)
            && (1..=21).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_shaped {
            return Err(malformed);
        }
        let moved = [rest, "RF", check].concat();
        let remainder = moved.chars().try_fold(0, |remainder, c| {
            let value = c.to_digit(36)?;
            let shift = if value < 10 { 10 } else { 100 };
            Some((remainder * shift + value) % 97)
        });
        if remainder != Some(1) || !("02"..="98").contains(&check) {
            return Err(ReferenceError::CheckDigit);
        }
        Ok(Self::Rf(kept))
    }

    /// A QR reference. White space is taken out; zeros in front are kept.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn qrr(text: &str) -> Result<Self, ReferenceError> {
        let kept = bare(text);
        if !is_digits(&kept) || kept.len() != 27 {
            let right = "27 digits, with the zeros in front";
            return Err(ReferenceError::Malformed { right });
        }
        // The check digit of the Swiss payment standards, modulo 10, recursive.
        const TABLE: [u32; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
        let carried = values(&kept).try_fold(0, |carry: u32, digit| {
            let at = usize::try_from((carry + digit?) % 10).ok()?;
            TABLE.get(at).copied()
        });
        // The check digit itself brings the carry to zero.
        if carried == Some(0) {
            Ok(Self::Qrr(kept))
        } else {
            Err(ReferenceError::CheckDigit)
        }
    }

    /// A KID. Its check digit is that of modulo 10 or that of modulo 11; which one, the payee has agreed with the bank.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn kid(text: &str) -> Result<Self, ReferenceError> {
        let kept = bare(text);
        let right = "2 to 25 digits; the last may be a hyphen";
        let malformed = ReferenceError::Malformed { right };
        let (body, check) = kept
            .len()
            .checked_sub(1)
            .and_then(|at| kept.split_at_checked(at))
            .ok_or(malformed)?;
        let is_check = is_digits(check) || check == "-";
        if !(2..=25).contains(&kept.len()) || !is_digits(body) || !is_check {
            return Err(malformed);
        }
        if mod_10(body) == check.parse().ok() || mod_11(body).as_deref() == Some(check) {
            return Ok(Self::Kid(kept));
        }
        Err(ReferenceError::CheckDigit)
    }

    /// A Finnish reference. Zeros in front are dropped, so that equal references are equal.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn finnish(text: &str) -> Result<Self, ReferenceError> {
        let kept = bare(text);
        let number = kept.trim_start_matches('0').to_owned();
        if !is_digits(&kept) || kept.len() > 20 || number.len() < 4 {
            let right = "4 to 20 digits, without counting zeros in front";
            return Err(ReferenceError::Malformed { right });
        }
        let mut sum = 0;
        for (digit, weight) in values(&number)
            .rev()
            .skip(1)
            .zip([7, 3, 1].into_iter().cycle())
        {
            sum += digit.unwrap_or(0) * weight;
        }
        let check = values(&number).next_back().flatten();
        if check == Some((10 - sum % 10) % 10) {
            Ok(Self::Finnish(number))
        } else {
            Err(ReferenceError::CheckDigit)
        }
    }

    /// A structured communication of Belgium, with or without `+++` or `***` around it and slashes in it.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn belgian(text: &str) -> Result<Self, ReferenceError> {
        let kept: String = bare(text)
            .chars()
            .filter(|c| !matches!(c, '+' | '*' | '/'))
            .collect();
        let right = "12 digits: +++123/4567/89002+++";
        let malformed = ReferenceError::Malformed { right };
        let (number, check) = kept.split_at_checked(10).ok_or(malformed)?;
        if !is_digits(number) || !is_digits(check) || check.len() != 2 {
            return Err(malformed);
        }
        let remainder =
            values(number).try_fold(0, |rest: u32, digit| Some((rest * 10 + digit?) % 97));
        // The remainder 0 is written 97.
        let wanted = remainder.map(|rest| if rest == 0 { 97 } else { rest });
        if wanted == check.parse().ok() {
            Ok(Self::Belgian(kept))
        } else {
            Err(ReferenceError::CheckDigit)
        }
    }

    /// The reference as it is sent and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rf(text)
            | Self::Qrr(text)
            | Self::Kid(text)
            | Self::Finnish(text)
            | Self::Belgian(text) => text,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text without white space.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn values(digits: &str) -> impl DoubleEndedIterator<Item = Option<u32>> {
    digits.chars().map(|digit| digit.to_digit(10))
}

/// The check digit with weights 2, 1, 2 … from the right, as on cards.
fn mod_10(body: &str) -> Option<u32> {
    let mut sum = 0;
    for (digit, weight) in values(body).rev().zip([2, 1].into_iter().cycle()) {
        let product = digit? * weight;
        sum += product / 10 + product % 10;
    }
    Some((10 - sum % 10) % 10)
}

/// The check character with weights 2 to 7 from the right; 10 is a hyphen.
fn mod_11(body: &str) -> Option<String> {
    let mut sum = 0;
    for (digit, weight) in values(body).rev().zip((2..=7).cycle()) {
        sum += digit? * weight;
    }
    Some(match (11 - sum % 11) % 11 {
        10 => "-".to_owned(),
        digit => digit.to_string(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const WRONG: ReferenceError = ReferenceError::CheckDigit;

    fn is_malformed(read: Result<Reference, ReferenceError>) -> bool {
        matches!(read, Err(ReferenceError::Malformed { .. }))
    }

    #[test]
    fn an_rf_reference_is_stored_in_capitals_without_spaces() {
        let read = Reference::rf("rf18 5390 0754 7034").unwrap();
        assert_eq!(read.as_str(), "RF18539007547034");
        assert_eq!(Reference::rf("RF19539007547034"), Err(WRONG));
        let longest = "RF18000000000539007547034";
        assert_eq!(longest.len(), 25);
        assert!(Reference::rf(longest).is_ok());
        assert!(is_malformed(Reference::rf("RF180000000000539007547034")));
        for text in [
            "",
            "RF18",
            "RFXX539007547034",
            "FR18539007547034",
            "RF18-539007547034",
            "RF18\u{e9}",
        ] {
            assert!(is_malformed(Reference::rf(text)), "{text}");
        }
    }

    #[test]
    fn the_check_digits_of_an_rf_reference_are_02_to_98() {
        for number in 0..1_000 {
            let right: Vec<u32> = (0..=99)
                .filter(|check| Reference::rf(&format!("RF{check:02}{number}")).is_ok())
                .collect();
            assert_eq!(right.len(), 1, "{number}");
            assert!(right.iter().all(|check| (2..=98).contains(check)));
        }
    }

    #[test]
    fn a_qr_reference_is_27_digits_with_their_zeros() {
        let read = Reference::qrr("21 00000 00003 13947 14300 09017").unwrap();
        assert_eq!(read.as_str(), "210000000003139471430009017");
        assert_eq!(Reference::qrr("210000000003139471430009018"), Err(WRONG));
        let zeros = Reference::qrr("000000000000000000000000109").or_else(|_| {
            (0..10)
                .find_map(|check| {
                    Reference::qrr(&format!("0000000000000000000000001{check}0")).ok()
                })
                .ok_or(WRONG)
        });
        assert_eq!(zeros.unwrap().as_str().len(), 27);
        assert!(is_malformed(Reference::qrr("10000000003139471430009017")));
        assert!(is_malformed(Reference::qrr("RF18539007547034")));
    }

    #[test]
    fn a_kid_has_a_check_digit_of_modulo_10_or_11_and_may_end_with_a_hyphen() {
        for text in ["1000090", "100008-", "2345676"] {
            assert_eq!(
                Reference::kid(text).map(|kid| kid.to_string()).as_deref(),
                Ok(text)
            );
        }
        assert_eq!(Reference::kid("1000091"), Err(WRONG));
        assert_eq!(Reference::kid("100009-"), Err(WRONG));
        let long = "1".repeat(26);
        for text in ["", "1", "-", "1-0", "10000A0", &long] {
            assert!(is_malformed(Reference::kid(text)), "{text}");
        }
        // For each number of 1 to 24 digits there are check characters of both kinds.
        for length in 1..=24 {
            let body = "9".repeat(length);
            let ends = "0123456789-".chars();
            let right = ends.filter(|end| Reference::kid(&format!("{body}{end}")).is_ok());
            assert!((1..=2).contains(&right.count()), "{length}");
        }
    }

    #[test]
    fn finnish_references_are_compared_without_leading_zeros() {
        let plain = Reference::finnish("1232").unwrap();
        assert_eq!(Reference::finnish("00000 01232"), Ok(plain));
        assert_eq!(Reference::finnish("1233"), Err(WRONG));
        for text in ["123", "0000123", "12A2", "", "123456789012345678901"] {
            assert!(is_malformed(Reference::finnish(text)), "{text}");
        }
    }

    #[test]
    fn a_belgian_reference_writes_the_remainder_0_as_97() {
        let read = Reference::belgian("+++090/9337/55493+++").unwrap();
        assert_eq!(read.as_str(), "090933755493");
        assert_eq!(Reference::belgian("***090/9337/55493***"), Ok(read));
        assert!(Reference::belgian("000000009797").is_ok());
        assert_eq!(Reference::belgian("000000009700"), Err(WRONG));
        assert_eq!(Reference::belgian("090933755494"), Err(WRONG));
        assert!(is_malformed(Reference::belgian("09093375549")));
    }
}
