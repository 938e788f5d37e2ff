//! Transactions by what is known of them.

use edge::cursor::Cursor;
use edge::query::{Parameters, bad_parameter, foreign_cursor, in_order};
use edge::route::Parameter;
use edge::{Page, Problem, Response, Shape};
use ledger::{
    ExternalId, HoldStatus, Kind, Metadata, MetadataKey, Place, Search, Told, TransactionId,
};
use money::Currency;
use store::TenantId;

use crate::query::{labels, subtree};
use crate::server::{Api, Call, Routes, Shared};
use crate::wire::texts;
use crate::{render, respond, wire};

/// The names of the parameters that ask for a text of metadata, and for its beginning.
const TEXT: Shape = Shape::pattern(r"^metadata\.[A-Za-z0-9_.-]{1,40}$");
const PREFIX: Shape = Shape::pattern(r"^metadata_prefix\.[A-Za-z0-9_.-]{1,40}$");
/// Keys of metadata, separated by commas.
const KEYS: Shape = Shape::pattern("^[A-Za-z0-9_.-]{1,40}(,[A-Za-z0-9_.-]{1,40}){0,49}$");

/// The route that searches.
pub(crate) fn routes(r: &mut Routes) {
    let text = Shape::text(0, texts::METADATA.longest);
    // Every text begins with nothing.
    let beginning = Shape::text(1, texts::METADATA.longest);
    r.get(
        "/v1/transactions",
        "listTransactions",
        "Transactions, latest first, of which all that is given is so.",
        list,
    )
    .more("A page reads at most 2,000 rows: it may be shorter than its limit, or empty, and yet have a\n`next_cursor`. Only null means the end. The latest is what was recorded last; with `effective_from` or\n`effective_to`, and neither an account nor `metadata.KEY`, what happened last.")
    .query("external_id", texts::ShortText::SHAPE, "It bears this name of yours: one at most")
    .query("account", texts::AccountId::SHAPE, "acc_…: it has an entry on this account")
    .query("code_prefix", texts::AccountCode::SHAPE, "It has an entry on the account with this code, or on one below it")
    .query("kind", texts::Kind::SHAPE, "What it is for")
    .query("status", texts::TransactionStatus::SHAPE, "What has become of it, as GET /v1/transactions/{id} says")
    .query("currency", texts::CurrencyCode::SHAPE, "It has a posting in this currency or asset")
    .query("from", texts::AskedMoment::SHAPE, "RFC 3339: it was recorded then or later")
    .query("to", texts::AskedMoment::SHAPE, "RFC 3339: it was recorded before")
    .query("effective_from", texts::AskedMoment::SHAPE, "RFC 3339: it happened then or later")
    .query("effective_to", texts::AskedMoment::SHAPE, "RFC 3339: it happened before")
    .query_by_key(Parameter::by_key(
        "metadata",
        "Its metadata has this text under KEY; may be given for several keys",
        [TEXT, text],
        Metadata::MOST_ENTRIES,
    ))
    .query_by_key(Parameter::by_key(
        "metadata_prefix",
        "Its metadata has a text under KEY that begins so; may be given for several keys",
        [PREFIX, beginning],
        Metadata::MOST_ENTRIES,
    ))
    .query("metadata_present", KEYS, "Its metadata has this key, whatever the text; several keys are separated by commas")
    .query("amount_min", texts::Amount::SHAPE, "It has a posting of at least so many minor units")
    .query("amount_max", texts::Amount::SHAPE, "It has a posting of at most so many minor units; the same one as amount_min, currency and account say")
    .page()
    .gives_page::<wire::Transaction>("A page. It may be shorter than its limit, even empty, and have a next_cursor all the same")
    .refuses(400, "A parameter is wrong", &[]);
}

async fn list(api: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let asked = &call.query;
    let (mut search, wanted) = (search(asked)?, asked.page()?);
    search.currency = currency(&api, tenant, asked).await?;
    let after = wanted.cursor.map(place).transpose()?;
    let limit = usize::from(wanted.limit);
    let found = api
        .engine
        .read(move |connection| {
            let mut found = ledger::search(connection, tenant, &search, after, limit)?;
            found.transactions =
                ledger::with_current_metadata(connection, tenant, found.transactions)?;
            Ok(found)
        })
        .await
        .map_err(|error| respond::unavailable(&error))?;
    let page = Page {
        next_cursor: found.next.map(|place| wanted.next(cursor(place))),
        data: found
            .transactions
            .iter()
            .map(render::transaction_made)
            .collect(),
    };
    Ok(Response::json(200, &page))
}

