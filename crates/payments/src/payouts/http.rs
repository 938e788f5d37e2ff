//! `/v1/payouts`.

use std::sync::Arc;
use std::time::Duration;

use books::metadata::kept;
use books::reading::positive;
use edge::cursor::Cursor;
use edge::query::{PageQuery, Query};
use edge::strict_json::{Body, Slot, id, nullable, object, prose};
use edge::{Call, KeyRule, Page, Problem, Reader, Response, Routes, Shared, code, headers, page};
use ledger::{AccountId, Metadata};
use money::Money;
use store::AnyConnection;
use text::Identifier;

use super::codes::PAYOUT_STATE_CONFLICT;
use super::show::Payout;
use super::{CancelPayout, CreatePayout, PayoutId, rows, show};
use crate::bank_accounts::codes::{BANK_ACCOUNT_CLOSED, BANK_ACCOUNT_NOT_FOUND};
use crate::bank_accounts::is_bank_account;
use crate::bank_orders::codes::NOT_PAYABLE_BY_BANK;
use crate::charging::codes;
use crate::customers::CustomerId;
use crate::customers::codes::{CUSTOMER_MAY_NOT, CUSTOMER_NOT_FOUND};
use crate::texts::Described;
use crate::{PaymentMethod, answers, begun, described, moved, reading, shapes};

/// The tenant's own words.
type Description = Identifier<255>;

/// What a request says about the payout that it asks for.
struct Wanted {
    money: Money,
    source: Option<AccountId>,
    customer: Option<CustomerId>,
    destination: PaymentMethod,
    description: Option<Description>,
    metadata: Option<Metadata>,
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
        &[
            books::code::ACCOUNT_NOT_FOUND,
            BANK_ACCOUNT_NOT_FOUND,
            CUSTOMER_NOT_FOUND,
        ],
    )
    .refuses(
        409,
        "An account does not take postings",
        &[
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
            BANK_ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, there is not as much money, no provider pays to this destination, or the idempotency key belongs to another request",
        &[
            codes::NO_PROVIDER,
            NOT_PAYABLE_BY_BANK,
            books::code::CURRENCY_MISMATCH,
            books::code::INSUFFICIENT_FUNDS,
            books::code::LIMIT_EXCEEDED,
            books::code::SAME_ACCOUNT,
            books::code::BALANCE_OVERFLOW,
        ],
    );
    r.post(
        "/v1/payouts/{id}/cancel",
        "cancelPayout",
        "Cancels a payout before it is sent: while it waits for an approval, or for an order of a bank.",
        cancel,
    )
    .key(KeyRule::Required)
    .segment("id", shapes::PayoutId::SHAPE, "po_…")
    .body(|known| nothing().describe(known))
    .gives::<Payout>(200, "The payout is canceled, and its money is back where it came from")
    .refuses(404, "No such payout", &[])
    .refuses(
        409,
        "The payout may have been sent, or it has ended, or an account does not take postings",
        &[
            PAYOUT_STATE_CONFLICT,
            books::code::ACCOUNT_FROZEN,
            books::code::ACCOUNT_CLOSED,
        ],
    )
    .refuses(
        422,
        "A field is wrong, an account cannot take the money, or the idempotency key belongs to another request",
        &[books::code::LIMIT_EXCEEDED, books::code::BALANCE_OVERFLOW],
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
        "Lists the payouts that match all given parameters, newest first.",
        list,
    )
    .more("With several texts of metadata, a page may be shorter than its limit, or empty, and still have a\n`next_cursor`: only null means the end.")
    .asks(|query| drop(search(query)))
    .gives_page::<Payout>("A page of payouts")
    .refuses(400, "A parameter is wrong", &[]);
    described::http::of_payouts(r);
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut wait = headers::prefer_wait(&call.headers);
    let by = call.caller.label.to_string();
    let mut submission = state.submission(call)?;
    let wanted = submission.read_by(&wanted())?;
    let destination = String::from(wanted.destination);
    if is_bank_account(&destination) {
        // A bank answers in days.
        wait = Duration::ZERO;
    }
    let command = CreatePayout {
        money: wanted.money,
        source: wanted.source,
        customer: wanted.customer,
        destination,
        description: wanted.description.map(String::from),
        metadata: wanted.metadata,
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

async fn cancel(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id = call.named::<PayoutId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    submission.read_by(&nothing())?;
    let known = state.read(move |connection| rows::payout(connection, tenant, id));
    let command = CancelPayout {
        id,
        approval: known.await?.and_then(|payout| payout.approval),
    };
    state
        .submit(submission, command, show::canceled, moved::show_refusal)
        .await
}

/// Reads the body of a cancellation, which has no field.
fn nothing() -> impl Body<Out = ()> {
    object("PayoutCancellation", "Cancels a payout.", |_fields| {
        Slot::together(())
    })
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (texts, wanted) = call.query.ask(search)?;
    let before = wanted.cursor.map(|cursor| PayoutId::from_bytes(cursor.id));
    let cursor = |id: [u8; 16]| Cursor { id, position: None };
    if texts.is_empty() {
        let more = i64::from(wanted.limit).saturating_add(1);
        let found = state
            .read(move |connection| rows::payouts(connection, tenant, before, more))
            .await?;
        let of = |payout: &super::Payout| cursor(payout.id.bytes());
        let page = page(found, &wanted, show::payout, of);
        return Ok(Response::json(200, &page));
    }
    let limit = usize::from(wanted.limit);
    let (found, next) = state
        .read(move |connection| {
            let told = described::Wanted {
                kind: Described::Payout,
                texts: &texts,
                before: before.map_or([0xff; 16], |id| id.bytes()),
                limit,
            };
            let load = |connection: &mut AnyConnection, ids: Vec<[u8; 16]>| {
                rows::payouts_by_id(connection, tenant, ids.into_iter())
            };
            let of = |row: &super::Payout| (row.id.bytes(), row.metadata.clone());
            described::found(connection, tenant, told, load, of)
        })
        .await?;
    let page = Page {
        next_cursor: next.map(|id| wanted.next(cursor(id))),
        data: found.iter().map(show::payout).collect(),
    };
    Ok(Response::json(200, &page))
}

/// Reads the parameters of the list.
fn search(query: &mut Query) -> Slot<(Vec<(String, String)>, PageQuery)> {
    Slot::together((described::texts_wanted(query), query.page()))
}

/// Reads the body that makes a payout.
fn wanted() -> impl Body<Out = Wanted> {
    object("NewPayout", "Pays money out.", |fields| {
        let amount = positive().says("The amount in minor units.");
        let amount = fields.required("amount", amount);
        let currency = fields.required("currency", reading::of_iso().says("ISO 4217 code."));
        let destination = prose::<PaymentMethod>(shapes::ProviderToken::SHAPE)
            .says("The provider's token for the bank account, or a bank account (`bac_…`) for a bank-file provider.");
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
        let metadata = kept().says(
            "The metadata that you keep with it: at most 50 texts of at most 500 characters.",
        );
        let metadata = fields.optional("metadata", nullable(metadata));
        let slots = (
            amount,
            currency,
            destination,
            from,
            customer,
            description,
            metadata,
        );
        Slot::together(slots).map(
            |(amount, currency, destination, from, customer, description, metadata)| Wanted {
                money: Money { amount, currency },
                source: from.flatten(),
                customer: customer.flatten(),
                destination,
                description: description.flatten(),
                metadata: metadata.flatten().flatten(),
            },
        )
    })
}
