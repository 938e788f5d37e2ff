//! Pages of one statement, and whether a statement tallies.

use std::collections::HashMap;

use money::{Currency, MinorUnits};

use crate::amounts::sum;
use crate::{Place, Problem, ReadError, Statement};

/// One page of a statement, as it stands in a file.
pub(crate) struct Page {
    /// What is on the page. Its first and its last page are the number of this page.
    pub(crate) statement: Statement,
    /// Whether the page opens the statement.
    pub(crate) is_first: bool,
    /// Whether the page closes the statement.
    pub(crate) is_last: bool,
    /// Where the opening balance is.
    pub(crate) opening_at: Place,
}

/// The statements of which these are the pages, in the order of their first pages in the file.
///
/// Pages of one account and one number belong together if each begins with the balance with which the one before it
/// ends. What is missing leaves a statement open.
pub(crate) fn joined(pages: Vec<Page>) -> Result<Vec<Statement>, ReadError> {
    let mut order: HashMap<(String, Option<String>), usize> = HashMap::new();
    let mut groups: Vec<Vec<Page>> = Vec::new();
    for page in pages {
        let statement = &page.statement;
        let key = (statement.account.key().to_owned(), statement.id.clone());
        let at = *order.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(page),
            None => groups.push(vec![page]),
        }
    }
    let mut statements = Vec::new();
    for mut group in groups {
        // The order of equal numbers stays: some banks give every statement the same.
        group.sort_by_key(|page| page.statement.first_page);
        let mut open: Option<Page> = None;
        for page in group {
            open = match open {
                Some(before) if continues(&before, &page) => Some(joined_pair(before, page)?),
                Some(before) => {
                    statements.push(before.statement);
                    Some(page)
                }
                None => Some(page),
            };
        }
        statements.extend(open.map(|page| page.statement));
    }
    statements.sort_by_key(|statement| statement.place);
    Ok(statements)
}

fn continues(before: &Page, page: &Page) -> bool {
    let next = before.statement.last_page.saturating_add(1);
    !before.is_last && !page.is_first && page.statement.first_page == next
}

fn joined_pair(before: Page, page: Page) -> Result<Page, ReadError> {
    let (mut whole, rest) = (before.statement, page.statement);
    if whole.currency != rest.currency {
        let (found, right) = (rest.currency, whole.currency);
        return Err(Problem::OtherCurrency { found, right }.at(page.opening_at));
    }
    if let (Some(end), Some(beginning)) = (whole.closing, rest.opening)
        && end.units != beginning.units
    {
        return Err(Problem::PagesDoNotJoin {
            page: rest.first_page,
            found: beginning.units.to_decimal_string(rest.currency),
            right: end.units.to_decimal_string(whole.currency),
        }
        .at(page.opening_at));
    }
    let count = whole.entries.len().saturating_add(whole.expected.len());
    for (into, from) in [
        (&mut whole.entries, rest.entries),
        (&mut whole.expected, rest.expected),
    ] {
        into.extend(from.into_iter().map(|mut entry| {
            entry.position = entry.position.saturating_add(count);
            entry
        }));
    }
    whole.closing = rest.closing;
    whole.last_page = rest.last_page;
    whole.is_complete = before.is_first && page.is_last;
    whole.place = whole.place.min(rest.place);
    Ok(Page {
        statement: whole,
        is_first: before.is_first,
        is_last: page.is_last,
        opening_at: before.opening_at,
    })
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
    Err(Problem::DoesNotTally {
        currency,
        opening: written(opening.units),
        entries: total(&mut units()),
        sum: total(&mut units().chain([opening.units])),
        closing: written(closing.units),
        difference: written(fits),
    }
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
