//! `/v1/payments/{id}/capture`.

use books::reading::positive;
use edge::strict_json::{Body, Slot, boolean, nullable, object};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers};
use money::Amount;

use super::CapturePayment;
use crate::charging::codes;
use crate::charging::show::Payment;
use crate::{PaymentId, begun, moved, shapes};

/// The route of captures. It belongs to the group of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/payments/{id}/capture",
        "capturePayment",
        "Takes authorized money, as a whole or in part.",
        capture,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| wanted().describe(known))
    .gives::<Payment>(200, "The money was taken")
    .gives::<Payment>(202, "The outcome of the capture is not known yet")
    .refuses(402, "The provider has refused the capture", &[codes::DECLINED])
    .refuses(404, "No such payment", &[])
    .refuses(
        409,
        "The state of the payment does not allow it, or another operation on the authorization has no outcome yet",
        &[codes::PAYMENT_STATE_CONFLICT, codes::OPERATION_IN_FLIGHT],
    )
    .refuses(
        422,
        "A field is wrong, the amount is more than is left, or the idempotency key belongs to another request",
        &[books::code::EXCEEDS_REMAINING],
    );
}

async fn capture(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let id = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let (amount, is_final) = submission.read_by(&wanted())?;
    let command = CapturePayment {
        id,
        amount,
        is_final,
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

/// Reads the body that captures a payment.
fn wanted() -> impl Body<Out = (Option<Amount>, bool)> {
    object("Capture", "Captures a payment.", |fields| {
        let amount = positive().says("The amount in minor units; all that is left if absent.");
        let amount = fields.optional("amount", nullable(amount));
        let last = boolean().says(
            "Whether this is the last capture, so that the rest is released; true if absent.",
        );
        let last = fields.optional("final", last).or(true);
        Slot::together((amount, last)).map(|(amount, last)| (amount.flatten(), last))
    })
}
