//! The search for transactions.

use edge::cursor::Cursor;
use edge::query::{PageQuery, Query, bad_parameter, foreign_cursor, in_order, moment, positive};
use edge::route::Parameter;
use edge::strict_json::{BrokenRule, FieldError, Slot};
use edge::{Call, Page, Problem, Response, Routes, Shape, Shared, State};
use ledger::{
    AccountId, ExternalId, HoldStatus, Kind, Metadata, MetadataKey, MetadataMatch, MetadataValue,
    Place, Search, TransactionId,
};
use money::Currency;
use store::TenantId;

use crate::query::{labels, metadata_texts, rule, subtree};
use crate::shapes;
use crate::transactions::show;

/// The name of the parameter for the beginning of a text of metadata.
const PREFIX: Shape = Shape::pattern(r"^metadata_prefix\.[A-Za-z0-9_.-]{1,40}$");
/// Keys of metadata, separated by commas.
const KEYS: Shape = Shape::pattern("^[A-Za-z0-9_.-]{1,40}(,[A-Za-z0-9_.-]{1,40}){0,49}$");

/// The route that searches.
pub(crate) fn routes(r: &mut Routes) {
    r.get(
        "/v1/transactions",
        "listTransactions",
        "Lists the transactions that match all given parameters, latest first.",
        list,
    )
    .more("A page reads at most 2,000 rows. So it may be shorter than its limit, or empty, and still have a\n`next_cursor`: only null means the end. The latest transaction is the one that was recorded last. With\n`effective_from` or `effective_to`, and with neither `account` nor `metadata.KEY`, it is the one that\nhappened last.")
    .asks(|query| drop(search(query)))
    .gives_page::<show::Transaction>("A page of transactions. It may be shorter than its limit, or empty, and still have a `next_cursor`")
    .refuses(400, "A parameter is wrong", &[]);
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (mut search, code, wanted) = call.query.ask(search)?;
    search.currency = currency(&state, tenant, code).await?;
    let after = wanted.cursor.map(place).transpose()?;
    let limit = usize::from(wanted.limit);
    let found = state
        .read(move |connection| {
            let mut found = ledger::search(connection, tenant, &search, after, limit)?;
            found.transactions =
                ledger::with_current_metadata(connection, tenant, found.transactions)?;
            Ok(found)
        })
        .await?;
    let page = Page {
        next_cursor: found.next.map(|place| wanted.next(cursor(place))),
        data: found.transactions.iter().map(show::as_made).collect(),
    };
    Ok(Response::json(200, &page))
}

/// Reads the parameters of a search: the filters, the code of a currency, the page.
fn search(query: &mut Query) -> Slot<(Search, Option<String>, PageQuery)> {
    let about = Slot::together((
        query.optional(
            "external_id",
            shapes::ShortText::SHAPE,
            "Your own name for the transaction: at most one transaction has it",
            |text| ExternalId::parse(text),
        ),
        query.optional(
            "account",
            shapes::AccountId::SHAPE,
            "acc_…: the transaction has an entry on this account",
            account,
        ),
        query.optional(
            "code_prefix",
            shapes::AccountCode::SHAPE,
            "The transaction has an entry on the account with this code, or on one below it",
            subtree,
        ),
        query.optional(
            "kind",
            shapes::Kind::SHAPE,
            "The purpose of the transaction",
            kind,
        ),
        query.optional(
            "status",
            shapes::TransactionStatus::SHAPE,
            "The present status, as `GET /v1/transactions/{id}` shows it",
            status,
        ),
    ));
    let code = query.optional(
        "currency",
        shapes::CurrencyCode::SHAPE,
        "The transaction has a posting in this currency or asset",
        |code| Ok::<String, BrokenRule>(code.to_owned()),
    );
    let mut at = |name, says| query.optional(name, shapes::AskedMoment::SHAPE, says, moment);
    let times = Slot::together((
        at(
            "from",
            "RFC 3339: the transaction was recorded at this moment or later",
        ),
        at(
            "to",
            "RFC 3339: the transaction was recorded before this moment",
        ),
        at(
            "effective_from",
            "RFC 3339: the transaction happened at this moment or later",
        ),
        at(
            "effective_to",
            "RFC 3339: the transaction happened before this moment",
        ),
    ));
    let metadata = metadata(query);
    let mut amount = |name, says| query.optional(name, shapes::Amount::SHAPE, says, positive);
    let amounts = Slot::together((
        amount(
            "amount_min",
            "The transaction has a posting of at least this amount, in minor units",
        ),
        amount(
            "amount_max",
            "The transaction has a posting of at most this amount, in minor units. One posting must match this, `amount_min`, `currency` and `account` together",
        ),
    ));
    let search = Slot::together((about, times, metadata, amounts));
    let search = search.check(|(about, times, metadata, (amount_min, amount_max))| {
        let (external_id, account, subtree, kind, status) = about;
        let (from, to, effective_from, effective_to) = times;
        in_order(("from", from.as_ref()), ("to", to.as_ref()))?;
        let (lower, upper) = (effective_from.as_ref(), effective_to.as_ref());
        in_order(("effective_from", lower), ("effective_to", upper))?;
        let (least, most) = (amount_min.as_ref(), amount_max.as_ref());
        in_order(("amount_min", least), ("amount_max", most))?;
        Ok(Search {
            external_id: external_id.map(String::from),
            account,
            subtree: subtree.map(String::from),
            kind,
            status,
            from,
            to,
            effective_from,
            effective_to,
            metadata,
            currency: None,
            amount_min,
            amount_max,
        })
    });
    Slot::together((search, code, query.page()))
}

