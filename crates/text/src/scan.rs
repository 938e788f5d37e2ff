//! Search for card numbers, so that they are never stored, logged or sent back.
//!
//! A text consists of words (letters and digits of ASCII, and decimal digits of any script) with gaps between them.
//! A word of digits alone is a *group*. Groups with gaps of at most four characters between them form a *chain*. A
//! card number is a sequence of neighbouring groups of a chain. Together they must be a number that a network issues
//! (first digits, length, check digit: `networks.rs`), and they must be written in one of the ways in which such
//! numbers are written:
//!
//! - without a gap; or in groups of three, four or five digits each, where the last group may be shorter; or as
//!   4-6-4, 4-6-5, 6-10 or 6-13: whatever the gaps are, and whatever stands beside them;
//! - or in groups of another equal length, or in any groups that are short, or in any two groups: if all gaps between
//!   them are the same, and no such gap separates them from a further group.
//!
//! The second rule excludes numbers that only happen to stand side by side: telephone numbers, dates, the parts of
//! an order number.
//!
//! Not a card number: digits in a word with letters (ids, digests), digits after a `+` (a telephone number), and a
//! valid IBAN in any grouping. A comma or semicolon with white space ends a chain, because it makes a list.
//!
//! Not found: a number that is spelled out or encoded, or has letters between its digits.

use crate::digits::{digit, has_digits};
use crate::iban;
use crate::networks::{MAX_DIGITS, MIN_DIGITS, is_issued};

/// Greatest length of a gap within a number, in characters.
const MAX_GAP: usize = 4;
/// Greatest number of groups of a number: one digit each.
const MAX_GROUPS: usize = 19;
/// Greatest length of a short group, in digits.
const SHORT_GROUP: u8 = 4;

/// Whether the text contains something that must be treated as a card number.
#[must_use]
pub fn contains_card_number(text: &str) -> bool {
    has_digits(text, MIN_DIGITS) && Chain::default().finds_in(text)
}

/// Whether the text is a card number, ignoring characters around it that are neither letters nor digits.
#[must_use]
pub fn is_card_number(text: &str) -> bool {
    if !has_digits(text, MIN_DIGITS) {
        return false;
    }
    let mut chain = Chain::default();
    for (gap, word) in Words(text) {
        let is_first = chain.0.is_empty();
        let group = Group::of(word, gap, !is_first);
        match group {
            _ if gap.contains(char::is_alphanumeric) => return false,
            Some(_) if !is_first && !joins(gap) => return false,
            Some(group) if chain.0.len() < MAX_GROUPS => chain.0.push(group),
            None if word.is_empty() => {}
            Some(_) | None => return false,
        }
    }
    let all = chain.0.len();
    chain.numbers_at_end(None).any(|groups| groups.len() == all)
}

/// The words of a text, each with the gap before it; at the end an empty word, if the text ends with a gap.
struct Words<'t>(&'t str);

impl<'t> Iterator for Words<'t> {
    type Item = (&'t str, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (gap, rest) = split(self.0, |character| !is_of_a_word(character));
        let (word, rest) = split(rest, is_of_a_word);
        self.0 = rest;
        Some((gap, word))
    }
}

fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || digit(character).is_some()
}

/// The longest beginning whose characters all fit, and the rest.
fn split(text: &str, fits: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|character| !fits(character));
    text.split_at(end.unwrap_or(text.len()))
}

/// A word of digits.
#[derive(Clone, Copy)]
struct Group<'t> {
    number: u64,
    length: u8,
    /// The gap between this group and the previous group of its chain.
    before: Option<&'t str>,
    follows_plus: bool,
}

impl<'t> Group<'t> {
    /// A group; `None` for a word that is not part of any card number.
    fn of(word: &str, gap: &'t str, is_joined: bool) -> Option<Self> {
        let (mut number, mut length) = (0_u64, 0_u8);
        for character in word.chars() {
            if length >= MAX_DIGITS {
                return None;
            }
            number = number * 10 + u64::from(digit(character)?);
            length += 1;
        }
        (length > 0).then_some(Self {
            number,
            length,
            before: is_joined.then_some(gap),
            follows_plus: gap.ends_with(['+', '\u{ff0b}']),
        })
    }
}

