//! `/v1/payments/{id}/refunds`, `/v1/refunds`.

use books::reading::positive;
use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers};
use money::Amount;
use store::AnyConnection;
use text::Identifier;

use super::show::Refund;
use super::{CreateRefund, RefundId, read, show};
use crate::charging::codes;
use crate::{PaymentId, answers, begun, moved, shapes};

/// The merchant's reason for a refund.
type Reason = Identifier<255>;

/// Every route of refunds.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("refunds", "Captured money that goes back to the payer");
    r.post(
        "/v1/payments/{id}/refunds",
        "createRefund",
        "Gives captured money back, as a whole or in part.",
        create,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .body(|known| wanted().describe(known))
    .gives::<Refund>(201, "The money goes back")
    .gives::<Refund>(202, "The outcome of the refund is not known yet")
    .refuses(402, "The provider has refused the refund", &[codes::DECLINED])
    .refuses(404, "No such payment", &[])
    .refuses(
        409,
        "Nothing was captured of the payment, or an account does not take postings",
        &[
            codes::PAYMENT_STATE_CONFLICT,
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, the amount is more than is left, or the idempotency key belongs to another request",
        &[
            books::code::EXCEEDS_REMAINING,
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.get(
        "/v1/payments/{id}/refunds",
        "listRefundsOfPayment",
        "Lists the refunds of a payment, newest first.",
        list_of_payment,
    )
    .segment("id", shapes::PaymentId::SHAPE, "pay_…")
    .page()
    .gives_page::<Refund>("A page of refunds")
    .refuses(404, "No such payment", &[]);
    r.get(
        "/v1/refunds/{id}",
        "getRefund",
        "Reads one refund.",
        |state, call| answers::one(state, call, read::refund, show::refund),
    )
    .segment("id", shapes::RefundId::SHAPE, "re_…")
    .gives::<Refund>(200, "The refund")
    .refuses(404, "No such refund", &[]);
    r.get(
        "/v1/refunds",
        "listRefunds",
        "Lists refunds, newest first.",
        |state, call| list(state, call, None),
    )
    .page()
    .gives_page::<Refund>("A page of refunds");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let payment = call.named::<PaymentId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let payment = payment?;
    let (amount, reason) = submission.read_by(&wanted())?;
    let command = CreateRefund {
        payment,
        amount,
        reason: reason.map(String::from),
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

async fn list_of_payment(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: PaymentId = call.named("id", code::NOT_FOUND)?;
    let payment = state
        .read(move |connection| crate::payment(connection, tenant, id))
        .await?;
    if payment.is_none() {
        return Err(Problem::new(code::NOT_FOUND));
    }
    list(state, call, Some(id)).await
}

async fn list(state: Shared, call: Call, payment: Option<PaymentId>) -> Result<Response, Problem> {
    let read = move |connection: &mut AnyConnection, tenant, before, more| {
        read::refunds(connection, tenant, payment, before, more)
    };
    answers::list(
        state,
        call,
        read,
        show::refund,
        RefundId::from_bytes,
        |row| row.id.bytes(),
    )
    .await
}

/// Reads the body that makes a refund.
fn wanted() -> impl Body<Out = (Option<Amount>, Option<Reason>)> {
    object("NewRefund", "Makes a refund.", |fields| {
        let amount =
            positive().says("The amount in minor units; all that is left to refund if absent.");
        let amount = fields.optional("amount", nullable(amount));
        let reason = prose::<Reason>(shapes::ShortText::SHAPE)
            .says("Your reason: at most 255 characters. It is not sent to the provider.");
        let reason = fields.optional("reason", nullable(reason));
        Slot::together((amount, reason))
            .map(|(amount, reason)| (amount.flatten(), reason.flatten()))
    })
}
