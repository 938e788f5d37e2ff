//! What a field's value may be. Each reader takes one value and gives a domain value or errors.

use std::ops::RangeInclusive;

use store::{Timestamp, TimestampError};

use super::{BrokenRule, FieldError, Reading, Value};

/// Reads an amount of money: an integer of minor units, 1 to `i64::MAX`.
///
/// # Errors
/// `expected_integer` (text such as `"10"` and `null`, too), `amount_not_positive`.
pub fn amount(value: Value) -> Reading<i64> {
    match value {
        Value::Integer(minor_units @ 1..) => Ok(minor_units),
        Value::Integer(0) => wrong(
            "amount_not_positive",
            "The amount must be at least 1, not 0.",
        ),
        Value::Integer(_) => wrong(
            "amount_not_positive",
            "The amount must be positive: its direction is told by the other fields.",
        ),
        Value::Text(_) => wrong(
            "expected_integer",
            "The amount must be a JSON integer of minor units without quotes: 1099 for EUR 10.99.",
        ),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => wrong(
            "expected_integer",
            format!(
                "The amount must be an integer of minor units, not {}.",
                value.kind()
            ),
        ),
    }
}

/// Reads an integer within bounds.
///
/// # Errors
/// `expected_integer`, `out_of_range`.
pub fn integer(bounds: RangeInclusive<i64>) -> impl FnOnce(Value) -> Reading<i64> {
    move |value| match value {
        Value::Integer(integer) if bounds.contains(&integer) => Ok(integer),
        Value::Integer(_) => wrong(
            "out_of_range",
            format!("Must be from {} to {}.", bounds.start(), bounds.end()),
        ),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Array(_) | Value::Object(_) => {
            unexpected("expected_integer", "an integer", &value)
        }
    }
}

/// Reads `true` or `false`.
///
/// # Errors
/// `expected_boolean`.
pub fn boolean(value: Value) -> Reading<bool> {
    match value {
        Value::Bool(boolean) => Ok(boolean),
        Value::Null | Value::Integer(_) | Value::Text(_) | Value::Array(_) | Value::Object(_) => {
            unexpected("expected_boolean", "true or false", &value)
        }
    }
}

/// Reads text whose length, in characters (Unicode scalar values), is within bounds.
///
/// # Errors
/// `expected_text`, `too_short`, `too_long`.
pub fn text(length: RangeInclusive<usize>) -> impl FnOnce(Value) -> Reading<String> {
    move |value| {
        let text = any_text(value)?;
        let characters = text.chars().count();
        if characters < *length.start() {
            return wrong(
                "too_short",
                format!("At least {} characters.", length.start()),
            );
        }
        if characters > *length.end() {
            return wrong("too_long", format!("At most {} characters.", length.end()));
        }
        Ok(text)
    }
}

/// Reads text that a type of the domain takes.
///
/// # Errors
/// `expected_text`, and the rule that the domain names.
pub fn guarded<T, E: BrokenRule>(
    parse: impl FnOnce(String) -> Result<T, E>,
) -> impl FnOnce(Value) -> Reading<T> {
    move |value| {
        let text = any_text(value)?;
        parse(text).or_else(|rule| wrong(rule.code(), rule.to_string()))
    }
}

/// Reads a currency by its code; the caller knows which there are, and what to say of any other.
///
/// # Errors
/// `expected_text`, `unknown_currency`.
pub fn currency<C>(
    known: impl FnOnce(&str) -> Option<C>,
    otherwise: &'static str,
) -> impl FnOnce(Value) -> Reading<C> {
    move |value| match known(&any_text(value)?) {
        Some(currency) => Ok(currency),
        None => wrong("unknown_currency", otherwise),
    }
}

/// Reads one of a few words.
///
/// # Errors
/// `expected_text`, `unknown_choice`.
pub fn choice<T: Copy>(choices: &[(&str, T)]) -> impl FnOnce(Value) -> Reading<T> {
    move |value| {
        let word = any_text(value)?;
        match choices.iter().find(|(name, _)| *name == word) {
            Some((_, chosen)) => Ok(*chosen),
            None => {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                wrong(
                    "unknown_choice",
                    format!("Must be one of: {}.", names.join(", ")),
                )
            }
        }
    }
}

