//! `/v1/provider_prices`.

use books::reading::unsigned;
use edge::strict_json::{Body, BrokenRule, Slot, choice, nullable, object, prose, text};
use edge::{Call, Page, Problem, Reader, Response, Right, Routes, Shared, code};
use store::Timestamp;
use text::Identifier;

use super::codes::TOO_MANY_PRICES;
use super::{ALWAYS, CreatePrice, DEFAULT_TOLERANCE, MAX_VERSIONS, NewPrice, PRICED, shelf, show};
use crate::settlement::LineKind;
use crate::tariff::Tariff;
use crate::terms::http::rate_text;
use crate::{begun, shapes};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Every route of prices.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "prices",
        "What a provider may charge by agreement, for the comparison with its reports",
    );
    r.post(
        "/v1/provider_prices",
        "createProviderPrice",
        "Makes the next version of the prices of a provider.",
        create,
    )
    .may(Right::Admin)
    .body(|known| wanted().describe(known))
    .gives::<show::ProviderPrice>(201, "The new version")
    .refuses(409, "There are too many versions", &[TOO_MANY_PRICES])
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/v1/provider_prices",
        "listProviderPrices",
        "Lists all versions of the prices, newest first.",
        list,
    )
    .gives_page::<show::ProviderPrice>("All versions, at most 500");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let new = submission.read_by(&wanted())?;
    if begun::providers(&state)?.named(&new.provider).is_none() {
        let detail = "There is no provider of this name in the settings.";
        let problem = Problem::new(code::INVALID_FIELD).with_detail(detail.to_owned());
        return Err(problem.at("/provider"));
    }
    let command = CreatePrice(new);
    state
        .submit(submission, command, show::made, show::show_refusal)
        .await
}

async fn list(state: Shared, call: Call) -> Result<Response, Problem> {
    let tenant = call.caller.tenant.id;
    let mut found = state
        .read(move |connection| shelf::all(connection, tenant))
        .await?;
    found.reverse();
    let page = Page {
        data: found.iter().map(show::price).collect(),
        next_cursor: None,
    };
    Ok(Response::json(200, &page))
}

/// Reads the body that makes a price.
fn wanted() -> impl Body<Out = NewPrice> {
    object("NewProviderPrice", "Makes a price.", |fields| {
        let provider = prose::<Identifier<255>>(shapes::ShortText::SHAPE)
            .says("The provider, by its name in the settings.");
        let provider = fields.required("provider", provider);
        let currency = fields.required("currency", crate::reading::of_iso().says("ISO 4217 code."));
        let kind = choice(shapes::PricedLineKind::SHAPE, priced)
            .says("The kind of lines of settlement reports that the price is for.");
        let kind = fields.required("kind", kind);
        let rate = rate_text().says(
            "The share of the amount that is the fee, from 0 to 1: `0.029` is 2.9%. 0 if absent.",
        );
        let rate = fields.optional("rate", rate).or(0);
        let fixed = unsigned().says("The fixed part of the fee, in minor units; 0 if absent.");
        let fixed = fields.optional("fixed", fixed).or(0);
        let least = unsigned().says("The least fee, in minor units; 0 if absent.");
        let least = fields.optional("least", least).or(0);
        let most = unsigned().says("The greatest fee, in minor units; no limit if absent.");
        let most = fields.optional("most", nullable(most)).map(Option::flatten);
        let tolerance = unsigned().says(
            "Greatest difference between the agreed and the reported fee that is no exception, in minor units; 1 if absent.",
        );
        let tolerance = fields
            .optional("tolerance", tolerance)
            .or(DEFAULT_TOLERANCE);
        let valid_from = text(10, 10, shapes::PricedDay::SHAPE)
            .checked(|text| {
                let detail = "This is a day from 1970-01-01 on, as 2026-11-30.";
                day(&text).ok_or_else(|| BrokenRule::new("malformed_day", &detail))
            })
            .says("The first day of the lines that the price is for; all if absent.");
        let valid_from = fields.optional("valid_from", valid_from).or(ALWAYS);
        let tariff = Slot::together((rate, fixed, least, most)).map(
            |(rate_millionths, fixed, least, most)| Tariff {
                rate_millionths,
                fixed,
                least,
                most,
            },
        );
        let slots = (provider, currency, kind, tariff, tolerance, valid_from);
        Slot::together(slots).map(
            |(provider, currency, kind, tariff, tolerance, valid_from)| NewPrice {
                provider: provider.into(),
                currency,
                kind,
                tariff,
                tolerance,
                valid_from,
            },
        )
    })
}

/// A kind of lines that can have a price.
fn priced(name: &str) -> Option<LineKind> {
    PRICED.into_iter().find(|kind| kind.name() == name)
}

/// A day in days since 1970.
fn day(text: &str) -> Option<i32> {
    let begins = Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")).ok()?;
    let days = begins.unix_seconds().div_euclid(DAY);
    i32::try_from(days).ok().filter(|days| *days >= ALWAYS)
}

const _: () = assert!(MAX_VERSIONS == 500, "the texts of the routes say 500");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_to_its_last_digit() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("1970-03-01", Some(59)),
            ("2026-11-30", Some(20_787)),
            ("1969-12-31", None),
            ("2026-02-30", None),
            ("2026-11-3x", None),
            ("2026/11/30", None),
        ] {
            assert_eq!(day(text), expected, "{text}");
        }
    }
}
