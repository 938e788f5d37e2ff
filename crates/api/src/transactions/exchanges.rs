//! `/v1/exchanges`: one currency for another, at a rate that is recorded.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::transactions::{Action, Swap, Transact};
use ledger::{AccountId, Leg, Quote, Rate, RateSource, TransactionId};
use money::Rounding;

use super::draft::{conditions, details, dry_run, one_of, positive};
use crate::problem::{Code, Problem};
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{
    FieldError, Fields, Reading, Slot, Value, checked, choice, guarded, id, moment, text,
};
use crate::{render, respond, wire};

/// Exchanges one currency for another, through a liquidity account of each.
#[utoipa::path(
    post, path = "/v1/exchanges", tag = "exchanges", operation_id = "createExchange",
    params(("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect")),
    request_body(content = wire::NewExchange),
    responses(
        (status = 200, description = "A dry run: this would be exchanged", body = wire::Exchange),
        (status = 201, description = "Exchanged", body = wire::Exchange),
        (status = 404, description = "No such account"),
        (status = 409, description = "The external id is taken, an account frozen or closed or at another version, the period closed"),
        (status = 422, description = "Refused by a rule of the ledger, or a field is wrong"),
    )
)]
pub(crate) async fn create(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let mut asked = api.money_request(&request, payload).await?;
        let mut fields = Fields::of(std::mem::take(&mut asked.body));
        let swap = swap(&mut fields);
        let dry_run = dry_run(&mut fields);
        let (swap, dry_run) = fields.finish((swap, dry_run))?;
        let action = Action::Exchange(swap?);
        let request = asked.trying(dry_run);
        api.submit(request, Transact(action), render::made, render::tell)
            .await
    })
    .await
}

/// One exchange, by the transaction that made it.
#[utoipa::path(
    get, path = "/v1/exchanges/{id}", tag = "exchanges", operation_id = "getExchange",
    params(("id" = wire::texts::TransactionId, Path, description = "txn_…, the transaction that made it")),
    responses(
        (status = 200, description = "The exchange", body = wire::Exchange),
        (status = 404, description = "No such exchange"),
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
            let posted = ledger::posted(connection, tenant, &[id])?;
            let posted = ledger::with_current_metadata(connection, tenant, posted)?.pop();
            let exchange = ledger::exchanges(connection, tenant, &[id])?.pop();
            Ok(posted.zip(exchange))
        });
        let found = found.await.map_err(|error| respond::unavailable(&error))?;
        let (posted, exchange) = found.ok_or_else(|| Problem::new(Code::NotFound))?;
        let shown = render::exchange(&posted, &exchange, false);
        Ok(respond::json(StatusCode::OK, &shown))
    })
    .await
}

/// The fields that only an exchange has, and no other transaction.
pub(super) const OWN_FIELDS: [&str; 9] = [
    "from",
    "to",
    "sold_to",
    "bought_from",
    "sell",
    "buy",
    "rate",
    "source",
    "quoted_at",
];

/// The fields of an exchange; each is good, but not yet that one of `sell` and `buy` is there.
pub(super) fn swap(fields: &mut Fields) -> Slot<Reading<Swap>> {
    let mut account = |name: &str| {
        let read = fields.required(name, id("acc_"));
        read.map(AccountId::from_bytes)
    };
    let accounts = (
        account("from"),
        account("to"),
        account("sold_to"),
        account("bought_from"),
    );
    let sell = fields.optional("sell", positive);
    let buy = fields.optional("buy", positive);
    let quote = quote(fields);
    let conditions = conditions(fields);
    let details = details(fields);
    let slots = (
        Slot::together(accounts),
        Slot::together((sell, buy)),
        quote,
        conditions,
        details,
    );
    Slot::together(slots).map(|(accounts, (sell, buy), quote, conditions, details)| {
        let sell = sell.map(|amount| (amount, Leg::Sold));
        let buy = buy.map(|amount| (amount, Leg::Bought));
        let of = one_of("sell", sell, "buy", buy);
        let (amount, given) = of.map_err(|wrong| below("sell", wrong))?;
        let (from, to, sold_to, bought_from) = accounts;
        Ok(Swap {
            from,
            to,
            sold_to,
            bought_from,
            amount,
            given,
            quote,
            conditions,
            details,
        })
    })
}

fn quote(fields: &mut Fields) -> Slot<Quote> {
    let rate = fields.required("rate", rate);
    let modes = Rounding::ALL.map(|mode| (mode.name(), mode));
    let rounding = fields.optional("rounding", choice(&modes));
    let source = fields.required("source", guarded(RateSource::parse));
    let quoted_at = fields.required("quoted_at", moment);
    let slots = (rate, rounding.or(Rounding::default()), source, quoted_at);
    Slot::together(slots).map(|(rate, rounding, source, quoted_at)| Quote {
        rate,
        rounding,
        source,
        quoted_at,
    })
}

/// A rate is a text: no number of JSON is a decimal to every reader.
fn rate(value: Value) -> Reading<Rate> {
    let parse = |text: String| {
        let wrong = |rule: ledger::RateError| ("malformed_rate", rule.to_string());
        Rate::parse(&text).map_err(wrong)
    };
    checked(text(1..=40), parse)(value)
}

fn below(name: &str, wrong: Vec<FieldError>) -> Vec<FieldError> {
    wrong.into_iter().map(|error| error.below(name)).collect()
}