/// Whether groups on both sides of a gap may belong to one number.
fn joins(gap: &str) -> bool {
    let is_list_mark = |mark| ",;\u{60c}\u{61b}\u{3001}\u{ff0c}\u{ff1b}".contains(mark);
    let is_list = gap.contains(is_list_mark) && gap.contains(char::is_whitespace);
    let is_wide = gap.chars().nth(MAX_GAP).is_some();
    !is_list && !is_wide && !gap.contains(char::is_alphanumeric)
}

/// Whether two gaps are the same; all white space counts as the same.
fn alike(one: &str, other: &str) -> bool {
    one == other || is_blank(one) && is_blank(other)
}

fn is_blank(gap: &str) -> bool {
    gap.chars().all(char::is_whitespace)
}

/// The latest groups of a chain, at most [`MAX_GROUPS`].
#[derive(Default)]
struct Chain<'t>(Vec<Group<'t>>);

impl<'t> Chain<'t> {
    fn finds_in(&mut self, text: &'t str) -> bool {
        let mut words = Words(text);
        while let Some((gap, word)) = words.next() {
            let group = Group::of(word, gap, !self.0.is_empty() && joins(gap));
            let after = group.and_then(|group| group.before);
            if self.numbers_at_end(after).next().is_some() {
                return true;
            }
            if after.is_none() {
                self.0.clear();
            } else if self.0.len() >= MAX_GROUPS {
                self.0.remove(0);
            }
            match group {
                Some(group) => self.0.push(group),
                None => words.0 = after_iban(text, word, words.0),
            }
        }
        self.numbers_at_end(None).next().is_some()
    }

    /// The sequences of latest groups that are a card number. `after` is the gap between the last group and a further
    /// group.
    fn numbers_at_end(&self, after: Option<&str>) -> impl Iterator<Item = &[Group<'t>]> {
        let (mut number, mut length) = (0_u64, 0_u8);
        let from_the_right = self.0.iter().enumerate().rev();
        let sums = from_the_right.map_while(move |(start, group)| {
            let place = 10_u64.pow(length.into());
            length = length.saturating_add(group.length);
            if length > MAX_DIGITS {
                return None;
            }
            number += group.number * place;
            Some((start, number, length))
        });
        sums.filter_map(move |(start, number, length)| {
            let groups = self.0.get(start..)?;
            let first = groups.first().filter(|first| !first.follows_plus)?;
            let around = [first.before, after];
            let is_card = is_issued(number, length) && is_written_as_one(groups, length, around);
            is_card.then_some(groups)
        })
    }
}

/// The text that is left to read after a word that is not a group. It is shorter if the word begins an IBAN.
fn after_iban<'t>(text: &'t str, word: &str, rest: &'t str) -> &'t str {
    let at = text
        .len()
        .saturating_sub(rest.len())
        .saturating_sub(word.len());
    let from_word = text.get(at..).unwrap_or_default();
    let is_named = from_word
        .get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case("IBAN"));
    let from_number = match from_word.get(4..) {
        Some(number) if is_named => number,
        Some(_) | None => from_word,
    };
    let left = iban::prefix(from_number).and_then(|length| from_number.get(length..));
    // If a word only ends like a number, nothing is skipped.
    left.filter(|left| left.len() <= rest.len()).unwrap_or(rest)
}

/// Whether groups look like one number and not like several. `around` are the gaps to further groups on both sides.
fn is_written_as_one(groups: &[Group<'_>], length: u8, around: [Option<&str>; 2]) -> bool {
    let lengths = || groups.iter().map(|group| group.length);
    let longest = lengths().next().unwrap_or(0);
    let is_even = groups.split_last().is_some_and(|(last, others)| {
        others.iter().all(|group| group.length == longest) && last.length <= longest
    });
    if groups.len() == 1 || is_even && matches!(longest, 3..=5) {
        return true;
    }
    if let [4, 6, 4 | 5] | [6, 10 | 13] = lengths().collect::<Vec<_>>().as_slice() {
        return true;
    }
    let mut gaps = groups.iter().skip(1).filter_map(|group| group.before);
    let Some(gap) = gaps.next() else {
        return false;
    };
    let goes_on = around.into_iter().flatten().any(|other| alike(gap, other));
    if goes_on || !gaps.all(|other| alike(gap, other)) {
        return false;
    }
    let is_usual = matches!(length, 14 | 15 | 16 | 19);
    let is_short = lengths().all(|length| length <= SHORT_GROUP);
    is_even || is_usual && (is_short || groups.len() == 2 && !is_blank(gap))
}
