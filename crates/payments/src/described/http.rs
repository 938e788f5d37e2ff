//! The routes that set metadata.

use books::metadata::replacement;
use edge::reply::json;
use edge::{Call, Problem, Reader as _, Response, Routes, Shared, code};
use engine::Reply;

use super::{Describe, DescribedId, DescribedThing};
use crate::{charging, moved, payouts, refunds, shapes};

/// The route that replaces the metadata of payments. It belongs to their group.
pub(crate) fn routes(r: &mut Routes) {
    r.patch(
        "/v1/payments/{id}",
        "updatePayment",
        "Replaces the metadata of a payment. Nothing else changes.",
        |state, call| patch(state, call, DescribedId::Payment),
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| replacement().describe(known))
    .gives::<charging::show::Payment>(200, "The payment with its new metadata")
    .refuses(404, "No such payment", &[])
    .refuses(422, "A field is wrong", &[]);
}

/// The route that replaces the metadata of refunds. It belongs to their group.
pub(crate) fn of_refunds(r: &mut Routes) {
    r.patch(
        "/v1/refunds/{id}",
        "updateRefund",
        "Replaces the metadata of a refund. Nothing else changes.",
        |state, call| patch(state, call, DescribedId::Refund),
    )
    .segment("id", shapes::RefundId::SHAPE, "re_…")
    .body(|known| replacement().describe(known))
    .gives::<refunds::show::Refund>(200, "The refund with its new metadata")
    .refuses(404, "No such refund", &[])
    .refuses(422, "A field is wrong", &[]);
}

/// The route that replaces the metadata of payouts. It belongs to their group.
pub(crate) fn of_payouts(r: &mut Routes) {
    r.patch(
        "/v1/payouts/{id}",
        "updatePayout",
        "Replaces the metadata of a payout. Nothing else changes.",
        |state, call| patch(state, call, DescribedId::Payout),
    )
    .segment("id", shapes::PayoutId::SHAPE, "po_…")
    .body(|known| replacement().describe(known))
    .gives::<payouts::show::Payout>(200, "The payout with its new metadata")
    .refuses(404, "No such payout", &[])
    .refuses(422, "A field is wrong", &[]);
}

async fn patch<I: std::str::FromStr>(
    state: Shared,
    call: Call,
    of: fn(I) -> DescribedId,
) -> Result<Response, Problem> {
    let id = call.named::<I>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = of(id?);
    let metadata = submission.read_by(&replacement())?;
    let command = Describe { id, metadata };
    state
        .submit(submission, command, show, moved::show_refusal)
        .await
}

fn show(thing: &DescribedThing, _is_dry_run: bool) -> Reply {
    match thing {
        DescribedThing::Payment(payment) => json(200, &charging::show::payment(payment)),
        DescribedThing::Refund(refund) => json(200, &refunds::show::refund(refund)),
        DescribedThing::Payout(payout) => json(200, &payouts::show::payout(payout)),
    }
}
