//! `/v1/payments`: the routes that make, confirm and read payments.

use books::metadata::kept;
use books::reading::positive;
use edge::strict_json::{Body, Slot, boolean, choice, id, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers};
use money::Money;

use super::{ConfirmPayment, CreatePayment, codes, show};
use crate::customers::codes::{CUSTOMER_MAY_NOT, CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND};
use crate::customers::{CustomerId, SavedMethodId};
use crate::{
    CaptureMethod, Description, ExternalId, NewPayment, PaymentId, PaymentMethod, begun, moved,
    reading, shapes,
};

/// Every route of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "payments",
        "Payments from a payer to a merchant, through a provider",
    );
    r.post(
        "/v1/payments",
        "createPayment",
        "Makes a payment and, unless `confirm` is false, sends it to the provider.",
        create,
    )
    .key(KeyRule::Required)
    .waits()
    .body(|known| new_payment().describe(known))
    .gives::<show::Payment>(201, "The payment has succeeded, or waits for you or the payer")
    .gives::<show::Payment>(202, "The outcome of the payment is not known yet")
    .refuses(402, "The payment was declined", &[codes::DECLINED])
    .refuses(403, "The customer may not pay", &[CUSTOMER_MAY_NOT])
    .refuses(
        404,
        "No such customer or payment method",
        &[CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND],
    )
    .refuses(
        409,
        "The external id is taken, or the same request is still in progress",
        &[books::code::EXTERNAL_ID_TAKEN],
    )
    .refuses(
        422,
        "A field is wrong, no provider takes this payment, or the idempotency key belongs to another request",
        &[codes::NO_PROVIDER],
    );
    r.post(
        "/v1/payments/{id}/confirm",
        "confirmPayment",
        "Sends a waiting payment to the provider.",
        confirm,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| confirmation().describe(known))
    .gives::<show::Payment>(201, "The payment has succeeded, or waits for you or the payer")
    .gives::<show::Payment>(202, "The outcome of the payment is not known yet")
    .refuses(402, "The payment was declined", &[codes::DECLINED])
    .refuses(403, "The customer may not pay", &[CUSTOMER_MAY_NOT])
    .refuses(
        404,
        "No such payment, or the customer has no such payment method",
        &[PAYMENT_METHOD_NOT_FOUND],
    )
    .refuses(
        409,
        "The state of the payment does not allow it",
        &[codes::PAYMENT_STATE_CONFLICT],
    )
    .refuses(
        422,
        "A field is wrong, no provider takes this payment, or the idempotency key belongs to another request",
        &[codes::NO_PROVIDER],
    );
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let mut submission = state.submission(call)?;
    let (new, saved) = submission.read_by(&new_payment())?;
    let command = CreatePayment {
        new,
        saved,
        key: submission.key_text(),
        providers: begun::providers(&state)?,
    };
    begun::submit(
        &state,
        submission,
        command,
        wait,
        begun::show,
        moved::show_refusal,
    )
    .await
}

async fn confirm(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let id = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let (payment_method, saved) = given(submission.read_by(&confirmation())?);
    let command = ConfirmPayment {
        id,
        payment_method,
        saved,
        key: submission.key_text(),
        providers: begun::providers(&state)?,
    };
    begun::submit(
        &state,
        submission,
        command,
        wait,
        begun::show,
        moved::show_refusal,
    )
    .await
}

