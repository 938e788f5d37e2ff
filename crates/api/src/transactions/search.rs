//! Transactions by what is known of them.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use ledger::{Kind, Posted, Search, TransactionId};

use crate::cursor::Cursor;
use crate::problem::Problem;
use crate::query::{Parameters, in_order, page};
use crate::request::answer;
use crate::server::Api;
use crate::{render, respond, wire};

const KNOWN: [&str; 10] = [
    "account",
    "code_prefix",
    "kind",
    "from",
    "to",
    "metadata.",
    "amount_min",
    "amount_max",
    "limit",
    "cursor",
];

/// Transactions, newest first, of which all that is given is so.
#[utoipa::path(
    get, path = "/v1/transactions", tag = "transactions", operation_id = "listTransactions",
    params(
        ("account" = Option<wire::texts::AccountId>, Query, description = "acc_…: it has an entry on this account"),
        ("code_prefix" = Option<wire::texts::AccountCode>, Query, description = "It has an entry on the account with this code, or on one below it"),
        ("kind" = Option<wire::texts::Kind>, Query, description = "What it is for"),
        ("from" = Option<wire::texts::NewMoment>, Query, description = "RFC 3339: it was recorded then or later"),
        ("to" = Option<wire::texts::NewMoment>, Query, description = "RFC 3339: it was recorded before"),
        ("metadata.KEY" = Option<String>, Query, description = "Its metadata has this text under KEY; may be given for several keys"),
        ("amount_min" = Option<wire::texts::Amount>, Query, description = "It has a posting of at least so many minor units"),
        ("amount_max" = Option<wire::texts::Amount>, Query, description = "It has a posting of at most so many minor units"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = wire::Page<wire::Transaction>),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let asked = Parameters::of(&request, &KNOWN)?;
        let (search, wanted) = (search(&asked)?, asked.page()?);
        let before = wanted
            .cursor
            .map(|cursor| TransactionId::from_bytes(cursor.id));
        let more = i64::from(wanted.limit).saturating_add(1);
        let found = api
            .engine
            .read(move |connection| ledger::search(connection, tenant, &search, before, more))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        let cursor = |posted: &Posted| Cursor {
            id: posted.id.bytes(),
            position: None,
        };
        let page = page(found, wanted.limit, render::transaction_made, cursor);
        Ok(respond::json(StatusCode::OK, &page))
    })
    .await
}

fn search(asked: &Parameters) -> Result<Search, Problem> {
    let no_account = "an account is acc_ and 32 hexadecimal digits";
    let no_kind = "a kind is 1 to 32 of a-z, 0-9 and _, and begins with a letter";
    let labels = asked.labels("metadata.")?.into_iter();
    let labels = labels.map(|(key, value)| (key.into(), value.into()));
    let search = Search {
        account: asked.read("account", "malformed_id", no_account, |text| {
            text.parse().ok()
        })?,
        subtree: asked.subtree("code_prefix")?.map(String::from),
        kind: asked.read("kind", "malformed_kind", no_kind, |text| {
            Kind::parse(text).ok()
        })?,
        from: asked.moment("from")?,
        to: asked.moment("to")?,
        metadata: labels.collect(),
        amount_min: asked.integer("amount_min", 1..=i64::MAX)?,
        amount_max: asked.integer("amount_max", 1..=i64::MAX)?,
    };
    in_order(("from", search.from.as_ref()), ("to", search.to.as_ref()))?;
    let (least, most) = (search.amount_min.as_ref(), search.amount_max.as_ref());
    in_order(("amount_min", least), ("amount_max", most))?;
    Ok(search)
}
