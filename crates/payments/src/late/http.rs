//! `/v1/operations/{id}/allocate`, `/v1/operations/{id}/refund`.

use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code, headers};
use engine::Reply;
use text::Identifier;

use super::codes::NOTHING_UNALLOCATED;
use super::{AllocateLate, GiveBack};
use crate::balances_after::{BalancesAfter, answer};
use crate::charging::codes;
use crate::operations::show::{self, Operation};
use crate::refunds::show::Refund;
use crate::{OperationId, begun, moved, shapes};

/// The reason for giving money back.
type Reason = Identifier<255>;

/// The routes of late money.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "operations",
        "What providers were asked to do, and money that came although they had refused",
    );
    r.post(
        "/v1/operations/{id}/allocate",
        "allocateLateMoney",
        "Gives money that was taken after the operation had failed to the merchant.",
        allocate,
    )
    .key(KeyRule::Required)
    .segment("id", shapes::OperationId::SHAPE, "op_…")
    .body(|known| nothing().describe(known))
    .gives::<Operation>(200, "The merchant gets the money, less the fee")
    .refuses(404, "No such operation", &[])
    .refuses(
        409,
        "No such money is left, or an account does not take postings",
        &[
            NOTHING_UNALLOCATED,
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, or the idempotency key belongs to another request",
        &[
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.post(
        "/v1/operations/{id}/refund",
        "refundLateMoney",
        "Gives money that was taken after the operation had failed back to the payer.",
        give_back,
    )
    .key(KeyRule::Required)
    .waits()
    .segment("id", shapes::OperationId::SHAPE, "op_…")
    .body(|known| wanted().describe(known))
    .gives::<Refund>(201, "The money goes back")
    .gives::<Refund>(202, "The outcome of the refund is not known yet")
    .refuses(
        402,
        "The provider has refused the refund",
        &[codes::DECLINED],
    )
    .refuses(404, "No such operation", &[])
    .refuses(
        409,
        "No such money is left, or an account does not take postings",
        &[
            NOTHING_UNALLOCATED,
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, or the idempotency key belongs to another request",
        &[
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::BALANCE_OVERFLOW,
        ],
    );
}

async fn allocate(state: Shared, call: Call) -> Result<Response, Problem> {
    let operation = call.named::<OperationId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let operation = operation?;
    submission.read_by(&nothing())?;
    let command = AllocateLate { operation };
    state
        .submit(submission, command, allocated, moved::show_refusal)
        .await
}

/// The reply with an operation whose late money the merchant got.
fn allocated((operation, after): &(crate::Operation, BalancesAfter), _is_dry_run: bool) -> Reply {
    answer(200, show::operation(operation), after)
}

async fn give_back(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let operation = call.named::<OperationId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let operation = operation?;
    let reason = submission.read_by(&wanted())?;
    let command = GiveBack {
        operation,
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

/// Reads the body that gives late money back.
fn wanted() -> impl Body<Out = Option<Reason>> {
    object("LateRefund", "Gives late money back.", |fields| {
        let reason = prose::<Reason>(shapes::ShortText::SHAPE)
            .says("Your reason: at most 255 characters. It is not sent to the provider.");
        fields
            .optional("reason", nullable(reason))
            .map(Option::flatten)
    })
}

/// Reads the body that gives late money to the merchant, which has no field.
fn nothing() -> impl Body<Out = ()> {
    object(
        "LateAllocation",
        "Gives late money to the merchant.",
        |_fields| Slot::together(()),
    )
}
