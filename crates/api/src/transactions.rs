//! `/v1/transactions`: balanced postings, final at once or pending, and what becomes of them.

mod draft;
pub(crate) mod exchanges;
pub(crate) mod metadata;
pub(crate) mod search;
mod steps;

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::transactions::{Action, Bulk, Transact};
use ledger::{Step, TransactionId};

use self::draft::{draft, dry_run};
use self::steps::{Verb, one_of_many, wish};
use crate::problem::{Code, Problem};
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{FieldError, Fields, Reading, boolean, list};
use crate::{render, respond, wire};

/// At most so many at once.
const MOST_AT_ONCE: usize = 1_000;
/// The largest body that asks for many, in bytes.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Posts a transaction, or promises it.
#[utoipa::path(
    post, path = "/v1/transactions", tag = "transactions", operation_id = "createTransaction",
    params(("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect")),
    request_body(content = wire::NewTransaction),
    responses(
        (status = 200, description = "A dry run: this would be posted", body = wire::Transaction),
        (status = 201, description = "Posted, or pending", body = wire::Transaction),
        (status = 404, description = "No such account"),
        (status = 409, description = "The external id is taken, an account frozen or closed or at another version, the period closed"),
        (status = 422, description = "Refused by a rule of the ledger, or a field is wrong"),
    )
)]
pub(crate) async fn create(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let mut asked = api.money_request(&request, payload).await?;
        let known = api.currencies(&asked).await?;
        let mut fields = Fields::of(std::mem::take(&mut asked.body));
        let draft = draft(&mut fields, &known);
        let dry_run = dry_run(&mut fields);
        let (draft, dry_run) = fields.finish((draft, dry_run))?;
        let (request, command) = (asked.trying(dry_run), Transact(Action::Post(draft)));
        api.submit(request, command, render::made, render::tell)
            .await
    })
    .await
}

/// Makes up to 1,000 steps in one commit, all or none, or each by itself.
#[utoipa::path(
    post, path = "/v1/transactions/bulk", tag = "transactions", operation_id = "createBulk",
    params(("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect")),
    request_body(content = wire::NewBulk),
    responses(
        (status = 200, description = "What became of each; if all or none was wanted: all were made", body = wire::BulkReply),
        (status = 404, description = "All or none was wanted, and a step is about a transaction or an account that does not exist"),
        (status = 422, description = "A field is wrong. Or all or none was wanted, and one was refused: the status is that one's, the pointers name it"),
    )
)]
pub(crate) async fn bulk(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let asked = api.money_request_within(&request, payload, MOST_BYTES);
        let mut asked = asked.await?;
        let known = api.currencies(&asked).await?;
        let mut fields = Fields::of(std::mem::take(&mut asked.body));
        let each = list(1..=MOST_AT_ONCE, |item| one_of_many(item, &known));
        let actions = fields.required("transactions", each);
        let atomic = fields.required("atomic", boolean);
        let dry_run = dry_run(&mut fields);
        let (actions, atomic, dry_run) = fields.finish((actions, atomic, dry_run))?;
        if atomic {
            each_named_once(&actions)?;
        }
        let is_atomic = atomic;
        let command = Bulk { actions, is_atomic };
        let request = asked.trying(dry_run);
        api.submit(request, command, render::bulk_made, render::tell)
            .await
    })
    .await
}

/// All or none of them could never be: the second would be refused because of the first, which then
/// would not be there.
fn each_named_once(actions: &[Action]) -> Reading<()> {
    let mut names = HashSet::new();
    for (index, action) in actions.iter().enumerate() {
        let name = action.details().external_id.as_deref();
        if name.is_some_and(|name| !names.insert(name)) {
            let error = FieldError::here("named_twice", "Another of these bears this external_id.");
            let error = error.below("external_id").below(&index.to_string());
            return Err(vec![error.below("transactions")]);
        }
    }
    Ok(())
}

