//! `/v1/payouts`.

use std::sync::Arc;

use books::reading::positive;
use edge::strict_json::{Body, Slot, id, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared, headers};
use ledger::AccountId;
use money::Money;
use text::Identifier;

use super::show::Payout;
use super::{CreatePayout, PayoutId, rows, show};
use crate::charging::codes;
use crate::customers::CustomerId;
use crate::customers::codes::{CUSTOMER_MAY_NOT, CUSTOMER_NOT_FOUND};
use crate::{PaymentMethod, answers, begun, reading, shapes};

/// The tenant's own words.
type Description = Identifier<255>;

/// What a request says about the payout that it asks for.
struct Wanted {
    money: Money,
    source: Option<AccountId>,
    customer: Option<CustomerId>,
    destination: PaymentMethod,
    description: Option<Description>,
}

/// Every route of payouts.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("payouts", "Money that leaves for a bank account");
    r.post(
        "/v1/payouts",
        "createPayout",
        "Pays money out to a bank account: the merchant's available money, or that of a wallet.",
        create,
    )
    .key(KeyRule::Required)
    .waits()
    .body(|known| wanted().describe(known))
    .gives::<Payout>(201, "The money was paid out")
    .gives::<Payout>(202, "The outcome is not known yet, or a second person has to approve")
    .refuses(402, "The provider has refused the payout", &[codes::DECLINED])
    .refuses(403, "The customer may not be paid", &[CUSTOMER_MAY_NOT])
    .refuses(
        404,
        "There is no such account, or no such customer",
        &[books::code::ACCOUNT_NOT_FOUND, CUSTOMER_NOT_FOUND],
    )
    .refuses(
        409,
        "An account does not take postings",
        &[books::code::ACCOUNT_FROZEN, books::code::ACCOUNT_CLOSED],
    )
    .refuses(
        422,
        "A field is wrong, there is not as much money, no provider pays to this destination, or the idempotency key belongs to another request",
        &[
            codes::NO_PROVIDER,
            books::code::CURRENCY_MISMATCH,
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::SAME_ACCOUNT,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.get(
        "/v1/payouts/{id}",
        "getPayout",
        "Reads one payout.",
        |state, call| answers::one(state, call, rows::payout, show::payout),
    )
    .segment("id", shapes::PayoutId::SHAPE, "po_…")
    .gives::<Payout>(200, "The payout")
    .refuses(404, "No such payout", &[]);
    r.get(
        "/v1/payouts",
        "listPayouts",
        "Lists payouts, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                rows::payouts,
                show::payout,
                PayoutId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<Payout>("A page of payouts");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let wait = headers::prefer_wait(&call.headers);
    let by = call.caller.label.to_string();
    let mut submission = state.submission(call)?;
    let wanted = submission.read_by(&wanted())?;
    let command = CreatePayout {
        money: wanted.money,
        source: wanted.source,
        customer: wanted.customer,
        destination: wanted.destination.into(),
        description: wanted.description.map(String::from),
        key: submission.key_text(),
        by,
        limits: Arc::clone(state.part()?),
        providers: begun::providers(&state)?,
    };
    begun::submit(
        &state,
        submission,
        command,
        wait,
        show::begun,
        show::show_refusal,
    )
    .await
}

/// Reads the body that makes a payout.
fn wanted() -> impl Body<Out = Wanted> {
    object("NewPayout", "Pays money out.", |fields| {
        let amount = positive().says("The amount in minor units.");
        let amount = fields.required("amount", amount);
        let currency = fields.required("currency", reading::of_iso().says("ISO 4217 code."));
        let destination = prose::<PaymentMethod>(shapes::ProviderToken::SHAPE)
            .says("The provider's token for the bank account.");
        let destination = fields.required("destination", destination);
        let from = id(shapes::AccountId::SHAPE)
            .map(AccountId::from_bytes)
            .says("The account that pays, such as a wallet; the merchant's available money if absent.");
        let from = fields.optional("from", nullable(from));
        let description = prose::<Description>(shapes::ShortText::SHAPE)
            .says("Your own words: at most 255 characters. They are not sent to the provider.");
        let description = fields.optional("description", nullable(description));
        let customer = id(shapes::CustomerId::SHAPE)
            .map(CustomerId::from_bytes)
            .says("The customer who is paid, if it is one.");
        let customer = fields.optional("customer", nullable(customer));
        let slots = (amount, currency, destination, from, customer, description);
        Slot::together(slots).map(
            |(amount, currency, destination, from, customer, description)| Wanted {
                money: Money { amount, currency },
                source: from.flatten(),
                customer: customer.flatten(),
                destination,
                description: description.flatten(),
            },
        )
    })
}
