//! `/v1/bank_orders`.

use edge::strict_json::{Body, BrokenRule, Slot, guarded, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader as _, Response, Routes, Shared};
use text::Identifier;

use super::codes::{NOT_PAYABLE_BY_BANK, NOTHING_WAITS};
use super::{BankOrderId, MakeBankOrder, rows, show};
use crate::charging::codes::NO_PROVIDER;
use crate::{answers, begun, shapes};

/// The name of a provider.
type ProviderName = Identifier<255>;

/// Every route of bank orders.
pub(super) fn routes(r: &mut Routes) {
    r.tag("bank orders", "Payouts that a bank gets as a file");
    r.post(
        "/v1/bank_orders",
        "createBankOrder",
        "Makes one file of the payouts that wait for the bank.",
        create,
    )
    .more("An order has at most 500 payouts, all of one currency, and either all or none of them within SEPA. Ask again until the answer is `nothing_waits`.")
    .key(KeyRule::Required)
    .body(|known| wanted().describe(known))
    .gives::<show::BankOrder>(201, "The order")
    .refuses(409, "No payout waits", &[NOTHING_WAITS])
    .refuses(
        422,
        "A field is wrong, or the idempotency key belongs to another request",
        &[NO_PROVIDER, NOT_PAYABLE_BY_BANK],
    );
    r.get(
        "/v1/bank_orders/{id}",
        "getBankOrder",
        "Reads one order with its file.",
        |state, call| answers::one(state, call, rows::order, show::with_file),
    )
    .segment("id", shapes::BankOrderId::SHAPE, "bor_…")
    .gives::<show::BankOrder>(200, "The order")
    .refuses(404, "No such order", &[]);
    r.get(
        "/v1/bank_orders",
        "listBankOrders",
        "Lists orders without their files, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                rows::orders,
                show::order,
                BankOrderId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<show::BankOrder>("A page of orders");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let mut submission = state.submission(call)?;
    let (provider, requested_on) = submission.read_by(&wanted())?;
    let provider = String::from(provider);
    let of = provider.clone();
    let waiting = state.read(move |connection| rows::waiting(connection, tenant, &of));
    let command = MakeBankOrder {
        provider,
        waiting: waiting.await?,
        requested_on,
        providers: begun::providers(&state)?,
    };
    state
        .submit(submission, command, show::made, show::show_refusal)
        .await
}

/// Reads the body that makes an order: the provider, and the day in days since 1970.
fn wanted() -> impl Body<Out = (ProviderName, Option<i32>)> {
    object("NewBankOrder", "Makes an order.", |fields| {
        let provider = prose::<ProviderName>(shapes::ShortText::SHAPE)
            .says("The name of the bank-file provider.");
        let provider = fields.required("provider", provider);
        let day = guarded(day, shapes::AskedDay::SHAPE)
            .says("The day on which the bank shall pay; today, in UTC, if absent.");
        let day = fields.optional("requested_on", nullable(day));
        Slot::together((provider, day)).map(|(provider, day)| (provider, day.flatten()))
    })
}

/// Reads a day as its number since 1970.
fn day(text: String) -> Result<i32, BrokenRule> {
    let date: Result<bank_files::Date, _> = text.parse();
    let wrong = "it is not a day such as 2026-12-01";
    let date = date.map_err(|_malformed| BrokenRule::new("malformed_day", &wrong))?;
    Ok(bank_files::days_of(date))
}
