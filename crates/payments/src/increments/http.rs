//! `/v1/payments/{id}/increment`.

use books::reading::positive;
use edge::strict_json::{Body, object};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers};
use money::Amount;

use super::IncrementPayment;
use crate::charging::codes;
use crate::charging::show::Payment;
use crate::customers::codes::CUSTOMER_MAY_NOT;
use crate::{PaymentId, begun, moved, shapes};

/// The route of increments. It belongs to the group of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/payments/{id}/increment",
        "incrementPayment",
        "Authorizes a further amount on the same charge.",
        increment,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| wanted().describe(known))
    .gives::<Payment>(200, "The further amount is authorized")
    .gives::<Payment>(202, "The outcome of the increment is not known yet")
    .refuses(402, "The provider has refused the increment", &[codes::DECLINED])
    .refuses(403, "The customer may not pay", &[CUSTOMER_MAY_NOT])
    .refuses(404, "No such payment", &[])
    .refuses(
        409,
        "The state of the payment does not allow it, or another increment has no outcome yet",
        &[codes::PAYMENT_STATE_CONFLICT, codes::OPERATION_IN_FLIGHT],
    )
    .refuses(
        422,
        "A field is wrong, the authorized amount would be too large, or the idempotency key belongs to another request",
        &[books::code::BALANCE_OVERFLOW],
    );
}

async fn increment(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let id = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let amount = submission.read_by(&wanted())?;
    let command = IncrementPayment {
        id,
        amount,
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

/// Reads the body that increments an authorization.
fn wanted() -> impl Body<Out = Amount> {
    object("Increment", "Authorizes a further amount.", |fields| {
        let amount = positive().says("The further amount in minor units.");
        fields.required("amount", amount)
    })
}
