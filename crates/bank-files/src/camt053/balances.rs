//! The opening and the closing balance of a page.

use jiff::civil::Date;
use money::{Currency, MinorUnits};

use crate::xml::Element;
use crate::{Balance, Place, Problem, ReadError, amounts};

/// The form of an amount, for errors.
pub(super) const AMOUNT: &str = "digits, perhaps a point and digits, without a sign: 1234.56";

/// The balances that count. Available and forward balances do not.
pub(super) struct Balances {
    pub(super) opening: Option<Found>,
    pub(super) closing: Option<Found>,
}

/// A balance with its currency and its place.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) balance: Balance,
    pub(super) currency: Currency,
    pub(super) place: Place,
}

impl Balances {
    /// Opening is `OPBD`, else `PRCD`, else on a later page the first `ITBD`. Closing is `CLBD`, else on a page that is
    /// not the last one the last `ITBD` that does not open it.
    pub(super) fn of(
        statement: &Element,
        is_later: bool,
        is_last: bool,
    ) -> Result<Self, ReadError> {
        let mut known = Vec::new();
        for element in statement.all("Bal") {
            let code = element
                .text_at(&["Tp", "CdOrPrtry", "Cd"])
                .unwrap_or_default();
            if matches!(code, "OPBD" | "PRCD" | "ITBD" | "CLBD") {
                known.push((code, read(element)?));
            }
        }
        let all = |wanted: &'static str| {
            let of_code = known.iter().filter(move |(code, _)| *code == wanted);
            of_code.map(|(_, found)| *found)
        };
        let begins = all("OPBD").next().or_else(|| all("PRCD").next());
        let between = || all("ITBD").next().filter(|_| is_later);
        let opening = begins.or_else(between);
        let opens =
            |found: &Found| begins.is_none() && opening.is_some_and(|one| one.place == found.place);
        let ends = || {
            all("ITBD")
                .rfind(|found| !opens(found))
                .filter(|_| !is_last)
        };
        let closing = all("CLBD").next().or_else(ends);
        if let (Some(opening), Some(closing)) = (opening, closing)
            && opening.currency != closing.currency
        {
            let (found, right) = (closing.currency, opening.currency);
            return Err(Problem::OtherCurrency { found, right }.at(closing.place));
        }
        Ok(Self { opening, closing })
    }
}

fn read(element: &Element) -> Result<Found, ReadError> {
    const INSIDE: &str = "a balance";
    let (units, currency) = amount(element.needs(&["Amt"], INSIDE)?)?;
    let is_in = direction(element.needs(&["CdtDbtInd"], INSIDE)?)?;
    let units = amounts::signed(units, is_in).map_err(|problem| problem.at(element.place))?;
    let date = date(element.needs(&["Dt"], INSIDE)?)?;
    Ok(Found {
        balance: Balance {
            date: Some(date),
            units,
        },
        currency,
        place: element.place,
    })
}

/// An amount in its own currency, without a sign.
pub(super) fn amount(element: &Element) -> Result<(MinorUnits, Currency), ReadError> {
    let read = || {
        let code = element.attribute("Ccy").unwrap_or_default();
        let currency = amounts::currency(code)?;
        let text = element.text().unwrap_or_default();
        let units = amounts::units(text, currency, AMOUNT)?;
        Ok((units, currency))
    };
    read().map_err(|problem: Problem| problem.at(element.place))
}

/// True if the money comes in.
pub(super) fn direction(element: &Element) -> Result<bool, ReadError> {
    match element.text().unwrap_or_default() {
        "CRDT" => Ok(true),
        "DBIT" => Ok(false),
        found => {
            let problem = Problem::malformed("the direction", found, "CRDT or DBIT");
            Err(problem.at(element.place))
        }
    }
}

/// The date in `Dt/Dt` or `Dt/DtTm`: its first ten characters, whatever time and zone follow.
pub(super) fn date(element: &Element) -> Result<Date, ReadError> {
    let text = element
        .text_at(&["Dt"])
        .or_else(|| element.text_at(&["DtTm"]));
    let text = text.or_else(|| element.text()).unwrap_or_default();
    let read = || {
        let day = text.get(..10)?;
        let is_plain = day
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = Date::strptime("%Y-%m-%d", day).ok().filter(|_| is_plain)?;
        let rest = text.get(10..).unwrap_or_default();
        let follows = rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-']);
        follows.then_some(day)
    };
    let wrong = || Problem::malformed("the date", text, "a date as YYYY-MM-DD");
    read().ok_or_else(|| wrong().at(element.place))
}
