//! The routes that set metadata.

use books::metadata::replacement;
use edge::reply::json;
use edge::{Call, Problem, Reader as _, Response, Routes, Shape, Shared, code};
use engine::Reply;
use utoipa::ToSchema;

use super::{Describe, DescribedId, DescribedThing};
use crate::{charging, moved, payouts, refunds, shapes};

/// The route of a thing that has metadata.
struct Thing {
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    shape: Shape,
    example: &'static str,
    given: &'static str,
    missing: &'static str,
}

/// The route that replaces the metadata of payments. It belongs to their group.
pub(crate) fn routes(r: &mut Routes) {
    let thing = Thing {
        path: "/v1/payments/{id}",
        operation: "updatePayment",
        summary: "Replaces the metadata of a payment. Nothing else changes.",
        shape: shapes::PaymentId::SHAPE,
        example: "pay_…",
        given: "The payment with its new metadata",
        missing: "No such payment",
    };
    route::<charging::show::Payment, _>(r, thing, DescribedId::Payment);
}

/// The route that replaces the metadata of refunds. It belongs to their group.
pub(crate) fn of_refunds(r: &mut Routes) {
    let thing = Thing {
        path: "/v1/refunds/{id}",
        operation: "updateRefund",
        summary: "Replaces the metadata of a refund. Nothing else changes.",
        shape: shapes::RefundId::SHAPE,
        example: "re_…",
        given: "The refund with its new metadata",
        missing: "No such refund",
    };
    route::<refunds::show::Refund, _>(r, thing, DescribedId::Refund);
}

/// The route that replaces the metadata of payouts. It belongs to their group.
pub(crate) fn of_payouts(r: &mut Routes) {
    let thing = Thing {
        path: "/v1/payouts/{id}",
        operation: "updatePayout",
        summary: "Replaces the metadata of a payout. Nothing else changes.",
        shape: shapes::PayoutId::SHAPE,
        example: "po_…",
        given: "The payout with its new metadata",
        missing: "No such payout",
    };
    route::<payouts::show::Payout, _>(r, thing, DescribedId::Payout);
}

fn route<T: ToSchema, I>(r: &mut Routes, thing: Thing, id: fn(I) -> DescribedId)
where
    I: std::str::FromStr + Send + 'static,
{
    r.patch(
        thing.path,
        thing.operation,
        thing.summary,
        move |state, call| patch(state, call, id),
    )
    .segment("id", thing.shape, thing.example)
    .body(|known| replacement().describe(known))
    .gives::<T>(200, thing.given)
    .refuses(404, thing.missing, &[])
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
        DescribedThing::Payment(payment) => moved::at_once(payment),
        DescribedThing::Refund(refund) => json(200, &refunds::show::refund(refund)),
        DescribedThing::Payout(payout) => json(200, &payouts::show::payout(payout)),
    }
}
