//! The reading of an object in a provider's JSON, field by field.
//!
//! A field that is present must be right. If one field is wrong, the whole object is refused: a wrong value is not
//! corrected, cut or left out.

use money::{Amount, Currency, Money};
use serde_json::{Map, Value};
use store::Timestamp;

use crate::ProviderText;

/// A field of a provider's JSON that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct WrongField {
    /// The place of the field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// A stable word for the mistake.
    pub code: &'static str,
    /// A sentence that says what is right.
    pub detail: String,
}

/// A JSON object and its place.
pub(crate) struct Object<'a> {
    members: &'a Map<String, Value>,
    place: &'static str,
}

impl<'a> Object<'a> {
    /// The value as an object; `place` is its JSON pointer.
    pub(crate) fn of(value: &'a Value, place: &'static str) -> Result<Self, WrongField> {
        let members = value.as_object().ok_or_else(|| WrongField {
            pointer: place.to_owned(),
            code: "expected_object",
            detail: "This must be a JSON object.".to_owned(),
        })?;
        Ok(Self { members, place })
    }

    /// The object under a key; `place` is its JSON pointer.
    pub(crate) fn object(&self, key: &str, place: &'static str) -> Result<Self, WrongField> {
        Self::of(self.required(key)?, place)
    }

    pub(crate) fn text(&self, key: &str) -> Result<ProviderText, WrongField> {
        let text = self.required(key)?.as_str();
        let text = text.ok_or_else(|| self.wrong(key, "expected_text", "This must be text."))?;
        ProviderText::parse(text).map_err(|(code, detail)| self.wrong(key, code, &detail))
    }

    pub(crate) fn optional_text(&self, key: &str) -> Result<Option<String>, WrongField> {
        match self.members.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => Ok(Some(self.text(key)?.to_string())),
        }
    }

    /// The fields `amount`, in minor units, and `currency`.
    pub(crate) fn money(&self) -> Result<Money, WrongField> {
        let amount = self.required("amount")?.as_i64();
        let detail = "This must be an integer of minor units.";
        let amount = amount.ok_or_else(|| self.wrong("amount", "expected_integer", detail))?;
        let detail = "This must be above zero.";
        let amount = Amount::new(amount);
        let amount = amount.map_err(|_rule| self.wrong("amount", "amount_not_positive", detail))?;
        let currency = Currency::from_code(self.text("currency")?.as_str());
        let detail = "This must be a currency of ISO 4217, in capitals.";
        let currency =
            currency.map_err(|_rule| self.wrong("currency", "unknown_currency", detail))?;
        Ok(Money { amount, currency })
    }

    /// The time under a key, in seconds since 1970, if it is there and not null.
    pub(crate) fn optional_second(&self, key: &str) -> Result<Option<Timestamp>, WrongField> {
        let Some(value) = self.optional(key) else {
            return Ok(None);
        };
        let micros = value
            .as_i64()
            .and_then(|second| second.checked_mul(1_000_000));
        let detail = "This must be a time in seconds since 1970.";
        let micros = micros.ok_or_else(|| self.wrong(key, "expected_integer", detail))?;
        Ok(Some(Timestamp::from_micros(micros).clamped()))
    }

    /// The value under a key, if it is there and not null.
    pub(crate) fn optional(&self, key: &str) -> Option<&'a Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn required(&self, key: &str) -> Result<&'a Value, WrongField> {
        let value = self.members.get(key);
        value.ok_or_else(|| self.wrong(key, "required", "This field is required."))
    }

    pub(crate) fn wrong(&self, key: &str, code: &'static str, detail: &str) -> WrongField {
        WrongField {
            pointer: format!("{}/{key}", self.place),
            code,
            detail: detail.to_owned(),
        }
    }
}
