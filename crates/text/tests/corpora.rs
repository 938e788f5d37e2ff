//! Texts that people and programs write every day, 20,000 of each kind from a seeded generator: almost none of them
//! is refused, neither as prose nor as an identifier.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test may stop at the first surprise"
)]

use text::{contains_card_number, is_card_number, is_iban};

const MANY: usize = 20_000;

/// SplitMix64, by Steele, Lea and Flood (2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.next() as usize % of.len()]
    }

    /// A word of `length` characters of an alphabet.
    fn word(&mut self, alphabet: &str, length: usize) -> String {
        let letters = alphabet.as_bytes();
        let mut letter = || char::from(letters[self.next() as usize % letters.len()]);
        (0..length).map(|_| letter()).collect()
    }

    fn digits(&mut self, length: usize) -> String {
        self.word("0123456789", length)
    }
}

/// The number of texts that are refused: as prose, and as an identifier.
fn refused(seed: u64, mut make: impl FnMut(&mut Chance) -> String) -> [usize; 2] {
    let mut chance = Chance(seed);
    let mut refused = [0, 0];
    for _ in 0..MANY {
        let text = make(&mut chance);
        refused[0] += usize::from(contains_card_number(&text));
        refused[1] += usize::from(is_card_number(&text));
    }
    refused
}

/// Checks that at most `per_mille` of 1,000 texts are refused.
fn at_most(per_mille: usize, what: &str, refused: [usize; 2]) {
    let most = MANY * per_mille / 1_000;
    assert!(
        refused.iter().all(|count| *count <= most),
        "{what}: {refused:?} of {MANY}"
    );
}

/// A time in seconds since 1970, from 2020 to 2033.
fn seconds(chance: &mut Chance) -> u64 {
    chance.within(1_577_836_800, 1_999_999_999)
}

