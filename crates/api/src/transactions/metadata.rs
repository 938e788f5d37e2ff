//! What is kept with a transaction, set after it was recorded.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::transactions::Describe;
use ledger::TransactionId;

use crate::metadata::kept;
use crate::problem::{Code, Problem};
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{Fields, nullable};
use crate::{render, wire};

/// Replaces what is kept with a transaction. The books stay as they are.
#[utoipa::path(
    patch, path = "/v1/transactions/{id}", tag = "transactions",
    operation_id = "updateTransaction",
    params(("id" = wire::texts::TransactionId, Path, description = "txn_…")),
    request_body(content = wire::NewMetadata),
    responses(
        (status = 200, description = "The transaction, with what is kept with it now", body = wire::Transaction),
        (status = 404, description = "No such transaction"),
    )
)]
pub(crate) async fn patch(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let mut asked = api.request(&request, payload).await?;
        let id: TransactionId = id
            .parse()
            .map_err(|_malformed| Problem::new(Code::TransactionNotFound))?;
        let mut fields = Fields::of(std::mem::take(&mut asked.body));
        let metadata = fields.required("metadata", nullable(kept));
        let metadata = fields.finish(metadata)?.flatten();
        let command = Describe { id, metadata };
        api.submit(asked, command, render::described, render::tell)
            .await
    })
    .await
}
