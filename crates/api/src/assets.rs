//! `/v1/assets`: what a tenant's accounts may hold besides the currencies of ISO 4217.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use books::assets::RegisterAsset;
use ledger::{Asset, AssetName, NewAsset};
use money::{AssetError, Currency};

use crate::cursor::Cursor;
use crate::problem::{Code, Problem};
use crate::query::{PageQuery, foreign_cursor, page};
use crate::request::answer;
use crate::server::Api;
use crate::strict_json::{FieldError, Fields, Object, guarded, integer, nullable, text};
use crate::{render, respond, wire};

/// Registers a custom asset. Its code keeps its exponent for ever.
#[utoipa::path(
    post, path = "/v1/assets", tag = "assets", operation_id = "registerAsset",
    request_body(content = wire::NewAsset),
    responses(
        (status = 201, description = "Registered", body = wire::Asset),
        (status = 409, description = "The code is registered already"),
        (status = 422, description = "A field is wrong, or the code is one of ISO 4217"),
    )
)]
pub(crate) async fn register(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    answer(&request, async {
        let mut asked = api.request(&request, payload).await?;
        let command = RegisterAsset(read(std::mem::take(&mut asked.body))?);
        api.submit(asked, command, render::asset_registered, render::tell)
            .await
    })
    .await
}

/// Registered assets, by code.
#[utoipa::path(
    get, path = "/v1/assets", tag = "assets", operation_id = "listAssets",
    params(("limit" = Option<u16>, Query, description = "1 to 100, 25 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, description = "A page", body = wire::Page<wire::Asset>))
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let wanted = PageQuery::of(&request)?;
        let after = wanted.cursor.map(code_of).transpose()?;
        let more = i64::from(wanted.limit).saturating_add(1);
        let found = api
            .engine
            .read(move |connection| ledger::assets(connection, tenant, after.as_deref(), more))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        let page = page(found, &wanted, render::asset, cursor);
        Ok(respond::json(StatusCode::OK, &page))
    })
    .await
}

/// One registered asset.
#[utoipa::path(
    get, path = "/v1/assets/{code}", tag = "assets", operation_id = "getAsset",
    params(("code" = wire::texts::CurrencyCode, Path, description = "Its code")),
    responses(
        (status = 200, description = "The asset", body = wire::Asset),
        (status = 404, description = "No such asset"),
    )
)]
pub(crate) async fn read_one(
    api: Data<Api>,
    request: HttpRequest,
    code: Path<String>,
) -> HttpResponse {
    answer(&request, async {
        let tenant = api.caller(&request).await?.tenant.id;
        let absent = || Problem::new(Code::NotFound);
        let code = code.into_inner();
        // Whatever no asset could be called, none is.
        Currency::custom(&code, 0).map_err(|_malformed| absent())?;
        let found = api
            .engine
            .read(move |connection| ledger::asset(connection, tenant, &code))
            .await
            .map_err(|error| respond::unavailable(&error))?;
        let asset = found.ok_or_else(absent)?;
        Ok(respond::json(StatusCode::OK, &render::asset(&asset)))
    })
    .await
}

fn read(body: Object) -> Result<NewAsset, Problem> {
    let mut fields = Fields::of(body);
    let code = fields.required("code", text(1..=255));
    let largest = i64::from(Currency::LARGEST_EXPONENT);
    let exponent = fields.required("exponent", integer(0..=largest));
    let name = fields.optional("name", nullable(guarded(AssetName::parse)));
    let (code, exponent, name) = fields.finish((code, exponent, name))?;
    // What does not fit is above the largest.
    let exponent = u8::try_from(exponent).unwrap_or(u8::MAX);
    NewAsset::new(&code, exponent, name.flatten()).map_err(|rule| {
        let field = match rule {
            AssetError::Malformed | AssetError::TakenByIso => "code",
            AssetError::TooPrecise => "exponent",
        };
        let error = FieldError::here(rule.code(), rule.to_string());
        Problem::invalid_fields(vec![error.below(field)])
    })
}

/// The last asset of a page: its code in the place of an id, filled up with zeros.
fn cursor(asset: &Asset) -> Cursor {
    let mut id = [0; 16];
    for (place, byte) in id.iter_mut().zip(asset.currency.code().bytes()) {
        *place = byte;
    }
    Cursor { id, position: None }
}

fn code_of(cursor: Cursor) -> Result<String, Problem> {
    let code = str::from_utf8(&cursor.id).unwrap_or_default();
    let code = code.trim_end_matches('\0');
    match Currency::custom(code, 0) {
        Ok(_) => Ok(code.to_owned()),
        Err(_) => Err(foreign_cursor()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use store::Timestamp;

    use super::*;

    #[test]
    fn a_page_goes_on_after_its_last_code() {
        let last = Asset {
            currency: Currency::custom("POINTS2030", 0).unwrap(),
            name: String::new(),
            created_at: Timestamp::from_micros(0),
        };
        let read = code_of(cursor(&last));
        assert_eq!(read.ok().as_deref(), Some("POINTS2030"));
        let of_another_list = Cursor {
            id: [7; 16],
            position: None,
        };
        assert!(code_of(of_another_list).is_err());
    }
}
