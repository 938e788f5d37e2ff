//! `/v1/assets`: the custom assets of a tenant.

use edge::cursor::Cursor;
use edge::query::foreign_cursor;
use edge::strict_json::{Body, FieldError, Slot, integer, nullable, object, prose, text};
use edge::{Call, Problem, Reader, Response, Routes, Shared, page};
use ledger::{Asset, AssetName, NewAsset};
use money::{AssetError, Currency};

use super::{RegisterAsset, show};
use crate::{code, shapes, show_refusal};

/// Every route of assets.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "assets",
        "Custom assets, which accounts may hold besides the currencies of ISO 4217",
    );
    r.post(
        "/v1/assets",
        "registerAsset",
        "Registers a custom asset. The exponent of its code never changes.",
        register,
    )
    .body(|known| new_asset().describe(known))
    .gives::<show::Asset>(201, "The asset was registered")
    .refuses(409, "The code is registered already", &[code::ASSET_EXISTS])
    .refuses(
        422,
        "A field is wrong, or the code is a code of ISO 4217",
        &[],
    );
    r.get(
        "/v1/assets",
        "listAssets",
        "Lists the registered assets, by code.",
        list,
    )
    .page()
    .gives_page::<show::Asset>("A page of assets");
    r.get(
        "/v1/assets/{code}",
        "getAsset",
        "Reads one registered asset.",
        read_one,
    )
    .segment("code", shapes::CurrencyCode::SHAPE, "The code of the asset")
    .gives::<show::Asset>(200, "The asset")
    .refuses(404, "No such asset", &[]);
}

async fn register(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let command = RegisterAsset(submission.read_by(&new_asset())?);
    state
        .submit(submission, command, show::made, show_refusal)
        .await
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let after = wanted.cursor.map(code_of).transpose()?;
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| ledger::assets(connection, tenant, after.as_deref(), more))
        .await?;
    let page = page(found, &wanted, show::asset, cursor);
    Ok(Response::json(200, &page))
}

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let absent = || Problem::new(code::NOT_FOUND);
    let code = call.segment("code").to_owned();
    // A text that cannot be the code of an asset is not found.
    Currency::custom(&code, 0).map_err(|_malformed| absent())?;
    let found = state
        .read(move |connection| ledger::asset(connection, tenant, &code))
        .await?;
    let asset = found.ok_or_else(absent)?;
    Ok(Response::json(200, &show::asset(&asset)))
}

/// Reads the body that registers an asset.
fn new_asset() -> impl Body<Out = NewAsset> {
    object("NewAsset", "Registers an asset.", |fields| {
        let code = text(1, 255, shapes::CurrencyCode::SHAPE);
        let code = fields.required(
            "code",
            code.says(
                "The code: 3 to 10 upper-case letters and digits, beginning with a letter. Codes of ISO 4217 are refused.",
            ),
        );
        let exponent = integer(shapes::Exponent::SHAPE);
        let exponent = fields.required(
            "exponent",
            exponent
                .says("The number of decimal places of the minor unit, 0 to 18. It never changes."),
        );
        let name = prose::<AssetName>(shapes::ShortText::SHAPE);
        let name = nullable(
            name.says("The name for people, at most 255 characters; the code, if absent."),
        );
        let name = fields.optional("name", name);
        Slot::together((code, exponent, name)).check(|(code, exponent, name)| {
            // A number that does not fit into a byte becomes 255, which is above the greatest exponent.
            let exponent = u8::try_from(exponent).unwrap_or(u8::MAX);
            NewAsset::new(&code, exponent, name.flatten()).map_err(|rule| {
                let field = match rule {
                    AssetError::Malformed | AssetError::TakenByIso => "code",
                    AssetError::TooPrecise => "exponent",
                };
                vec![FieldError::here(rule.code(), rule.to_string()).below(field)]
            })
        })
    })
}

/// The cursor of the last asset of a page: its code, padded with zero bytes, stands in place of an id.
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
