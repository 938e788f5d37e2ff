//! `/v1/payments/{id}/cancel`.

use edge::strict_json::{Body, Slot, object};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers};
use engine::Reply;

use super::CancelPayment;
use crate::charging::codes;
use crate::charging::show::Payment;
use crate::{Begun, PaymentId, begun, moved, shapes};

/// The route of cancellations. It belongs to the group of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.post(
        "/v1/payments/{id}/cancel",
        "cancelPayment",
        "Gives up a payment: what is left of its authorization is voided. What was captured stays captured.",
        cancel,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| nothing().describe(known))
    .gives::<Payment>(200, "The payment was given up")
    .gives::<Payment>(202, "The outcome of the voiding is not known yet")
    .refuses(402, "The provider has refused the voiding", &[codes::DECLINED])
    .refuses(404, "No such payment", &[])
    .refuses(
        409,
        "The state of the payment does not allow it, or another operation on the authorization has no outcome yet",
        &[codes::PAYMENT_STATE_CONFLICT, codes::OPERATION_IN_FLIGHT],
    )
    .refuses(
        422,
        "A field is wrong, or the idempotency key belongs to another request",
        &[],
    );
}

async fn cancel(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let id = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    submission.read_by(&nothing())?;
    let command = CancelPayment {
        id,
        key: submission.key_text(),
        providers: begun::providers(&state)?,
    };
    begun::submit(&state, submission, command, wait, show, moved::show_refusal).await
}

fn show(begun: &Begun, is_dry_run: bool) -> Reply {
    match begun.operation {
        None => moved::at_once(&begun.payment),
        Some(_) => begun::show(begun, is_dry_run),
    }
}

/// Reads the body of a cancellation, which has no field.
fn nothing() -> impl Body<Out = ()> {
    object("Cancellation", "Cancels a payment.", |_fields| {
        Slot::together(())
    })
}
