//! camt.053, camt.052 and camt.054 of ISO 20022: statements, reports within the day, and notices of single entries.
//!
//! Versions .001.02 to .001.08 are read. Names stand at other places in the newest ones, and both places are looked at.
//! Every statement of a file is read; its pages become one if they follow each other.
//!
//! Source of the form: the message definitions of ISO 20022 and their schemas.

mod balances;
mod entry;

use money::Currency;

use crate::pages;
use crate::statement::Account;
use crate::xml::{self, Document, Element};
use crate::{Kind, Place, Problem, ReadError, Statement, amounts};

use balances::Balances;
use entry::Booking;

/// What the reader reads, for errors.
const READ: &str = "camt.052, camt.053 or camt.054, version .001.02 to .001.08";

/// The kinds of messages: their names, the elements below the root, the elements of a statement.
const MESSAGES: [(&str, &str, &str, Kind); 3] = [
    ("camt.052", "BkToCstmrAcctRpt", "Rpt", Kind::Report),
    ("camt.053", "BkToCstmrStmt", "Stmt", Kind::Statement),
    ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", Kind::Notice),
];

/// The statements of a file, in the order of the file. Pages of one statement become one.
///
/// # Errors
/// [`ReadError`], with the first problem of the file. Nothing of such a file may be used.
pub fn read(file: &[u8]) -> Result<Vec<Statement>, ReadError> {
    let document = xml::read(file)?;
    let (body, name, kind) = opened(&document)?;
    let count = body.all(name).count();
    // The pages of a message are those of a statement only if the message has a single one.
    let of_message = body.at(&["GrpHdr", "MsgPgntn"]).filter(|_| count == 1);
    let pages = body.all(name).map(|one| page(one, kind, of_message));
    let pages: Result<Vec<Statement>, ReadError> = pages.collect();
    let pages = pages?;
    if pages.is_empty() {
        let (what, inside) = (name.to_owned(), "the message");
        return Err(Problem::Missing { what, inside }.at(body.place));
    }
    pages::of_file(pages)
}

/// The body of the message, the name of its statements, and its kind.
fn opened(document: &Document) -> Result<(&Element, &'static str, Kind), ReadError> {
    let other = || {
        let found = crate::error::shown(&document.namespace);
        Problem::OtherKind { found, right: READ }.at(document.root.place)
    };
    let message = xml::message(&document.namespace).ok_or_else(other)?;
    let (name, version) = message.rsplit_once(".001.").ok_or_else(other)?;
    let mut known = MESSAGES.into_iter();
    let (_, body, statement, kind) = known.find(|known| known.0 == name).ok_or_else(other)?;
    if !("02"..="08").contains(&version) || version.len() != 2 {
        return Err(other());
    }
    Ok((
        document.root.needs(&[body], "the document")?,
        statement,
        kind,
    ))
}

fn page(
    statement: &Element,
    kind: Kind,
    of_message: Option<&Element>,
) -> Result<Statement, ReadError> {
    const INSIDE: &str = "a statement";
    let id = statement.needs_text(&["Id"], INSIDE)?.to_owned();
    let account = account(statement.needs(&["Acct"], INSIDE)?)?;
    let (number, is_last_page) = pagination(statement, of_message)?;
    let balances = Balances::of(statement, number > 1, is_last_page)?;
    let currency = currency(statement, &balances)?;
    let mut entries = Vec::new();
    let mut expected = Vec::new();
    for (position, element) in (1..).zip(statement.all("Ntry")) {
        match entry::read(element, position, currency)? {
            Booking::Booked(entry) => entries.push(entry),
            Booking::Expected(entry) => expected.push(entry),
            Booking::Information => {}
        }
    }
    let page = Statement {
        kind,
        account,
        id: Some(id),
        currency,
        first_page: number,
        last_page: number,
        opening: balances.opening.map(|one| one.balance),
        closing: balances.closing.map(|one| one.balance),
        entries,
        expected,
        has_first: number <= 1,
        has_last: is_last_page,
        place: statement.place,
    };
    let closing_at = balances
        .closing
        .map_or(statement.place, |found| found.place);
    pages::tallies(&page, closing_at)?;
    Ok(page)
}

/// The number of the page, and whether it is the last one. Without pagination there is one page.
fn pagination(statement: &Element, of_message: Option<&Element>) -> Result<(u32, bool), ReadError> {
    let names = ["StmtPgntn", "RptPgntn", "NtfctnPgntn"];
    let own = names.into_iter().find_map(|name| statement.at(&[name]));
    let Some(pagination) = own.or(of_message) else {
        return Ok((1, true));
    };
    let number = pagination.needs_text(&["PgNb"], "the pagination")?;
    let wrong = || {
        let right = "a number of at most five digits";
        Problem::malformed("the number of the page", number, right).at(pagination.place)
    };
    let page = number.parse().ok().filter(|page| *page < 100_000);
    let is_last = pagination.needs(&["LastPgInd"], "the pagination")?;
    Ok((page.ok_or_else(wrong)?, boolean(is_last)?))
}

/// The truth of an element: `true`, `1`, `false` or `0`.
fn boolean(element: &Element) -> Result<bool, ReadError> {
    match element.text().unwrap_or_default() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        found => {
            let problem = Problem::malformed("a flag", found, "true, 1, false or 0");
            Err(problem.at(element.place))
        }
    }
}

/// An account: its IBAN, or another id.
fn account(account: &Element) -> Result<Account, ReadError> {
    let id = optional_account(account);
    let missing = || {
        let (what, inside) = ("Id/IBAN or Id/Othr/Id".to_owned(), "an account");
        Problem::Missing { what, inside }.at(account.place)
    };
    id.ok_or_else(missing)
}

fn optional_account(account: &Element) -> Option<Account> {
    let iban = account.text_at(&["Id", "IBAN"]);
    let id = iban.or_else(|| account.text_at(&["Id", "Othr", "Id"]))?;
    Some(Account::named(id))
}

/// The currency of the account: that of its balances, else the one that is given, else that of the first entry.
fn currency(statement: &Element, balances: &Balances) -> Result<Currency, ReadError> {
    let found = balances.closing.or(balances.opening);
    if let Some(found) = found {
        return Ok(found.currency);
    }
    let named =
        |code: &str, place: Place| amounts::currency(code).map_err(|problem| problem.at(place));
    if let Some(element) = statement.at(&["Acct", "Ccy"]) {
        return named(element.text().unwrap_or_default(), element.place);
    }
    let amount = statement.at(&["Ntry", "Amt"]);
    match amount.and_then(|amount| Some((amount.attribute("Ccy")?, amount.place))) {
        Some((code, place)) => named(code, place),
        None => {
            let (what, inside) = ("a balance, Acct/Ccy or an entry".to_owned(), "a statement");
            Err(Problem::Missing { what, inside }.at(statement.place))
        }
    }
}

#[cfg(test)]
mod tests;