/// Reads the body that makes a payment, and the saved payment method that it names.
fn new_payment() -> impl Body<Out = (NewPayment, Option<SavedMethodId>)> {
    object("NewPayment", "Makes a payment.", |fields| {
        let amount = positive().says("The amount in minor units, 1 to 2^63 - 1.");
        let amount = fields.required("amount", amount);
        let unit = fields.required("currency", reading::of_iso().says("ISO 4217 code."));
        let customer = id(shapes::CustomerId::SHAPE)
            .map(CustomerId::from_bytes)
            .says("The customer who pays.");
        let customer = fields.optional("customer", nullable(customer));
        let method = method().says("The provider's token for the payment method, or the id of a payment method of the customer (`pmt_…`).");
        let method = fields.optional("payment_method", nullable(method));
        let confirm =
            boolean().says("Whether the payment is sent to the provider at once; true if absent.");
        let confirm = fields.optional("confirm", confirm).or(true);
        let capture = choice(shapes::CaptureMethodName::SHAPE, CaptureMethod::from_name)
            .says("`automatic` takes the money at once; `manual` authorizes it, and you capture it later. `automatic` if absent.");
        let capture = fields
            .optional("capture_method", capture)
            .or(CaptureMethod::Automatic);
        let external_id = prose::<ExternalId>(shapes::ShortText::SHAPE).says(
            "Your own name for the payment, unique among all payments: at most 255 characters.",
        );
        let external_id = fields.optional("external_id", nullable(external_id));
        let description = prose::<Description>(shapes::LongText::SHAPE).says(
            "A description for people: at most 500 characters. It is not sent to the provider.",
        );
        let description = fields.optional("description", nullable(description));
        let metadata = kept().says(
            "The metadata that you keep with it: at most 50 texts of at most 500 characters.",
        );
        let metadata = fields.optional("metadata", nullable(metadata));
        let own = Slot::together((external_id, description, metadata));
        let slots = (amount, unit, customer, method, confirm, capture, own);
        Slot::together(slots).map(
            |(amount, currency, customer, method, confirm, capture_method, own)| {
                let (external_id, description, metadata) = own;
                let (method, saved) = given(method.flatten());
                let new = NewPayment {
                    money: Money { amount, currency },
                    capture_method,
                    external_id: external_id.flatten(),
                    description: description.flatten(),
                    metadata: metadata.flatten().flatten(),
                    customer: customer.flatten(),
                    payment_method: method.map(Into::into),
                    confirm,
                };
                (new, saved)
            },
        )
    })
}

/// Reads the body that confirms a payment.
fn confirmation() -> impl Body<Out = Option<PaymentMethod>> {
    object("Confirmation", "Confirms a payment.", |fields| {
        let method = method()
            .says("The provider's token for the payment method, or the id of a payment method of the customer (`pmt_…`). It is needed if the payment has none yet, or if the last one was declined.");
        let method = fields.optional("payment_method", nullable(method));
        method.map(Option::flatten)
    })
}

/// A text that names a payment method: the provider's token, or the id of a saved one.
fn given(method: Option<PaymentMethod>) -> (Option<PaymentMethod>, Option<SavedMethodId>) {
    let saved = method
        .as_ref()
        .and_then(|method| method.as_str().parse().ok());
    (method.filter(|_| saved.is_none()), saved)
}

/// Reads a payment method, which is a token of the provider.
fn method() -> impl Reader<Out = PaymentMethod> {
    prose(shapes::ProviderToken::SHAPE)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use edge::Shape;
    use edge::strict_json::Value;
    use proptest::prelude::*;
    use regex_lite::Regex;

    use super::*;
    use crate::reading::of_iso;

    fn takes<T>(reader: &impl Reader<Out = T>, text: &str) -> bool {
        reader.read(Value::Text(text.to_owned())).is_ok()
    }

    /// True if the description of a shape says that it takes this text.
    fn describes(shape: Shape, text: &str) -> bool {
        let schema = serde_json::to_value(shape.schema()).unwrap();
        let length = |name: &str| schema[name].as_u64().map(|n| usize::try_from(n).unwrap());
        let characters = text.chars().count();
        let most = length("maxLength").unwrap_or(usize::MAX);
        // ECMA-262 writes a code point differently, and its dollar means the end of the text.
        let pattern = schema["pattern"].as_str().unwrap();
        let pattern = pattern.replace("\\u00", "\\x").replace('$', "\\z");
        (length("minLength").unwrap_or(0)..=most).contains(&characters)
            && Regex::new(&pattern).unwrap().is_match(text)
    }

    proptest! {
        #[test]
        fn a_reader_takes_what_its_shape_says(
            text in prop_oneof![
                "[ -~]{0,12}",
                "\\PC{0,6}",
                "[\\x00-\\x1f\\x7f-\\x9fa:]{0,4}",
                "[A-Z0-9]{0,5}",
                "\u{e9}{0,3}",
                prop::sample::select(vec![255_usize, 256]).prop_map(|length| "\u{e9}".repeat(length)),
            ],
        ) {
            let token = shapes::ProviderToken::SHAPE;
            assert_eq!(takes(&method(), &text), describes(token, &text), "{text:?}");
            let code = shapes::IsoCurrencyCode::SHAPE;
            assert!(describes(code, &text) || !takes(&of_iso(), &text), "{text:?}");
        }
    }

    #[test]
    fn a_payment_is_of_a_currency_of_iso() {
        let text = |code: &str| Value::Text(code.to_owned());
        let euro = money::Currency::from_code("EUR");
        assert_eq!(of_iso().read(text("EUR")).ok(), euro.ok());
        let refused = of_iso().read(text("USDC")).unwrap_err();
        assert_eq!(refused[0].code, "unknown_currency");
        assert!(refused[0].detail.contains("provider"));
    }
}
