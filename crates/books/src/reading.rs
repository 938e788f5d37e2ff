//! Readers of fields that several routes share.

use edge::Reader;
use edge::strict_json::{BrokenRule, amount, guarded, id, integer, moment};
use ledger::{AccountCode, AccountId, TransactionId};
use money::Amount;
use store::Timestamp;

use crate::query::code_rule;
use crate::shapes;

/// Reads the id of an account.
pub(crate) fn account() -> impl Reader<Out = AccountId> {
    id(shapes::AccountId::SHAPE).map(AccountId::from_bytes)
}

/// Reads the id of a transaction.
pub(crate) fn transaction() -> impl Reader<Out = TransactionId> {
    id(shapes::TransactionId::SHAPE).map(TransactionId::from_bytes)
}

/// Reads an amount in minor units, at least 1. A smaller one breaks the rule `amount_not_positive`.
pub fn positive() -> impl Reader<Out = Amount> {
    let wrong = |rule: money::AmountError| BrokenRule::new("amount_not_positive", &rule);
    amount(shapes::Amount::SHAPE).checked(move |units| Amount::new(units).map_err(wrong))
}

/// Reads an amount in minor units that may be 0.
pub fn unsigned() -> impl Reader<Out = i64> {
    integer(shapes::Count::SHAPE)
}

/// Reads a moment in any time zone.
pub fn any_moment() -> impl Reader<Out = Timestamp> {
    moment(shapes::NewMoment::SHAPE)
}

/// Reads the code of an account.
pub(crate) fn account_code() -> impl Reader<Out = AccountCode> {
    let parse = |text| AccountCode::parse(text).map_err(code_rule);
    guarded(parse, shapes::AccountCode::SHAPE)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use edge::strict_json::{Value, prose};
    use edge::{Describe, Shape};
    use proptest::prelude::*;
    use regex_lite::Regex;

    use super::*;

    /// A shape as a client sees it.
    struct Described {
        pattern: Option<Regex>,
        length: (usize, usize),
    }

    impl Described {
        fn of(shape: Shape) -> Self {
            let schema = serde_json::to_value(shape.schema()).unwrap();
            let length = |name: &str| schema.get(name).and_then(serde_json::Value::as_u64);
            let length = |name, otherwise| {
                length(name).map_or(otherwise, |length| usize::try_from(length).unwrap())
            };
            let pattern = schema.get("pattern").and_then(serde_json::Value::as_str);
            // ECMA-262 has another notation for code points, and its `$` matches only at the end of the text.
            let pattern = pattern.map(|own| own.replace("\\u00", "\\x").replace('$', "\\z"));
            Self {
                pattern: pattern.map(|own| Regex::new(&own).unwrap()),
                length: (length("minLength", 0), length("maxLength", usize::MAX)),
            }
        }

        fn takes(&self, text: &str) -> bool {
            let characters = text.chars().count();
            let is_long = (self.length.0..=self.length.1).contains(&characters);
            is_long && self.pattern.as_ref().is_none_or(|own| own.is_match(text))
        }
    }

    /// Texts near the bounds of every shape, but not card numbers.
    fn near() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~]{0,12}",
            "\\PC{0,6}",
            "[\\x00-\\x1f\\x7f-\\x9fa:]{0,4}",
            "[a-c:]{0,9}",
            "[a-z_0-9]{0,34}",
            "[A-Z0-9]{0,11}",
            "(acc|txn|pay)_[0-9a-g]{31,33}",
            "acc_[a-f]{32}",
            "\u{e9}{0,3}",
            prop::sample::select(vec![100_usize, 101, 255, 256, 500, 501])
                .prop_map(|length| "\u{e9}".repeat(length)),
            prop::sample::select(vec![255_usize, 256]).prop_map(|length| "a".repeat(length)),
            "(18|19|20|99)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,7})?(Z|[+-][0-2][0-9]:[0-6][0-9]|z)",
        ]
    }

    fn takes<T>(reader: &impl Reader<Out = T>, text: &str) -> bool {
        reader.read(Value::Text(text.to_owned())).is_ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn a_reader_takes_what_its_shape_says(text in near()) {
            let same = |taken, shape: Shape| {
                let described = Described::of(shape).takes(&text);
                assert_eq!(taken, described, "{} {text:?}", shape.name);
            };
            same(takes(&account(), &text), shapes::AccountId::SHAPE);
            same(takes(&transaction(), &text), shapes::TransactionId::SHAPE);
            same(takes(&account_code(), &text), shapes::AccountCode::SHAPE);
            let short = prose::<ledger::AccountName>(shapes::ShortText::SHAPE);
            same(takes(&short, &text), shapes::ShortText::SHAPE);
            let short = prose::<ledger::ExternalId>(shapes::ShortText::SHAPE);
            same(takes(&short, &text), shapes::ShortText::SHAPE);
            let source = prose::<ledger::RateSource>(shapes::SourceText::SHAPE);
            same(takes(&source, &text), shapes::SourceText::SHAPE);
            let long = prose::<ledger::Description>(shapes::LongText::SHAPE);
            same(takes(&long, &text), shapes::LongText::SHAPE);
        }

        #[test]
        fn whatever_is_taken_is_described(text in near()) {
            let within = |taken: bool, shape: Shape| {
                let described = Described::of(shape).takes(&text);
                assert!(described || !taken, "{} {text:?}", shape.name);
            };
            within(takes(&any_moment(), &text), shapes::NewMoment::SHAPE);
            within(ledger::Kind::parse(&text).is_ok(), shapes::Kind::SHAPE);
            let asked = Timestamp::bound_from_rfc3339(&text).is_ok();
            within(asked, shapes::AskedMoment::SHAPE);
            let asset = money::Currency::custom(&text, 0).is_ok();
            within(asset, shapes::CurrencyCode::SHAPE);
        }
    }

    #[test]
    fn the_words_of_a_shape_are_those_of_the_domain() {
        let words = |shape: Shape| {
            let mut known = Describe::default();
            let _named = shape.describe(&mut known);
            let schema = serde_json::to_value(known.named()).unwrap();
            let words = schema.pointer(&format!("/{}/enum", shape.name)).cloned();
            words.unwrap()
        };
        let classes = ledger::AccountClass::ALL.map(ledger::AccountClass::name);
        assert_eq!(
            words(shapes::AccountClass::SHAPE),
            serde_json::json!(classes)
        );
        let modes = money::Rounding::ALL.map(|mode| mode.name());
        assert_eq!(words(shapes::RoundingMode::SHAPE), serde_json::json!(modes));
    }
}
