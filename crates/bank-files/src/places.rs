//! Places in a file, and the text of a file.

use std::fmt;

/// Number of bytes between two remembered places.
const STEP: usize = 1_024;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line; the first is 1.
    pub line: usize,
    /// The column, in characters; the first is 1.
    pub column: usize,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place after a character.
    fn after(self, character: char) -> Self {
        if character == '\n' {
            return Self {
                line: self.line.saturating_add(1),
                column: 1,
            };
        }
        Self {
            line: self.line,
            column: self.column.saturating_add(1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The places of a text, found from offsets in bytes without reading the text from its beginning each time. A file may
/// be one long line.
pub(crate) struct Places<'t> {
    text: &'t str,
    known: Vec<(usize, Place)>,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let (mut place, mut next) = (Place::START, 0);
        let mut known = Vec::with_capacity(text.len() / STEP + 1);
        for (at, character) in text.char_indices() {
            if at >= next {
                known.push((at, place));
                next = at.saturating_add(STEP);
            }
            place = place.after(character);
        }
        Self { text, known }
    }

    /// The place of a byte. Beyond the end it is the end.
    pub(crate) fn at(&self, offset: usize) -> Place {
        let after = self.known.partition_point(|(at, _)| *at <= offset);
        let before = after.checked_sub(1).and_then(|index| self.known.get(index));
        let (start, place) = before.copied().unwrap_or((0, Place::START));
        let rest = self.text.get(start..).unwrap_or_default();
        let passed = rest
            .char_indices()
            .take_while(|(at, _)| start.saturating_add(*at) < offset);
        passed.fold(place, |place, (_, character)| place.after(character))
    }
}

/// The text of a file: UTF-8, without a mark in front, or else ISO 8859-1, in which every byte is a character.
pub(crate) fn decoded(file: &[u8]) -> String {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    match str::from_utf8(file) {
        Ok(text) => text.to_owned(),
        Err(_) => latin_1(file),
    }
}

/// The text of bytes in ISO 8859-1.
pub(crate) fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let text = "\u{e9}b\nc\r\n".to_owned() + &"\u{20ac}".repeat(3_000);
        let places = Places::of(&text);
        for (offset, line, column) in [
            (0, 1, 1),
            (2, 1, 2),
            (3, 1, 3),
            (4, 2, 1),
            (7, 3, 1),
            (10, 3, 2),
            (7 + 3 * 2_999, 3, 3_000),
            (usize::MAX, 3, 3_001),
        ] {
            assert_eq!(places.at(offset), Place { line, column }, "{offset}");
        }
        assert_eq!(Places::of("").at(5), Place::START);
    }

    #[test]
    fn a_file_is_utf_8_or_else_iso_8859_1() {
        assert_eq!(decoded("\u{feff}M\u{fc}ller".as_bytes()), "M\u{fc}ller");
        assert_eq!(decoded(b"M\xfcller"), "M\u{fc}ller");
    }
}
