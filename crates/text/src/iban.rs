//! International bank account numbers (ISO 13616) in running text, so that they are not taken for card numbers.
//!
//! A number is valid by its country, its length, the structure of its national part, and its check digits. These
//! are 02 to 98 and make the remainder by 97 equal to 1 (ISO 7064).

/// The national part of each country's numbers (SWIFT IBAN registry, release 101): numbers of digits (`n`), of
/// capital letters (`a`), or of either (`c`).
pub(crate) const COUNTRIES: [(&str, &str); 89] = [
    ("AD", "8n12c"),
    ("AE", "19n"),
    ("AL", "8n16c"),
    ("AT", "16n"),
    ("AZ", "4a20c"),
    ("BA", "16n"),
    ("BE", "12n"),
    ("BG", "4a6n8c"),
    ("BH", "4a14c"),
    ("BI", "23n"),
    ("BR", "23n1a1c"),
    ("BY", "4c4n16c"),
    ("CH", "5n12c"),
    ("CR", "18n"),
    ("CY", "8n16c"),
    ("CZ", "20n"),
    ("DE", "18n"),
    ("DJ", "23n"),
    ("DK", "14n"),
    ("DO", "4c20n"),
    ("EE", "16n"),
    ("EG", "25n"),
    ("ES", "20n"),
    ("FI", "14n"),
    ("FK", "2a12n"),
    ("FO", "14n"),
    ("FR", "10n11c2n"),
    ("GB", "4a14n"),
    ("GE", "2a16n"),
    ("GI", "4a15c"),
    ("GL", "14n"),
    ("GR", "7n16c"),
    ("GT", "24c"),
    ("HN", "4a20n"),
    ("HR", "17n"),
    ("HU", "24n"),
    ("IE", "4a14n"),
    ("IL", "19n"),
    ("IQ", "4a15n"),
    ("IS", "22n"),
    ("IT", "1a10n12c"),
    ("JO", "4a4n18c"),
    ("KW", "4a22c"),
    ("KZ", "3n13c"),
    ("LB", "4n20c"),
    ("LC", "4a24c"),
    ("LI", "5n12c"),
    ("LT", "16n"),
    ("LU", "3n13c"),
    ("LV", "4a13c"),
    ("LY", "21n"),
    ("MC", "10n11c2n"),
    ("MD", "20c"),
    ("ME", "18n"),
    ("MK", "3n10c2n"),
    ("MN", "16n"),
    ("MR", "23n"),
    ("MT", "4a5n18c"),
    ("MU", "4a19n3a"),
    ("NI", "4a20n"),
    ("NL", "4a10n"),
    ("NO", "11n"),
    ("OM", "3n16c"),
    ("PK", "4a16c"),
    ("PL", "24n"),
    ("PS", "4a21c"),
    ("PT", "21n"),
    ("QA", "4a21c"),
    ("RO", "4a16c"),
    ("RS", "18n"),
    ("RU", "14n15c"),
    ("SA", "2n18c"),
    ("SC", "4a20n3a"),
    ("SD", "14n"),
    ("SE", "20n"),
    ("SI", "15n"),
    ("SK", "20n"),
    ("SM", "1a10n12c"),
    ("SO", "19n"),
    ("ST", "21n"),
    ("SV", "4a20n"),
    ("TL", "19n"),
    ("TN", "20n"),
    ("TR", "6n16c"),
    ("UA", "6n19c"),
    ("VA", "18n"),
    ("VG", "4a16n"),
    ("XK", "16n"),
    ("YE", "4a4n18c"),
];

/// Greatest length of the text between two groups of a number, in characters.
const MAX_GAP: usize = 4;

/// Whether the text is one such number, grouped or not, in capitals or not.
#[must_use]
pub fn is_iban(text: &str) -> bool {
    prefix(text).is_some_and(|length| length == text.len())
}

