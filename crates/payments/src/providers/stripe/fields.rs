//! The fields that Stripe's objects have in common: amounts, currencies, metadata, reasons.

use money::{Currency, Money};
use serde_json::Value;

use super::currency;
use crate::providers::{Object, WrongField};

/// The field of `metadata` with the provider key of the operation that made the object.
pub(super) const OPERATION: &str = "florin_operation";
/// The field of `metadata` with the id of the payment or payout.
pub(super) const REFERENCE: &str = "florin_reference";

/// The currency of an object: a code in small letters.
pub(super) fn currency(object: &Object<'_>) -> Result<Currency, WrongField> {
    let code = object.text("currency")?.to_string();
    let is_small = code.bytes().all(|byte| byte.is_ascii_lowercase());
    let known = Currency::from_code(&code.to_ascii_uppercase()).ok();
    let detail = "This must be a currency of ISO 4217, in small letters.";
    known
        .filter(|_| is_small)
        .ok_or_else(|| object.wrong("currency", "unknown_currency", detail))
}

/// The amount under a key and the currency of the object.
pub(super) fn money(object: &Object<'_>, key: &str) -> Result<Money, WrongField> {
    let currency = currency(object)?;
    let detail = "This must be an integer above zero that is a whole number of minor units.";
    let money = object.required(key)?.as_i64();
    let money = money.and_then(|amount| currency::money(amount, currency));
    money.ok_or_else(|| object.wrong(key, "expected_amount", detail))
}

/// The minor units under a key, from 0, if the object has the key.
pub(super) fn optional_amount(
    object: &Object<'_>,
    key: &str,
    currency: Currency,
) -> Result<Option<i64>, WrongField> {
    let Some(value) = object.optional(key) else {
        return Ok(None);
    };
    let detail = "This must be an integer from zero that is a whole number of minor units.";
    let amount = value.as_i64().filter(|amount| *amount >= 0);
    let amount = amount.and_then(|amount| currency::from_stripe(amount, currency));
    let amount = amount.ok_or_else(|| object.wrong(key, "expected_amount", detail));
    amount.map(Some)
}

/// A text of `metadata`, if it is there.
pub(super) fn noted(object: &Object<'_>, name: &str) -> Result<Option<String>, WrongField> {
    match object.optional("metadata") {
        None => Ok(None),
        Some(_) => object.object("metadata", "/metadata")?.optional_text(name),
    }
}

/// The id in a field that holds an id or, expanded, the whole object.
pub(super) fn id_of(object: &Object<'_>, key: &str) -> Result<Option<String>, WrongField> {
    match object.optional(key) {
        Some(Value::Object(_)) => {
            let inner = object.object(key, "/expanded")?;
            Ok(Some(inner.text("id")?.to_string()))
        }
        Some(_) | None => object.optional_text(key),
    }
}

/// The reason in an error of a card: the code of the payer's bank, or else the code of the error.
pub(super) fn reason(error: &Object<'_>) -> Result<Option<String>, WrongField> {
    let of_bank = error.optional_text("decline_code")?;
    Ok(of_bank.or(error.optional_text("code")?))
}
