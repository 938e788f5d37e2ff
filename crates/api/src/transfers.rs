//! `/v1/transfers`: money from wallet to wallet, in one commit.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::transfers::Transfer;
use ledger::{AccountId, Description};
use money::{Amount, Currency, Money};

use crate::currencies::Currencies;
use crate::problem::Problem;
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{Fields, Object, amount, guarded, id, nullable};
use crate::{render, wire};

/// Moves money from one wallet to another.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "transfers", operation_id = "createTransfer",
    params(("Idempotency-Key" = String, Header, description = "Names this request: sent again, it has no second effect")),
    request_body(content = wire::NewTransfer),
    responses(
        (status = 201, description = "Posted", body = wire::Transfer),
        (status = 404, description = "No such account"),
        (status = 422, description = "Refused by a rule of the ledger, or a field is wrong"),
    )
)]
pub(crate) async fn create(api: Data<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    answer(&request, async {
        let asked = api.money_request(&request, payload).await?;
        let known = api.currencies(&asked).await?;
        let command = read(asked.body.clone(), &known)?;
        api.submit(asked, command, render::transfer_made, render::tell)
            .await
    })
    .await
}

fn read(body: Object, known: &Currencies) -> Result<Transfer, Problem> {
    let mut fields = Fields::of(body);
    let from = fields.required("from", id("acc_"));
    let to = fields.required("to", id("acc_"));
    let units = fields.required("amount", amount);
    let unit = fields.required("currency", |value| known.read(value));
    let description = fields.optional("description", nullable(guarded(Description::parse)));
    let (from, to, units, currency, description) =
        fields.finish((from, to, units, unit, description))?;
    Ok(Transfer {
        from: AccountId::from_bytes(from),
        to: AccountId::from_bytes(to),
        money: money(units, currency)?,
        description: description.flatten(),
    })
}

/// `units` has passed the reader of amounts.
pub(crate) fn money(units: i64, currency: Currency) -> Result<Money, Problem> {
    let wrong = |error: money::AmountError| {
        Problem::new(crate::problem::Code::InvalidField)
            .with_detail(error.to_string())
            .at("/amount")
    };
    Ok(Money {
        amount: Amount::new(units).map_err(wrong)?,
        currency,
    })
}