/// Number of bytes of the number with which the text begins, if the number ends at the end of a word; `None` if
/// the text does not begin with a number.
pub(crate) fn prefix(text: &str) -> Option<usize> {
    let (country, rest) = text.split_at_checked(2)?;
    let country = country.to_ascii_uppercase();
    let at = COUNTRIES.binary_search_by_key(&country.as_str(), |(known, _)| known);
    let (_, structure) = COUNTRIES.get(at.ok()?)?;
    // A sentence may end with two letters and go on with a number, "fi. 48…": so only blanks may stand here.
    if !rest
        .trim_start()
        .starts_with(|first: char| first.is_ascii_digit())
    {
        return None;
    }
    let mut characters = Characters(rest);
    let check = [characters.next()?, characters.next()?];
    if !check.iter().all(u8::is_ascii_digit) || !(*b"02"..=*b"98").contains(&check) {
        return None;
    }
    let mut remainder = 0;
    for kind in places(structure) {
        let character = characters.next()?;
        let fits = match kind {
            b'n' => character.is_ascii_digit(),
            b'a' => character.is_ascii_uppercase(),
            _ => true,
        };
        if !fits {
            return None;
        }
        remainder = modulo(remainder, character);
    }
    // For the check, the country and the check digits move to the end.
    let remainder = country.bytes().chain(check).fold(remainder, modulo);
    let rest = characters.rest();
    let ends = !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    (remainder == 1 && ends).then(|| text.len().saturating_sub(rest.len()))
}

/// The kind of each character: `2a3n` becomes `aannn`.
pub(crate) fn places(structure: &str) -> impl Iterator<Item = u8> {
    structure
        .split_inclusive(|end: char| end.is_ascii_lowercase())
        .flat_map(|run| {
            let (count, kind) = run.split_at(run.len().saturating_sub(1));
            let kind = kind.bytes().next().unwrap_or(b'c');
            std::iter::repeat_n(kind, count.parse().unwrap_or(0))
        })
}

/// The remainder by 97 of a number with one more character at its end; a letter counts as two digits, 10 to 35.
pub(crate) fn modulo(remainder: u32, character: u8) -> u32 {
    let value = char::from(character).to_digit(36).unwrap_or(0);
    let shift = if value < 10 { 10 } else { 100 };
    (remainder * shift + value) % 97
}

/// The letters and digits of an ASCII text, letters as capitals, without the gaps between groups.
struct Characters<'t>(&'t str);

impl<'t> Characters<'t> {
    /// The next character; `None` if something other than a gap follows.
    fn next(&mut self) -> Option<u8> {
        let is_gap = |character: char| !character.is_alphanumeric();
        let at = self.0.find(|character| !is_gap(character))?;
        let (gap, rest) = self.0.split_at(at);
        let character = rest.bytes().next().filter(u8::is_ascii_alphanumeric)?;
        if gap.chars().nth(MAX_GAP).is_some() {
            return None;
        }
        self.0 = rest.get(1..)?;
        Some(character.to_ascii_uppercase())
    }

    fn rest(&self) -> &'t str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_valid_by_country_length_structure_and_check_digits() {
        for text in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "de89 3704 0044 0532 0130 00",
            "AT61 1904 3002 3457 3201",
            "AT61-1904-3002-3457-3201",
            "AT 61 1904 3002 3457 3201",
            "AT61\u{a0}1904\u{a0}3002\u{a0}3457\u{a0}3201",
            "GB29 NWBK 6016 1331 9268 19",
            "NO93 8601 1117 947",
            "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
            "PK36SCBL0000001123456702",
            "HN88CABF00000000000250005469",
            "BE10919000000004",
            "BY13NBRB3600900000002Z00AB00",
        ] {
            assert!(is_iban(text), "{text}");
        }
        for text in [
            "",
            "DE",
            "DE88370400440532013000",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XX89370400440532013000",
            "GB29 6016 1331 9268 1900 00",
            "AT61 1904 3002 3457 3201 ",
            "AT61      1904 3002 3457 3201",
            " AT61 1904 3002 3457 3201",
            "AT-61 1904 3002 3457 3201",
            "A-T61 1904 3002 3457 3201",
        ] {
            assert!(!is_iban(text), "{text}");
        }
    }

    #[test]
    fn what_follows_a_number_is_not_part_of_it() {
        let text = "AT61 1904 3002 3457 3201 4242";
        assert_eq!(prefix(text), Some("AT61 1904 3002 3457 3201".len()));
        assert_eq!(prefix("AT61 1904 3002 3457 32011"), None);
    }

    #[test]
    fn the_table_can_be_searched_and_read() {
        assert!(COUNTRIES.is_sorted());
        for (country, structure) in COUNTRIES {
            let length = places(structure).count();
            assert!((11..=30).contains(&length), "{country}: {length}");
        }
    }
}
