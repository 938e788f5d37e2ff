//! `/v1/transfers`: money from wallet to wallet, in one commit.

use edge::strict_json::{Body, Slot, nullable, object, prose};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared};
use ledger::Description;
use money::Money;

use super::{Transfer, show};
use crate::currencies::{self, Currencies};
use crate::reading::{account, positive};
use crate::{code, shapes, show_refusal};

/// The route of transfers.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("transfers", "Transfers of money from one wallet to another");
    r.post(
        "/v1/transfers",
        "createTransfer",
        "Moves money from one wallet to another.",
        create,
    )
    .key(KeyRule::Required)
    .body(|known| new_transfer(&Currencies::default()).describe(known))
    .gives::<show::Transfer>(201, "The transfer was posted")
    .refuses(404, "No such account", &[code::ACCOUNT_NOT_FOUND])
    .refuses(
        422,
        "A rule of the ledger refuses it, or a field is wrong",
        &[
            code::SAME_ACCOUNT,
            code::CURRENCY_MISMATCH,
            code::BALANCE_OVERFLOW,
            code::CURRENCY_WITHDRAWN,
            code::INSUFFICIENT_FUNDS,
            code::LIMIT_EXCEEDED,
        ],
    );
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let known = currencies::named(&state, &submission).await?;
    let command = submission.read_by(&new_transfer(&known))?;
    state
        .submit(submission, command, show::made, show_refusal)
        .await
}

/// Reads the body of a transfer.
fn new_transfer(known: &Currencies) -> impl Body<Out = Transfer> {
    let says = "Moves money from one wallet to another.";
    object("NewTransfer", says, move |fields| {
        let from = fields.required("from", account().says("The account that pays."));
        let to = fields.required("to", account().says("The account that is paid."));
        let amount = positive().says("The amount in minor units, 1 to 2^63 - 1.");
        let amount = fields.required("amount", amount);
        let unit = known
            .reader()
            .says("ISO 4217 code, or the code of a custom asset.");
        let unit = fields.required("currency", unit);
        let description = prose::<Description>(shapes::LongText::SHAPE);
        let description = description.says("A description for people: at most 500 characters.");
        let description = fields.optional("description", nullable(description));
        let slots = (from, to, amount, unit, description);
        Slot::together(slots).map(|(from, to, amount, currency, description)| Transfer {
            from,
            to,
            money: Money { amount, currency },
            description: description.flatten(),
        })
    })
}
