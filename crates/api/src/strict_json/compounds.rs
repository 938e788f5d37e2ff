//! Readers that are made of other readers.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::readers::{text, unexpected, wrong};
use super::{FieldError, Fields, Reading, Value};

const MOST_METADATA: usize = 50;
const LONGEST_METADATA_KEY: usize = 40;
const LONGEST_METADATA_VALUE: usize = 500;

/// Reads free-form labels: an object of at most 50 texts of at most 500 characters, under keys of 1
/// to 40 characters.
///
/// # Errors
/// `expected_object`, `too_many_entries`, and per entry `key_empty`, `key_too_long`,
/// `expected_text`, `too_long`.
pub fn metadata(value: Value) -> Reading<BTreeMap<String, String>> {
    let entries = match value {
        Value::Object(object) => object.members,
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => {
            return unexpected("expected_object", "an object of texts", &value);
        }
    };
    if entries.len() > MOST_METADATA {
        return wrong(
            "too_many_entries",
            format!("At most {MOST_METADATA} entries."),
        );
    }
    let mut labels = BTreeMap::new();
    let mut errors = Vec::new();
    for (key, value) in entries {
        let key_error = match key.chars().count() {
            0 => Some(FieldError::here("key_empty", "A key must not be empty.")),
            1..=LONGEST_METADATA_KEY => None,
            _ => Some(FieldError::here(
                "key_too_long",
                format!("A key has at most {LONGEST_METADATA_KEY} characters."),
            )),
        };
        errors.extend(key_error.map(|error| error.below(&key)));
        match text(0..=LONGEST_METADATA_VALUE)(value) {
            Ok(label) => {
                labels.insert(key, label);
            }
            Err(wrong) => errors.extend(wrong.into_iter().map(|error| error.below(&key))),
        }
    }
    if errors.is_empty() {
        Ok(labels)
    } else {
        Err(errors)
    }
}

/// Reads `null` as nothing, anything else by another reader.
///
/// # Errors
/// Those of the other reader.
pub fn nullable<T>(
    read: impl FnOnce(Value) -> Reading<T>,
) -> impl FnOnce(Value) -> Reading<Option<T>> {
    move |value| match value {
        Value::Null => Ok(None),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Text(_)
        | Value::Array(_)
        | Value::Object(_) => read(value).map(Some),
    }
}