#[test]
fn keys_and_ids_are_taken() {
    at_most(
        1,
        "keys",
        refused(1, |chance| {
            let name = chance.one(&["w", "order", "pay", "import-run", "n"]);
            let (at, one, two) = (
                seconds(chance),
                chance.within(0, 999),
                chance.within(0, 9_999),
            );
            format!(
                "{name}-{at}-{one}-{two}-{}",
                chance.within(0, u32::MAX.into())
            )
        }),
    );
    at_most(
        1,
        "keys without a name",
        refused(2, |chance| {
            format!(
                "{}-{}-{}",
                seconds(chance),
                chance.within(0, 99),
                chance.within(0, 999_999_999)
            )
        }),
    );
    at_most(
        1,
        "UUIDs",
        refused(3, |chance| {
            let hex = "0123456789abcdef";
            let mut part = |length| chance.word(hex, length);
            let (a, b, c, d, e) = (part(8), part(4), part(3), part(3), part(12));
            let variant = chance.one(&["8", "9", "a", "b"]);
            format!(
                "{a}-{b}-{}{c}-{variant}{d}-{e}",
                chance.one(&["1", "4", "7"])
            )
        }),
    );
    at_most(
        1,
        "ULIDs",
        refused(4, |chance| {
            format!("01{}", chance.word("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24))
        }),
    );
    at_most(
        1,
        "digests",
        refused(5, |chance| chance.word("0123456789abcdef", 40)),
    );
    at_most(
        1,
        "orders of a shop",
        refused(6, |chance| {
            format!(
                "{}-{}-{}",
                chance.digits(3),
                chance.digits(7),
                chance.digits(7)
            )
        }),
    );
}

#[test]
fn times_are_taken() {
    for (unit, digits) in [("s", 0), ("ms", 3), ("\u{b5}s", 6), ("ns", 9)] {
        at_most(
            1,
            unit,
            refused(10, |chance| {
                format!("{}{}", seconds(chance), chance.digits(digits))
            }),
        );
    }
    at_most(
        1,
        "dates with times",
        refused(11, |chance| {
            let date = [
                chance.within(2020, 2033),
                chance.within(1, 12),
                chance.within(1, 28),
            ];
            let time = [
                chance.within(0, 23),
                chance.within(0, 59),
                chance.within(0, 59),
            ];
            let [separator, between, within] = [
                chance.one(&["-", ".", "/", ""]),
                chance.one(&[" ", "T", "-", "_"]),
                chance.one(&[":", ".", "-"]),
            ];
            let mut text = match chance.within(0, 1) {
                0 => format!(
                    "{:04}{separator}{:02}{separator}{:02}",
                    date[0], date[1], date[2]
                ),
                _ => format!(
                    "{:02}{separator}{:02}{separator}{:04}",
                    date[2], date[1], date[0]
                ),
            };
            text.push_str(&format!(
                "{between}{:02}{within}{:02}{within}{:02}",
                time[0], time[1], time[2]
            ));
            let fraction = [0, 3, 6, 9][chance.next() as usize % 4];
            if fraction > 0 {
                text.push_str(&format!(".{}", chance.digits(fraction)));
            }
            text
        }),
    );
}

/// The check digit of GS1: weights 3 and 1 from the right.
fn with_gs1_check(digits: &str) -> String {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit * 3 } else { digit })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[test]
fn article_telephone_and_order_numbers_are_taken() {
    at_most(
        1,
        "GTIN-13",
        refused(20, |chance| with_gs1_check(&chance.digits(12))),
    );
    at_most(
        1,
        "GTIN-13, grouped",
        refused(21, |chance| {
            let gtin = with_gs1_check(&chance.digits(12));
            format!("{} {} {}", &gtin[..1], &gtin[1..7], &gtin[7..])
        }),
    );
    at_most(
        5,
        "GTIN-14",
        refused(22, |chance| {
            with_gs1_check(&format!("{}{}", chance.within(1, 8), chance.digits(12)))
        }),
    );
    at_most(
        1,
        "telephone numbers",
        refused(23, |chance| {
            let country = chance.one(&[
                "1", "49", "44", "33", "34", "39", "55", "41", "52", "353", "420", "91",
            ]);
            let (area, line) = (chance.digits(3), chance.digits(7));
            match chance.within(0, 6) {
                0 => format!("+{country}{area}{line}"),
                1 => format!("+{country} {area} {line}"),
                2 => format!("00{country} {area} {line}"),
                3 => format!("({area}) {}-{}", &line[..3], &line[3..]),
                4 => format!("{area}-{}-{}", &line[..3], &line[3..]),
                5 => format!("{country} {area} {} {}", &line[..4], &line[4..]),
                _ => format!(
                    "{area}.{}.{} / {area}.{}",
                    &line[..3],
                    &line[3..],
                    chance.digits(7)
                ),
            }
        }),
    );
    at_most(
        1,
        "order numbers",
        refused(24, |chance| {
            let length = chance.within(1, 11) as usize;
            let number = chance.digits(length);
            let name = chance.one(&["", "order ", "#", "INV-", "No. "]);
            format!("{name}{number}")
        }),
    );
    at_most(
        1,
        "lists of numbers",
        refused(25, |chance| {
            let many = chance.within(3, 12);
            let numbers: Vec<String> = (0..many)
                .map(|_| {
                    let length = chance.within(1, 6) as usize;
                    chance.digits(length)
                })
                .collect();
            numbers.join(", ")
        }),
    );
}

/// The national part of each country's IBAN: the SWIFT registry, release 101.
const COUNTRIES: &str = include_str!("iban-structures.txt");

fn iban(country: &str, structure: &str, chance: &mut Chance) -> String {
    let mut national = String::new();
    for run in structure.split_inclusive(|end: char| end.is_ascii_lowercase()) {
        let (count, kind) = run.split_at(run.len() - 1);
        let count = count.parse().unwrap_or(0);
        national.push_str(&match kind {
            "n" => chance.digits(count),
            "a" => chance.word("ABCDEFGHIJKLMNOPQRSTUVWXYZ", count),
            // Letters are allowed here, but most countries use account numbers of digits only.
            _ if chance.within(0, 3) > 0 => chance.digits(count),
            _ => chance.word("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", count),
        });
    }
    let remainder = format!("{national}{country}00")
        .chars()
        .filter_map(|character| character.to_digit(36))
        .fold(0, |remainder, value| {
            (remainder * if value < 10 { 10 } else { 100 } + value) % 97
        });
    format!("{country}{:02}{national}", 98 - remainder)
}

#[test]
fn ibans_are_taken_grouped_and_not() {
    let countries: Vec<(&str, &str)> = COUNTRIES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert_eq!(countries.len(), 89);
    for (seed, separator) in (30..).zip(["", " ", "\u{a0}", "-"]) {
        let count = refused(seed, |chance| {
            let (country, structure) = countries[chance.next() as usize % countries.len()];
            let whole = iban(country, structure, chance);
            assert!(is_iban(&whole), "{whole}");
            let letters: Vec<char> = whole.chars().collect();
            let groups: Vec<String> = letters
                .chunks(4)
                .map(|group| group.iter().collect())
                .collect();
            let written = groups.join(separator);
            match chance.within(0, 2) {
                0 => format!("IBAN {written}"),
                1 => format!("to {} for the bread", written.to_lowercase()),
                _ => written,
            }
        });
        assert_eq!(count, [0, 0], "separated by {separator:?}");
    }
}
