//! Finds card numbers in free text, so that none is ever stored, logged or echoed.
//!
//! What counts: 13 to 19 ASCII digits whose Luhn check (ISO/IEC 7812-1, annex B) holds, written
//! without gaps or in groups with exactly one space or one dash between two groups. Any sequence of
//! whole groups is tried, so that `order 12 4111 1111 1111 1111` is caught. Twenty digits or more
//! without a gap are none, however their parts may look.
//!
//! What does not count: digits inside a UUID, or inside a word of at least 32 hexadecimal digits with
//! a letter among them. Such words are ids and digests, and about one in a thousand would look like a
//! card number by chance: a reference to an account would be refused now and then.
//!
//! Known quirk: one in ten of all other numbers of that length passes Luhn as well, a timestamp in
//! milliseconds for instance. It is refused: a false alarm is an annoyance, a stored card number is a
//! breach.

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
const SHORTEST_OPAQUE_WORD: usize = 32;
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Whether the text holds something that must be taken for a card number.
#[must_use]
pub fn contains_card_number(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if rest.iter().filter(|byte| byte.is_ascii_digit()).count() < SHORTEST {
        return false;
    }
    let mut groups: Vec<&[u8]> = Vec::new();
    let mut at_word_start = true;
    while let Some((first, after_first)) = rest.split_first() {
        let opaque = if at_word_start {
            opaque_length(rest)
        } else {
            0
        };
        if opaque > 0 {
            groups.clear();
            rest = rest.split_at(opaque).1;
            at_word_start = false;
        } else if first.is_ascii_digit() {
            let (group, after) = rest.split_at(leading(rest, u8::is_ascii_digit));
            groups.push(group);
            if ends_in_card_number(&groups) {
                return true;
            }
            rest = after;
            at_word_start = false;
            if let [b' ' | b'-', tail @ ..] = after
                && tail.first().is_some_and(u8::is_ascii_digit)
            {
                rest = tail;
                at_word_start = true;
            } else {
                groups.clear();
            }
        } else {
            at_word_start = !first.is_ascii_alphanumeric();
            rest = after_first;
        }
    }
    false
}

/// Whether the last groups, some or all of them taken together, are a card number.
fn ends_in_card_number(groups: &[&[u8]]) -> bool {
    let mut length: usize = 0;
    for (start, group) in groups.iter().enumerate().rev() {
        length = length.saturating_add(group.len());
        if length > LONGEST {
            return false;
        }
        if length >= SHORTEST && luhn_holds(groups.get(start..).unwrap_or_default()) {
            return true;
        }
    }
    false
}

fn luhn_holds(groups: &[&[u8]]) -> bool {
    let from_the_right = groups.iter().rev().flat_map(|group| group.iter().rev());
    let sum: u32 = from_the_right
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.saturating_sub(b'0'));
            match (place % 2, value) {
                (0, _) => value,
                (_, 0..=4) => value * 2,
                _ => value * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// How many bytes of an id or digest the text begins with; zero when with neither.
fn opaque_length(text: &[u8]) -> usize {
    let word = leading(text, u8::is_ascii_alphanumeric);
    let hexadecimal = leading(text, u8::is_ascii_hexdigit);
    let has_letter = text.iter().take(word).any(u8::is_ascii_alphabetic);
    if word >= SHORTEST_OPAQUE_WORD && word == hexadecimal && has_letter {
        return word;
    }
    uuid_length(text).unwrap_or(0)
}

fn uuid_length(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    for (place, length) in UUID_GROUPS.into_iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(b"-")?;
        }
        if leading(rest, u8::is_ascii_alphanumeric) != length
            || leading(rest, u8::is_ascii_hexdigit) != length
        {
            return None;
        }
        rest = rest.get(length..)?;
    }
    text.len().checked_sub(rest.len())
}

fn leading(text: &[u8], matches: impl Fn(&u8) -> bool) -> usize {
    text.iter()
        .position(|byte| !matches(byte))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::contains_card_number;

    #[test]
    fn known_test_cards_are_found_however_they_are_grouped() {
        for text in [
            "4111111111111111",
            "4222222222222",
            "378282246310005",
            "3782 822463 10005",
            "6304000000000000000",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "card:4242424242424242;exp=12/27",
            "x4242424242424242x",
            "order 12 4111 1111 1111 1111",
            "4111 1111 1111 1111 12/27",
            "4111 1111 1111 1111 123",
            "acc_4242424242424242",
        ] {
            assert!(contains_card_number(text), "{text} was let through");
        }
    }

    #[test]
    fn what_only_resembles_a_card_number_is_let_through() {
        for text in [
            "",
            "4111111111111112",
            "424242424242",
            "42424242424242424242",
            "4111  1111 1111 1111",
            "4111.1111.1111.1111",
            "2026-11-21 10:30:00",
            "acc_0192f1c04242424242424242a0b0c0d0",
            "a4242424242424242aaaaaaaaaaaaaaaaaaaaaaa",
            "42424242-4242-4242-8242-42424242424a",
            "４１１１１１１１１１１１１１１１",
        ] {
            assert!(!contains_card_number(text), "{text} was refused");
        }
    }

    #[test]
    fn a_number_beside_an_id_is_still_found() {
        let text = "acc_0192f1c04242424242424242a0b0c0d0 4242424242424242";
        assert!(contains_card_number(text));
    }

    proptest! {
        #[test]
        fn any_luhn_valid_number_is_found(
            payload in "[1-9][0-9]{11,17}",
            before in "[a-z ,]{0,9}:",
            after in ",[a-z ,]{0,9}",
        ) {
            let found = (0..10)
                .filter(|check| contains_card_number(&format!("{before}{payload}{check}{after}")))
                .count();
            prop_assert_eq!(found, 1);
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = contains_card_number(&text);
        }
    }
}
