//! A provider's charge, read: one reading for all three ways in which a provider tells of it, as the
//! reply to a request, as the answer to an inquiry, and within a webhook.
//!
//! A field that is there must be right. What is not right in one field is no fact at all: it is not
//! mended, cut or left out.

use std::fmt;

use money::{Amount, Currency, Money};
use serde_json::{Map, Value};

use crate::Fact;
use crate::json::{self, JsonError};

/// Longest text of a provider that is kept, in characters.
const MAX_LENGTH: usize = 255;

/// A short text of a provider: 1 to 255 characters, none of them a control character, and no card number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderText(String);

impl ProviderText {
    /// A text of a provider.
    ///
    /// # Errors
    /// The code of the rule that it breaks, and what is right.
    pub fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        text::identifier(text, 1..=MAX_LENGTH)
            .and_then(|()| text::printable(text))
            .map_err(|rule| (rule.code(), format!("This {rule}.")))?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A charge that a provider made, whether it took the money or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's name for it.
    pub reference: ProviderText,
    /// Its amount and currency.
    pub money: Money,
    /// Which payment it is for, as the provider was told; `None` if it does not say.
    pub payment: Option<String>,
    /// How the payer paid; `None` if it does not say.
    pub payment_method: Option<String>,
}

/// What is wrong with one field of a provider's JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct WrongField {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// A stable word for what is wrong.
    pub code: &'static str,
    /// What is right, as a sentence.
    pub detail: String,
}

/// Why an answer of a provider tells nothing of an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAnswer {
    /// Not JSON, or a key stands twice.
    #[error("the answer cannot be read: {0}")]
    Json(#[from] JsonError),
    /// A field is missing or wrong.
    #[error("the answer is no charge: {0}")]
    Field(#[from] WrongField),
    /// The provider has not finished.
    #[error("the charge is not final")]
    NotFinal,
}

/// How a charge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Succeeded,
    Failed,
}

/// Reads the answer to a request or an inquiry: the key of the operation that it is about, and the fact.
///
/// # Errors
/// [`MalformedAnswer`] names what is wrong first.
pub fn read_answer(bytes: &[u8]) -> Result<(String, Fact), MalformedAnswer> {
    let value = json::parse(bytes)?;
    let object = Object::of(&value, "")?;
    let ending = match object.text("status")?.as_str() {
        "succeeded" => Ending::Succeeded,
        "failed" => Ending::Failed,
        _ => return Err(MalformedAnswer::NotFinal),
    };
    Ok(read(&object, ending)?)
}

/// Reads a charge that ended so.
pub(crate) fn read(object: &Object<'_>, ending: Ending) -> Result<(String, Fact), WrongField> {
    let reference = object.text("id")?;
    let provider_key = object.text("idempotency_key")?;
    let money = object.money()?;
    let charge = Charge {
        reference,
        money,
        payment: object.optional_text("reference")?,
        payment_method: object.optional_text("payment_method")?,
    };
    let status = object.optional_text("status")?;
    let decline_code = object.optional_text("decline_code")?;
    let (word, fact) = match ending {
        Ending::Succeeded if decline_code.is_some() => {
            let detail = "What succeeded has no decline code.";
            return Err(object.wrong("decline_code", "contradiction", detail));
        }
        Ending::Succeeded => ("succeeded", Fact::Succeeded { charge }),
        Ending::Failed => {
            let decline_code = decline_code.unwrap_or_else(|| "declined".to_owned());
            let charge = Some(charge);
            (
                "failed",
                Fact::Failed {
                    decline_code,
                    charge,
                },
            )
        }
    };
    if status.is_some_and(|status| status != word) {
        let detail = "The status must be the one that the event's type says.";
        return Err(object.wrong("status", "contradiction", detail));
    }
    Ok((provider_key.0, fact))
}

/// A JSON object and the place where it stands.
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

    fn optional_text(&self, key: &str) -> Result<Option<String>, WrongField> {
        match self.members.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => Ok(Some(self.text(key)?.0)),
        }
    }

    fn money(&self) -> Result<Money, WrongField> {
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

    fn required(&self, key: &str) -> Result<&'a Value, WrongField> {
        let value = self.members.get(key);
        value.ok_or_else(|| self.wrong(key, "required", "This field is required."))
    }

    fn wrong(&self, key: &str, code: &'static str, detail: &str) -> WrongField {
        WrongField {
            pointer: format!("{}/{key}", self.place),
            code,
            detail: detail.to_owned(),
        }
    }
}
