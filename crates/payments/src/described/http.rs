//! The route that sets the metadata of a payment.

use books::metadata::replacement;
use edge::reply::json;
use edge::{Call, Problem, Reader as _, Response, Routes, Shared, code};

use super::DescribePayment;
use crate::charging::show;
use crate::{PaymentId, moved, shapes};

/// The route that replaces metadata. It belongs to the group of payments.
pub(crate) fn routes(r: &mut Routes) {
    r.patch(
        "/v1/payments/{id}",
        "updatePayment",
        "Replaces the metadata of a payment. Nothing else changes.",
        patch,
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| replacement().describe(known))
    .gives::<show::Payment>(200, "The payment with its new metadata")
    .refuses(404, "No such payment", &[])
    .refuses(422, "A field is wrong", &[]);
}

async fn patch(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let metadata = submission.read_by(&replacement())?;
    let command = DescribePayment { id, metadata };
    state
        .submit(
            submission,
            command,
            |payment, _is_dry_run| json(200, &show::payment(payment)),
            moved::show_refusal,
        )
        .await
}
