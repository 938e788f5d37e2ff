//! The part of JSON Schema that the description of the API uses; an unknown keyword is an error.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex_lite::Regex;
use serde_json::{Map, Value};

/// What to do with members that the schema of an object does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Refuse them, even where the schema tells its readers to ignore them. Florin sends nothing that is not described.
    Refused,
    /// Treat them as the schema says.
    AsDescribed,
}

/// Keywords that describe and do not restrict. A `format` restricts only readers that know it; each important one
/// has a pattern beside it.
const SAY_NOTHING: [&str; 8] = [
    "default",
    "description",
    "example",
    "examples",
    "format",
    "summary",
    "title",
    "deprecated",
];

/// The part of the document that a reference names.
pub(super) fn resolved<'d>(root: &'d Value, part: &'d Value) -> &'d Value {
    match part.get("$ref").and_then(Value::as_str) {
        Some(reference) => root
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => part,
    }
}

/// The differences between `value` and `schema`, as "place: rule".
pub(super) fn differences(
    root: &Value,
    schema: &Value,
    value: &Value,
    others: Others,
) -> Vec<String> {
    let mut walk = Walk {
        root,
        others,
        found: Vec::new(),
    };
    walk.compare(schema, value, "");
    walk.found
}

struct Walk<'d> {
    root: &'d Value,
    others: Others,
    found: Vec<String>,
}

impl Walk<'_> {
    fn compare(&mut self, schema: &Value, value: &Value, place: &str) {
        if let Some(reference) = schema.get("$ref") {
            let meant = resolved(self.root, schema);
            assert!(meant.is_object(), "{reference} is no schema");
            return self.compare(meant, value, place);
        }
        let rules = schema.as_object().expect("a schema is an object");
        for (keyword, rule) in rules {
            let holds = match keyword.as_str() {
                "type" => is_of_type(rule, value),
                "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
                "oneOf" => self.is_one_of(rule, value),
                "pattern" => text(value).is_none_or(|text| matches(rule, text)),
                "minLength" => text(value).is_none_or(|text| at_least(text.chars().count(), rule)),
                "maxLength" => text(value).is_none_or(|text| at_most(text.chars().count(), rule)),
                "minItems" => list(value).is_none_or(|list| at_least(list.len(), rule)),
                "maxItems" => list(value).is_none_or(|list| at_most(list.len(), rule)),
                "maxProperties" => object(value).is_none_or(|all| at_most(all.len(), rule)),
                "minimum" => number(value).is_none_or(|own| number(rule) <= Some(own)),
                "maximum" => number(value).is_none_or(|own| number(rule) >= Some(own)),
                "required" => object(value).is_none_or(|all| has_all(all, rule)),
                "propertyNames" => object(value).is_none_or(|all| self.names_fit(rule, all)),
                "items" => {
                    for (index, item) in list(value).into_iter().flatten().enumerate() {
                        self.compare(rule, item, &format!("{place}/{index}"));
                    }
                    true
                }
                "properties" => {
                    for (name, member) in object(value).into_iter().flatten() {
                        if let Some(own) = rule.get(name) {
                            self.compare(own, member, &format!("{place}/{name}"));
                        }
                    }
                    true
                }
                "additionalProperties" => true,
                other => {
                    assert!(SAY_NOTHING.contains(&other), "unknown keyword {other}");
                    true
                }
            };
            if !holds {
                let shown = value.to_string();
                let shown: String = shown.chars().take(60).collect();
                self.found
                    .push(format!("{place}: {shown} against {keyword} {rule}"));
            }
        }
        self.other_members(rules, value, place);
    }

    /// Checks members that the schema does not name.
    fn other_members(&mut self, rules: &Map<String, Value>, value: &Value, place: &str) {
        let (Some(named), Some(members)) = (rules.get("properties"), object(value)) else {
            let more = rules.get("additionalProperties");
            if let (Some(more @ Value::Object(_)), Some(members)) = (more, object(value)) {
                for (name, member) in members {
                    self.compare(more, member, &format!("{place}/{name}"));
                }
            }
            return;
        };
        let is_closed = rules.get("additionalProperties") == Some(&Value::Bool(false));
        if is_closed || self.others == Others::Refused {
            let others = members.keys().filter(|name| named.get(name).is_none());
            let found = others.map(|name| format!("{place}/{name} is not described"));
            self.found.extend(found);
        }
    }

    fn is_one_of(&self, choices: &Value, value: &Value) -> bool {
        let choices = choices.as_array().expect("oneOf is a list").iter();
        let fits = |schema: &&Value| differences(self.root, schema, value, self.others).is_empty();
        choices.filter(fits).count() == 1
    }

    fn names_fit(&self, schema: &Value, members: &Map<String, Value>) -> bool {
        let fits = |name: &String| {
            let name = Value::String(name.clone());
            differences(self.root, schema, &name, self.others).is_empty()
        };
        members.keys().all(fits)
    }
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        // Sums may have more than 64 bits, and are read as floats here.
        Some("integer") => number(value).is_some_and(|own| own.fract() == 0.0),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("unknown type {other:?}"),
    };
    rule.as_array()
        .map_or_else(|| is(rule), |names| names.iter().any(is))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn list(value: &Value) -> Option<&Vec<Value>> {
    value.as_array()
}

