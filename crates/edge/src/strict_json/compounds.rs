//! Readers of objects: of labels, of named fields, and of one of several bodies.

use std::collections::BTreeMap;

use super::readers::{Reader, text, unexpected, wrong};
use super::{CardNumbers, FieldError, Fields, Object, Reading, Slot, Value};
use crate::describe::{Describe, Schema, said};
use crate::shape::{Labels, Shape};

/// Reads labels within these bounds: texts by key. A key has at least one character.
///
/// Errors: `expected_object`, `too_many_entries`, and per entry `key_empty`, `key_too_long`,
/// `expected_text`, `too_long`.
pub fn labels(bounds: Labels, shape: Shape) -> impl Reader<Out = BTreeMap<String, String>> {
    LabelReader { bounds, shape }
}

struct LabelReader {
    bounds: Labels,
    shape: Shape,
}

impl Reader for LabelReader {
    type Out = BTreeMap<String, String>;

    fn read(&self, value: Value) -> Reading<Self::Out> {
        let Labels {
            max_entries,
            longest_key,
            longest,
        } = self.bounds;
        let entries = match value {
            Value::Object(object) => object.members,
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => {
                return unexpected("expected_object", "an object of texts", &value);
            }
        };
        if entries.len() > max_entries {
            return wrong(
                "too_many_entries",
                format!("At most {max_entries} entries."),
            );
        }
        let label = text(0, longest, Shape::text(0, longest));
        let mut labels = BTreeMap::new();
        let mut errors = Vec::new();
        for (key, value) in entries {
            let key_error = match key.chars().count() {
                0 => Some(FieldError::here("key_empty", "A key must not be empty.")),
                length if length > longest_key => Some(FieldError::here(
                    "key_too_long",
                    format!("A key has at most {longest_key} characters."),
                )),
                _ => None,
            };
            errors.extend(key_error.map(|error| error.below(&key)));
            match label.read(value) {
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

    fn describe(&self, known: &mut Describe) -> Schema {
        self.shape.describe(known)
    }
}

/// A reader of objects: of a whole body, or of an object within one.
pub trait Body: Reader {
    /// Reads the fields of an object.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    fn take(&self, fields: Fields) -> Reading<Self::Out>;

    /// Reads a whole body, and searches it for card numbers.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn whole(&self, body: Object, cards: &CardNumbers) -> Reading<Self::Out> {
        self.take(Fields::of(body, cards))
    }
}

/// A reader of an object by its fields, with this name and text in the description.
///
/// Errors: `expected_object`, and those of its fields.
pub fn object<T>(
    name: &'static str,
    says: &'static str,
    read: impl Fn(&mut Fields) -> Slot<T>,
) -> impl Body<Out = T> {
    Part { name, says, read }
}

struct Part<F> {
    name: &'static str,
    says: &'static str,
    read: F,
}

impl<T, F: Fn(&mut Fields) -> Slot<T>> Reader for Part<F> {
    type Out = T;

    fn read(&self, value: Value) -> Reading<T> {
        within_body(self, value)
    }

    fn describe(&self, known: &mut Describe) -> Schema {
        let bodies = known.bodies(self.name, self.says, |fields| drop((self.read)(fields)));
        known.one_of(self.name, self.says, bodies)
    }
}

impl<T, F: Fn(&mut Fields) -> Slot<T>> Body for Part<F> {
    fn take(&self, mut fields: Fields) -> Reading<T> {
        let read = (self.read)(&mut fields);
        fields.finish(read)
    }
}

fn within_body<B: Body>(body: &B, value: Value) -> Reading<B::Out> {
    match value {
        Value::Object(object) => body.take(Fields::within(object)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => {
            unexpected("expected_object", "an object", &value)
        }
    }
}

/// A function that reads the fields of a body.
type ReadFields<'a, T> = dyn Fn(&mut Fields) -> Slot<T> + 'a;

/// One of several bodies.
pub struct Alternative<'a, K, T> {
    kind: K,
    name: &'static str,
    says: &'static str,
    own: Option<&'static str>,
    read: Box<ReadFields<'a, T>>,
}

impl<'a, K, T> Alternative<'a, K, T> {
    /// A body of this kind, with its name and its text in the description.
    pub fn new(
        kind: K,
        name: &'static str,
        says: &'static str,
        read: impl Fn(&mut Fields) -> Slot<T> + 'a,
    ) -> Self {
        Self {
            kind,
            name,
            says,
            own: None,
            read: Box::new(read),
        }
    }

    /// The same alternative, with a text for its place among the others.
    #[must_use]
    pub fn standing(self, own: &'static str) -> Self {
        Self {
            own: Some(own),
            ..self
        }
    }
}

/// Reads one of several bodies: the one of the kind that `kind` finds in the fields.
///
/// Errors: `expected_object`, and those of the body's fields.
pub fn one_of<'a, K: PartialEq + 'a, T: 'a>(
    name: &'static str,
    says: &'static str,
    kind: impl Fn(&Fields) -> K + 'a,
    alternatives: Vec<Alternative<'a, K, T>>,
) -> impl Body<Out = T> {
    OneOf {
        name,
        says,
        kind,
        alternatives,
    }
}

struct OneOf<'a, K, T, F> {
    name: &'static str,
    says: &'static str,
    kind: F,
    alternatives: Vec<Alternative<'a, K, T>>,
}

