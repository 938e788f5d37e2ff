//! The route that sets the metadata of a recorded transaction.

use edge::{Call, Problem, Reader as _, Response, Routes, Shared};
use ledger::TransactionId;

use crate::metadata::replacement;
use crate::transactions::{Describe, show};
use crate::{code, shapes, show_refusal};

/// The route that replaces metadata.
pub(crate) fn routes(r: &mut Routes) {
    r.patch(
        "/v1/transactions/{id}",
        "updateTransaction",
        "Replaces the metadata of a transaction. The books do not change.",
        patch,
    )
    .segment("id", shapes::TransactionId::SHAPE, "txn_…")
    .body(|known| replacement().describe(known))
    .gives::<show::Transaction>(200, "The transaction with its new metadata")
    .refuses(404, "No such transaction", &[code::TRANSACTION_NOT_FOUND]);
}

async fn patch(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<TransactionId>("id", code::TRANSACTION_NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    let metadata = submission.read_by(&replacement())?;
    let command = Describe { id, metadata };
    state
        .submit(submission, command, show::described, show_refusal)
        .await
}
