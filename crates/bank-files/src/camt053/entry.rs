//! An entry, and the payments of which it is made.

use jiff::civil::Date;
use money::{Currency, MinorUnits};

use super::balances::{amount, date, direction};
use super::{boolean, optional_account};
use crate::amounts::{signed, sum};
use crate::xml::Element;
use crate::{Counterpart, Detail, Entry, Problem, ReadError};

/// The reference of payers who have none.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// The meaning of an entry's status.
pub(super) enum Booking {
    /// It is booked.
    Booked(Entry),
    /// The bank expects it.
    Expected(Entry),
    /// It says something and moves nothing.
    Information,
}

/// Reads an entry. Its amount is the booked one, in the currency of the account. `made_on` is the date of the message.
pub(super) fn read(
    element: &Element,
    position: usize,
    currency: Currency,
    made_on: Option<Date>,
) -> Result<Booking, ReadError> {
    const INSIDE: &str = "an entry";
    let status = element.needs(&["Sts"], INSIDE)?;
    let code = status
        .text_at(&["Cd"])
        .or_else(|| status.text())
        .unwrap_or_default();
    let is_booked = match code {
        "BOOK" => true,
        // FUTR is dated ahead and not booked either.
        "PDNG" | "FUTR" => false,
        "INFO" => return Ok(Booking::Information),
        found => {
            let right = "BOOK, PDNG, FUTR or INFO";
            let problem = Problem::malformed("the status of the entry", found, right);
            return Err(problem.at(status.place));
        }
    };
    let amount_at = element.needs(&["Amt"], INSIDE)?;
    let (units, found) = amount(amount_at)?;
    if found != currency {
        let right = currency;
        return Err(Problem::OtherCurrency { found, right }.at(amount_at.place));
    }
    let is_in = direction(element.needs(&["CdtDbtInd"], INSIDE)?)?;
    let is_reversal = element.at(&["RvslInd"]).map_or(Ok(false), boolean)?;
    let side = Side { is_in, is_reversal };
    let units = signed(units, is_in).map_err(|problem| problem.at(amount_at.place))?;
    let value_on = element.at(&["ValDt"]).map(date).transpose()?;
    let booked_on = element.at(&["BookgDt"]).map(date).transpose()?;
    // What is only expected may have no date yet: it is expected on the day of the message.
    let made_on = made_on.filter(|_| !is_booked);
    let booked_on = booked_on.or(value_on).or(made_on).ok_or_else(|| {
        let (what, inside) = ("BookgDt or ValDt".to_owned(), INSIDE);
        Problem::Missing { what, inside }.at(element.place)
    })?;
    let mut details = Vec::new();
    for group in element.all("NtryDtls") {
        details.extend(group_of(group, currency, side)?);
    }
    adds_up(element, &details, units, currency, side)?;
    // Facts of one payment are the entry's only if it is of one.
    let only = match details.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let of_only = |fact: fn(&Detail) -> Option<String>| only.and_then(fact);
    let payments = || {
        element
            .all("NtryDtls")
            .flat_map(|group| group.all("TxDtls"))
    };
    let own = only.and_then(|_| payments().next()).and_then(own_reference);
    let entry = Entry {
        position,
        place: element.place,
        booked_on,
        value_on,
        units,
        is_reversal,
        bank_reference: element
            .own_text_at(&["AcctSvcrRef"])
            .or_else(|| of_only(|detail| detail.bank_reference.clone())),
        own_reference: own,
        end_to_end_id: of_only(|detail| detail.end_to_end_id.clone()),
        counterpart: only
            .map(|detail| detail.counterpart.clone())
            .unwrap_or_default(),
        remittance: of_only(|detail| detail.remittance.clone())
            .or_else(|| element.own_text_at(&["AddtlNtryInf"])),
        details,
    };
    Ok(match is_booked {
        true => Booking::Booked(entry),
        false => Booking::Expected(entry),
    })
}

/// The reference of the account's owner: that of the order, else that of the order's group, else that of the file.
fn own_reference(payment: &Element) -> Option<String> {
    let references = payment.at(&["Refs"])?;
    let known = ["InstrId", "PmtInfId", "MsgId"];
    let mut given = known
        .into_iter()
        .filter_map(|name| references.text_at(&[name]));
    given
        .find(|reference| *reference != NOT_PROVIDED)
        .map(str::to_owned)
}

/// The direction of an entry, and whether it reverses one of the other direction.
#[derive(Clone, Copy)]
struct Side {
    is_in: bool,
    is_reversal: bool,
}

/// The payments of one group, after its totals were checked.
fn group_of(group: &Element, currency: Currency, side: Side) -> Result<Vec<Detail>, ReadError> {
    let details: Result<Vec<Detail>, ReadError> = group
        .all("TxDtls")
        .map(|payment| detail(payment, currency, side))
        .collect();
    let details = details?;
    let Some(totals) = group.at(&["Btch"]) else {
        return Ok(details);
    };
    if let Some(number) = totals.text_at(&["NbOfTxs"])
        && !details.is_empty()
    {
        let trimmed = number.trim_start_matches('0');
        let right = details.len().to_string();
        if trimmed != right {
            return Err(Problem::Malformed {
                what: "the number of payments of the group",
                found: crate::error::shown(number),
                right: format!("{right}, because so many are here"),
            }
            .at(totals.place));
        }
    }
    let amounts: Option<Vec<MinorUnits>> = details.iter().map(|detail| detail.units).collect();
    let amounts = amounts.filter(|amounts| !amounts.is_empty());
    if let (Some(amounts), Some(total)) = (amounts, total(totals, currency, side)?) {
        let right = sum(amounts).map_err(|problem| problem.at(totals.place))?;
        same("the total of the group", total, right, currency, totals)?;
    }
    Ok(details)
}

