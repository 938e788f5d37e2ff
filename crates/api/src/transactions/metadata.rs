//! Metadata of a transaction, set after it was recorded.

use books::transactions::Describe;
use edge::{Problem, Reader as _, Response};
use ledger::TransactionId;

use crate::metadata::replacement;
use crate::server::{Asked, Call, Routes, Shared};
use crate::wire::texts;
use crate::{code, render, wire};

/// The route that replaces metadata.
pub(crate) fn routes(r: &mut Routes) {
    r.patch(
        "/v1/transactions/{id}",
        "updateTransaction",
        "Replaces what is kept with a transaction. The books stay as they are.",
        patch,
    )
    .segment("id", texts::TransactionId::SHAPE, "txn_…")
    .body(|known| replacement().describe(known))
    .gives::<wire::Transaction>(200, "The transaction, with what is kept with it now")
    .refuses(404, "No such transaction", &[code::TRANSACTION_NOT_FOUND]);
}

async fn patch(api: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<TransactionId>("id", code::TRANSACTION_NOT_FOUND);
    let mut asked = Asked::of(call)?;
    let id = id?;
    let metadata = asked.read_by(&replacement())?;
    let command = Describe { id, metadata };
    api.submit(asked, command, render::described, render::tell)
        .await
}
