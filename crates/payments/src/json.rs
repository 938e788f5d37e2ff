//! JSON of a provider, read without ambiguity: a key that occurs twice in one object, at any depth, is refused,
//! because two correct programs could read two different values there.
//!
//! This reader is less strict than the one for bodies of the API: a provider's objects may contain anything
//! (fractions, unknown fields), and only the values that we use must be right.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Greatest number of characters of a key that a message repeats.
const MAX_SHOWN_LENGTH: usize = 64;
/// Greatest nesting of objects and arrays, as in the bodies of the API.
const MAX_DEPTH: usize = 32;

/// Why bytes cannot be read as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text breaks the grammar, is not UTF-8, or is nested too deep.
    #[error("it cannot be read as JSON: {0}")]
    Malformed(String),
    /// A key occurs more than once in its object.
    #[error("the key at \"{pointer}\" stands more than once in its object")]
    DuplicateKey {
        /// The place of the key, as a JSON pointer (RFC 6901). Long keys are cut.
        pointer: String,
    },
}

/// Reads one JSON value, nested at most 32 levels deep, in which no object has a key twice.
///
/// # Errors
/// [`JsonError`] names the first fault.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error))?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    value(raw, &mut Vec::new())
}

fn malformed(cause: &dyn fmt::Display) -> JsonError {
    JsonError::Malformed(cause.to_string())
}

/// Reads the value at the end of these steps. Each level is read by itself, so that all keys of an object are
/// seen before they become a map.
fn value(raw: &RawValue, steps: &mut Vec<String>) -> Result<Value, JsonError> {
    let text = raw.get();
    if !text.starts_with(['{', '[']) {
        return serde_json::from_str(text).map_err(|error| malformed(&error));
    }
    if steps.len() >= MAX_DEPTH {
        return Err(JsonError::Malformed(format!(
            "it is nested deeper than {MAX_DEPTH} levels"
        )));
    }
    if text.starts_with('[') {
        let items: Vec<&RawValue> =
            serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let items = items.into_iter().enumerate();
        let items = items.map(|(place, item)| within(&place.to_string(), item, steps));
        return Ok(Value::Array(items.collect::<Result<_, _>>()?));
    }
    let Members(written) = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let mut members = Map::new();
    for (key, raw) in written {
        if members.contains_key(&key) {
            steps.push(shown(&key));
            let pointer = steps.concat();
            return Err(JsonError::DuplicateKey { pointer });
        }
        let value = within(&key, raw, steps)?;
        members.insert(key, value);
    }
    Ok(Value::Object(members))
}

fn within(step: &str, raw: &RawValue, steps: &mut Vec<String>) -> Result<Value, JsonError> {
    steps.push(shown(step));
    let value = value(raw, steps);
    steps.pop();
    value
}

/// A step of a pointer, cut and escaped (RFC 6901). A card number is not repeated.
fn shown(step: &str) -> String {
    if text::contains_card_number(step) {
        return "/[card number]".to_owned();
    }
    let short: String = step.chars().take(MAX_SHOWN_LENGTH).collect();
    let mark = if short.len() < step.len() { "…" } else { "" };
    format!("/{}{mark}", short.replace('~', "~0").replace('/', "~1"))
}

/// The members of an object as they are written. A map would hide a key that occurs twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_has_no_key_twice_is_read_as_everybody_reads_it() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"a":[1,-2,{"b":null,"c":{"a":true}}],"b":"é\u00e9\ud83d\ude00","c":18446744073709551615}"#,
            r#"{"fee":0.029,"n":1e40,"m":9223372036854775808}"#,
            r#"[{"a":1},{"a":2}]"#,
        ] {
            let theirs: Value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text.as_bytes()), Ok(theirs), "{text}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_wherever_it_is() {
        let long = "k".repeat(100);
        let cut = format!("/{}…", "k".repeat(64));
        for (text, pointer) in [
            (r#"{"a":1,"a":1}"#.to_owned(), "/a"),
            (r#"{"a":1,"b":2,"\u0061":3}"#.to_owned(), "/a"),
            (
                r#"{"data":{"object":{"amount":1,"x":[],"amount":2}}}"#.to_owned(),
                "/data/object/amount",
            ),
            (
                r#"{"x/y":[0,{"a~":{"":1,"":2}}]}"#.to_owned(),
                "/x~1y/1/a~0/",
            ),
            (r#"[{"a":1},{"b":1,"b":1}]"#.to_owned(), "/1/b"),
            (format!(r#"{{"{long}":1,"{long}":2}}"#), &cut),
        ] {
            let pointer = pointer.to_owned();
            assert_eq!(
                parse(text.as_bytes()),
                Err(JsonError::DuplicateKey { pointer }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_json_is_said_to_be_so() {
        let deep = "[".repeat(200);
        for text in [
            &b""[..],
            b"{",
            b"{}{}",
            b"\xff",
            b"{\"a\":}",
            b"nul",
            b"{\"a\":\"\xff\"}",
            deep.as_bytes(),
        ] {
            assert!(
                matches!(parse(text), Err(JsonError::Malformed(_))),
                "{text:?}"
            );
        }
    }
}