/// Posts a pending transaction, or a part of it.
#[utoipa::path(
    post, path = "/v1/transactions/{id}/post", tag = "transactions", operation_id = "postTransaction",
    params(
        ("id" = wire::texts::TransactionId, Path, description = "txn_…, pending"),
        ("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect"),
    ),
    request_body(content = wire::PostPending),
    responses(
        (status = 200, description = "A dry run: this would be posted", body = wire::Transaction),
        (status = 201, description = "Posted", body = wire::Transaction),
        (status = 404, description = "No such transaction"),
        (status = 409, description = "It is not pending any more, or has expired"),
        (status = 422, description = "More than remains, or a field is wrong"),
    )
)]
pub(crate) async fn settle(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, step(&api, &request, payload, &id, Verb::Post)).await
}

/// Releases all that a pending transaction still holds.
#[utoipa::path(
    post, path = "/v1/transactions/{id}/void", tag = "transactions", operation_id = "voidTransaction",
    params(
        ("id" = wire::texts::TransactionId, Path, description = "txn_…, pending"),
        ("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect"),
    ),
    request_body(content = wire::VoidPending),
    responses(
        (status = 200, description = "A dry run: this would be voided", body = wire::Transaction),
        (status = 201, description = "Voided", body = wire::Transaction),
        (status = 404, description = "No such transaction"),
        (status = 409, description = "It is not pending any more, or has expired"),
    )
)]
pub(crate) async fn void(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, step(&api, &request, payload, &id, Verb::Void)).await
}

/// Undoes what was posted, or a part of it, by postings the other way round.
#[utoipa::path(
    post, path = "/v1/transactions/{id}/reverse", tag = "transactions", operation_id = "reverseTransaction",
    params(
        ("id" = wire::texts::TransactionId, Path, description = "txn_…, posted"),
        ("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect"),
    ),
    request_body(content = wire::Reverse),
    responses(
        (status = 200, description = "A dry run: this would be reversed", body = wire::Transaction),
        (status = 201, description = "Reversed", body = wire::Transaction),
        (status = 404, description = "No such transaction"),
        (status = 409, description = "It was not posted, or nothing of it remains"),
        (status = 422, description = "More than remains, or refused by a limit, or a field is wrong"),
    )
)]
pub(crate) async fn reverse(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, step(&api, &request, payload, &id, Verb::Reverse)).await
}

/// One transaction, and what has become of it.
#[utoipa::path(
    get, path = "/v1/transactions/{id}", tag = "transactions", operation_id = "getTransaction",
    params(("id" = wire::texts::TransactionId, Path, description = "txn_…")),
    responses(
        (status = 200, description = "The transaction", body = wire::Transaction),
        (status = 404, description = "No such transaction"),
    )
)]
pub(crate) async fn read_one(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let id: TransactionId = id
            .parse()
            .map_err(|_malformed| Problem::new(Code::NotFound))?;
        let found = api.engine.read(move |connection| {
            let found = ledger::posted(connection, tenant, &[id])?;
            let Some(posted) = ledger::with_current_metadata(connection, tenant, found)?.pop()
            else {
                return Ok(None);
            };
            // Only these two can have either.
            let holds = match posted.step {
                Step::Pending => ledger::holds(connection, tenant, &posted)?,
                Step::Posted | Step::Settlement | Step::Void | Step::Expiry | Step::Reversal => {
                    Vec::new()
                }
            };
            let corrections = match posted.step {
                Step::Posted | Step::Settlement => ledger::corrections(connection, tenant, id)?,
                Step::Pending | Step::Void | Step::Expiry | Step::Reversal => Vec::new(),
            };
            Ok(Some((posted, holds, corrections)))
        });
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let (posted, holds, corrections) = found.ok_or_else(|| Problem::new(Code::NotFound))?;
        let shown = render::transaction_now(&posted, &holds, &corrections);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}

async fn step(
    api: &Api,
    request: &HttpRequest,
    payload: Payload,
    id: &str,
    verb: Verb,
) -> Result<HttpResponse, Problem> {
    let mut asked = api.money_request(request, payload).await?;
    let id: TransactionId = id
        .parse()
        .map_err(|_malformed| Problem::new(Code::TransactionNotFound))?;
    let mut fields = Fields::of(std::mem::take(&mut asked.body));
    let wish = wish(verb, &mut fields);
    let dry_run = dry_run(&mut fields);
    let (wish, dry_run) = fields.finish((wish, dry_run))?;
    let action = wish?.about(id);
    let request = asked.trying(dry_run);
    api.submit(request, Transact(action), render::made, render::tell)
        .await
}
