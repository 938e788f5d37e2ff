//! What is pending on an account, beside its balances.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use ledger::AccountId;

use crate::cursor::Cursor;
use crate::problem::{Code, Problem};
use crate::query::{PageQuery, foreign_cursor};
use crate::request::answer;
use crate::server::Api;
use crate::{render, respond, wire};

/// The pending holds of an account, newest first, with its balances in one snapshot.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/pending", tag = "accounts",
    operation_id = "listPending",
    params(
        ("id" = wire::texts::AccountId, Path, description = "acc_…"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = wire::PendingPage),
        (status = 404, description = "No such account"),
    )
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let wanted = PageQuery::of(&request)?;
        let id: AccountId = id
            .parse()
            .map_err(|_malformed| Problem::new(Code::NotFound))?;
        let before = match wanted.cursor {
            None => None,
            Some(cursor) if cursor.id == id.bytes() && cursor.position.is_some() => cursor.position,
            Some(_) => return Err(foreign_cursor()),
        };
        let limit = usize::from(wanted.limit);
        let found = api.engine.read(move |connection| {
            let Some(account) = ledger::account(connection, tenant, id)? else {
                return Ok(None);
            };
            let told = ledger::outstanding(connection, tenant, &account, before, limit)?;
            Ok(Some((account, told)))
        });
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let (account, (held, next)) = found.ok_or_else(|| Problem::new(Code::NotFound))?;
        let next_cursor = next.map(|version| {
            wanted.next(Cursor {
                id: id.bytes(),
                position: Some(version),
            })
        });
        let shown = render::pending_page(&account, &held, next_cursor);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}