/// Reads an id in its public form: a prefix such as `acc_` and 32 lower-case hexadecimal digits.
///
/// # Errors
/// `expected_text`, `malformed_id`.
pub fn id(prefix: &'static str) -> impl FnOnce(Value) -> Reading<[u8; 16]> {
    move |value| match id_in(prefix, &any_text(value)?) {
        Some(id) => Ok(id),
        None => wrong(
            "malformed_id",
            format!("An id here is {prefix} followed by 32 lower-case hexadecimal digits."),
        ),
    }
}

/// Reads a moment: RFC 3339 with a zone, at most microseconds, within the range of [`Timestamp`].
///
/// # Errors
/// `expected_text`, `malformed_time`, `out_of_range`.
pub fn moment(value: Value) -> Reading<Timestamp> {
    match Timestamp::from_rfc3339(&any_text(value)?) {
        Ok(moment) => Ok(moment),
        Err(TimestampError::OutOfRange) => wrong(
            "out_of_range",
            "A time is from 1900-01-01 to 9998-12-31, in UTC.",
        ),
        Err(TimestampError::Malformed | TimestampError::NeitherMomentNorDay) => wrong(
            "malformed_time",
            "A time is RFC 3339 with a zone and at most microseconds, such as 2026-11-21T09:30:00Z, from 1900-01-01 to 9998-12-31.",
        ),
    }
}

fn any_text(value: Value) -> Reading<String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Array(_) | Value::Object(_) => {
            unexpected("expected_text", "text", &value)
        }
    }
}

fn id_in(prefix: &str, text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix(prefix)?;
    if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut id = [0; 16];
    hex::decode_to_slice(digits, &mut id).ok()?;
    Some(id)
}

pub(super) fn unexpected<T>(code: &'static str, expected: &str, value: &Value) -> Reading<T> {
    wrong(code, format!("Expected {expected}, not {}.", value.kind()))
}

