//! Numbers that card networks issue: their first digits, their lengths, and the check digit.
//!
//! First digits and lengths are those that the networks publish for numbers in use. A number of 13 digits is not a
//! card number: Visa no longer issues them, and article numbers (GTIN-13) begin with 4 as well.

use std::ops::RangeInclusive;

/// Least number of digits of a card number.
pub(crate) const MIN_DIGITS: usize = 14;
/// Greatest number of digits of a card number.
pub(crate) const MAX_DIGITS: u8 = 19;

/// Number of first digits that identify the network.
const PREFIX: u8 = 6;

/// A range of numbers of a network: the first six digits, and the numbers of digits.
type NumberRange = (RangeInclusive<u64>, RangeInclusive<u8>);

/// Ranges of all networks, except those of [`RUPAY`]. Ranges that lie within these have no rows: Dankort's 4571 lies
/// within Visa's range; Elo's lie within those of Visa, Maestro, Discover and UnionPay; Troy's 65, RuPay's 65 and
/// 508, and Verve's lie within those of Discover and Maestro.
const NETWORKS: [NumberRange; 20] = [
    // Visa
    (400_000..=499_999, 16..=19),
    // Mastercard
    (510_000..=559_999, 16..=16),
    (222_100..=272_099, 16..=16),
    // American Express
    (340_000..=349_999, 15..=15),
    (370_000..=379_999, 15..=15),
    // Discover
    (601_100..=601_199, 16..=19),
    (644_000..=659_999, 16..=19),
    // Diners Club; numbers that begin with 30 also exist with 16 digits
    (300_000..=305_999, 14..=14),
    (300_000..=305_999, 16..=16),
    (309_500..=309_599, 14..=14),
    (360_000..=369_999, 14..=14),
    (380_000..=399_999, 14..=14),
    // JCB
    (352_800..=358_999, 16..=19),
    // UnionPay
    (620_000..=629_999, 16..=19),
    // Maestro, with Dankort's 5019
    (500_000..=509_999, 16..=19),
    (560_000..=589_999, 16..=19),
    (630_000..=639_999, 16..=19),
    (670_000..=679_999, 16..=19),
    // Mir
    (220_000..=220_499, 16..=19),
    // Troy
    (979_200..=979_299, 16..=16),
];

/// The ranges of RuPay that no other network has.
const RUPAY: [NumberRange; 3] = [
    (600_000..=609_999, 16..=16),
    (810_000..=829_999, 16..=19),
    (353_000..=353_999, 16..=16),
];

/// Whether a network issues numbers like this one, with `length` digits including the check digit.
pub(crate) fn is_issued(number: u64, length: u8) -> bool {
    let Some(rest) = length.checked_sub(PREFIX) else {
        return false;
    };
    let prefix = number / 10_u64.saturating_pow(rest.into());
    let issues =
        |(prefixes, lengths): &NumberRange| lengths.contains(&length) && prefixes.contains(&prefix);
    NETWORKS.iter().chain(&RUPAY).any(issues) && luhn_holds(number)
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn_holds(mut number: u64) -> bool {
    let mut sum = 0;
    let mut doubled = false;
    while number > 0 {
        let digit = number % 10;
        sum += match (doubled, digit) {
            (false, _) => digit,
            (true, 0..=4) => digit * 2,
            (true, _) => digit * 2 - 9,
        };
        doubled = !doubled;
        number /= 10;
    }
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_networks_by_its_first_digits_its_length_and_its_check_digit() {
        for (number, length) in [
            (4_111_111_111_111_111, 16),
            (5_555_555_555_554_444, 16),
            (2_223_003_122_003_222, 16),
            (378_282_246_310_005, 15),
            (30_569_309_025_904, 14),
            (3_530_111_333_300_000, 16),
            (6_205_500_000_000_000_004, 19),
        ] {
            assert!(is_issued(number, length), "{number}");
            assert!(!is_issued(number + 1, length), "{number} + 1");
        }
        for (number, length, why) in [
            (4_222_222_222_222, 13, "no longer issued"),
            (1_795_936_088_000_005, 16, "nobody's first digit"),
            (555_555_555_555_557, 15, "not so short"),
            (0, 16, "nobody's"),
            (0, 0, "nothing"),
        ] {
            assert!(!is_issued(number, length), "{why}");
        }
    }
}
