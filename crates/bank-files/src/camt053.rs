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

/// The kinds of messages that are read, as errors name them.
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
    let header = body.needs(&["GrpHdr"], "the message")?;
    // The pages of a message are those of a statement only if the message has a single one.
    let of_message = header.at(&["MsgPgntn"]).filter(|_| count == 1);
    let pages = body
        .all(name)
        .map(|one| page(one, kind, header, of_message));
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
    header: &Element,
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
    let made_at = statement
        .at(&["CreDtTm"])
        .or_else(|| header.at(&["CreDtTm"]));
    let made_on = made_at.map(balances::date).transpose()?;
    for (position, element) in (1..).zip(statement.all("Ntry")) {
        match entry::read(element, position, currency, made_on)? {
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
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use proptest::prelude::*;

    use super::*;
    use crate::join;

    const OLD: &str = include_str!("../tests/files/camt.053.001.02.xml");
    const NEW: &str = include_str!("../tests/files/camt.053.001.08.xml");

    fn refused(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    /// The first statement of a file.
    fn first(text: &str) -> Statement {
        read(text.as_bytes()).unwrap().remove(0)
    }

    /// Replaces a part that is there.
    fn with(text: &str, from: &str, to: &str) -> String {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    }

    #[test]
    fn every_statement_of_a_file_is_read() {
        let statements = read(OLD.as_bytes()).unwrap();
        let read = statements.iter().map(|one| {
            let (opening, closing) = (one.opening.unwrap(), one.closing.unwrap());
            (
                one.account.key(),
                one.currency.code(),
                opening.units.get(),
                closing.units.get(),
            )
        });
        let expected = [
            ("DE89370400440532013000", "EUR", 10_000, -49_450),
            ("7654321", "JPY", 0, 0),
        ];
        assert_eq!(read.collect::<Vec<_>>(), expected);
        assert!(statements.iter().all(Statement::is_complete));
    }

    #[test]
    fn the_sign_is_that_of_the_direction_alone_and_a_reversal_looks_for_what_it_undoes() {
        let statement = first(OLD);
        let entries = &statement.entries;
        let units: Vec<i64> = entries.iter().map(|entry| entry.units.get()).collect();
        assert_eq!(units, [30_000, -30_000, -60_000, 275, 275]);
        let reversals: Vec<bool> = entries.iter().map(|entry| entry.is_reversal).collect();
        assert_eq!(reversals, [false, true, false, false, false]);
        let undone: Vec<usize> = entries
            .iter()
            .filter(|other| entries[1].may_undo(other))
            .map(|other| other.position)
            .collect();
        assert_eq!(undone, [1]);
        // `true` and `1` are both a reversal; `false` and `0` are none.
        for (flag, is_reversal) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            let text = with(OLD, "<RvslInd>1<", &format!("<RvslInd>{flag}<"));
            assert_eq!(first(&text).entries[1].is_reversal, is_reversal, "{flag}");
        }
    }

    #[test]
    fn instructed_amounts_and_charges_are_only_information() {
        let statement = first(OLD);
        let entry = &statement.entries[0];
        assert_eq!(entry.units.get(), 30_000);
        assert_eq!(entry.details[0].units, Some(entry.units));
    }

    #[test]
    fn a_detail_has_its_amount_only_in_the_currency_of_the_entry() {
        let statement = first(NEW);
        // TxDtls/Amt goes before AmtDtls/TxAmt.
        assert_eq!(statement.entries[0].details[0].units.unwrap().get(), 1_234);
        assert_eq!(statement.entries[1].details[0].units, None);
        let without = with(
            NEW,
            "<Amt Ccy=\"KWD\">1.234</Amt>\n            <CdtDbtInd>",
            "<CdtDbtInd>",
        );
        assert!(refused(&without).contains("the sum of the details is 9.999, and right is 1.234"));
    }

    #[test]
    fn details_that_all_have_amounts_add_up_to_the_entry() {
        let text = with(OLD, ">200.01<", ">200.00<");
        let text = with(&text, "<TtlAmt Ccy=\"EUR\">600.00</TtlAmt>", "");
        assert_eq!(
            refused(&text),
            "line 86, column 7: the sum of the details is -599.99, and right is -600.00: the difference is -0.01"
        );
        // One without an amount: nothing can be said.
        let text = with(
            OLD,
            "<AmtDtls><TxAmt><Amt Ccy=\"EUR\">200.01</Amt></TxAmt></AmtDtls>",
            "",
        );
        assert_eq!(first(&text).entries[2].details.len(), 2);
    }

    #[test]
    fn the_totals_of_a_group_are_checked() {
        let text = with(OLD, "<NbOfTxs>2<", "<NbOfTxs>3<");
        assert!(refused(&text).starts_with(
            "line 95, column 11: the number of payments of the group is \"3\"; right is 2"
        ));
        let text = with(
            OLD,
            "<TtlAmt Ccy=\"EUR\">600.00<",
            "<TtlAmt Ccy=\"EUR\">600.01<",
        );
        assert_eq!(
            refused(&text),
            "line 95, column 11: the total of the group is -600.01, and right is -600.00: the difference is 0.01"
        );
        // A group whose payments come in another file.
        let from = OLD
            .find("<TxDtls>\n            <Refs><EndToEndId>PAY-1")
            .unwrap();
        let end = OLD[from..].find("</NtryDtls>").unwrap() + from;
        let alone = format!("{}{}", &OLD[..from], &OLD[end..]);
        assert!(first(&alone).entries[2].details.is_empty());
        let wrong = with(
            &alone,
            "<TtlAmt Ccy=\"EUR\">600.00<",
            "<TtlAmt Ccy=\"EUR\">600.01<",
        );
        assert!(
            refused(&wrong).contains("the total of the groups is -600.01, and right is -600.00")
        );
    }

    #[test]
    fn no_detail_and_many_details_are_both_normal() {
        let statement = first(OLD);
        let counts: Vec<usize> = statement
            .entries
            .iter()
            .map(|entry| entry.details.len())
            .collect();
        assert_eq!(counts, [1, 1, 2, 0, 0]);
        let many = &statement.entries[2];
        let ids: Vec<_> = many
            .details
            .iter()
            .filter_map(|one| one.end_to_end_id.as_deref())
            .collect();
        assert_eq!(ids, ["PAY-1", "PAY-2"]);
        assert_eq!(many.details[1].units.unwrap().get(), -39_999);
        // What is true of one payment is not said of an entry of many.
        assert_eq!(
            (&many.end_to_end_id, &many.counterpart.name),
            (&None, &None)
        );
        assert_eq!(statement.entries[3].remittance.as_deref(), Some("Interest"));
    }

    #[test]
    fn the_opening_balance_is_opbd_else_prcd_else_itbd_on_a_later_page() {
        assert_eq!(first(OLD).opening.unwrap().units.get(), 10_000);
        // OPBD goes before PRCD.
        let opening = "<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">100.00</Amt>\
        <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>";
        let both = with(
            OLD,
            "<Bal>",
            &format!("{}<Bal>", opening.replace("100.00", "100.01")),
        );
        assert!(refused(&both).contains("opening 100.01"));
        // ITBD is no opening balance on the first page.
        let first_page = first(&with(&with(OLD, ">PRCD<", ">ITBD<"), "494.50", "500.00"));
        assert_eq!(first_page.opening, None);
        let pages = read(NEW.as_bytes()).unwrap();
        assert_eq!(pages[0].opening.unwrap().units.get(), -1_000);
    }

    #[test]
    fn the_closing_balance_is_clbd_and_never_an_available_or_forward_one() {
        assert_eq!(first(OLD).closing.unwrap().units.get(), -49_450);
        let without = with(OLD, ">CLBD<", ">CLAV<");
        assert_eq!(first(&without).closing, None);
    }

    #[test]
    fn pages_are_joined() {
        let statements = read(NEW.as_bytes()).unwrap();
        assert_eq!(statements.len(), 1);
        let whole = &statements[0];
        assert!(whole.is_complete());
        assert_eq!((whole.first_page, whole.last_page), (1, 2));
        assert_eq!(whole.closing.unwrap().units.get(), 10_234);
        let positions: Vec<usize> = whole.entries.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, [1, 2]);
        // In two files, the later one first.
        let (start, middle) = (NEW.find("<Stmt>").unwrap(), NEW.rfind("<Stmt>").unwrap());
        let end = NEW.rfind("</Stmt>").unwrap() + "</Stmt>".len();
        let one = format!("{}{}{}", &NEW[..start], &NEW[start..middle], &NEW[end..]);
        let two = format!("{}{}{}", &NEW[..start], &NEW[middle..end], &NEW[end..]);
        assert!(!first(&one).is_complete() && !first(&two).is_complete());
        let joined = join(vec![first(&two), first(&one)]).unwrap();
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].closing, whole.closing);
        let wrong = with(&two, ">0.234<", ">0.233<");
        let wrong = with(&wrong, ">10.234<", ">10.233<");
        let error = join(vec![first(&one), first(&wrong)]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("page 2 begins with 0.233, and the page before it ends with 0.234")
        );
    }

    #[test]
    fn only_booked_entries_are_booked() {
        let statement = first(OLD);
        assert_eq!(statement.entries.len(), 5);
        let expected: Vec<_> = statement
            .expected
            .iter()
            .map(|entry| (entry.position, entry.units.get()))
            .collect();
        assert_eq!(expected, [(6, 7_700)]);
        // Without any date it is expected on the day of the message; a booked entry must have one.
        let undated = with(OLD, "<ValDt><Dt>2026-04-02</Dt></ValDt>", "");
        assert_eq!(
            first(&undated).expected[0].booked_on.to_string(),
            "2026-04-01"
        );
        let undated = with(&undated, "<Sts>PDNG</Sts>", "<Sts>BOOK</Sts>");
        assert!(refused(&undated).contains("an entry needs BookgDt or ValDt"));
        // The code may stand one step further down.
        let text = with(OLD, "<Sts>PDNG</Sts>", "<Sts><Cd>INFO</Cd></Sts>");
        assert!(first(&text).expected.is_empty());
        let text = with(OLD, "<Sts>PDNG</Sts>", "<Sts>BOKD</Sts>");
        assert!(
            refused(&text)
                .contains("the status of the entry is \"BOKD\"; right is BOOK, PDNG, FUTR or INFO")
        );
    }

    #[test]
    fn a_date_is_its_first_ten_characters_and_is_never_converted() {
        let statement = first(OLD);
        assert_eq!(
            statement.closing.unwrap().date.unwrap().to_string(),
            "2026-03-31"
        );
        assert_eq!(statement.entries[0].booked_on.to_string(), "2026-03-31");
        // In UTC this would be 31 March.
        assert_eq!(
            statement.entries[0].value_on.unwrap().to_string(),
            "2026-04-01"
        );
        for written in ["2026-04-01Z", "2026-04-01-11:00", "2026-04-01+14:00"] {
            let text = with(
                OLD,
                "<DtTm>2026-04-01T00:30:00+02:00</DtTm>",
                &format!("<Dt>{written}</Dt>"),
            );
            assert_eq!(
                first(&text).entries[0].value_on.unwrap().to_string(),
                "2026-04-01"
            );
        }
        for wrong in [
            "2026-02-30",
            "31.03.2026",
            "2026-03-3",
            "2026-03-311",
            "+026-03-31",
        ] {
            let text = with(
                OLD,
                "<BookgDt><Dt>2026-03-31+02:00<",
                &format!("<BookgDt><Dt>{wrong}<"),
            );
            assert!(
                refused(&text).contains("right is a date as YYYY-MM-DD"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn names_are_found_where_the_versions_have_them() {
        let old = first(OLD);
        let name = |entry: &crate::Entry| entry.counterpart.name.clone().unwrap_or_default();
        assert_eq!(name(&old.entries[0]), "Erika Mustermann");
        // The reversal of a payment from her is still about her.
        assert_eq!(name(&old.entries[1]), "Erika Mustermann");
        let new = first(NEW);
        assert_eq!(name(&new.entries[0]), "Third");
        assert_eq!(name(&new.entries[1]), "A Bank as a Payer");
        assert_eq!(
            new.entries[0].counterpart.account.as_ref().unwrap().id,
            "998877"
        );
        let payer = old.entries[0].counterpart.account.as_ref().unwrap();
        assert_eq!(payer.key(), "AT611904300234573201");
    }

    #[test]
    fn references_and_texts_are_read() {
        let old = first(OLD);
        let entry = &old.entries[0];
        assert_eq!(entry.bank_reference.as_deref(), Some("B-1"));
        assert_eq!(entry.own_reference.as_deref(), Some("I-1"));
        assert_eq!(entry.end_to_end_id.as_deref(), Some("INV-1"));
        assert_eq!(
            entry.remittance.as_deref(),
            Some("Rechnung 1 vom 1. & 2. M\u{e4}rz")
        );
        assert_eq!(old.entries[1].end_to_end_id, None);
        let new = first(NEW);
        assert_eq!(new.entries[0].own_reference.as_deref(), Some("RUN-8"));
        let detail = &new.entries[0].details[0];
        assert_eq!(
            detail.creditor_reference.as_deref(),
            Some("RF18539007547034")
        );
    }

    #[test]
    fn an_entry_is_known_by_account_statement_position_and_a_reference_that_is_unique() {
        let statement = first(OLD);
        let identities = statement.entry_identities();
        let references: Vec<_> = identities
            .iter()
            .map(|one| one.bank_reference.as_deref())
            .collect();
        assert_eq!(
            references,
            [Some("B-1"), Some("B-2"), Some("B-3"), None, None]
        );
        // Two equal entries are two.
        assert_ne!(identities[3], identities[4]);
        assert_eq!(identities[3].statement.as_deref(), Some("2026-03-31-1"));
        assert_eq!(statement.identity(), first(OLD).identity());
        let other = with(OLD, "<Id>2026-03-31-1<", "<Id>2026-03-31-3<");
        assert_ne!(statement.identity(), first(&other).identity());
    }

    #[test]
    fn a_statement_that_does_not_tally_is_refused_with_the_difference() {
        let text = with(OLD, ">494.50<", ">494.51<");
        assert_eq!(
            refused(&text),
            "line 28, column 7: the statement does not tally: opening 100.00 and entries -594.50 make -494.50, and \
         closing is -494.51; the difference is -0.01 EUR"
        );
    }

    #[test]
    fn reports_and_notices_are_read_where_they_have_the_same_form() {
        for (file, kind) in [
            (
                include_str!("../tests/files/camt.052.001.02.xml"),
                Kind::Report,
            ),
            (
                include_str!("../tests/files/camt.052.001.08.xml"),
                Kind::Report,
            ),
            (
                include_str!("../tests/files/camt.054.001.02.xml"),
                Kind::Notice,
            ),
            (
                include_str!("../tests/files/camt.054.001.04.xml"),
                Kind::Notice,
            ),
            (
                include_str!("../tests/files/camt.054.001.08.xml"),
                Kind::Notice,
            ),
        ] {
            let statement = first(file);
            assert_eq!(statement.kind, kind);
            assert_eq!((statement.opening, statement.closing), (None, None));
            assert_eq!(statement.entries[0].units.get(), 1_234);
            assert_eq!(
                statement.entries[0].counterpart.name.as_deref(),
                Some("Erika Mustermann")
            );
            assert_eq!(statement.expected[0].units.get(), -2_000);
        }
    }

    #[test]
    fn other_documents_are_refused() {
        for (from, to) in [
            ("camt.053.001.02", "camt.053.001.01"),
            ("camt.053.001.02", "camt.053.001.13"),
            ("camt.053.001.02", "pain.001.001.03"),
            ("camt.053.001.02", "camt.053.001.2"),
            ("urn:iso:std:iso:20022:tech:xsd:", ""),
        ] {
            let said = refused(&with(OLD, from, to));
            assert!(said.contains(READ), "{said}");
        }
        assert!(refused("<Document/>").contains(READ));
        let wrong_body = with(OLD, "camt.053", "camt.054");
        assert_eq!(
            refused(&wrong_body),
            "line 2, column 1: the document needs BkToCstmrDbtCdtNtfctn"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_column() {
        for (from, to, says) in [
            (
                "<Amt Ccy=\"EUR\">2.75",
                "<Amt Ccy=\"EUR\">2.755",
                "line 114, column 9: the amount \"2.755\" has more decimal places than EUR has: 2",
            ),
            (
                "<Amt Ccy=\"EUR\">2.75",
                "<Amt Ccy=\"EUR\">-2.75",
                "line 114, column 9: the amount is \"-2.75\"; right is digits",
            ),
            (
                "<Amt Ccy=\"EUR\">2.75",
                "<Amt Ccy=\"EUR\">2,75",
                "line 114, column 9: the amount is \"2,75\"; right is digits",
            ),
            (
                "<Amt Ccy=\"EUR\">2.75",
                "<Amt Ccy=\"USD\">2.75",
                "line 114, column 9: the currency is USD, and that of the account is EUR",
            ),
            (
                "<Amt Ccy=\"EUR\">2.75",
                "<Amt>2.75",
                "line 114, column 9: \"\" is not the code of a currency",
            ),
            (
                "<RvslInd>1<",
                "<RvslInd>yes<",
                "line 71, column 9: a flag is \"yes\"; right is true, 1, false or 0",
            ),
            (
                "<CdtDbtInd>DBIT</CdtDbtInd>\n        <Sts>",
                "<CdtDbtInd>DEBT</CdtDbtInd>\n        <Sts>",
                "line 88, column 9: the direction is \"DEBT\"; right is CRDT or DBIT",
            ),
            (
                "<CdtDbtInd>DBIT</CdtDbtInd>\n        <Sts>",
                "<Sts>",
                "line 86, column 7: an entry needs CdtDbtInd",
            ),
            (
                "<Id>2026-03-31-1</Id>",
                "",
                "line 8, column 5: a statement needs Id",
            ),
            (
                "<Id><IBAN>DE89370400440532013000</IBAN></Id>",
                "<Id/>",
                "line 12, column 7: an account needs Id/IBAN or Id/Othr/Id",
            ),
        ] {
            let said = refused(&with(OLD, from, to));
            assert!(said.starts_with(says), "{said}\n{says}");
        }
    }

    proptest! {
        #[test]
        fn a_written_statement_reads_back(
            entries in prop::collection::vec((-1_000_000_000_i64..1_000_000_000, any::<bool>()), 0..30),
            opening in -1_000_000_000_i64..1_000_000_000,
            code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"]),
        ) {
            let currency = amounts::currency(code).unwrap();
            let written = |units: i64| {
                let direction = if units < 0 { "DBIT" } else { "CRDT" };
                let amount = currency.decimal(i128::from(units.abs()));
                format!("<Amt Ccy='{code}'>{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>")
            };
            let balance = |kind: &str, units: i64| format!(
                "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{}<Dt><Dt>2026-03-31</Dt></Dt></Bal>",
                written(units)
            );
            let sum = opening + entries.iter().map(|(units, _)| units).sum::<i64>();
            let text = |closing: i64| {
                let lines: String = entries.iter().map(|(units, reverses)| format!(
                    "<Ntry>{}<RvslInd>{reverses}</RvslInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-31</Dt></BookgDt></Ntry>",
                    written(*units)
                )).collect();
                format!(
                    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'><BkToCstmrStmt><GrpHdr/><Stmt><Id>1</Id>\
                     <Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>{}{}{lines}</Stmt></BkToCstmrStmt></Document>",
                    balance("OPBD", opening), balance("CLBD", closing)
                )
            };
            let statement = first(&text(sum));
            let found: Vec<_> = statement.entries.iter().map(|entry| (entry.units.get(), entry.is_reversal)).collect();
            prop_assert_eq!(&found, &entries);
            prop_assert_eq!(statement.closing.unwrap().units.get(), sum);
            prop_assert!(read(text(sum + 1).as_bytes()).is_err());
        }

        #[test]
        fn no_change_of_a_file_makes_the_reader_stop(at in 0..OLD.len(), length in 0..200_usize, with in "[<>/&;A-Za-z\"= \u{e9}]{0,8}") {
            let (from, to) = (OLD.floor_char_boundary(at), OLD.floor_char_boundary((at + length).min(OLD.len())));
            let text = format!("{}{with}{}", &OLD[..from], &OLD[to..]);
            let _ = read(text.as_bytes());
        }
    }
}