fn search(asked: &Parameters) -> Result<Search, Problem> {
    let no_account = "an account is acc_ and 32 hexadecimal digits";
    let no_kind = "a kind is 1 to 32 of a-z, 0-9 and _, and begins with a letter";
    let no_status = "it is pending, posted, voided or expired";
    let search = Search {
        external_id: asked
            .guarded("external_id", |text| ExternalId::parse(text))?
            .map(String::from),
        account: asked.read("account", "malformed_id", no_account, |text| {
            text.parse().ok()
        })?,
        subtree: subtree(asked, "code_prefix")?.map(String::from),
        kind: asked.read("kind", "malformed_kind", no_kind, |text| {
            Kind::parse(text).ok()
        })?,
        status: asked.read("status", "unknown_value", no_status, status)?,
        from: asked.moment("from")?,
        to: asked.moment("to")?,
        effective_from: asked.moment("effective_from")?,
        effective_to: asked.moment("effective_to")?,
        metadata: told(asked)?,
        currency: None,
        amount_min: asked.positive("amount_min")?,
        amount_max: asked.positive("amount_max")?,
    };
    in_order(("from", search.from.as_ref()), ("to", search.to.as_ref()))?;
    let (from, to) = (search.effective_from.as_ref(), search.effective_to.as_ref());
    in_order(("effective_from", from), ("effective_to", to))?;
    let (least, most) = (search.amount_min.as_ref(), search.amount_max.as_ref());
    in_order(("amount_min", least), ("amount_max", most))?;
    Ok(search)
}

fn status(text: &str) -> Option<HoldStatus> {
    let all = [
        HoldStatus::Pending,
        HoldStatus::Posted,
        HoldStatus::Voided,
        HoldStatus::Expired,
    ];
    all.into_iter().find(|status| status.name() == text)
}

/// The filters on metadata, by key.
fn told(asked: &Parameters) -> Result<Vec<(String, Told)>, Problem> {
    let texts = labels(asked, "metadata.")?.into_iter();
    let texts = texts.map(|(key, text)| (key.into(), Told::Text(text.into())));
    let mut told: Vec<(String, Told)> = texts.collect();
    for (key, text) in labels(asked, "metadata_prefix.")? {
        let (key, begin) = (String::from(key), String::from(text));
        if begin.is_empty() {
            let name = format!("metadata_prefix.{key}");
            let detail = "every text begins with nothing: metadata_present asks for the key alone";
            return Err(bad_parameter(&name, "too_short", detail));
        }
        let contradicts = |(asked, told): &(String, Told)| match told {
            Told::Text(text) => *asked == key && !text.starts_with(&begin),
            Told::Prefix(_) | Told::Something => false,
        };
        if told.iter().any(contradicts) {
            let name = format!("metadata_prefix.{key}");
            let detail = "the text that is asked for under this key does not begin so";
            return Err(bad_parameter(&name, "contradiction", detail));
        }
        told.push((key, Told::Prefix(begin)));
    }
    let keys = asked.text("metadata_present").into_iter();
    for key in keys.flat_map(|keys| keys.split(',')) {
        let detail = "a key of metadata is 1 to 40 of A-Z, a-z, 0-9, _, - and .; several are separated by commas";
        let key = MetadataKey::parse(key)
            .map_err(|rule| bad_parameter("metadata_present", rule.code(), detail))?;
        told.push((key.into(), Told::Something));
    }
    if told.len() > Metadata::MOST_ENTRIES {
        let families = ["metadata_present", "metadata_prefix.", "metadata."];
        let mut given = families.into_iter();
        let given = given.find(|name| asked.text(name).is_some() || !asked.below(name).is_empty());
        let detail = "no metadata has so many entries";
        return Err(bad_parameter(
            given.unwrap_or("metadata."),
            "too_many",
            detail,
        ));
    }
    Ok(told)
}

/// A currency by its code: also one that is no longer used, because what was recorded stays.
async fn currency(
    api: &Api,
    tenant: TenantId,
    asked: &Parameters,
) -> Result<Option<Currency>, Problem> {
    let Some(code) = asked.text("currency").map(str::to_owned) else {
        return Ok(None);
    };
    let of_iso = Currency::from_stored(&code).ok();
    if let Some(known) = of_iso.filter(|known| !known.is_custom()) {
        return Ok(Some(known));
    }
    let mut registered = None;
    if Currency::custom(&code, 0).is_ok() {
        let found = api
            .engine
            .read(move |connection| ledger::asset(connection, tenant, &code))
            .await;
        registered = found.map_err(|error| respond::unavailable(&error))?;
    }
    let detail = "it is the code of a currency, as EUR, or of an asset that you have registered";
    match registered {
        Some(asset) => Ok(Some(asset.currency)),
        None => Err(bad_parameter("currency", "unknown_currency", detail)),
    }
}

fn cursor(place: Place) -> Cursor {
    Cursor {
        id: place.id.bytes(),
        position: Some(place.at),
    }
}

fn place(cursor: Cursor) -> Result<Place, Problem> {
    let at = cursor.position.ok_or_else(foreign_cursor)?;
    let id = TransactionId::from_bytes(cursor.id);
    Ok(Place { at, id })
}
