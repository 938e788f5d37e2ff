//! Check digits that countries have inside the national part of an IBAN, as their banking associations publish them.
//!
//! They are looked at only to warn. Countries without a rule here have none for all banks alike.

/// Whether the national digits are right; `None` if there is no rule for the country.
pub(crate) fn is_right(country: &str, national: &str) -> Option<bool> {
    let is_right = match country {
        "BE" => {
            let (number, check) = national.split_at_checked(10)?;
            let rest = remainder(number)?;
            // Remainder 0 is written 97.
            let wanted = if rest == 0 { 97 } else { rest };
            check.parse::<u32>().ok()? == wanted
        }
        "BA" | "ME" | "MK" | "PT" | "RS" | "SI" => remainder(national)? == 1,
        "ES" => {
            let (bank, rest) = national.split_at_checked(8)?;
            let (check, account) = rest.split_at_checked(2)?;
            let wanted = format!("{}{}", spanish(bank)?, spanish(account)?);
            check == wanted
        }
        "FI" => luhn(national)?,
        "FR" | "MC" => french(national)?,
        "IT" | "SM" => italian(national)?,
        "NO" => norwegian(national)?,
        _ => return None,
    };
    Some(is_right)
}

/// The remainder by 97 of a number of digits.
fn remainder(digits: &str) -> Option<u32> {
    let next = |rest: u32, digit: u32| (rest * 10 + digit) % 97;
    values(digits).try_fold(0, |rest, digit| Some(next(rest, digit?)))
}

fn values(digits: &str) -> impl DoubleEndedIterator<Item = Option<u32>> {
    digits.chars().map(|digit| digit.to_digit(10))
}

/// One of the two digits: weights 1, 2, 4, 8, 5, 10, 9, 7, 3, 6, the last of them for the last digit; mod 11.
fn spanish(digits: &str) -> Option<u32> {
    let weights = [6, 3, 7, 9, 10, 5, 8, 4, 2, 1];
    let mut sum = 0;
    for (digit, weight) in values(digits).rev().zip(weights) {
        sum += digit? * weight;
    }
    Some(match 11 - sum % 11 {
        11 => 0,
        10 => 1,
        digit => digit,
    })
}

/// The check digit of ISO/IEC 7812-1 at the end.
fn luhn(digits: &str) -> Option<bool> {
    let mut sum = 0;
    for (digit, weight) in values(digits).rev().zip([1, 2].into_iter().cycle()) {
        let product = digit? * weight;
        sum += product / 10 + product % 10;
    }
    Some(sum % 10 == 0)
}

/// The key of the RIB: letters count A to I as 1 to 9, J to R as 1 to 9, S to Z as 2 to 9; all together are a multiple
/// of 97.
fn french(national: &str) -> Option<bool> {
    let mut rest = 0;
    for character in national.chars() {
        let value = match character {
            'A'..='R' => (u32::from(character) - u32::from('A')) % 9 + 1,
            'S'..='Z' => u32::from(character) - u32::from('S') + 2,
            digit => digit.to_digit(10)?,
        };
        rest = (rest * 10 + value) % 97;
    }
    Some(rest == 0)
}

/// The letter CIN in front: characters at odd places have values of a table, those at even places their own.
fn italian(national: &str) -> Option<bool> {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let mut characters = national.chars();
    let letter = characters.next()?.to_digit(36)?.checked_sub(10)?;
    let mut sum = 0;
    for (character, is_odd) in characters.zip([true, false].into_iter().cycle()) {
        let value = character.to_digit(36)?;
        // Digits count as the first ten letters.
        let value = value.checked_sub(10).unwrap_or(value);
        sum += match is_odd {
            true => *ODD.get(usize::try_from(value).ok()?)?,
            false => value,
        };
    }
    Some(sum % 26 == letter)
}

/// Weights 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, and 1 for the check digit; mod 11.
fn norwegian(national: &str) -> Option<bool> {
    let weights = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    let mut sum = 0;
    for (digit, weight) in values(national).zip(weights) {
        sum += digit? * weight;
    }
    Some(sum % 11 == 0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use crate::Iban;

    /// The examples of the registry and of the national associations.
    const RIGHT: [&str; 16] = [
        "BE68539007547034",
        "BA391290079401028494",
        "ME25505000012345678951",
        "MK07250120000058984",
        "PT50000201231234567890154",
        "RS35260005601001611379",
        "SI56263300012039086",
        "ES9121000418450200051332",
        "FI2112345600000785",
        "FR1420041010050500013M02606",
        "MC5811222000010123456789030",
        "IT60X0542811101000000123456",
        "SM86U0322509800000000270100",
        "NO9386011117947",
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
    ];

    #[test]
    fn a_wrong_national_digit_is_a_warning_and_no_error() {
        for text in RIGHT {
            assert!(
                !Iban::parse(text).unwrap().has_wrong_national_digits(),
                "{text}"
            );
        }
        // The last digit is another one, and the check digits of the IBAN are computed for it.
        for text in RIGHT.into_iter().take(14) {
            let (body, last) = text.split_at(text.len() - 1);
            let other = (last.parse::<u32>().unwrap() + 1) % 10;
            let (country, national) = (&body[..2], &body[4..]);
            let mut numbers = (2..=98).map(|check| format!("{country}{check:02}{national}{other}"));
            let valid = numbers
                .find_map(|number| Iban::parse(&number).ok())
                .unwrap();
            assert!(valid.has_wrong_national_digits(), "{valid}");
        }
    }
}
