//! The readers of fields that several capabilities of payments have.

use edge::Reader;
use edge::strict_json::{Body, Slot, currency, object};
use money::Currency;

use crate::shapes;

const NOT_OF_ISO: &str = "A payment is made through a provider, which takes currencies of ISO 4217 alone. Use its code in capitals, such as EUR.";

/// Reads a currency of ISO 4217.
pub(crate) fn of_iso() -> impl Reader<Out = Currency> {
    let known = |code: &str| Currency::from_code(code).ok();
    currency(known, NOT_OF_ISO, shapes::IsoCurrencyCode::SHAPE)
}

/// Reads an empty object.
pub(crate) fn nothing() -> impl Body<Out = ()> {
    object("Nothing", "An empty object.", |_| Slot::together(()))
}
