//! The parser of JSON: one pass, recursive descent, no copies but of the strings.
//!
//! The path to an error is built only while a refusal returns through the levels, so a good body costs nothing
//! for it.

use super::refusal::Fault;
use super::{MAX_BYTES, MAX_DEPTH, Object, Refusal, Rule, Value};

/// Number of members up to which comparing each with each is cheaper than sorting.
const FEW_MEMBERS: usize = 16;

/// Reads a request body.
///
/// # Errors
/// The first broken rule, in reading order, with its place. Duplicate keys are found at the end of their
/// object.
pub fn parse(bytes: &[u8]) -> Result<Object, Refusal> {
    parse_within(bytes, MAX_BYTES)
}

/// Reads a request body of at most `most` bytes.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(bytes: &[u8], most: usize) -> Result<Object, Refusal> {
    if bytes.len() > most {
        return Err(Fault::new(Rule::TooLarge).into());
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(bytes, error.valid_up_to())),
    };
    Ok(Parser { text, at: 0 }.document()?)
}

/// Reads up to the bad byte once more, to find its place.
fn not_utf8(bytes: &[u8], valid: usize) -> Refusal {
    let text = bytes
        .get(..valid)
        .and_then(|good| std::str::from_utf8(good).ok());
    match (Parser {
        text: text.unwrap_or_default(),
        at: 0,
    }
    .document())
    {
        Ok(_) => Fault::new(Rule::NotUtf8).into(),
        Err(fault) if fault.rule == (Rule::Malformed { offset: valid }) => Fault {
            rule: Rule::NotUtf8,
            ..fault
        }
        .into(),
        Err(earlier) => earlier.into(),
    }
}

