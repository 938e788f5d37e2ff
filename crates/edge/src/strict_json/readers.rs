//! Readers of one value: each returns a domain value or errors, and describes the values that it accepts.

use store::{Timestamp, TimestampError};
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};

use super::{BrokenRule, FieldError, Guarded, Reading, Value};
use crate::describe::{Describe, Schema, or_null, said};
use crate::shape::{Form, Shape};

/// A reader of one value, which also describes the values that it accepts. Both follow from the same bounds.
pub trait Reader {
    /// The type that is made of the value.
    type Out;

    /// Reads a value.
    ///
    /// # Errors
    /// Every rule that the value breaks. The pointers are relative to the value.
    fn read(&self, value: Value) -> Reading<Self::Out>;

    /// The schema of the accepted values.
    fn describe(&self, known: &mut Describe) -> Schema;

    /// The same reader, with a description of the field.
    fn says(self, says: &'static str) -> impl Reader<Out = Self::Out>
    where
        Self: Sized,
    {
        Own {
            describe: move |reader: &Self, known: &mut Describe| said(reader.describe(known), says),
            read: Self::read,
            reader: self,
        }
    }

    /// The same reader, whose value is converted.
    fn map<U>(self, make: impl Fn(Self::Out) -> U) -> impl Reader<Out = U>
    where
        Self: Sized,
    {
        Own {
            describe: Self::describe,
            read: move |reader: &Self, value| reader.read(value).map(&make),
            reader: self,
        }
    }

    /// The same reader, whose value is converted; the conversion may find several errors.
    fn then<U>(self, convert: impl Fn(Self::Out) -> Reading<U>) -> impl Reader<Out = U>
    where
        Self: Sized,
    {
        Own {
            describe: Self::describe,
            read: move |reader: &Self, value| convert(reader.read(value)?),
            reader: self,
        }
    }

    /// The same reader, whose value is converted unless it breaks a rule.
    fn checked<U>(
        self,
        convert: impl Fn(Self::Out) -> Result<U, BrokenRule>,
    ) -> impl Reader<Out = U>
    where
        Self: Sized,
    {
        Own {
            describe: Self::describe,
            read: move |reader: &Self, value| {
                convert(reader.read(value)?).or_else(|rule| wrong(rule.code, rule.detail))
            },
            reader: self,
        }
    }
}

/// A reader made of another one.
struct Own<R, D, F> {
    reader: R,
    describe: D,
    read: F,
}

impl<R, D, F, T> Reader for Own<R, D, F>
where
    D: Fn(&R, &mut Describe) -> Schema,
    F: Fn(&R, Value) -> Reading<T>,
{
    type Out = T;

    fn read(&self, value: Value) -> Reading<T> {
        (self.read)(&self.reader, value)
    }

    fn describe(&self, known: &mut Describe) -> Schema {
        (self.describe)(&self.reader, known)
    }
}

/// A reader of values that have one shape.
fn shaped<T>(shape: Shape, read: impl Fn(&Shape, Value) -> Reading<T>) -> impl Reader<Out = T> {
    Own {
        reader: shape,
        describe: Shape::describe,
        read,
    }
}

/// Reads an amount of money: an integer of minor units, 1 to `i64::MAX`.
///
/// Errors: `expected_integer` (text such as `"10"` and `null`, too), `amount_not_positive`.
pub fn amount(shape: Shape) -> impl Reader<Out = i64> {
    shaped(shape, |_, value| match value {
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
    })
}

/// Reads an integer within the bounds of its shape.
///
/// Errors: `expected_integer`, `out_of_range`.
pub fn integer(shape: Shape) -> impl Reader<Out = i64> {
    shaped(shape, |shape, value| {
        let (least, most) = match shape.form {
            Form::Integer(least, most) => (least, most),
            Form::Boolean
            | Form::Text(_)
            | Form::Id(_)
            | Form::Words(_)
            | Form::Sum
            | Form::Labels(_) => (i64::MIN, i64::MAX),
        };
        match value {
            Value::Integer(integer) if (least..=most).contains(&integer) => Ok(integer),
            Value::Integer(_) => wrong("out_of_range", format!("Must be from {least} to {most}.")),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::Array(_) | Value::Object(_) => {
                unexpected("expected_integer", "an integer", &value)
            }
        }
    })
}

/// Reads `true` or `false`.
///
/// Errors: `expected_boolean`.
pub fn boolean() -> impl Reader<Out = bool> {
    shaped(Shape::boolean(), |_, value| match value {
        Value::Bool(boolean) => Ok(boolean),
        Value::Null | Value::Integer(_) | Value::Text(_) | Value::Array(_) | Value::Object(_) => {
            unexpected("expected_boolean", "true or false", &value)
        }
    })
}

/// Reads text whose length, in characters (Unicode scalar values), is within these bounds. The shape is for the
/// description only. It may say more.
///
/// Errors: `expected_text`, `too_short`, `too_long`.
pub fn text(least: usize, most: usize, shape: Shape) -> impl Reader<Out = String> {
    shaped(shape, move |_, value| {
        let text = any_text(value)?;
        within(&text, least, most)?;
        Ok(text)
    })
}

/// Checks the bounds of a text's length.
pub(super) fn within(text: &str, least: usize, most: usize) -> Reading<()> {
    let characters = text.chars().count();
    if characters < least {
        return wrong("too_short", format!("At least {least} characters."));
    }
    if characters > most {
        return wrong("too_long", format!("At most {most} characters."));
    }
    Ok(())
}

/// Reads text by a type of the crate `text`, which checks its length and its characters. The shape is for the
/// description.
///
/// Errors: `expected_text`, and the rule of the crate `text` that is broken.
pub fn prose<T: Guarded>(shape: Shape) -> impl Reader<Out = T> {
    guarded(T::guarded, shape.length(1, T::MAX_LENGTH))
}

/// Reads text by a type of the domain, which checks it. The shape is for the description.
///
/// Errors: `expected_text`, and the rule that the domain names.
pub fn guarded<T, E: Into<BrokenRule>>(
    parse: impl Fn(String) -> Result<T, E>,
    shape: Shape,
) -> impl Reader<Out = T> {
    shaped(shape, move |_, value| {
        let text = any_text(value)?;
        parse(text).or_else(|rule| {
            let rule = rule.into();
            wrong(rule.code, rule.detail)
        })
    })
}

/// Reads a currency by its code. The caller knows the currencies, and the message for an unknown one.
///
/// Errors: `expected_text`, `unknown_currency`.
pub fn currency<C>(
    known: impl Fn(&str) -> Option<C>,
    otherwise: &'static str,
    shape: Shape,
) -> impl Reader<Out = C> {
    shaped(shape, move |_, value| match known(&any_text(value)?) {
        Some(currency) => Ok(currency),
        None => wrong("unknown_currency", otherwise),
    })
}

/// Reads one of the words of its shape. `meaning` converts the word.
///
/// Errors: `expected_text`, `unknown_choice`.
pub fn choice<T>(shape: Shape, meaning: impl Fn(&str) -> Option<T>) -> impl Reader<Out = T> {
    shaped(shape, move |shape, value| {
        let word = any_text(value)?;
        let words: &[&str] = match shape.form {
            Form::Words(words) => words,
            Form::Boolean
            | Form::Text(_)
            | Form::Id(_)
            | Form::Integer(..)
            | Form::Sum
            | Form::Labels(_) => &[],
        };
        let known = words.contains(&&*word);
        match meaning(&word).filter(|_| known) {
            Some(chosen) => Ok(chosen),
            None => wrong(
                "unknown_choice",
                format!("Must be one of: {}.", words.join(", ")),
            ),
        }
    })
}

/// Reads an id in its public form: the prefix of its shape and 32 lower-case hexadecimal digits.
///
/// Errors: `expected_text`, `malformed_id`.
pub fn id(shape: Shape) -> impl Reader<Out = [u8; 16]> {
    shaped(shape, |shape, value| {
        let prefix = match shape.form {
            Form::Id(prefix) => prefix,
            Form::Boolean
            | Form::Text(_)
            | Form::Words(_)
            | Form::Integer(..)
            | Form::Sum
            | Form::Labels(_) => "",
        };
        match id_in(prefix, &any_text(value)?) {
            Some(id) => Ok(id),
            None => wrong(
                "malformed_id",
                format!("An id here is {prefix} followed by 32 lower-case hexadecimal digits."),
            ),
        }
    })
}

/// Reads a moment: RFC 3339 with a zone, at most microseconds, within the range of [`Timestamp`].
///
/// Errors: `expected_text`, `malformed_time`, `out_of_range`.
pub fn moment(shape: Shape) -> impl Reader<Out = Timestamp> {
    shaped(shape, |_, value| {
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
    })
}

/// Reads `null` as `None`, and anything else by another reader.
///
/// Errors: those of the other reader.
pub fn nullable<R: Reader>(reader: R) -> impl Reader<Out = Option<R::Out>> {
    Own {
        reader,
        describe: |reader: &R, known: &mut Describe| or_null(reader.describe(known)),
        read: |reader: &R, value| match value {
            Value::Null => Ok(None),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Object(_) => reader.read(value).map(Some),
        },
    }
}

/// Reads an array, each item by the same reader.
///
/// Errors: `expected_array`, `too_few_entries`, `too_many_entries`, and those of each item.
pub fn list<R: Reader>(least: usize, most: usize, reader: R) -> impl Reader<Out = Vec<R::Out>> {
    let describe = move |reader: &R, known: &mut Describe| {
        let array = ArrayBuilder::new().items(reader.describe(known));
        let array = array.max_items(Some(most));
        let array = array.min_items(Some(least).filter(|least| *least > 0));
        Schema::T(array.build().into())
    };
    let read = move |reader: &R, value| {
        let items = match value {
            Value::Array(items) => items,
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Text(_)
            | Value::Object(_) => return unexpected("expected_array", "an array", &value),
        };
        if items.len() < least {
            return wrong("too_few_entries", format!("At least {least} entries."));
        }
        if items.len() > most {
            return wrong("too_many_entries", format!("At most {most} entries."));
        }
        let mut good = Vec::with_capacity(items.len());
        let mut errors = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match reader.read(item) {
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
    };
    Own {
        reader,
        describe,
        read,
    }
}

/// Reads a boolean, or anything else by another reader. Each has its own description.
///
/// Errors: those of the other reader.
pub fn boolean_or<R: Reader>(
    name: &'static str,
    says: &'static str,
    flag: impl Reader<Out = bool>,
    reader: R,
    meaning: impl Fn(bool) -> R::Out,
) -> impl Reader<Out = R::Out> {
    Own {
        reader: (flag, reader),
        describe: move |(flag, reader): &(_, R), known: &mut Describe| {
            let flag: Schema = Reader::describe(flag, known);
            let either = OneOfBuilder::new().description(Some(says)).item(flag);
            let either = either.item(reader.describe(known)).build();
            known.name(name, Schema::T(either.into()))
        },
        read: move |(flag, reader): &(_, R), value| match value {
            Value::Bool(_) => Reader::read(flag, value).map(&meaning),
            Value::Null
            | Value::Integer(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Object(_) => reader.read(value),
        },
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

    const ACCOUNT: Shape = Shape::id("acc_");
    const ANY: Shape = Shape::any_text();
    const SIDES: Shape = Shape::words(&["debit", "credit"]);

    fn small() -> impl Reader<Out = i64> {
        integer(Shape::small(1, 3))
    }

    fn side(word: &str) -> Option<u8> {
        match word {
            "debit" => Some(1),
            "credit" => Some(2),
            _ => None,
        }
    }

    fn units() -> impl Reader<Out = i64> {
        amount(Shape::integer(1, i64::MAX))
    }

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
        assert_eq!(units().read(value("1")), Ok(1));
        assert_eq!(units().read(value("9223372036854775807")), Ok(i64::MAX));
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
            assert_eq!(code(units().read(value(json))), expected, "{json}");
        }
    }

    #[test]
    fn zero_negative_and_quoted_amounts_have_messages_of_their_own() {
        let details: std::collections::BTreeSet<String> = ["0", "-1", r#""10""#, "null"]
            .map(|json| units().read(value(json)).unwrap_err().remove(0).detail)
            .into();
        assert_eq!(details.len(), 4);
    }

    #[test]
    fn every_reader_refuses_the_kinds_it_does_not_take() {
        for kind in KINDS {
            let refused = |own: &[&str]| !own.contains(&kind);
            if refused(&["1"]) {
                assert_eq!(
                    code(small().read(value(kind))),
                    "expected_integer",
                    "{kind}"
                );
            }
            if refused(&["true"]) {
                assert_eq!(
                    code(boolean().read(value(kind))),
                    "expected_boolean",
                    "{kind}"
                );
            }
            if refused(&[r#""x""#]) {
                assert_eq!(
                    code(text(0, 9, ANY).read(value(kind))),
                    "expected_text",
                    "{kind}"
                );
                assert_eq!(
                    code(id(ACCOUNT).read(value(kind))),
                    "expected_text",
                    "{kind}"
                );
                assert_eq!(
                    code(moment(ANY).read(value(kind))),
                    "expected_text",
                    "{kind}"
                );
                assert_eq!(
                    code(choice(SIDES, side).read(value(kind))),
                    "expected_text",
                    "{kind}"
                );
                assert_eq!(
                    code(currency(|_| Some(()), "", ANY).read(value(kind))),
                    "expected_text",
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn bounds_of_integers_and_texts_are_kept() {
        assert_eq!(small().read(value("3")), Ok(3));
        assert_eq!(code(small().read(value("4"))), "out_of_range");
        assert_eq!(text(1, 2, ANY).read(value(r#""éé""#)), Ok("éé".to_owned()));
        assert_eq!(code(text(1, 2, ANY).read(value(r#""""#))), "too_short");
        assert_eq!(code(text(1, 2, ANY).read(value(r#""abc""#))), "too_long");
    }

    #[test]
    fn currencies_and_choices_are_those_the_caller_knows() {
        let known = |code: &str| (code == "EUR").then_some(2);
        assert_eq!(currency(known, "", ANY).read(value(r#""EUR""#)), Ok(2));
        assert_eq!(
            code(currency(known, "", ANY).read(value(r#""eur""#))),
            "unknown_currency"
        );
        assert_eq!(choice(SIDES, side).read(value(r#""credit""#)), Ok(2));
        let error = choice(SIDES, side)
            .read(value(r#""left""#))
            .unwrap_err()
            .remove(0);
        assert_eq!(
            (error.code, error.detail.as_str()),
            ("unknown_choice", "Must be one of: debit, credit.")
        );
    }

    #[test]
    fn an_id_has_its_prefix_and_32_lower_case_digits() {
        let read = |text: &str| id(ACCOUNT).read(Value::Text(text.into()));
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
        let read = |text: &str| moment(ANY).read(Value::Text(text.into()));
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
            prop_assert_eq!(id(Shape::id("pay_")).read(Value::Text(public.clone())), Ok(bytes));
            prop_assert!(!text::contains_card_number(&public));
        }
    }
}
