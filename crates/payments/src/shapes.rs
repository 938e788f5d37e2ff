//! Shapes of payments, by their names.

use edge::Shape;
use edge::strict_json::Guarded;

pub(crate) use books::shapes::{Amount, Count, Moment, ShortText};

edge::shapes! {
    /// The id of a payment.
    PaymentId: Shape::id("pay_").example("pay_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6");
    /// The code of a currency of ISO 4217.
    IsoCurrencyCode: Shape::pattern("^[A-Z]{3}$").example("EUR");
    /// A provider's token: 1 to 255 characters, none of them a control character.
    ProviderToken: Shape::pattern(r"^[^\u0000-\u001f\u007f-\u009f]*$").length(1, <crate::PaymentMethod as Guarded>::MAX_LENGTH).example("pm_succeeds");
    /// The state of a payment.
    PaymentStatus: Shape::words(&["requires_payment_method", "requires_confirmation", "processing", "succeeded", "canceled"]);
    /// The outcome of a webhook.
    ReceiptStatus: Shape::words(&["applied", "duplicate", "parked", "stored", "quarantined"]);
}
