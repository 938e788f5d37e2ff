//! The fields of a file: `:61:` and its like, with what stands around them.

use crate::{Place, Problem, ReadError};

/// Greatest length of a line of a bank's own heading.
const MAX_HEADING: usize = 35;

/// A message, from field 20 to its end.
pub(crate) struct Message<'t> {
    pub(crate) fields: Vec<Field<'t>>,
    pub(crate) place: Place,
}

/// A field with the lines of its value. There is always at least one.
pub(crate) struct Field<'t> {
    pub(crate) tag: &'t str,
    pub(crate) lines: Vec<&'t str>,
    /// Where the tag begins.
    pub(crate) place: Place,
}

impl<'t> Field<'t> {
    /// The first line of the value.
    pub(crate) fn value(&self) -> &'t str {
        self.lines.first().copied().unwrap_or_default().trim()
    }

    pub(crate) fn needs_value(&self, right: &'static str) -> Result<&'t str, ReadError> {
        match self.value() {
            "" => Err(Problem::Empty { right }.at(self.value_place())),
            value => Ok(value),
        }
    }

    /// Where the value begins.
    pub(crate) fn value_place(&self) -> Place {
        // The tag has a colon on both sides.
        let width = self.tag.len().saturating_add(2);
        Place {
            line: self.place.line,
            column: self.place.column.saturating_add(width),
        }
    }
}

/// The tag at the beginning of a line, and the rest of the line.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (tag, value) = line.strip_prefix(':')?.split_once(':')?;
    let (number, letter) = tag.split_at_checked(2)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter = letter.is_empty()
        || letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_uppercase());
    (tag == "NS" || is_number && is_letter).then_some((tag, value))
}

/// The messages of a file.
pub(crate) fn messages(text: &str) -> Result<Vec<Message<'_>>, ReadError> {
    let mut messages: Vec<Message<'_>> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(text.split('\n')) {
        let whole = line.strip_suffix('\r').unwrap_or(line);
        let (mut column, mut line) = (1_usize, whole);
        if !is_open && line.starts_with('{') {
            // The blocks around a message; the fourth is the message itself.
            let before = line
                .find("{4:")
                .map_or(line.len(), |at| at.saturating_add(3));
            column = column.saturating_add(line.chars().take(before).count());
            line = line.get(before..).unwrap_or_default();
        }
        let place = Place {
            line: number,
            column,
        };
        if line.trim().is_empty() {
            continue;
        }
        if is_open && (line.trim_end() == "-" || line.starts_with("-}")) {
            is_open = false;
            continue;
        }
        match (tagged(line), messages.last_mut()) {
            (Some(("20", value)), _) => {
                let fields = vec![Field {
                    tag: "20",
                    lines: vec![value],
                    place,
                }];
                messages.push(Message { fields, place });
                is_open = true;
            }
            (Some((tag, value)), Some(message)) if is_open => message.fields.push(Field {
                tag,
                lines: vec![value],
                place,
            }),
            (None, Some(message)) if is_open => {
                if let Some(field) = message.fields.last_mut() {
                    field.lines.push(line);
                }
            }
            (None, _) if is_heading(line) => {}
            (Some(_) | None, _) => {
                let what = format!("{:?}", crate::error::shown(line));
                let right = "a message begins with :20:";
                return Err(Problem::Misplaced { what, right }.at(place));
            }
        }
    }
    if messages.is_empty() {
        let right = "a message that begins with :20:";
        return Err(Problem::Empty { right }.at(Place::START));
    }
    Ok(messages)
}

/// Whether a line between messages is one of a bank's own headings, such as `940` or `ABNANL2A`.
fn is_heading(line: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    line.len() <= MAX_HEADING && line.bytes().all(fits)
}
