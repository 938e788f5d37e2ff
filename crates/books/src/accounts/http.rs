//! `/v1/accounts`: the routes that open accounts, and read accounts, balances and entries.

mod changes;
mod pending;

use edge::cursor::Cursor;
use edge::strict_json::{
    Body, FieldError, Reading, Slot, choice, integer, nullable, object, prose,
};
use edge::{Call, Problem, Reader, Response, Routes, Shared, State, page};
use ledger::{
    Account, AccountClass, AccountId, AccountName, Limits, LimitsError, NewAccount, NormalSide,
};
use money::MinorUnits;

use super::{OpenAccount, show};
use crate::currencies::{self, Currencies};
use crate::metadata::kept;
use crate::reading::account_code;
use crate::{code, shapes, show_refusal};

/// The description of an account's id in a path.
pub(crate) const ID: &str = "acc_…";

/// Every route of accounts.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("accounts", "Accounts, with their balances and entries");
    r.post(
        "/v1/accounts",
        "openAccount",
        "Opens an empty account.",
        open,
    )
    .body(|known| new_account(&Currencies::default()).describe(known))
    .gives::<show::Account>(201, "The account was opened")
    .refuses(409, "The code is taken", &[code::ACCOUNT_EXISTS])
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/v1/accounts",
        "listAccounts",
        "Lists accounts, newest first.",
        list,
    )
    .page()
    .gives_page::<show::Account>("A page of accounts");
    r.get(
        "/v1/accounts/{id}",
        "getAccount",
        "Reads one account.",
        read_one,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .gives::<show::Account>(200, "The account")
    .refuses(404, "No such account", &[]);
    r.get(
        "/v1/accounts/{id}/balances",
        "getAccountBalances",
        "Reads the balances of an account.",
        balances,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .gives::<show::Balances>(200, "The balances of the account")
    .refuses(404, "No such account", &[]);
    r.get(
        "/v1/accounts/{id}/entries",
        "listAccountEntries",
        "Lists the entries of an account, newest first.",
        entries,
    )
    .segment("id", shapes::AccountId::SHAPE, ID)
    .page()
    .gives_page::<show::Entry>("A page of entries")
    .refuses(404, "No such account", &[]);
    pending::routes(r);
    changes::routes(r);
}

async fn open(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let known = currencies::named(&state, &submission).await?;
    let command = OpenAccount(submission.read_by(&new_account(&known))?);
    state
        .submit(submission, command, show::opened, show_refusal)
        .await
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let before = wanted.cursor.map(|cursor| AccountId::from_bytes(cursor.id));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| ledger::accounts(connection, tenant, before, more))
        .await?;
    let cursor = |account: &Account| Cursor {
        id: account.id.bytes(),
        position: None,
    };
    let page = page(found, &wanted, show::account, cursor);
    Ok(Response::json(200, &page))
}

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let account = find(&state, &call).await?;
    Ok(Response::json(200, &show::account(&account)))
}

async fn balances(state: Shared, call: Call) -> Result<Response, Problem> {
    let account = find(&state, &call).await?;
    Ok(Response::json(200, &show::balances(&account)))
}

async fn entries(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let wanted = call.query.page()?;
    let account = find(&state, &call).await?;
    let (of, before) = (account.id, wanted.cursor.and_then(|cursor| cursor.position));
    let more = i64::from(wanted.limit).saturating_add(1);
    let found = state
        .read(move |connection| ledger::entries(connection, tenant, of, before, more))
        .await?;
    let cursor = |entry: &ledger::Entry| Cursor {
        id: of.bytes(),
        position: Some(entry.version),
    };
    let page = page(found, &wanted, show::entry, cursor);
    Ok(Response::json(200, &page))
}

/// Finds the account that the path names. A malformed id, an unknown id, and an id of another tenant have the
/// same answer.
async fn find(state: &State, call: &Call) -> Result<Account, Problem> {
    let tenant = call.caller.tenant.id;
    let id: AccountId = call.named("id", code::NOT_FOUND)?;
    let found = state
        .read(move |connection| ledger::account(connection, tenant, id))
        .await;
    found?.ok_or_else(|| Problem::new(code::NOT_FOUND))
}

