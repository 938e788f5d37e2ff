//! `/v1/payment_terms`.

use books::reading::unsigned;
use calendars::Calendar;
use edge::strict_json::{Body, BrokenRule, Slot, choice, integer, nullable, object, prose, text};
use edge::{Call, Page, Problem, Reader, Response, Right, Routes, Shared};

use super::{CreateTerms, Delay, LateMoney, MAX_VERSIONS, ReserveTerms, shelf, show};
use crate::shapes;
use crate::terms::codes::TOO_MANY_TERMS;

/// Every route of terms.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "terms",
        "What the tenant charges for a captured amount, and when the money is available",
    );
    r.post(
        "/v1/payment_terms",
        "createPaymentTerms",
        "Makes the next version of the terms for a currency and its payment methods.",
        create,
    )
    .may(Right::Admin)
    .body(|known| wanted().describe(known))
    .gives::<show::PaymentTerms>(201, "The new version")
    .refuses(409, "There are too many versions", &[TOO_MANY_TERMS])
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/v1/payment_terms",
        "listPaymentTerms",
        "Lists all versions of the terms, newest first.",
        list,
    )
    .gives_page::<show::PaymentTerms>("All versions, at most 200");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let command = submission.read_by(&wanted())?;
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
        data: found.iter().map(show::terms).collect(),
        next_cursor: None,
    };
    Ok(Response::json(200, &page))
}

/// Reads the body that makes terms.
fn wanted() -> impl Body<Out = CreateTerms> {
    object("NewPaymentTerms", "Makes terms.", |fields| {
        let currency = fields.required("currency", crate::reading::of_iso().says("ISO 4217 code."));
        let method = prose::<crate::PaymentMethod>(shapes::ProviderToken::SHAPE).says(
            "The beginning of the payment methods that the terms are for, such as `pm_card_`; all if absent.",
        );
        let method = fields
            .optional("method", nullable(method))
            .map(Option::flatten);
        let rate = rate_text().says("The share of the captured amount that is the fee, from 0 to 1: `0.029` is 2.9%. 0 if absent.");
        let rate = fields.optional("rate", rate).or(0);
        let fixed = unsigned().says("The fixed part of the fee, in minor units; 0 if absent.");
        let fixed = fields.optional("fixed", fixed).or(0);
        let least = unsigned().says("The least fee, in minor units; 0 if absent.");
        let least = fields.optional("least", least).or(0);
        let most = unsigned().says("The greatest fee, in minor units; no limit if absent.");
        let most = fields.optional("most", nullable(most)).map(Option::flatten);
        let of_dispute = unsigned().says("The fee for a dispute, in minor units; 0 if absent.");
        let of_dispute = fields.optional("dispute_fee", of_dispute).or(0);
        let days = integer(shapes::BusinessDays::SHAPE)
            .says("Business days after the capture on which the money is available; 2 if absent.");
        let days = fields.optional("available_after_days", days);
        let calendar = choice(shapes::CalendarName::SHAPE, Calendar::from_name).says(
            "The calendar of business days: `target`, `fedwire`, `chaps`, `weekdays` or `every_day`. If absent, that of the currency.",
        );
        let calendar = fields.optional("calendar", calendar);
        let share = rate_text().says("The share that is held back of the money of a capture when it becomes available, from 0 to 1; 0 if absent.");
        let share = fields.optional("reserve_rate", share).or(0);
        let kept_days = integer(shapes::ReserveDays::SHAPE).says(
            "Days for which the share is held back; required if there is one. A day is a day in UTC.",
        );
        let kept_days = fields.optional("reserve_days", kept_days).or(0);
        let fees = Slot::together((rate, fixed, least, most, of_dispute));
        let late_money = choice(shapes::LateMoneyRule::SHAPE, LateMoney::from_name).says(
            "What happens to money that is taken after its operation has failed: `hold` until a person decides, or `refund`; `hold` if absent.",
        );
        let late_money = fields
            .optional("late_money", late_money)
            .or(LateMoney::Hold);
        let after = Slot::together((share, kept_days, late_money));
        let slots = (currency, method, fees, days, calendar, after);
        Slot::together(slots).map(
            |(
                currency,
                method,
                (rate_millionths, fixed, least, most, dispute_fee),
                days,
                calendar,
                (share, kept_days, late_money),
            )| {
                let usual = Delay::of_currency(currency);
                let days = days.and_then(|days| u16::try_from(days).ok());
                CreateTerms {
                    currency,
                    method: method.map(String::from).unwrap_or_default(),
                    rate_millionths,
                    fixed,
                    least,
                    most,
                    dispute_fee,
                    delay: Delay {
                        calendar: calendar.unwrap_or(usual.calendar),
                        days: days.unwrap_or(usual.days),
                    },
                    reserve: ReserveTerms {
                        rate_millionths: share,
                        days: i32::try_from(kept_days).unwrap_or(i32::MAX),
                    },
                    late_money,
                }
            },
        )
    })
}

/// Reads a rate from 0 to 1, as decimal text, in millionths.
pub(crate) fn rate_text() -> impl Reader<Out = i64> {
    text(1, 8, shapes::FeeRate::SHAPE).checked(|text| {
        let detail = "This is a number from 0 to 1 with at most 6 decimal places.";
        millionths(&text).ok_or_else(|| BrokenRule::new("malformed_rate", &detail))
    })
}

/// A rate from 0 to 1 in millionths, from decimal text.
fn millionths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || whole.len() > 1 || decimals.len() > 6 {
        return None;
    }
    let millionths: i64 = format!("{whole}{decimals:0<6}").parse().ok()?;
    (millionths <= 1_000_000).then_some(millionths)
}

const _: () = assert!(MAX_VERSIONS == 200, "the texts of the routes say 200");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_to_its_last_digit() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.029", Some(29_000)),
            ("0.000001", Some(1)),
            ("1", Some(1_000_000)),
            ("1.000000", Some(1_000_000)),
            ("1.000001", None),
            ("2", None),
            ("0.0000001", None),
            (".5", None),
            ("0.", None),
            ("-0.1", None),
            ("00.1", None),
            ("0.1e1", None),
            ("", None),
        ] {
            assert_eq!(millionths(text), expected, "{text}");
        }
    }
}