fn account(text: &str) -> Result<AccountId, BrokenRule> {
    let detail = "an account is acc_ and 32 hexadecimal digits";
    text.parse()
        .map_err(|_malformed| rule("malformed_id", detail))
}

fn kind(text: &str) -> Result<Kind, BrokenRule> {
    let detail = "a kind is 1 to 32 of a-z, 0-9 and _, and begins with a letter";
    Kind::parse(text).map_err(|_malformed| rule("malformed_kind", detail))
}

fn status(text: &str) -> Result<HoldStatus, BrokenRule> {
    let all = [
        HoldStatus::Pending,
        HoldStatus::Posted,
        HoldStatus::Voided,
        HoldStatus::Expired,
    ];
    let found = all.into_iter().find(|status| status.name() == text);
    let detail = "it is pending, posted, voided or expired";
    found.ok_or_else(|| rule("unknown_value", detail))
}

/// Reads the filters on metadata, by key.
fn metadata(query: &mut Query) -> Slot<Vec<(String, MetadataMatch)>> {
    let says = "The metadata has this text under KEY. The parameter may be given for several keys";
    let texts = metadata_texts(query, says);
    // Every text begins with the empty text, so a beginning has at least one character.
    let beginning = Shape::text(1, shapes::METADATA.longest);
    let beginnings = query.by_key(Parameter::by_key(
        "metadata_prefix",
        "The metadata has a text under KEY that begins with this text. The parameter may be given for several keys",
        [PREFIX, beginning],
        Metadata::MAX_ENTRIES,
    ));
    let keys = query.optional(
        "metadata_present",
        KEYS,
        "The metadata has this key, with any text. Several keys are separated by commas",
        |keys| Ok::<String, BrokenRule>(keys.to_owned()),
    );
    Slot::together((texts, beginnings, keys)).check(|(texts, beginnings, keys)| {
        told(texts, beginnings, keys).map_err(|error| vec![error])
    })
}

/// Combines the filters on metadata, by key.
fn told(
    texts: Vec<(MetadataKey, MetadataValue)>,
    beginnings: Vec<(String, String)>,
    keys: Option<String>,
) -> Result<Vec<(String, MetadataMatch)>, FieldError> {
    let families = [
        ("metadata_present", keys.is_some()),
        ("metadata_prefix.", !beginnings.is_empty()),
        ("metadata.", true),
    ];
    let texts = texts
        .into_iter()
        .map(|(key, text)| (key.into(), MetadataMatch::Text(text.into())));
    let mut told: Vec<(String, MetadataMatch)> = texts.collect();
    for (key, text) in labels(beginnings, "metadata_prefix.")? {
        let (key, begin) = (String::from(key), String::from(text));
        if begin.is_empty() {
            let name = format!("metadata_prefix.{key}");
            let detail = "every text begins with nothing: metadata_present asks for the key alone";
            return Err(bad_parameter(&name, "too_short", detail));
        }
        let contradicts = |(asked, told): &(String, MetadataMatch)| match told {
            MetadataMatch::Text(text) => *asked == key && !text.starts_with(&begin),
            MetadataMatch::Prefix(_) | MetadataMatch::Something => false,
        };
        if told.iter().any(contradicts) {
            let name = format!("metadata_prefix.{key}");
            let detail = "the text that is asked for under this key does not begin so";
            return Err(bad_parameter(&name, "contradiction", detail));
        }
        told.push((key, MetadataMatch::Prefix(begin)));
    }
    for key in keys.iter().flat_map(|keys| keys.split(',')) {
        let detail = "a key of metadata is 1 to 40 of A-Z, a-z, 0-9, _, - and .; several are separated by commas";
        let key = MetadataKey::parse(key)
            .map_err(|rule| bad_parameter("metadata_present", rule.code(), detail))?;
        told.push((key.into(), MetadataMatch::Something));
    }
    if told.len() > Metadata::MAX_ENTRIES {
        let given = families.into_iter().find(|(_, is_given)| *is_given);
        let name = given.map_or("metadata.", |(name, _)| name);
        let detail = "no metadata has so many entries";
        return Err(bad_parameter(name, "too_many", detail));
    }
    Ok(told)
}

/// Finds a currency by its code. A withdrawn currency is found too, because recorded transactions may have it.
async fn currency(
    state: &State,
    tenant: TenantId,
    code: Option<String>,
) -> Result<Option<Currency>, Problem> {
    let Some(code) = code else {
        return Ok(None);
    };
    let of_iso = Currency::from_stored(&code).ok();
    if let Some(known) = of_iso.filter(|known| !known.is_custom()) {
        return Ok(Some(known));
    }
    let mut registered = None;
    if Currency::custom(&code, 0).is_ok() {
        let found = state
            .read(move |connection| ledger::asset(connection, tenant, &code))
            .await;
        registered = found?;
    }
    let detail = "it is the code of a currency, as EUR, or of an asset that you have registered";
    match registered {
        Some(asset) => Ok(Some(asset.currency)),
        None => {
            let error = bad_parameter("currency", "unknown_currency", detail);
            Err(Problem::invalid_query(vec![error]))
        }
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
