//! The canonical text: one text for all bodies with the same meaning.

use super::{Object, Value};

/// The canonical text of an object: keys sorted by their bytes, no whitespace, shortest escapes.
///
/// Two bodies that differ only in whitespace, in the order of keys or in how a character is escaped have the
/// same text. Any two other bodies have different texts. The order of an array counts. This resembles RFC 8785
/// but sorts by UTF-8, since nobody but this program compares it.
#[must_use]
pub fn canonical(object: &Object) -> Vec<u8> {
    let mut text = String::with_capacity(256);
    write_object(&mut text, object);
    text.into_bytes()
}

fn write_object(out: &mut String, object: &Object) {
    let mut members: Vec<(&str, &Value)> = object.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (place, (key, value)) in members.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_text(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Integer(integer) => out.push_str(&integer.to_string()),
        Value::Text(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => write_object(out, object),
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let special = |character: char| matches!(character, '"' | '\\' | '\0'..='\u{1f}');
    let mut rest = text;
    while let Some((plain, character)) = rest
        .find(special)
        .and_then(|at| rest.split_at_checked(at))
        .and_then(|(plain, after)| after.chars().next().map(|character| (plain, character)))
    {
        out.push_str(plain);
        if matches!(character, '"' | '\\') {
            out.push('\\');
            out.push(character);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
        let read = plain.len() + character.len_utf8();
        rest = rest.get(read..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    fn canonical_text(body: &str) -> String {
        String::from_utf8(canonical(&parse(body.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn blanks_key_order_and_escapes_do_not_count() {
        let expected = r#"{"a":[1,{"x":"é\"\\\u000a","y":null}],"b":true}"#;
        assert_eq!(canonical_text(expected), expected);
        let other = r#" { "b" : true, "\u0061":[ 1,{"y":null,"x":"\u00e9\u0022\\\n"} ] } "#;
        assert_eq!(canonical_text(other), expected);
    }

    #[test]
    fn types_values_and_the_order_of_arrays_count() {
        let bodies = [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":null}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":"\",\"b\":\""}"#,
            r#"{"a":"","b":""}"#,
        ];
        for (place, body) in bodies.iter().enumerate() {
            for other in bodies.iter().skip(place + 1) {
                assert_ne!(canonical_text(body), canonical_text(other));
            }
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Integer),
            any_text().prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                any_object(inner).prop_map(Value::Object),
            ]
        })
    }

    fn any_object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
        proptest::collection::btree_map(any_text(), value, 0..5)
            .prop_map(|members| members.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
            .prop_map(|members| Object { members })
    }

    fn any_text() -> impl Strategy<Value = String> {
        any::<String>().prop_map(|text| text.replace('\0', ""))
    }

    /// Writes with every key order reversed, every character escaped and blanks everywhere.
    fn awkward(value: &Value) -> String {
        match value {
            Value::Null | Value::Bool(_) | Value::Integer(_) => {
                let mut text = String::new();
                write_value(&mut text, value);
                format!(" {text}\n")
            }
            Value::Text(text) => {
                let units: String = text
                    .encode_utf16()
                    .map(|unit| format!("\\u{unit:04X}"))
                    .collect();
                format!("\t\"{units}\" ")
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(awkward).collect();
                format!("[ {} ]", items.join(","))
            }
            Value::Object(object) => {
                let mut members: Vec<String> = object
                    .iter()
                    .map(|(key, value)| {
                        format!(
                            "{}:{}",
                            awkward(&Value::Text(key.to_owned())),
                            awkward(value)
                        )
                    })
                    .collect();
                members.reverse();
                format!("\r{{ {} }}", members.join(","))
            }
        }
    }

    proptest! {
        #[test]
        fn any_writing_of_an_object_has_the_same_canonical_text(
            object in any_object(any_value()),
        ) {
            let expected = canonical(&object);
            let read_back = parse(&expected).unwrap();
            prop_assert_eq!(canonical(&read_back), expected.clone());
            let other = parse(awkward(&Value::Object(object)).as_bytes()).unwrap();
            prop_assert_eq!(canonical(&other), expected);
        }
    }
}