pub(super) fn wrong<T>(code: &'static str, detail: impl Into<String>) -> Reading<T> {
    Err(vec![FieldError::here(code, detail)])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    fn value(json: &str) -> Value {
        let body = parse(format!("{{\"v\":{json}}}").as_bytes()).unwrap();
        body.get("v").unwrap().clone()
    }

    fn code<T: std::fmt::Debug>(reading: Reading<T>) -> &'static str {
        let mut errors = reading.unwrap_err();
        assert_eq!(errors.len(), 1);
        errors.remove(0).code
    }

    const KINDS: [&str; 6] = ["null", "true", "1", r#""x""#, "[1]", "{}"];

    #[test]
    fn an_amount_is_a_positive_integer() {
        assert_eq!(amount(value("1")), Ok(1));
        assert_eq!(amount(value("9223372036854775807")), Ok(i64::MAX));
        for (json, expected) in [
            ("0", "amount_not_positive"),
            ("-1", "amount_not_positive"),
            ("-9223372036854775808", "amount_not_positive"),
            (r#""10""#, "expected_integer"),
            ("null", "expected_integer"),
            ("true", "expected_integer"),
            ("[10]", "expected_integer"),
            ("{}", "expected_integer"),
        ] {
            assert_eq!(code(amount(value(json))), expected, "{json}");
        }
    }

    #[test]
    fn zero_negative_and_quoted_amounts_have_messages_of_their_own() {
        let details: std::collections::BTreeSet<String> = ["0", "-1", r#""10""#, "null"]
            .map(|json| amount(value(json)).unwrap_err().remove(0).detail)
            .into();
        assert_eq!(details.len(), 4);
    }

    #[test]
    fn every_reader_refuses_the_kinds_it_does_not_take() {
        for kind in KINDS {
            let refused = |own: &[&str]| !own.contains(&kind);
            if refused(&["1"]) {
                assert_eq!(
                    code(integer(0..=9)(value(kind))),
                    "expected_integer",
                    "{kind}"
                );
            }
            if refused(&["true"]) {
                assert_eq!(code(boolean(value(kind))), "expected_boolean", "{kind}");
            }
            if refused(&[r#""x""#]) {
                assert_eq!(code(text(0..=9)(value(kind))), "expected_text", "{kind}");
                assert_eq!(code(id("acc_")(value(kind))), "expected_text", "{kind}");
                assert_eq!(code(moment(value(kind))), "expected_text", "{kind}");
                assert_eq!(
                    code(choice(&[("x", 1)])(value(kind))),
                    "expected_text",
                    "{kind}"
                );
                assert_eq!(
                    code(currency(|_| Some(()), "")(value(kind))),
                    "expected_text",
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn bounds_of_integers_and_texts_are_kept() {
        assert_eq!(integer(1..=3)(value("3")), Ok(3));
        assert_eq!(code(integer(1..=3)(value("4"))), "out_of_range");
        assert_eq!(text(1..=2)(value(r#""éé""#)), Ok("éé".to_owned()));
        assert_eq!(code(text(1..=2)(value(r#""""#))), "too_short");
        assert_eq!(code(text(1..=2)(value(r#""abc""#))), "too_long");
    }

    #[test]
    fn currencies_and_choices_are_those_the_caller_knows() {
        let known = |code: &str| (code == "EUR").then_some(2);
        assert_eq!(currency(known, "")(value(r#""EUR""#)), Ok(2));
        assert_eq!(
            code(currency(known, "")(value(r#""eur""#))),
            "unknown_currency"
        );
        let sides = [("debit", 1), ("credit", 2)];
        assert_eq!(choice(&sides)(value(r#""credit""#)), Ok(2));
        let error = choice(&sides)(value(r#""left""#)).unwrap_err().remove(0);
        assert_eq!(
            (error.code, error.detail.as_str()),
            ("unknown_choice", "Must be one of: debit, credit.")
        );
    }

    #[test]
    fn an_id_has_its_prefix_and_32_lower_case_digits() {
        let read = |text: &str| id("acc_")(Value::Text(text.into()));
        assert_eq!(
            read("acc_000102030405060708090a0b0c0d0e0f").unwrap().last(),
            Some(&15)
        );
        for text in [
            "",
            "acc_",
            "000102030405060708090a0b0c0d0e0f",
            "pay_000102030405060708090a0b0c0d0e0f",
            "acc_000102030405060708090A0B0C0D0E0F",
            "acc_000102030405060708090a0b0c0d0e0",
            "acc_000102030405060708090a0b0c0d0e0f0",
            "acc_000102030405060708090a0b0c0d0e0g",
            "acc_00010203-0405-0607-0809-0a0b0c0d0e0f",
        ] {
            assert_eq!(code(read(text)), "malformed_id", "{text}");
        }
    }

    #[test]
    fn a_moment_is_within_the_range_and_each_refusal_says_it() {
        let read = |text: &str| moment(Value::Text(text.into()));
        assert_eq!(read("1900-01-01T00:00:00Z"), Ok(Timestamp::EARLIEST));
        assert_eq!(read("9998-12-31T23:59:59.999999Z"), Ok(Timestamp::LATEST));
        for (text, expected) in [
            ("1899-12-31T23:59:59.999999Z", "out_of_range"),
            ("9999-01-01T00:00:00Z", "out_of_range"),
            ("9999-12-31T23:59:59Z", "out_of_range"),
            ("0000-01-01T00:00:00Z", "out_of_range"),
            ("2026-11-21", "malformed_time"),
            ("2026-11-21T09:30:00+24:00", "malformed_time"),
        ] {
            let error = read(text).unwrap_err().remove(0);
            assert_eq!(error.code, expected, "{text}");
            assert!(error.detail.contains("1900-01-01 to 9998-12-31"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_id_is_read_back(bytes in any::<[u8; 16]>()) {
            let public = format!("pay_{}", hex::encode(bytes));
            prop_assert_eq!(id("pay_")(Value::Text(public.clone())), Ok(bytes));
            prop_assert!(!text::contains_card_number(&public));
        }
    }
}
