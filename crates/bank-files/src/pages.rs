//! Pages of one statement, and whether a statement tallies.

use std::collections::HashMap;

use money::{Currency, MinorUnits};

use crate::amounts::sum;
use crate::error::Tally;
use crate::{Kind, Place, Problem, ReadError, Statement};

/// The statements of which these are the pages, in the order of their first pages.
///
/// Pages of one account and one number belong together if each begins with the balance with which the one before it
/// ends. What is missing leaves a statement open. The readers have joined the pages of one file already; this joins
/// statements of several files.
///
/// # Errors
/// [`Problem::PagesDoNotJoin`] or [`Problem::OtherCurrency`], with the place of the later page in its own file.
pub fn join(pages: Vec<Statement>) -> Result<Vec<Statement>, ReadError> {
    let mut order: HashMap<(Kind, String, Option<String>), usize> = HashMap::new();
    let mut groups: Vec<Vec<Statement>> = Vec::new();
    for page in pages {
        let key = (page.kind, page.account.key().to_owned(), page.id.clone());
        let at = *order.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(page),
            None => groups.push(vec![page]),
        }
    }
    let mut statements = Vec::new();
    for mut group in groups {
        // The order of equal numbers stays: some banks give every statement the same.
        group.sort_by_key(|page| page.first_page);
        let mut open: Option<Statement> = None;
        for page in group {
            open = match open {
                Some(before) if continues(&before, &page) => Some(joined(before, page)?),
                Some(before) => {
                    statements.push(before);
                    Some(page)
                }
                None => Some(page),
            };
        }
        statements.extend(open);
    }
    Ok(statements)
}

/// The same for the pages of one file; the order is that of the file.
pub(crate) fn of_file(pages: Vec<Statement>) -> Result<Vec<Statement>, ReadError> {
    let mut statements = join(pages)?;
    statements.sort_by_key(|statement| statement.place);
    Ok(statements)
}

fn continues(before: &Statement, page: &Statement) -> bool {
    let next = before.last_page.saturating_add(1);
    !before.has_last && !page.has_first && page.first_page == next
}

fn joined(mut whole: Statement, page: Statement) -> Result<Statement, ReadError> {
    if whole.currency != page.currency {
        let (found, right) = (page.currency, whole.currency);
        return Err(Problem::OtherCurrency { found, right }.at(page.place));
    }
    if let (Some(end), Some(beginning)) = (whole.closing, page.opening)
        && end.units != beginning.units
    {
        return Err(Problem::PagesDoNotJoin {
            page: page.first_page,
            found: beginning.units.to_decimal_string(page.currency),
            right: end.units.to_decimal_string(whole.currency),
        }
        .at(page.place));
    }
    let mut count = 0;
    for entry in whole.entries.iter().chain(&whole.expected) {
        count = count.max(entry.position);
    }
    for (into, from) in [
        (&mut whole.entries, page.entries),
        (&mut whole.expected, page.expected),
    ] {
        into.extend(from.into_iter().map(|mut entry| {
            entry.position = entry.position.saturating_add(count);
            entry
        }));
    }
    whole.closing = page.closing;
    whole.last_page = page.last_page;
    whole.has_last = page.has_last;
    whole.place = whole.place.min(page.place);
    Ok(whole)
}

/// Refuses a page if its opening balance and its entries do not make its closing balance.
pub(crate) fn tallies(statement: &Statement, closing_at: Place) -> Result<(), ReadError> {
    let (Some(opening), Some(closing)) = (statement.opening, statement.closing) else {
        return Ok(());
    };
    let units = || statement.entries.iter().map(|entry| entry.units);
    let difference = difference(opening.units, units(), closing.units);
    let fits = difference.map_err(|problem| problem.at(closing_at))?;
    if fits == MinorUnits::ZERO {
        return Ok(());
    }
    let currency = statement.currency;
    let written = |units: MinorUnits| units.to_decimal_string(currency);
    let total = |terms: &mut dyn Iterator<Item = MinorUnits>| wide(terms, currency);
    Err(Problem::DoesNotTally(Box::new(Tally {
        currency,
        opening: written(opening.units),
        entries: total(&mut units()),
        sum: total(&mut units().chain([opening.units])),
        closing: written(closing.units),
        difference: written(fits),
    }))
    .at(closing_at))
}

/// The closing balance less the opening balance and the entries.
fn difference(
    opening: MinorUnits,
    entries: impl Iterator<Item = MinorUnits>,
    closing: MinorUnits,
) -> Result<MinorUnits, Problem> {
    let all = sum(entries.chain([opening]))?;
    closing.checked_sub(all).ok_or(Problem::AmountTooLarge)
}

/// A sum that may be wider than 64 bits, as a decimal number.
fn wide(terms: &mut dyn Iterator<Item = MinorUnits>, currency: Currency) -> String {
    let add = |sum: i128, term: MinorUnits| sum.saturating_add(i128::from(term.get()));
    currency.decimal(terms.fold(0, add))
}
