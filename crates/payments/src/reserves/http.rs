//! `/v1/reserves`.

use books::reading::{any_moment, positive};
use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, code};
use money::{Amount, Money};
use text::Identifier;

use super::{CreateReserve, ReleaseReserve, ReserveId, shelf, show};
use crate::{answers, reading, shapes};

/// The reason of the person who holds money back.
type Reason = Identifier<255>;

/// Every route of reserves.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("reserves", "Available money that is held back for a while");
    r.post(
        "/v1/reserves",
        "createReserve",
        "Holds available money back, until a moment or until it is released.",
        create,
    )
    .key(KeyRule::Required)
    .body(|known| wanted().describe(known))
    .gives::<show::Reserve>(201, "The money is held back")
    .refuses(
        409,
        "An account does not take postings",
        &[books::code::ACCOUNT_FROZEN, books::code::ACCOUNT_CLOSED],
    )
    .refuses(
        422,
        "A field is wrong, there is not as much available money, or the idempotency key belongs to another request",
        &[
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.post(
        "/v1/reserves/{id}/release",
        "releaseReserve",
        "Makes held back money available again, as a whole or in part.",
        release,
    )
    .key(KeyRule::Required)
    .segment("id", shapes::ReserveId::SHAPE, "rsv_…")
    .body(|known| part().describe(known))
    .gives::<show::Reserve>(200, "The money is available again")
    .refuses(404, "No such reserve", &[])
    .refuses(
        409,
        "An account does not take postings",
        &[books::code::ACCOUNT_FROZEN, books::code::ACCOUNT_CLOSED],
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
        "/v1/reserves/{id}",
        "getReserve",
        "Reads one reserve.",
        |state, call| answers::one(state, call, shelf::reserve, show::reserve),
    )
    .segment("id", shapes::ReserveId::SHAPE, "rsv_…")
    .gives::<show::Reserve>(200, "The reserve")
    .refuses(404, "No such reserve", &[]);
    r.get(
        "/v1/reserves",
        "listReserves",
        "Lists reserves, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                shelf::reserves,
                show::reserve,
                ReserveId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<show::Reserve>("A page of reserves");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let command = submission.read_by(&wanted())?;
    state
        .submit(submission, command, show::made, show::show_refusal)
        .await
}

async fn release(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<ReserveId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let amount = submission.read_by(&part())?;
    let command = ReleaseReserve { id, amount };
    state
        .submit(submission, command, show::released, show::show_refusal)
        .await
}

/// Reads the body that holds money back.
fn wanted() -> impl Body<Out = CreateReserve> {
    object("NewReserve", "Holds available money back.", |fields| {
        let amount = positive().says("The amount in minor units.");
        let amount = fields.required("amount", amount);
        let currency = fields.required("currency", reading::of_iso().says("ISO 4217 code."));
        let release_at = any_moment().says(
            "The moment at which it is released (RFC 3339), in the future. If absent, it is held until it is released by a request.",
        );
        let release_at = fields.optional("release_at", nullable(release_at));
        let reason =
            prose::<Reason>(shapes::ShortText::SHAPE).says("Your reason: at most 255 characters.");
        let reason = fields.optional("reason", nullable(reason));
        let slots = (amount, currency, release_at, reason);
        Slot::together(slots).map(|(amount, currency, release_at, reason)| CreateReserve {
            money: Money { amount, currency },
            release_at: release_at.flatten(),
            reason: reason.flatten().map(String::from),
        })
    })
}

/// Reads the body that releases a reserve.
fn part() -> impl Body<Out = Option<Amount>> {
    object("ReserveRelease", "Releases a reserve.", |fields| {
        let amount = positive().says("The amount in minor units; all that is left if absent.");
        fields
            .optional("amount", nullable(amount))
            .map(Option::flatten)
    })
}
