//! `/v1/accounts`: open, read, balances, entries; and their changes.

pub(crate) mod changes;
pub(crate) mod pending;
pub(crate) mod times;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::accounts::OpenAccount;
use ledger::{
    Account, AccountClass, AccountCode, AccountId, AccountName, Limits, LimitsError, NewAccount,
    NormalSide,
};
use money::MinorUnits;

use crate::currencies::Currencies;
use crate::cursor::Cursor;
use crate::metadata::kept;
use crate::problem::{Code, Problem};
use crate::query::{PageQuery, page};
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{
    FieldError, Fields, Object, Reading, Slot, Value, choice, guarded, integer, nullable,
};
use crate::{render, respond, wire};

/// Opens an account with nothing on it.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", operation_id = "openAccount",
    request_body(content = wire::NewAccount),
    responses(
        (status = 201, description = "Opened", body = wire::Account),
        (status = 409, description = "The code is taken"),
        (status = 422, description = "A field is wrong"),
    )
)]
pub(crate) async fn open(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let mut asked = api.request(&request, payload).await?;
        let known = api.currencies(&asked).await?;
        let command = OpenAccount(read(std::mem::take(&mut asked.body), &known)?);
        api.submit(asked, command, render::account_opened, render::tell)
            .await
    })
    .await
}

/// Accounts, newest first.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "accounts", operation_id = "listAccounts",
    params(("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, description = "A page", body = wire::Page<wire::Account>))
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let wanted = PageQuery::of(&request)?;
        let before = wanted.cursor.map(|cursor| AccountId::from_bytes(cursor.id));
        let more = i64::from(wanted.limit).saturating_add(1);
        let found = api
            .engine
            .read(move |connection| ledger::accounts(connection, tenant, before, more))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        let cursor = |account: &Account| Cursor {
            id: account.id.bytes(),
            position: None,
        };
        let page = page(found, &wanted, render::account, cursor);
        Ok(respond::json(StatusCode::OK, &page))
    })
    .await
}

/// One account.
#[utoipa::path(
    get, path = "/v1/accounts/{id}", tag = "accounts", operation_id = "getAccount",
    params(("id" = wire::texts::AccountId, Path, description = "acc_…")),
    responses(
        (status = 200, description = "The account", body = wire::Account),
        (status = 404, description = "No such account"),
    )
)]
pub(crate) async fn read_one(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let account = find(&api, &request, &id).await?;
        Ok(respond::json(StatusCode::OK, &render::account(&account)))
    })
    .await
}

/// An account's balances.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/balances", tag = "accounts", operation_id = "getAccountBalances",
    params(("id" = wire::texts::AccountId, Path, description = "acc_…")),
    responses(
        (status = 200, description = "Its balances", body = wire::Balances),
        (status = 404, description = "No such account"),
    )
)]
pub(crate) async fn balances(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let account = find(&api, &request, &id).await?;
        Ok(respond::json(StatusCode::OK, &render::balances(&account)))
    })
    .await
}

/// An account's entries, newest first.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/entries", tag = "accounts", operation_id = "listAccountEntries",
    params(
        ("id" = wire::texts::AccountId, Path, description = "acc_…"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = wire::Page<wire::Entry>),
        (status = 404, description = "No such account"),
    )
)]
pub(crate) async fn entries(
    api: Data<Api>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let wanted = PageQuery::of(&request)?;
        let account = find(&api, &request, &id).await?;
        let (of, before) = (account.id, wanted.cursor.and_then(|cursor| cursor.position));
        let more = i64::from(wanted.limit).saturating_add(1);
        let found = api
            .engine
            .read(move |connection| ledger::entries(connection, tenant, of, before, more))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        let cursor = |entry: &ledger::Entry| Cursor {
            id: of.bytes(),
            position: Some(entry.version),
        };
        let page = page(found, &wanted, render::entry, cursor);
        Ok(respond::json(StatusCode::OK, &page))
    })
    .await
}

/// A foreign id, a malformed one and an absent one have the same answer.
async fn find(api: &Api, request: &HttpRequest, id: &str) -> Result<Account, Problem> {
    let tenant = api.caller(request).await?.tenant.id;
    let id: AccountId = id
        .parse()
        .map_err(|_malformed| Problem::new(Code::NotFound))?;
    let found = api
        .engine
        .read(move |connection| ledger::account(connection, tenant, id))
        .await;
    let found = found.map_err(|error| respond::unavailable(&error))?;
    found.ok_or_else(|| Problem::new(Code::NotFound))
}

fn read(body: Object, known: &Currencies) -> Result<NewAccount, Problem> {
    let mut fields = Fields::of(body);
    let code = fields.required("code", guarded(AccountCode::parse));
    let name = fields.optional("name", nullable(guarded(AccountName::parse)));
    let unit = fields.required("currency", |value| known.read(value));
    let classes = AccountClass::ALL.map(|class| (class.name(), class));
    let class = fields.optional("class", choice(&classes));
    let sides = [("debit", NormalSide::Debit), ("credit", NormalSide::Credit)];
    let side = fields.optional("normal_side", choice(&sides));
    // Absent: no overdraft. Null: no limit.
    let floor = fields.optional("floor", nullable(limit())).or(Some(0));
    let ceiling = fields.optional("ceiling", nullable(limit())).or(None);
    let credit_line = fields.optional("credit_line", nullable(line())).or(None);
    let metadata = fields.optional("metadata", nullable(kept));
    let slots = (
        code,
        name,
        unit,
        Slot::together((class, side)),
        Slot::together((floor, ceiling, credit_line)),
        metadata,
    );
    let (code, name, currency, nature, (floor, ceiling, credit_line), metadata) =
        fields.finish(slots)?;
    let class = match nature {
        (Some(class), Some(side)) if class.normal_side() != side => return Err(contradiction()),
        (Some(class), Some(_) | None) => class,
        (None, side) => AccountClass::of(&code, side.unwrap_or(NormalSide::Credit)),
    };
    Ok(NewAccount {
        name: (name.flatten()).unwrap_or_else(|| AccountName::trusted(code.as_str())),
        class,
        code,
        currency,
        limits: limits(floor, ceiling, credit_line)?,
        metadata: metadata.flatten().flatten(),
    })
}

/// Reads a balance that is not to be passed.
fn limit() -> impl FnOnce(Value) -> Reading<i64> {
    integer(i64::MIN..=i64::MAX)
}

/// Reads a credit line.
fn line() -> impl FnOnce(Value) -> Reading<i64> {
    integer(0..=i64::MAX)
}

fn limits(
    floor: Option<i64>,
    ceiling: Option<i64>,
    credit_line: Option<i64>,
) -> Result<Limits, Problem> {
    let of = |limit: Option<i64>| limit.map(MinorUnits::new);
    Limits::new(of(floor), of(ceiling), of(credit_line)).map_err(|rule| {
        let field = match rule {
            LimitsError::NegativeCreditLine => "credit_line",
            LimitsError::CeilingBelowFloor => "ceiling",
        };
        let error = FieldError::here(rule.code(), rule.to_string());
        Problem::invalid_fields(vec![error.below(field)])
    })
}

fn contradiction() -> Problem {
    let detail = "The class has the other normal side. One of the two fields is enough.";
    let error = FieldError::here("contradicts_class", detail);
    Problem::invalid_fields(vec![error.below("normal_side")])
}
