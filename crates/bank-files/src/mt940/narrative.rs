//! Field 86: what the entry is about.
//!
//! German banks divide it into fields (`?20` to `?29`, then `?60` to `?63`, for the text; `?30` to `?33` for the other
//! side), and within the text into parts by the keywords of SEPA (`EREF+`, `SVWZ+`). Both are cut across lines at any
//! character. Other banks write a plain text.

use std::collections::BTreeMap;

use crate::statement::{Account, Counterpart};

/// The keywords of SEPA within the text.
const KEYWORDS: [&str; 16] = [
    "ABWA+", "ABWE+", "BIC+", "COAM+", "CRED+", "DEBT+", "EREF+", "IBAN+", "KREF+", "MREF+",
    "OAMT+", "PREF+", "PURP+", "RREF+", "RTRN+", "SVWZ+",
];
/// Number of characters of a full line; the next one continues its last word.
const FULL_LINE: usize = 65;

/// What field 86 says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Narrative {
    pub(crate) counterpart: Counterpart,
    pub(crate) end_to_end_id: Option<String>,
    pub(crate) remittance: Option<String>,
}

pub(crate) fn read(lines: &[&str]) -> Narrative {
    let whole = lines.concat();
    match divided(&whole) {
        Some(fields) => german(&fields),
        None => Narrative {
            remittance: filled(&plain(lines)),
            ..Narrative::default()
        },
    }
}

/// The fields of a German text: it begins with a code of three digits and `?` with a known number.
fn divided(whole: &str) -> Option<BTreeMap<u8, String>> {
    let (code, rest) = whole.split_at_checked(3)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) || numbered(rest).is_none() {
        return None;
    }
    let mut fields: BTreeMap<u8, String> = BTreeMap::new();
    let mut current = None;
    let mut rest = rest;
    while let Some(character) = rest.chars().next() {
        if let Some((number, after)) = numbered(rest) {
            current = Some(number);
            fields.entry(number).or_default();
            rest = after;
            continue;
        }
        if let Some(value) = current.and_then(|number| fields.get_mut(&number)) {
            value.push(character);
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    Some(fields)
}

/// The number of a field, if the text begins with one, and what comes after it.
fn numbered(text: &str) -> Option<(u8, &str)> {
    let (number, after) = text.strip_prefix('?')?.split_at_checked(2)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| is_number)?;
    matches!(number, 0 | 10 | 20..=34 | 60..=63).then_some((number, after))
}

fn german(fields: &BTreeMap<u8, String>) -> Narrative {
    let field = |number: u8| fields.get(&number).map_or("", String::as_str);
    let text: String = (20..=29).chain(60..=63).map(field).collect();
    let parts = parts(&text);
    let part = |keyword: &str| parts.get(keyword).and_then(|part| filled(part));
    let remittance = match parts.is_empty() {
        true => filled(&text),
        // What stands before the first keyword is of the remittance too.
        false => part("SVWZ+").or_else(|| part("")),
    };
    let account = filled(field(31)).or_else(|| part("IBAN+"));
    Narrative {
        counterpart: Counterpart {
            name: filled(&[field(32), field(33)].concat()),
            account: account.map(|account| Account::named(&account)),
        },
        end_to_end_id: part("EREF+").filter(|id| !matches!(id.as_str(), "NOTPROVIDED" | "NONREF")),
        remittance,
    }
}

/// The parts of a text by their keywords; what stands before the first keyword has the keyword "". A keyword that is
/// there twice is text the second time. Without any keyword there are no parts.
fn parts(text: &str) -> BTreeMap<&'static str, String> {
    let mut places: Vec<(usize, &'static str)> = KEYWORDS
        .into_iter()
        .filter_map(|keyword| text.find(keyword).map(|at| (at, keyword)))
        .collect();
    places.sort_unstable();
    let mut parts = BTreeMap::new();
    if let Some((first, _)) = places.first() {
        parts.insert("", text.get(..*first).unwrap_or_default().to_owned());
    }
    let ends = places.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    for ((at, keyword), end) in places.iter().zip(ends) {
        let start = at.saturating_add(keyword.len());
        parts.insert(keyword, text.get(start..end).unwrap_or_default().to_owned());
    }
    parts
}

/// A plain text: a full line goes on in the next one, other lines are separated by a blank.
fn plain(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut was_full = true;
    for line in lines {
        if !was_full {
            text.push(' ');
        }
        text.push_str(line);
        was_full = line.chars().count() >= FULL_LINE;
    }
    text
}

fn filled(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn german_fields_are_joined_before_keywords_are_looked_for() {
        let lines = [
            "166?00GUTSCHRIFT?109310?20ER",
            "EF+INV-2026-0001?21KREF+K1?22MREF+M1?23SV",
            "WZ+Rechnung 1?24 vom 1. Maerz?25 und 2?26?27?28?29, ?60Ku",
            "nde?61 77?30COBADEFFXXX?31DE89370400440532013000?32Erika Must",
            "er?33mann",
        ];
        let narrative = read(&lines);
        assert_eq!(narrative.end_to_end_id.as_deref(), Some("INV-2026-0001"));
        assert_eq!(
            narrative.remittance.as_deref(),
            Some("Rechnung 1 vom 1. Maerz und 2, Kunde 77")
        );
        assert_eq!(
            narrative.counterpart.name.as_deref(),
            Some("Erika Mustermann")
        );
        let account = narrative.counterpart.account.unwrap();
        assert_eq!(account.iban.unwrap().electronic(), "DE89370400440532013000");
    }

    #[test]
    fn a_keyword_may_be_cut_by_a_field() {
        let narrative = read(&["177?20EREF+NOTPROVIDED?21SVW?22Z+Text?60 more"]);
        assert_eq!(narrative.end_to_end_id, None);
        assert_eq!(narrative.remittance.as_deref(), Some("Text more"));
        let without = read(&["005?20Rechnung ?21 12?what?31532013000"]);
        assert_eq!(without.remittance.as_deref(), Some("Rechnung  12?what"));
        assert_eq!(without.counterpart.account.unwrap().id, "532013000");
    }

    #[test]
    fn another_text_is_taken_as_it_is() {
        let full = "x".repeat(65);
        let narrative = read(&["/EREF/1", "/REMI/a?20b", &full, "yz"]);
        let expected = format!("/EREF/1 /REMI/a?20b {full}yz");
        assert_eq!(narrative.remittance, Some(expected));
        assert_eq!(
            read(&["12?20no code"]).remittance.as_deref(),
            Some("12?20no code")
        );
    }
}