/// Reads the body that opens an account.
fn new_account(known: &Currencies) -> impl Body<Out = NewAccount> {
    object("NewAccount", "Opens an account.", move |fields| {
        let code = account_code().says(
            "The place in the chart of accounts: 1 to 255 characters, with colons between the levels.",
        );
        let code = fields.required("code", code);
        let name = prose::<AccountName>(shapes::ShortText::SHAPE)
            .says("The name for people; the code, if absent.");
        let name = fields.optional("name", nullable(name));
        let unit = known
            .reader()
            .says("ISO 4217 code, or the code of a custom asset.");
        let unit = fields.required("currency", unit);
        let class = choice(shapes::AccountClass::SHAPE, class)
            .says("`asset`, `liability`, `equity`, `income` or `expense`. The class gives the normal side. If it is\nabsent, it follows from the first level of the code and from the normal side.");
        let class = fields.optional("class", class);
        let side = choice(shapes::Side::SHAPE, side)
            .says("`credit` or `debit`. Without a class, the default is `credit`, as for a wallet, which is a debt to its owner.");
        let side = fields.optional("normal_side", side);
        // An absent floor means no overdraft. Null means no limit.
        let floor = limit()
            .says("The least available balance, in minor units; 0 if absent. Null: no limit.");
        let floor = fields.optional("floor", nullable(floor)).or(Some(0));
        let ceiling = limit()
            .says("The greatest possible balance, in minor units; no limit if absent or null.");
        let ceiling = fields.optional("ceiling", nullable(ceiling)).or(None);
        let line = line().says(
            "How far below the floor the available balance may go, in minor units; not at all if absent or null.",
        );
        let credit_line = fields.optional("credit_line", nullable(line)).or(None);
        let metadata = kept().says(
            "The metadata that you keep with it: at most 50 texts of at most 500 characters.",
        );
        let metadata = fields.optional("metadata", nullable(metadata));
        let slots = (
            code,
            name,
            unit,
            Slot::together((class, side)),
            Slot::together((floor, ceiling, credit_line)),
            metadata,
        );
        Slot::together(slots).check(|(code, name, currency, nature, bounds, metadata)| {
            let class = match nature {
                (Some(class), Some(side)) if class.normal_side() != side => return contradiction(),
                (Some(class), Some(_) | None) => class,
                (None, side) => AccountClass::of(&code, side.unwrap_or(NormalSide::Credit)),
            };
            Ok(NewAccount {
                name: (name.flatten()).unwrap_or_else(|| AccountName::trusted(code.as_str())),
                class,
                code,
                currency,
                limits: limits(bounds)?,
                metadata: metadata.flatten().flatten(),
            })
        })
    })
}

fn class(name: &str) -> Option<AccountClass> {
    let mut all = AccountClass::ALL.into_iter();
    all.find(|class| class.name() == name)
}

fn side(name: &str) -> Option<NormalSide> {
    match name {
        "debit" => Some(NormalSide::Debit),
        "credit" => Some(NormalSide::Credit),
        _ => None,
    }
}

/// Reads a floor or a ceiling.
fn limit() -> impl Reader<Out = i64> {
    integer(shapes::MinorUnits::SHAPE)
}

/// Reads a credit line.
fn line() -> impl Reader<Out = i64> {
    integer(shapes::Count::SHAPE)
}

/// Makes limits of the floor, the ceiling and the credit line.
fn limits(
    (floor, ceiling, credit_line): (Option<i64>, Option<i64>, Option<i64>),
) -> Reading<Limits> {
    let of = |limit: Option<i64>| limit.map(MinorUnits::new);
    Limits::new(of(floor), of(ceiling), of(credit_line)).map_err(|rule| {
        let field = match rule {
            LimitsError::NegativeCreditLine => "credit_line",
            LimitsError::CeilingBelowFloor => "ceiling",
        };
        vec![FieldError::here(rule.code(), rule.to_string()).below(field)]
    })
}

fn contradiction<T>() -> Reading<T> {
    let detail = "The class has the other normal side. One of the two fields is enough.";
    let error = FieldError::here("contradicts_class", detail);
    Err(vec![error.below("normal_side")])
}