/// The total of a group with its sign, if it is in the currency of the entry.
fn total(
    totals: &Element,
    currency: Currency,
    side: Side,
) -> Result<Option<MinorUnits>, ReadError> {
    let Some(element) = totals.at(&["TtlAmt"]) else {
        return Ok(None);
    };
    let (units, found) = amount(element)?;
    if found != currency {
        return Ok(None);
    }
    let is_in = totals
        .at(&["CdtDbtInd"])
        .map_or(Ok(side.is_in), direction)?;
    let units = signed(units, is_in).map_err(|problem| problem.at(element.place))?;
    Ok(Some(units))
}

/// Refuses an entry whose payments, or whose groups, all have amounts that do not add up to its own.
fn adds_up(
    element: &Element,
    details: &[Detail],
    units: MinorUnits,
    currency: Currency,
    side: Side,
) -> Result<(), ReadError> {
    let at = |problem: Problem| problem.at(element.place);
    let amounts: Option<Vec<MinorUnits>> = details.iter().map(|detail| detail.units).collect();
    if let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty()) {
        let found = sum(amounts).map_err(at)?;
        same("the sum of the details", found, units, currency, element)?;
    }
    let all = element
        .all("NtryDtls")
        .map(|group| match group.at(&["Btch"]) {
            Some(totals) => total(totals, currency, side),
            None => Ok(None),
        });
    let totals: Result<Vec<_>, ReadError> = all.collect();
    let totals: Option<Vec<MinorUnits>> = totals?.into_iter().collect();
    if let Some(totals) = totals.filter(|totals| !totals.is_empty()) {
        let found = sum(totals).map_err(at)?;
        same("the total of the groups", found, units, currency, element)?;
    }
    Ok(())
}

fn same(
    what: &'static str,
    found: MinorUnits,
    right: MinorUnits,
    currency: Currency,
    element: &Element,
) -> Result<(), ReadError> {
    if found == right {
        return Ok(());
    }
    let difference = right.checked_sub(found).ok_or(Problem::AmountTooLarge);
    let difference = difference.map_err(|problem| problem.at(element.place))?;
    let written = |units: MinorUnits| units.to_decimal_string(currency);
    Err(Problem::Differs {
        what,
        found: written(found),
        right: written(right),
        difference: written(difference),
    }
    .at(element.place))
}

/// One payment. Its amount is `Amt`, else `AmtDtls/TxAmt`, if it is in the currency of the entry. What the payer
/// instructed, and the charges, are information.
fn detail(payment: &Element, currency: Currency, side: Side) -> Result<Detail, ReadError> {
    let is_in = payment
        .at(&["CdtDbtInd"])
        .map_or(Ok(side.is_in), direction)?;
    let mut own = None;
    for path in [&["Amt"][..], &["AmtDtls", "TxAmt", "Amt"]] {
        if let (None, Some(element)) = (own, payment.at(path)) {
            let (units, found) = amount(element)?;
            let units = signed(units, is_in).map_err(|problem| problem.at(element.place))?;
            own = Some(units).filter(|_| found == currency);
        }
    }
    let end_to_end_id = payment.own_text_at(&["Refs", "EndToEndId"]);
    Ok(Detail {
        units: own,
        end_to_end_id: end_to_end_id.filter(|id| id != NOT_PROVIDED),
        bank_reference: payment.own_text_at(&["Refs", "AcctSvcrRef"]),
        counterpart: counterpart(payment, side),
        remittance: remittance(payment),
        creditor_reference: payment.own_text_at(&["RmtInf", "Strd", "CdtrRefInf", "Ref"]),
    })
}

/// The texts for people, one after the other.
fn remittance(payment: &Element) -> Option<String> {
    let information = payment.at(&["RmtInf"])?;
    let texts: Vec<&str> = information.all("Ustrd").filter_map(Element::text).collect();
    Some(texts.join(" ")).filter(|text| !text.is_empty())
}

/// The other side: the payer of money that comes in, the payee of money that goes out. In a reversal the two keep the
/// roles that they had.
fn counterpart(payment: &Element, side: Side) -> Counterpart {
    let Some(parties) = payment.at(&["RltdPties"]) else {
        return Counterpart::default();
    };
    let (party, account) = match side.is_in != side.is_reversal {
        true => ("Dbtr", "DbtrAcct"),
        false => ("Cdtr", "CdtrAcct"),
    };
    // Newer versions have the party one step further down; a bank that is a party has its name there.
    let places: [&[&str]; 3] = [
        &[party, "Nm"],
        &[party, "Pty", "Nm"],
        &[party, "Agt", "FinInstnId", "Nm"],
    ];
    Counterpart {
        name: places
            .into_iter()
            .find_map(|place| parties.own_text_at(place)),
        account: parties.at(&[account]).and_then(optional_account),
    }
}
