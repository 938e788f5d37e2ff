//! What may change of an account besides its balances: whether it takes postings, its limits, and what
//! is kept with it.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::accounts::{AccountChange, ChangeAccount};
use ledger::AccountId;

use super::{limit, limits, line};
use crate::metadata::kept;
use crate::problem::{Code, Problem};
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{Fields, Object, nullable};
use crate::{render, wire};

/// Lets an account take no postings for now.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/freeze", tag = "accounts", operation_id = "freezeAccount",
    params(("id" = wire::texts::AccountId, Path, description = "acc_…")),
    request_body(content = wire::Nothing),
    responses(
        (status = 200, description = "The account, frozen", body = wire::Account),
        (status = 404, description = "No such account"),
        (status = 409, description = "It is not open"),
    )
)]
pub(crate) async fn freeze(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    turn(&api, &request, payload, &id, AccountChange::Freeze).await
}

/// Lets a frozen account take postings again.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/unfreeze", tag = "accounts", operation_id = "unfreezeAccount",
    params(("id" = wire::texts::AccountId, Path, description = "acc_…")),
    request_body(content = wire::Nothing),
    responses(
        (status = 200, description = "The account, open", body = wire::Account),
        (status = 404, description = "No such account"),
        (status = 409, description = "It is not frozen"),
    )
)]
pub(crate) async fn unfreeze(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    turn(&api, &request, payload, &id, AccountChange::Unfreeze).await
}

/// Closes an account that holds nothing, for ever.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/close", tag = "accounts", operation_id = "closeAccount",
    params(("id" = wire::texts::AccountId, Path, description = "acc_…")),
    request_body(content = wire::Nothing),
    responses(
        (status = 200, description = "The account, closed", body = wire::Account),
        (status = 404, description = "No such account"),
        (status = 409, description = "It is closed already, or holds something"),
    )
)]
pub(crate) async fn close(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    turn(&api, &request, payload, &id, AccountChange::Close).await
}

/// Sets an account's limits, all three at once; or what is kept with it.
#[utoipa::path(
    patch, path = "/v1/accounts/{id}", tag = "accounts", operation_id = "updateAccount",
    params(("id" = wire::texts::AccountId, Path, description = "acc_…")),
    request_body(content = wire::AccountPatch),
    responses(
        (status = 200, description = "The account as it is now", body = wire::Account),
        (status = 404, description = "No such account"),
        (status = 409, description = "It is closed"),
        (status = 422, description = "A field is wrong"),
    )
)]
pub(crate) async fn patch(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    change(&api, &request, payload, &id, read).await
}

async fn turn(
    api: &Api,
    request: &HttpRequest,
    payload: Payload,
    id: &str,
    wanted: AccountChange,
) -> HttpResponse {
    let nothing = |body| {
        Fields::of(body).finish(())?;
        Ok(wanted)
    };
    change(api, request, payload, id, nothing).await
}

async fn change(
    api: &Api,
    request: &HttpRequest,
    payload: Payload,
    id: &str,
    read: impl FnOnce(Object) -> Result<AccountChange, Problem>,
) -> HttpResponse {
    answer(request, async {
        let mut asked = api.request(request, payload).await?;
        let id: AccountId = id
            .parse()
            .map_err(|_malformed| Problem::new(Code::NotFound))?;
        let change = read(std::mem::take(&mut asked.body))?;
        let command = ChangeAccount { id, change };
        api.submit(asked, command, render::account_changed, render::tell)
            .await
    })
    .await
}

/// Limits are set as a whole, so that nobody sets one beside another that has changed meanwhile.
fn read(body: Object) -> Result<AccountChange, Problem> {
    let is_about_metadata = body.get("metadata").is_some();
    let mut fields = Fields::of(body);
    if is_about_metadata {
        let metadata = fields.required("metadata", nullable(kept));
        let metadata = fields.finish(metadata)?;
        return Ok(AccountChange::SetMetadata(metadata.flatten()));
    }
    let floor = fields.required("floor", nullable(limit()));
    let ceiling = fields.required("ceiling", nullable(limit()));
    let credit_line = fields.required("credit_line", nullable(line()));
    let (floor, ceiling, credit_line) = fields.finish((floor, ceiling, credit_line))?;
    Ok(AccountChange::SetLimits(limits(
        floor,
        ceiling,
        credit_line,
    )?))
}