/// The text, and the number of bytes that are read.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Parser<'_> {
    fn document(mut self) -> Result<Object, Fault> {
        self.skip_blanks();
        let value = self.value(1)?;
        self.skip_blanks();
        if self.peek().is_some() {
            return Err(self.malformed());
        }
        match value {
            Value::Object(object) => Ok(object),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => {
                Err(Fault::new(Rule::NotAnObject))
            }
        }
    }

    /// Reads one value. `depth` is the level that an object or array has here.
    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Value::Text(self.string()?))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Value::Integer(self.integer()?)),
            Some(b'{') => Ok(Value::Object(self.object(depth)?)),
            Some(b'[') => Ok(Value::Array(self.array(depth)?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.malformed()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object, Fault> {
        self.open(depth)?;
        let mut members: Vec<(String, Value)> = Vec::new();
        if self.take(b'}') {
            return Ok(Object { members });
        }
        loop {
            self.expect(b'"')?;
            let key = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            match self.value(depth + 1) {
                Ok(value) => members.push((key, value)),
                Err(fault) => return Err(fault.below(&key)),
            }
            self.skip_blanks();
            if self.take(b'}') {
                break;
            }
            self.expect(b',')?;
            self.skip_blanks();
        }
        match duplicate_key(&members) {
            Some(key) => Err(Fault::new(Rule::DuplicateKey).below(key)),
            None => Ok(Object { members }),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Fault> {
        self.open(depth)?;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(items);
        }
        loop {
            match self.value(depth + 1) {
                Ok(value) => items.push(value),
                Err(fault) => return Err(fault.below(&items.len().to_string())),
            }
            self.skip_blanks();
            if self.take(b']') {
                return Ok(items);
            }
            self.expect(b',')?;
            self.skip_blanks();
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::new(Rule::TooDeep));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    pub(super) fn malformed(&self) -> Fault {
        Fault::new(Rule::Malformed { offset: self.at })
    }
}

/// Finds a key that occurs twice. Many members are sorted first, so that the work does not grow with the square
/// of their number.
fn duplicate_key(members: &[(String, Value)]) -> Option<&str> {
    if members.len() <= FEW_MEMBERS {
        let mut later = members.iter();
        while let Some((key, _)) = later.next() {
            if later.as_slice().iter().any(|(other, _)| other == key) {
                return Some(key);
            }
        }
        return None;
    }
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.array_windows()
        .find(|[one, next]| one == next)
        .map(|[key, _]| *key)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn refused(body: &str) -> (Rule, String) {
        let refusal = parse(body.as_bytes()).unwrap_err();
        (refusal.rule, refusal.pointer)
    }

    #[test]
    fn every_kind_of_value_is_read_in_the_order_sent() {
        let body = r#" {"z": [1, -2, [], {}], "a": "é\u00e9\ud83d\ude00\n\/", "t": true, "f": false, "n": null} "#;
        let object = parse(body.as_bytes()).unwrap();
        let keys: Vec<&str> = object.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["z", "a", "t", "f", "n"]);
        assert_eq!(object.get("a"), Some(&Value::Text("éé😀\n/".into())));
        assert_eq!(object.get("t"), Some(&Value::Bool(true)));
        let items = vec![
            Value::Integer(1),
            Value::Integer(-2),
            Value::Array(Vec::new()),
            Value::Object(Object::default()),
        ];
        assert_eq!(object.get("z"), Some(&Value::Array(items)));
    }

    #[test]
    fn integers_reach_to_both_ends_of_64_bits() {
        let object = parse(br#"{"a":9223372036854775807,"b":-9223372036854775808,"c":0}"#).unwrap();
        assert_eq!(object.get("a"), Some(&Value::Integer(i64::MAX)));
        assert_eq!(object.get("b"), Some(&Value::Integer(i64::MIN)));
        assert_eq!(object.get("c"), Some(&Value::Integer(0)));
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_breaks() {
        for (body, offset, pointer) in [
            ("", 0, ""),
            ("  ", 2, ""),
            ("{", 1, ""),
            (r#"{"a""#, 4, ""),
            (r#"{"a":}"#, 5, "/a"),
            (r#"{"a":1,}"#, 7, ""),
            (r#"{"a":1 "b":2}"#, 7, ""),
            (r#"{"a":1}}"#, 7, ""),
            (r#"{"a":1} x"#, 8, ""),
            (r#"{"a":[1,]}"#, 8, "/a/1"),
            (r#"{"a":[1 2]}"#, 8, "/a"),
            (r#"{"a":NaN}"#, 5, "/a"),
            (r#"{"a":Infinity}"#, 5, "/a"),
            (r#"{"a":-}"#, 6, "/a"),
            (r#"{"a":+1}"#, 5, "/a"),
            (r#"{"a":007}"#, 6, "/a"),
            (r#"{"a":12.}"#, 8, "/a"),
            (r#"{"a":1e}"#, 7, "/a"),
            (r#"{"a":tru}"#, 8, "/a"),
            (r#"{"a":"x}"#, 8, "/a"),
            ("{\"a\":\"\n\"}", 6, "/a"),
            (r#"{"a":"\x"}"#, 7, "/a"),
            (r#"{"a":"\u00g0"}"#, 10, "/a"),
            (r"{'a':1}", 1, ""),
            ("{\"a\":1}\0", 7, ""),
            ("\u{feff}{}", 0, ""),
            ("{\"a\":1 /* why */}", 7, ""),
        ] {
            let expected = (Rule::Malformed { offset }, pointer.to_owned());
            assert_eq!(refused(body), expected, "{body}");
        }
    }

    #[test]
    fn what_two_programs_could_read_in_two_ways_is_refused_with_its_place() {
        for (body, rule, pointer) in [
            ("[]", Rule::NotAnObject, ""),
            (r#"["acc", 5]"#, Rule::NotAnObject, ""),
            ("null", Rule::NotAnObject, ""),
            ("7", Rule::NotAnObject, ""),
            (r#""{}""#, Rule::NotAnObject, ""),
            (r#"{"a":1,"b":2,"a":1}"#, Rule::DuplicateKey, "/a"),
            (
                r#"{"m":{"x/y":[{"k":1,"\u006b":2}]}}"#,
                Rule::DuplicateKey,
                "/m/x~1y/0/k",
            ),
            (r#"{"a":"\u0000"}"#, Rule::NulCharacter, "/a"),
            ("{\"a\":\"\0\"}", Rule::NulCharacter, "/a"),
            (r#"{"m":{"\u0000":1}}"#, Rule::NulCharacter, "/m"),
            (r#"{"a":"\ud800"}"#, Rule::LoneSurrogate, "/a"),
            (r#"{"a":"\ud800\u0041"}"#, Rule::LoneSurrogate, "/a"),
            (r#"{"a":"\ud800\n"}"#, Rule::LoneSurrogate, "/a"),
            (r#"{"a":"\udc00"}"#, Rule::LoneSurrogate, "/a"),
            (
                r#"{"a":9223372036854775808}"#,
                Rule::IntegerOutOfRange,
                "/a",
            ),
            (
                r#"{"a":-9223372036854775809}"#,
                Rule::IntegerOutOfRange,
                "/a",
            ),
            (
                r#"{"m":[0,18446744073709551616]}"#,
                Rule::IntegerOutOfRange,
                "/m/1",
            ),
            (r#"{"amount":12.5}"#, Rule::FractionOrExponent, "/amount"),
            (r#"{"amount":10.0}"#, Rule::FractionOrExponent, "/amount"),
            (r#"{"amount":1e3}"#, Rule::FractionOrExponent, "/amount"),
            (r#"{"amount":1E+3}"#, Rule::FractionOrExponent, "/amount"),
            (r#"{"amount":-0.0}"#, Rule::FractionOrExponent, "/amount"),
            (r#"{"amount":-0}"#, Rule::NegativeZero, "/amount"),
        ] {
            assert_eq!(refused(body), (rule, pointer.to_owned()), "{body}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(
            refused(&nested(MAX_DEPTH + 1)),
            (Rule::TooDeep, "/a".repeat(MAX_DEPTH))
        );
        assert_eq!(
            refused(&"[".repeat(60_000)),
            (Rule::TooDeep, "/0".repeat(MAX_DEPTH))
        );
    }

    #[test]
    fn size_is_limited() {
        let padded = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
        assert!(parse(padded(MAX_BYTES).as_bytes()).is_ok());
        assert_eq!(
            refused(&padded(MAX_BYTES + 1)),
            (Rule::TooLarge, String::new())
        );
    }

    #[test]
    fn what_is_not_utf_8_is_refused_with_its_place() {
        for (body, rule, pointer) in [
            (&b"{\"a\":{\"b\":\"x\xff\"}}"[..], Rule::NotUtf8, "/a/b"),
            (b"\xff\xfe{\0}\0", Rule::NotUtf8, ""),
            (b"{}\x80", Rule::NotUtf8, ""),
            (b"{\"a\":\"\xed\xa0\x80\"}", Rule::NotUtf8, "/a"),
            (
                b"{\"a\":1.5,\"b\":\"\xff\"}",
                Rule::FractionOrExponent,
                "/a",
            ),
        ] {
            let refusal = parse(body).unwrap_err();
            assert_eq!((refusal.rule, refusal.pointer.as_str()), (rule, pointer));
        }
    }

    #[test]
    fn a_duplicate_among_many_keys_is_found() {
        let members: Vec<String> = (0..2_000).map(|key| format!("\"k{key}\":1")).collect();
        let body = members.join(",");
        assert_eq!(
            parse(format!("{{{body}}}").as_bytes()).unwrap().len(),
            2_000
        );
        let twice = format!("{{\"k777\":2,{body}}}");
        assert_eq!(refused(&twice), (Rule::DuplicateKey, "/k777".to_owned()));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn near_json_never_panics_and_agrees_with_an_independent_reader(
            text in concat!(
                r#"\{"x":( ?-?[0-9]{1,3}([.eE][0-9+]{0,2})?|"[ab/\\nu0d8]{0,6}"|\[[0-9]?(,[0-9]){0,2}\]|true|null|\{\}?)"#,
                r#"(,"[yz]":( ?-?[0-9]{1,3}([.eE][0-9+]{0,2})?|"[ab/\\nu0d8]{0,6}"|\[[0-9]?(,[0-9]){0,2}\]|true|null|\{\}?)){0,2}\}"#,
            ),
        ) {
            // Every text that this reader accepts is JSON for another reader too, and means the same.
            if let Ok(object) = parse(text.as_bytes()) {
                let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
                let ours = super::super::canonical(&object);
                prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&ours).unwrap(), theirs);
            }
        }
    }
}