/// Reads by another reader, then converts; `convert` tells a code and a detail when it cannot.
///
/// # Errors
/// Those of the other reader, and the one of `convert`.
pub fn checked<T, U>(
    read: impl FnOnce(Value) -> Reading<T>,
    convert: impl FnOnce(T) -> Result<U, (&'static str, String)>,
) -> impl FnOnce(Value) -> Reading<U> {
    move |value| {
        let (code, detail) = match convert(read(value)?) {
            Ok(converted) => return Ok(converted),
            Err(refused) => refused,
        };
        wrong(code, detail)
    }
}

/// Reads an object within the body by taking its fields.
///
/// # Errors
/// `expected_object`, and those of its fields.
pub fn object<T>(read: impl FnOnce(Fields) -> Reading<T>) -> impl FnOnce(Value) -> Reading<T> {
    move |value| match value {
        Value::Object(object) => read(Fields::within(object)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => {
            unexpected("expected_object", "an object", &value)
        }
    }
}

/// Reads an array of so many items, each by the same reader.
///
/// # Errors
/// `expected_array`, `too_few_entries`, `too_many_entries`, and those of each item.
pub fn list<T>(
    length: RangeInclusive<usize>,
    mut read: impl FnMut(Value) -> Reading<T>,
) -> impl FnOnce(Value) -> Reading<Vec<T>> {
    move |value| {
        let items = match value {
            Value::Array(items) => items,
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Text(_)
            | Value::Object(_) => return unexpected("expected_array", "an array", &value),
        };
        if items.len() < *length.start() {
            return wrong(
                "too_few_entries",
                format!("At least {} entries.", length.start()),
            );
        }
        if items.len() > *length.end() {
            return wrong(
                "too_many_entries",
                format!("At most {} entries.", length.end()),
            );
        }
        let mut good = Vec::with_capacity(items.len());
        let mut errors = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match read(item) {
                Ok(read) => good.push(read),
                Err(wrong) => {
                    let step = index.to_string();
                    errors.extend(wrong.into_iter().map(|error| error.below(&step)));
                }
            }
        }
        if errors.is_empty() {
            Ok(good)
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::super::{amount, parse};
    use super::*;

    fn value(json: &str) -> Value {
        let body = parse(format!("{{\"v\":{json}}}").as_bytes()).unwrap();
        body.get("v").unwrap().clone()
    }

    fn codes<T: std::fmt::Debug>(reading: Reading<T>) -> Vec<(String, &'static str)> {
        reading
            .unwrap_err()
            .into_iter()
            .map(|error| (error.pointer, error.code))
            .collect()
    }

    fn code<T: std::fmt::Debug>(reading: Reading<T>) -> &'static str {
        let mut errors = reading.unwrap_err();
        assert_eq!(errors.len(), 1);
        errors.remove(0).code
    }

    #[test]
    fn every_reader_refuses_the_kinds_it_does_not_take() {
        for kind in ["null", "true", "1", r#""x""#, "[1]"] {
            assert_eq!(code(metadata(value(kind))), "expected_object", "{kind}");
            let unit = object(|fields| fields.finish(()));
            assert_eq!(code(unit(value(kind))), "expected_object", "{kind}");
        }
        for kind in ["null", "true", "1", r#""x""#, "{}"] {
            assert_eq!(
                code(list(0..=9, amount)(value(kind))),
                "expected_array",
                "{kind}"
            );
        }
    }

    #[test]
    fn metadata_is_a_bounded_object_of_texts() {
        let labels = metadata(value(r#"{"order": "7", "empty": ""}"#)).unwrap();
        assert_eq!(labels.get("order").map(String::as_str), Some("7"));
        let long_key = "k".repeat(41);
        let long_value = "é".repeat(501);
        let bad =
            format!(r#"{{"a": 1, "": "x", "{long_key}": "x", "b": "{long_value}", "c": {{}}}}"#);
        let expected = [
            ("/a".to_owned(), "expected_text"),
            ("/".to_owned(), "key_empty"),
            (format!("/{long_key}"), "key_too_long"),
            ("/b".to_owned(), "too_long"),
            ("/c".to_owned(), "expected_text"),
        ];
        assert_eq!(codes(metadata(value(&bad))), expected);
        let entries = |count: usize| {
            let entries: Vec<String> = (0..count).map(|key| format!("\"{key}\":\"\"")).collect();
            value(&format!("{{{}}}", entries.join(",")))
        };
        assert_eq!(metadata(entries(50)).unwrap().len(), 50);
        assert_eq!(code(metadata(entries(51))), "too_many_entries");
    }

    #[test]
    fn lists_and_objects_name_the_place_within_them() {
        let posting = |value| {
            object(|mut fields| {
                let minor_units = fields.required("amount", amount);
                fields.finish(minor_units)
            })(value)
        };
        let good = value(r#"[{"amount": 1}, {"amount": 2}]"#);
        assert_eq!(list(1..=2, posting)(good), Ok(vec![1, 2]));
        let bad = value(r#"[{"amount": 1}, {"amount": 0, "x": 1}, {}]"#);
        let expected = [
            ("/1/amount".to_owned(), "amount_not_positive"),
            ("/1/x".to_owned(), "unknown_field"),
            ("/2/amount".to_owned(), "required"),
        ];
        assert_eq!(codes(list(1..=3, posting)(bad.clone())), expected);
        assert_eq!(code(list(1..=2, posting)(bad)), "too_many_entries");
        assert_eq!(code(list(1..=2, posting)(value("[]"))), "too_few_entries");
    }

    #[test]
    fn a_value_can_be_nullable_or_checked_further() {
        assert_eq!(nullable(amount)(Value::Null), Ok(None));
        assert_eq!(nullable(amount)(value("5")), Ok(Some(5)));
        assert_eq!(code(nullable(amount)(value("0"))), "amount_not_positive");
        let even = |number: i64| match number % 2 {
            0 => Ok(number / 2),
            _ => Err(("odd", "Must be even.".to_owned())),
        };
        assert_eq!(checked(amount, even)(value("6")), Ok(3));
        assert_eq!(code(checked(amount, even)(value("7"))), "odd");
        assert_eq!(
            code(checked(amount, even)(value("0"))),
            "amount_not_positive"
        );
    }
}