impl<K: PartialEq, T, F: Fn(&Fields) -> K> Reader for OneOf<'_, K, T, F> {
    type Out = T;

    fn read(&self, value: Value) -> Reading<T> {
        within_body(self, value)
    }

    fn describe(&self, known: &mut Describe) -> Schema {
        let mut all = Vec::new();
        for body in &self.alternatives {
            let own = known.bodies(body.name, body.says, |fields| drop((body.read)(fields)));
            all.extend(own.into_iter().map(|schema| match body.own {
                Some(own) => said(schema, own),
                None => schema,
            }));
        }
        known.one_of(self.name, self.says, all)
    }
}

impl<K: PartialEq, T, F: Fn(&Fields) -> K> Body for OneOf<'_, K, T, F> {
    fn take(&self, mut fields: Fields) -> Reading<T> {
        let kind = (self.kind)(&fields);
        let mut all = self.alternatives.iter();
        let Some(body) = all.find(|body| body.kind == kind) else {
            return wrong("unknown_choice", "There is no such body.");
        };
        let read = (body.read)(&mut fields);
        fields.finish(read)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::super::{BrokenRule, Either, amount, list, nullable, parse};
    use super::*;

    const CARDS: CardNumbers = CardNumbers {
        identifiers: &[],
        labels: "",
        detail: "No card numbers.",
    };

    const BOUNDS: Labels = Labels {
        max_entries: 50,
        longest_key: 40,
        longest: 500,
    };

    fn metadata(value: Value) -> Reading<BTreeMap<String, String>> {
        labels(BOUNDS, Shape::labels(".*", BOUNDS)).read(value)
    }

    fn units() -> impl Reader<Out = i64> {
        amount(Shape::integer(1, i64::MAX))
    }

    fn posting() -> impl Body<Out = i64> {
        object("Posting", "A movement.", |fields| {
            fields.required("amount", units())
        })
    }

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
            let unit = object("Nothing", "", |_| Slot::together(()));
            assert_eq!(code(unit.read(value(kind))), "expected_object", "{kind}");
        }
        for kind in ["null", "true", "1", r#""x""#, "{}"] {
            assert_eq!(
                code(list(0, 9, units()).read(value(kind))),
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
        let good = value(r#"[{"amount": 1}, {"amount": 2}]"#);
        assert_eq!(list(1, 2, posting()).read(good), Ok(vec![1, 2]));
        let bad = value(r#"[{"amount": 1}, {"amount": 0, "x": 1}, {}]"#);
        let expected = [
            ("/1/amount".to_owned(), "amount_not_positive"),
            ("/1/x".to_owned(), "unknown_field"),
            ("/2/amount".to_owned(), "required"),
        ];
        assert_eq!(codes(list(1, 3, posting()).read(bad.clone())), expected);
        assert_eq!(code(list(1, 2, posting()).read(bad)), "too_many_entries");
        assert_eq!(
            code(list(1, 2, posting()).read(value("[]"))),
            "too_few_entries"
        );
    }

    #[test]
    fn a_value_can_be_nullable_or_checked_further() {
        assert_eq!(nullable(units()).read(Value::Null), Ok(None));
        assert_eq!(nullable(units()).read(value("5")), Ok(Some(5)));
        assert_eq!(
            code(nullable(units()).read(value("0"))),
            "amount_not_positive"
        );
        let even = |number: i64| match number % 2 {
            0 => Ok(number / 2),
            _ => Err(BrokenRule::new("odd", &"Must be even.")),
        };
        assert_eq!(units().checked(even).read(value("6")), Ok(3));
        assert_eq!(code(units().checked(even).read(value("7"))), "odd");
        assert_eq!(
            code(units().checked(even).read(value("0"))),
            "amount_not_positive"
        );
    }

    fn pending() -> impl Body<Out = i64> {
        object("Expiry", "When it ends.", |fields| {
            let at = Either::new("At", "at", units());
            let seconds = Either::new("In", "in", units().map(|seconds| -seconds));
            fields.either(None, at, seconds)
        })
    }

    #[test]
    fn one_of_two_fields_is_there_and_the_description_has_two_bodies() {
        assert_eq!(pending().read(value(r#"{"at": 5}"#)), Ok(5));
        assert_eq!(pending().read(value(r#"{"in": 5}"#)), Ok(-5));
        for (json, place, expected) in [
            ("{}", "", "required"),
            (r#"{"at": 5, "in": 5}"#, "", "ambiguous"),
            (r#"{"at": 0, "in": 5}"#, "/at", "amount_not_positive"),
            (r#"{"x": 5}"#, "/x", "unknown_field"),
        ] {
            let refused = codes(pending().read(value(json)));
            assert_eq!(refused, [(place.to_owned(), expected)], "{json}");
        }
        let mut known = Describe::default();
        let _named = pending().describe(&mut known);
        let names: Vec<&String> = known.named().keys().collect();
        assert_eq!(names, ["Expiry", "ExpiryAt", "ExpiryIn"]);
        let written = serde_json::to_value(known.named()).unwrap();
        let expected = serde_json::json!(["at"]);
        assert_eq!(written.pointer("/ExpiryAt/required"), Some(&expected));
        assert_eq!(written.pointer("/ExpiryAt/properties/in"), None);
        assert!(known.clashes().is_empty());
    }

    #[test]
    fn one_of_several_bodies_is_read_and_all_are_described() {
        let gift = Alternative::new(true, "Gift", "A gift.", |fields: &mut Fields| {
            fields.required("gift", units())
        });
        let loan = Alternative::new(false, "Loan", "A loan.", |fields: &mut Fields| {
            fields
                .required("loan", nullable(units()))
                .map(|loan| loan.unwrap_or(0))
        });
        let both = one_of(
            "Either",
            "A gift or a loan.",
            |fields| fields.has("gift"),
            vec![gift.standing("Never paid back."), loan],
        );
        let body = |json: &str| parse(json.as_bytes()).unwrap();
        assert_eq!(both.whole(body(r#"{"gift": 3}"#), &CARDS), Ok(3));
        assert_eq!(both.whole(body(r#"{"loan": null}"#), &CARDS), Ok(0));
        let refused = codes(both.whole(body(r#"{"gift": 3, "loan": 4}"#), &CARDS));
        assert_eq!(refused, [("/loan".to_owned(), "unknown_field")]);
        let mut known = Describe::default();
        let _named = both.describe(&mut known);
        let written = serde_json::to_value(known.named()).unwrap();
        let expected = serde_json::json!([
            {"$ref": "#/components/schemas/Gift", "description": "Never paid back."},
            {"$ref": "#/components/schemas/Loan"},
        ]);
        assert_eq!(written.pointer("/Either/oneOf"), Some(&expected));
    }

    #[test]
    fn a_name_that_means_two_things_is_a_clash() {
        let mut known = Describe::default();
        let _one = Shape::small(0, 1).named("Bit", "").describe(&mut known);
        let _same = Shape::small(0, 1).named("Bit", "").describe(&mut known);
        assert!(known.clashes().is_empty());
        let _other = Shape::small(0, 2).named("Bit", "").describe(&mut known);
        assert_eq!(known.clashes(), ["Bit"]);
    }
}
