//! `/v1/balance_transactions`.

use edge::cursor::Cursor;
use edge::query::{PageQuery, Query};
use edge::strict_json::{BrokenRule, Slot};
use edge::{Call, Page, Problem, Response, Routes, Shared};
use money::Currency;

use super::{Place, START, after, show};
use crate::shapes;

/// The route of balance transactions. It belongs to the group of the balance.
pub(super) fn routes(r: &mut Routes) {
    r.get(
        "/v1/balance_transactions",
        "listBalanceTransactions",
        "Lists the movements of the merchant's balance in one currency, newest first.",
        list,
    )
    .more("All movements together are the balance: the sums of `available`, `pending` and `reserved` are what `GET /v1/balance` answers.")
    .asks(|query| drop(wanted(query)))
    .gives_page::<show::BalanceTransaction>("A page of movements");
}

fn wanted(query: &mut Query) -> Slot<(Currency, PageQuery)> {
    let of_iso = |text: &str| {
        let detail = "This must be a code of ISO 4217 in capitals, such as EUR.";
        Currency::from_code(text).map_err(|_unknown| BrokenRule::new("unknown_currency", &detail))
    };
    let shape = shapes::IsoCurrencyCode::SHAPE;
    let currency = query.required("currency", shape, "ISO 4217 code", of_iso);
    Slot::together((currency, query.page()))
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let (currency, wanted) = call.query.ask(wanted)?;
    let place = wanted.cursor.map_or(START, place);
    let limit = usize::from(wanted.limit);
    let found = state.read(move |connection| after(connection, tenant, currency, place, limit));
    let (found, next) = found.await?;
    let shown = |movement| show::movement(movement, currency.code());
    let page = Page {
        data: found.iter().map(shown).collect(),
        next_cursor: next.map(|place| wanted.next(cursor(place))),
    };
    Ok(Response::json(200, &page))
}

/// The cursor of a place: two numbers of entries stand in place of an id, and the third is the position.
fn cursor([available, pending, reserved]: Place) -> Cursor {
    let both = (i128::from(available) << 64) | i128::from(pending);
    Cursor {
        id: both.to_be_bytes(),
        position: Some(reserved),
    }
}

/// The place that a cursor names. The numbers are not negative, and any other number reads nothing.
fn place(cursor: Cursor) -> Place {
    let both = i128::from_be_bytes(cursor.id);
    let number = |number: i128| i64::try_from(number).unwrap_or(0);
    let low = both & i128::from(u64::MAX);
    [
        number(both >> 64),
        number(low),
        cursor.position.unwrap_or(0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        for given in [START, [0, 1, 2], [7, i64::MAX, 0]] {
            assert_eq!(place(cursor(given)), given);
        }
    }
}