fn object(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn at_least(own: usize, rule: &Value) -> bool {
    let bound = rule.as_u64().and_then(|bound| usize::try_from(bound).ok());
    bound.is_some_and(|bound| own >= bound)
}

fn at_most(own: usize, rule: &Value) -> bool {
    let bound = rule.as_u64().and_then(|bound| usize::try_from(bound).ok());
    bound.is_some_and(|bound| own <= bound)
}

fn has_all(members: &Map<String, Value>, required: &Value) -> bool {
    let mut names = required.as_array().expect("required is a list").iter();
    names.all(|name| name.as_str().is_some_and(|name| members.contains_key(name)))
}

/// Compiled patterns: there are about twenty, and thousands of answers.
fn matches(pattern: &Value, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let pattern = pattern.as_str().expect("a pattern is a text");
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = compiled.entry(pattern.to_owned()).or_insert_with(|| {
        Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"))
    });
    known.is_match(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_keyword_finds_what_breaks_it() {
        let root = json!({"shapes": {"word": {"type": "string", "enum": ["a"]}}});
        for (schema, good, bad) in [
            (json!({"type": "integer"}), json!(1), json!("1")),
            (json!({"type": ["string", "null"]}), json!(null), json!(1)),
            (json!({"type": "integer"}), json!(1), json!(1.5)),
            (json!({"$ref": "#/shapes/word"}), json!("a"), json!("b")),
            (json!({"pattern": "^[^\\u0000]$"}), json!("a"), json!("\0")),
            (json!({"minLength": 1}), json!("é"), json!("")),
            (json!({"maxLength": 1}), json!("é"), json!("ab")),
            (json!({"minItems": 1}), json!([1]), json!([])),
            (json!({"maxItems": 1}), json!([1]), json!([1, 2])),
            (
                json!({"items": {"type": "null"}}),
                json!([null]),
                json!([1]),
            ),
            (json!({"maxProperties": 0}), json!({}), json!({"a": 1})),
            (json!({"minimum": 0}), json!(0), json!(-1)),
            (json!({"maximum": 0}), json!(0), json!(1)),
            (json!({"required": ["a"]}), json!({"a": 1}), json!({})),
            (
                json!({"properties": {"a": {"minimum": 1}}}),
                json!({"a": 1}),
                json!({"a": 0}),
            ),
            (
                json!({"properties": {"a": {}}}),
                json!({"a": 1}),
                json!({"b": 1}),
            ),
            (
                json!({"additionalProperties": {"minimum": 1}}),
                json!({"a": 1}),
                json!({"a": 0}),
            ),
            (
                json!({"propertyNames": {"pattern": "^a$"}}),
                json!({"a": 1}),
                json!({"b": 1}),
            ),
            (
                json!({"oneOf": [{"minimum": 5}, {"maximum": 9}]}),
                json!(1),
                json!(7),
            ),
        ] {
            let found = |value| differences(&root, &schema, value, Others::Refused).len();
            assert_eq!((found(&good), found(&bad)), (0, 1), "{schema}");
        }
    }

    #[test]
    fn members_that_are_not_named_are_refused_where_they_are() {
        let open = json!({"properties": {"a": {}}});
        let closed = json!({"properties": {"a": {}}, "additionalProperties": false});
        let value = json!({"b": 1});
        let found = |schema, others| differences(&json!({}), schema, &value, others).len();
        assert_eq!(found(&open, Others::AsDescribed), 0);
        assert_eq!(found(&open, Others::Refused), 1);
        assert_eq!(found(&closed, Others::AsDescribed), 1);
    }
}
