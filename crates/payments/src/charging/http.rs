//! `/v1/payments`: the routes that make, confirm and read payments.

use books::reading::positive;
use edge::cursor::Cursor;
use edge::strict_json::{Body, Slot, boolean, choice, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers, page};
use money::Money;

use super::{ConfirmPayment, CreatePayment, codes, show};
use crate::{
    CaptureMethod, Customer, NewPayment, Payment, PaymentId, PaymentMethod, begun, moved, reading,
    shapes,
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
    .refuses(409, "The same request is still in progress", &[])
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
    .refuses(404, "No such payment", &[])
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
    r.get(
        "/v1/payments/{id}",
        "getPayment",
        "Reads one payment.",
        read_one,
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .gives::<show::Payment>(200, "The payment")
    .refuses(404, "No such payment", &[]);
    r.get(
        "/v1/payments",
        "listPayments",
        "Lists payments, newest first.",
        list,
    )
    .page()
    .gives_page::<show::Payment>("A page of payments");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let mut submission = state.submission(call)?;
    let command = CreatePayment {
        new: submission.read_by(&new_payment())?,
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
    let payment_method = submission.read_by(&confirmation())?;
    let command = ConfirmPayment {
        id,
        payment_method,
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

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: PaymentId = call.named("id", code::NOT_FOUND)?;
    let found = state
        .read(move |connection| crate::payment(connection, tenant, id))
        .await?;
    let payment = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    Ok(Response::json(200, &show::payment(&payment)))
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let before = wanted.cursor.map(|cursor| PaymentId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| crate::payments(connection, tenant, before, more))
        .await?;
    let cursor = |payment: &Payment| Cursor {
        id: payment.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::payment, cursor);
    Ok(Response::json(200, &page))
}

/// Reads the body that makes a payment.
fn new_payment() -> impl Body<Out = NewPayment> {
    object("NewPayment", "Makes a payment.", |fields| {
        let amount = positive().says("The amount in minor units, 1 to 2^63 - 1.");
        let amount = fields.required("amount", amount);
        let unit = fields.required("currency", reading::of_iso().says("ISO 4217 code."));
        let customer = prose::<Customer>(shapes::ShortText::SHAPE);
        let customer = customer.says("Your reference for the payer: at most 255 characters.");
        let customer = fields.optional("customer", nullable(customer));
        let method = method().says("The provider's token for the payment method.");
        let method = fields.optional("payment_method", nullable(method));
        let confirm =
            boolean().says("Whether the payment is sent to the provider at once; true if absent.");
        let confirm = fields.optional("confirm", confirm).or(true);
        let capture = choice(shapes::CaptureMethodName::SHAPE, CaptureMethod::from_name)
            .says("`automatic` takes the money at once; `manual` authorizes it, and you capture it later. `automatic` if absent.");
        let capture = fields
            .optional("capture_method", capture)
            .or(CaptureMethod::Automatic);
        let slots = (amount, unit, customer, method, confirm, capture);
        Slot::together(slots).map(
            |(amount, currency, customer, method, confirm, capture_method)| NewPayment {
                money: Money { amount, currency },
                capture_method,
                customer: customer.flatten(),
                payment_method: method.flatten(),
                confirm,
            },
        )
    })
}

/// Reads the body that confirms a payment.
fn confirmation() -> impl Body<Out = Option<PaymentMethod>> {
    object("Confirmation", "Confirms a payment.", |fields| {
        let method = method()
            .says("The provider's token for the payment method. It is needed if the payment has none yet, or if the last one was declined.");
        let method = fields.optional("payment_method", nullable(method));
        method.map(Option::flatten)
    })
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
