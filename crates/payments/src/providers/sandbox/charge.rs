//! The reading of a charge of the sandbox provider. A charge is read in the same way in a reply to a request, in
//! an answer to an inquiry, and in a webhook.

use money::{Amount, Currency, Money};

use crate::json::{self, JsonError};
use crate::providers::{Object, WrongField};
use crate::{Charge, Fact};

/// Why an answer of the provider is no fact about an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MalformedAnswer {
    /// The answer is not JSON, or a key occurs twice in an object.
    #[error("the answer cannot be read: {0}")]
    Json(#[from] JsonError),
    /// A field is missing or wrong.
    #[error("the answer is no charge: {0}")]
    Field(#[from] WrongField),
    /// The charge has no final status yet.
    #[error("the charge is not final")]
    NotFinal,
}

/// The final status of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Succeeded,
    Failed,
}

/// Reads the answer to a request or an inquiry. Returns the provider key of the operation, and the fact.
///
/// # Errors
/// [`MalformedAnswer`] names the first fault.
pub(super) fn read_answer(bytes: &[u8]) -> Result<(String, Fact), MalformedAnswer> {
    let value = json::parse(bytes)?;
    let object = Object::of(&value, "")?;
    let ending = match object.text("status")?.as_str() {
        "succeeded" => Ending::Succeeded,
        "failed" => Ending::Failed,
        _ => return Err(MalformedAnswer::NotFinal),
    };
    Ok(read(&object, ending)?)
}

/// Reads a charge that ended in this way.
pub(super) fn read(object: &Object<'_>, ending: Ending) -> Result<(String, Fact), WrongField> {
    let reference = object.text("id")?;
    let provider_key = object.text("idempotency_key")?;
    let money = money(object)?;
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
    Ok((provider_key.to_string(), fact))
}

fn money(object: &Object<'_>) -> Result<Money, WrongField> {
    let amount = object.required("amount")?.as_i64();
    let detail = "This must be an integer of minor units.";
    let amount = amount.ok_or_else(|| object.wrong("amount", "expected_integer", detail))?;
    let detail = "This must be above zero.";
    let amount = Amount::new(amount);
    let amount = amount.map_err(|_rule| object.wrong("amount", "amount_not_positive", detail))?;
    let currency = Currency::from_code(object.text("currency")?.as_str());
    let detail = "This must be a currency of ISO 4217, in capitals.";
    let currency =
        currency.map_err(|_rule| object.wrong("currency", "unknown_currency", detail))?;
    Ok(Money { amount, currency })
}
