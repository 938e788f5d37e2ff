//! The parameters of a search for payments.

use edge::Shape;
use edge::query::{PageQuery, Query, in_order, moment, positive};
use edge::strict_json::{BrokenRule, Slot};
use idempotency::Key;
use money::Currency;
use store::Timestamp;

use super::Search;
use super::expand::{self, Expand};
use crate::customers::CustomerId;
use crate::described::texts_wanted;
use crate::{ExternalId, PaymentState, shapes};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// A day in a query.
const DAY_SHAPE: Shape = Shape::pattern("^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$");
/// A key, as it is stored: without quotes.
const KEY_SHAPE: Shape = Shape::pattern("^[!-~]+$").length(1, 255);

/// Reads the parameters: the filters, what is expanded, and the page.
pub(super) fn read(query: &mut Query) -> Slot<(Search, Vec<Expand>, PageQuery)> {
    let about = Slot::together((
        query.optional(
            "external_id",
            shapes::ShortText::SHAPE,
            "Your own name for the payment: at most one payment has it",
            |text| ExternalId::parse(text),
        ),
        query.optional(
            "idempotency_key",
            KEY_SHAPE,
            "The `Idempotency-Key` of the request that made the payment",
            key,
        ),
        query.optional(
            "customer",
            shapes::CustomerId::SHAPE,
            "cus_…: the payment has this customer",
            customer,
        ),
        query.optional(
            "status",
            shapes::PaymentStatus::SHAPE,
            "The present status",
            status,
        ),
        query.optional(
            "currency",
            shapes::IsoCurrencyCode::SHAPE,
            "The payment is in this currency",
            currency,
        ),
    ));
    let metadata = texts_wanted(query);
    let mut amount = |name, says| query.optional(name, shapes::Amount::SHAPE, says, positive);
    let amounts = Slot::together((
        amount("amount", "The amount of the payment, in minor units"),
        amount("amount_min", "The least amount, in minor units"),
        amount("amount_max", "The greatest amount, in minor units"),
    ));
    let amounts = amounts.check(|(exactly, least, most)| {
        in_order(
            ("amount_min", least.as_ref()),
            ("amount_max", most.as_ref()),
        )?;
        // An amount that is given beside bounds must lie within them: otherwise there is no payment.
        let least = [exactly, least].into_iter().flatten().max();
        let most = [exactly, most].into_iter().flatten().min();
        Ok((least, most))
    });
    let mut at = |name, says| query.optional(name, shapes::AskedMoment::SHAPE, says, moment);
    let times = (
        at(
            "from",
            "RFC 3339: the payment was made at this moment or later",
        ),
        at("to", "RFC 3339: the payment was made before this moment"),
    );
    let day = query.optional(
        "day",
        DAY_SHAPE,
        "The payment was made on this day in UTC: 2026-11-30",
        day,
    );
    let times = Slot::together((times.0, times.1, day)).check(|(from, to, day)| {
        in_order(("from", from.as_ref()), ("to", to.as_ref()))?;
        let next = day.map(|day| day.plus_millis(DAY));
        let from = [from, day].into_iter().flatten().max();
        let to = [to, next].into_iter().flatten().min();
        Ok((from, to))
    });
    let search = Slot::together((about, metadata, amounts, times)).map(
        |(about, metadata, (amount_min, amount_max), (from, to))| {
            let (external_id, idempotency_key, customer, status, currency) = about;
            Search {
                external_id: external_id.map(String::from),
                idempotency_key,
                customer,
                status,
                currency,
                metadata,
                amount_min,
                amount_max,
                from,
                to,
            }
        },
    );
    Slot::together((search, expand::read(query), query.page()))
}

fn rule(code: &'static str, detail: &'static str) -> BrokenRule {
    BrokenRule::new(code, &detail)
}

fn key(text: &str) -> Result<String, BrokenRule> {
    let detail = "a key is 1 to 255 visible ASCII characters, written here without quotes";
    let key = Key::parse(text.to_owned()).map_err(|_malformed| rule("malformed_key", detail))?;
    Ok(key.as_str().to_owned())
}

fn customer(text: &str) -> Result<CustomerId, BrokenRule> {
    let detail = "a customer is cus_ and 32 hexadecimal digits";
    text.parse()
        .map_err(|_malformed| rule("malformed_id", detail))
}

fn status(text: &str) -> Result<PaymentState, BrokenRule> {
    let detail = "it is requires_payment_method, requires_confirmation, requires_action, processing, requires_capture, succeeded or canceled";
    PaymentState::from_name(text).ok_or_else(|| rule("unknown_value", detail))
}

fn currency(text: &str) -> Result<String, BrokenRule> {
    let detail = "it is a code of ISO 4217 in capitals, as EUR";
    let known = Currency::from_stored(text)
        .ok()
        .filter(|known| !known.is_custom());
    let known = known.ok_or_else(|| rule("unknown_currency", detail))?;
    Ok(known.code().to_owned())
}

/// The first moment of a day in UTC.
fn day(text: &str) -> Result<Timestamp, BrokenRule> {
    let detail = "a day is written as 2026-11-30";
    let is_plain = text.len() == "2026-11-30".len();
    let begins = Timestamp::bound_from_rfc3339(&format!("{text}T00:00:00Z")).ok();
    begins
        .filter(|_| is_plain)
        .ok_or_else(|| rule("malformed_day", detail))
}
