//! `/v1/exchanges`: the routes of currency exchanges.

use edge::strict_json::{Body, BrokenRule, Either, Fields, Slot, choice, object, prose, text};
use edge::{Call, KeyRule, Problem, Reader, Response, Routes, Shared};
use ledger::{Leg, Quote, Rate, RateSource, TransactionId};
use money::Rounding;

use super::show;
use crate::reading::{account, any_moment, positive};
use crate::transactions::codes::STATES;
use crate::transactions::http::draft::{NEW, conditions, details, dry_run};
use crate::transactions::show::made;
use crate::transactions::{Action, Swap, Transact};
use crate::{code, shapes, show_refusal};

/// The codes with the status 422 that refuse an exchange.
const OWN: &[&edge::Code] = &[
    code::SAME_ACCOUNT,
    code::SAME_CURRENCY,
    code::SIDES_DIFFER,
    code::AMOUNT_TOO_SMALL,
    code::AMOUNT_TOO_LARGE,
    code::CURRENCY_MISMATCH,
    code::EFFECTIVE_IN_THE_FUTURE,
    code::BALANCE_OVERFLOW,
    code::CURRENCY_WITHDRAWN,
    code::INSUFFICIENT_FUNDS,
    code::LIMIT_EXCEEDED,
    code::CONDITION_FAILED,
];

/// Every route of exchanges.
pub(crate) fn routes(r: &mut Routes) {
    r.tag("exchanges", "Exchanges of one currency for another");
    r.post(
        "/v1/exchanges",
        "createExchange",
        "Exchanges one currency for another, through a liquidity account of each currency.",
        create,
    )
    .key(KeyRule::Required)
    .body(|known| new_exchange().describe(known))
    .gives::<show::Exchange>(200, "A dry run: the exchange as it would be made")
    .gives::<show::Exchange>(201, "The exchange was made")
    .refuses(404, "No such account", &[code::ACCOUNT_NOT_FOUND])
    .refuses(
        409,
        "The external id is taken, an account is frozen, closed or at another version, or the period is closed",
        STATES,
    )
    .refuses(
        422,
        "A rule of the ledger refuses it, or a field is wrong",
        OWN,
    );
    r.get(
        "/v1/exchanges/{id}",
        "getExchange",
        "Reads one exchange, by the id of its transaction.",
        read_one,
    )
    .segment(
        "id",
        shapes::TransactionId::SHAPE,
        "txn_…, the transaction of the exchange",
    )
    .gives::<show::Exchange>(200, "The exchange")
    .refuses(404, "No such exchange", &[]);
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let (swap, dry_run) = submission.read_by(&new_exchange())?;
    let action = Action::Exchange(swap);
    let request = submission.trying(dry_run);
    state
        .submit(request, Transact(action), made, show_refusal)
        .await
}

async fn read_one(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let id: TransactionId = call.named("id", code::NOT_FOUND)?;
    let found = state.read(move |connection| {
        let posted = ledger::posted(connection, tenant, &[id])?;
        let posted = ledger::with_current_metadata(connection, tenant, posted)?.pop();
        let exchange = ledger::exchanges(connection, tenant, &[id])?.pop();
        Ok(posted.zip(exchange))
    });
    let found = found.await?;
    let (posted, exchange) = found.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
    let shown = show::exchange(&posted, &exchange, false);
    Ok(Response::json(200, &shown))
}

/// The fields that only the body of an exchange has.
pub(crate) const OWN_FIELDS: [&str; 9] = [
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

/// The name of the body, and its description.
pub(crate) const EXCHANGE: [&str; 2] = [
    "NewExchange",
    "A currency exchange. Exactly one of `sell` and `buy` is given; the other amount follows from the rate.",
];

/// Reads the body that makes an exchange, and whether it is a dry run.
fn new_exchange() -> impl Body<Out = (Swap, bool)> {
    let [name, says] = EXCHANGE;
    object(name, says, |fields| {
        let swap = swap(fields);
        let dry_run = dry_run(fields);
        Slot::together((swap, dry_run))
    })
}

/// Reads the fields of an exchange. Exactly one of `sell` and `buy` is present.
pub(crate) fn swap(fields: &mut Fields) -> Slot<Swap> {
    let mut of = |name, says| fields.required(name, account().says(says));
    let accounts = (
        of(
            "from",
            "The account that gives: its balance falls by the sold amount.",
        ),
        of(
            "to",
            "The account that receives: its balance grows by the bought amount.",
        ),
        of("sold_to", "The liquidity account of the sold currency."),
        of(
            "bought_from",
            "The liquidity account of the bought currency.",
        ),
    );
    let sell = positive()
        .says("The sold amount, in minor units.")
        .map(|amount| (amount, Leg::Sold));
    let buy = positive()
        .says("The bought amount, in minor units.")
        .map(|amount| (amount, Leg::Bought));
    let given = fields.either(
        Some("sell"),
        Either::new("OfSold", "sell", sell),
        Either::new("OfBought", "buy", buy),
    );
    let quote = quote(fields);
    let conditions = conditions(fields, "Conditions, each on one of these accounts.");
    let details = details(fields, &NEW);
    let slots = (Slot::together(accounts), given, quote, conditions, details);
    Slot::together(slots).map(|(accounts, (amount, given), quote, conditions, details)| {
        let (from, to, sold_to, bought_from) = accounts;
        Swap {
            from,
            to,
            sold_to,
            bought_from,
            amount,
            given,
            quote,
            conditions,
            details,
        }
    })
}

fn quote(fields: &mut Fields) -> Slot<Quote> {
    let rate = rate().says(
        "Units of the bought currency for one unit of the sold currency: a decimal number of at most 18 digits.",
    );
    let rate = fields.required("rate", rate);
    let rounding = choice(shapes::RoundingMode::SHAPE, rounding).says(
        "How the other amount is rounded to minor units: `half_even` (the default), `half_up`, `down` or `up`.",
    );
    let rounding = fields.optional("rounding", rounding);
    let source = prose::<RateSource>(shapes::SourceText::SHAPE).says("Who quotes the rate.");
    let source = fields.required("source", source);
    let quoted_at = any_moment().says("When the rate was quoted (RFC 3339).");
    let quoted_at = fields.required("quoted_at", quoted_at);
    let slots = (rate, rounding.or(Rounding::default()), source, quoted_at);
    Slot::together(slots).map(|(rate, rounding, source, quoted_at)| Quote {
        rate,
        rounding,
        source,
        quoted_at,
    })
}

fn rounding(name: &str) -> Option<Rounding> {
    let mut all = Rounding::ALL.into_iter();
    all.find(|mode| mode.name() == name)
}

/// Reads a rate. It is a text, because many programs read a number of JSON as a float.
fn rate() -> impl Reader<Out = Rate> {
    text(1, 40, shapes::Rate::SHAPE)
        .checked(|text| Rate::parse(&text).map_err(|rule| BrokenRule::new("malformed_rate", &rule)))
}
