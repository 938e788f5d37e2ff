//! MT940: statements of SWIFT's Customer Statement Message, as banks give them to their customers.
//!
//! Each message is a page of a statement of one account. Amounts are checked to the last digit: the opening balance and
//! the entries of each page must make its closing balance.
//!
//! Source of the form: SWIFT Standards MT, Category 9, MT940; of the German field 86: Deutsche Kreditwirtschaft, DFÜ
//! agreement, annex 3, chapter 8.

mod fields;
mod line;
mod narrative;

use jiff::civil::Date;
use money::{Currency, MinorUnits};

use crate::pages;
use crate::places::decoded;
use crate::statement::Account;
use crate::{Balance, Counterpart, Entry, Kind, Place, Problem, ReadError, Statement, amounts};

use fields::{Field, Message};
use line::Line;
use narrative::Narrative;

/// Greatest number of bytes of a file.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The statements of a file, in the order of the file. Pages of one statement become one.
///
/// # Errors
/// [`ReadError`], with the first problem of the file. Nothing of such a file may be used.
pub fn read(file: &[u8]) -> Result<Vec<Statement>, ReadError> {
    if file.len() > MAX_BYTES {
        return Err(Problem::TooLarge { most: MAX_BYTES }.at(Place::START));
    }
    let text = decoded(file);
    let messages = fields::messages(&text)?;
    let pages: Result<Vec<Statement>, ReadError> = messages.iter().map(page).collect();
    pages::of_file(pages?)
}

/// A balance with its mark, its currency and its place.
struct MarkedBalance {
    balance: Balance,
    currency: Currency,
    /// Whether it is the first opening or the last closing balance, and not one between two pages.
    is_final: bool,
    place: Place,
}

fn page(message: &Message<'_>) -> Result<Statement, ReadError> {
    let mut parts = Parts::default();
    for field in &message.fields {
        parts.take(field)?;
    }
    let missing = |what: &str| {
        let what = what.to_owned();
        let inside = "a statement";
        Problem::Missing { what, inside }.at(message.place)
    };
    let account = parts.account.ok_or_else(|| missing(":25:"))?;
    let (number, page) = parts.number.ok_or_else(|| missing(":28C:"))?;
    let opening = parts.opening.ok_or_else(|| missing(":60F: or :60M:"))?;
    let closing = parts.closing.ok_or_else(|| missing(":62F: or :62M:"))?;
    let mut entries = Vec::new();
    for (position, (line, narrative)) in (1..).zip(parts.entries) {
        entries.push(entry(position, line, &narrative));
    }
    let statement = Statement {
        kind: Kind::Statement,
        account,
        id: Some(number),
        currency: opening.currency,
        first_page: page,
        last_page: page,
        opening: Some(opening.balance),
        closing: Some(closing.balance),
        entries,
        expected: Vec::new(),
        has_first: opening.is_final,
        has_last: closing.is_final,
        place: message.place,
    };
    pages::tallies(&statement, closing.place)?;
    Ok(statement)
}

/// What has been read of a message.
#[derive(Default)]
struct Parts<'t> {
    has_reference: bool,
    account: Option<Account>,
    number: Option<(String, u32)>,
    opening: Option<MarkedBalance>,
    entries: Vec<(Line, Vec<&'t str>)>,
    /// Whether the last field belongs to an entry, so that a field 86 tells about it.
    is_in_entry: bool,
    closing: Option<MarkedBalance>,
}

impl<'t> Parts<'t> {
    fn take(&mut self, field: &Field<'t>) -> Result<(), ReadError> {
        let misplaced = |right| {
            let what = format!(":{}:", field.tag);
            Err(Problem::Misplaced { what, right }.at(field.place))
        };
        let is_head = self.opening.is_none();
        let is_body = self.opening.is_some() && self.closing.is_none();
        if field.lines.len() > 1 && !matches!(field.tag, "25P" | "61" | "86" | "NS") {
            return misplaced("this field is one line");
        }
        match field.tag {
            "20" if !self.has_reference => self.has_reference = true,
            "21" | "13D" if is_head => {}
            "25" | "25P" if is_head && self.account.is_none() => {
                self.account = Some(Account::named(field.needs_value("an account")?));
            }
            "28C" | "28" if is_head && self.number.is_none() => self.number = Some(number(field)?),
            "60F" | "60M" if is_head => self.opening = Some(balance(field)?),
            "61" if is_body => {
                let opening = self.opening.as_ref().map(|opening| opening.currency);
                if let Some(currency) = opening {
                    self.entries
                        .push((line::read(field, currency)?, Vec::new()));
                    self.is_in_entry = true;
                }
            }
            "86" if self.is_in_entry => {
                if let Some((_, narrative)) = self.entries.last_mut() {
                    narrative.extend(&field.lines);
                }
            }
            "62F" | "62M" if is_body => {
                let closing = balance(field)?;
                if let Some(opening) = &self.opening
                    && opening.currency != closing.currency
                {
                    let (found, right) = (closing.currency, opening.currency);
                    return Err(Problem::OtherCurrency { found, right }.at(field.place));
                }
                self.closing = Some(closing);
                self.is_in_entry = false;
            }
            // Available and forward balances, and texts about the statement, are not needed.
            "64" | "65" | "86" if self.closing.is_some() => {}
            "NS" => {}
            "20" | "21" | "13D" | "25" | "25P" | "28" | "28C" | "60F" | "60M" | "61" | "62F"
            | "62M" | "64" | "65" | "86" => {
                return misplaced(
                    "the order is :20: :25: :28C: :60F: :61: :86: :62F: :64: :65: :86:",
                );
            }
            _ => return misplaced("MT940 has no such field"),
        }
        Ok(())
    }
}

/// The number of the statement and of the page. Without a page it is the first.
fn number(field: &Field<'_>) -> Result<(String, u32), ReadError> {
    let value = field.value();
    let right = "a number, perhaps a slash and the number of the page: 123/1";
    let wrong = || Problem::malformed("the number of the statement", value, right).at(field.place);
    let (number, page) = value.split_once('/').unwrap_or((value, "1"));
    let is_number = |text: &str| {
        !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(number) || !is_number(page) {
        return Err(wrong());
    }
    Ok((
        number.to_owned(),
        page.parse().map_err(|_too_large| wrong())?,
    ))
}

/// A balance: `C`, `D`, date, currency, amount.
fn balance(field: &Field<'_>) -> Result<MarkedBalance, ReadError> {
    let value = field.value();
    let read = || {
        let right = "C or D, a date as YYMMDD, a currency and an amount: C260131EUR1234,56";
        let wrong = || Problem::malformed("the balance", value, right);
        let (mark, rest) = value.split_at_checked(1).ok_or_else(wrong)?;
        let (date, rest) = rest.split_at_checked(6).ok_or_else(wrong)?;
        let (code, amount) = rest.split_at_checked(3).ok_or_else(wrong)?;
        let is_in = match mark {
            "C" => true,
            "D" => false,
            _ => return Err(wrong()),
        };
        let date = line::date(date)?;
        let currency = amounts::currency(code)?;
        let units = amounts::signed(line::amount(amount, currency)?, is_in)?;
        Ok((date, units, currency))
    };
    let (date, units, currency): (Date, MinorUnits, Currency) =
        read().map_err(|problem| problem.at(field.value_place()))?;
    Ok(MarkedBalance {
        balance: Balance {
            date: Some(date),
            units,
        },
        currency,
        is_final: field.tag.ends_with('F'),
        place: field.place,
    })
}

fn entry(position: usize, line: Line, narrative: &[&str]) -> Entry {
    let Narrative {
        counterpart,
        end_to_end_id,
        remittance,
    } = match narrative {
        [] => Narrative {
            counterpart: Counterpart::default(),
            end_to_end_id: None,
            remittance: line.supplement,
        },
        lines => narrative::read(lines),
    };
    Entry {
        position,
        place: line.place,
        booked_on: line.booked_on,
        value_on: Some(line.value_on),
        units: line.units,
        is_reversal: line.is_reversal,
        bank_reference: line.bank_reference,
        own_reference: line.own_reference,
        end_to_end_id,
        counterpart,
        remittance,
        details: Vec::new(),
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

    const MARKS: &str = "\
:20:STMT1
:25:DE89370400440532013000
:28C:17/1
:60F:C260330EUR100,00
:61:2603310331C10,50NTRFINV-1//B1
:86:166?20EREF+INV-1?21SVWZ+Rechnung 1?32Erika Mustermann
:61:2603310331RC10,50NTRFNONREF//B2
:61:2603310331RD5,00NTRFNONREF//B2
second line
:61:260331D1234,00NMSC123
:61:2603310331CR0,5NCHKNONREF
:62F:D260331EUR1128,50
:64:D260331EUR1128,50
:65:C260401EUR99999,99
:86:A text about the statement
-";

    fn refused(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_marks_give_the_sign_and_reversals_are_the_opposite() {
        let statements = read(MARKS.as_bytes()).unwrap();
        let statement = &statements[0];
        let units: Vec<i64> = statement
            .entries
            .iter()
            .map(|entry| entry.units.get())
            .collect();
        assert_eq!(units, [1_050, -1_050, 500, -123_400, 50]);
        let reversals: Vec<bool> = statement
            .entries
            .iter()
            .map(|entry| entry.is_reversal)
            .collect();
        assert_eq!(reversals, [false, true, true, false, false]);
        assert_eq!(statement.closing.unwrap().units.get(), -112_850);
        assert!(statement.is_complete());
        assert!(statement.entries[1].may_undo(&statement.entries[0]));
        assert!(!statement.entries[2].may_undo(&statement.entries[0]));
    }

    #[test]
    fn an_entry_has_its_dates_its_references_and_its_place() {
        let statements = read(MARKS.as_bytes()).unwrap();
        let [first, second, third, fourth, _] = statements[0].entries.as_slice() else {
            unreachable!("five entries")
        };
        assert_eq!(first.position, 1);
        assert_eq!(first.place, Place { line: 5, column: 1 });
        assert_eq!(first.booked_on.to_string(), "2026-03-31");
        assert_eq!(first.own_reference.as_deref(), Some("INV-1"));
        assert_eq!(first.end_to_end_id.as_deref(), Some("INV-1"));
        assert_eq!(first.remittance.as_deref(), Some("Rechnung 1"));
        assert_eq!(first.counterpart.name.as_deref(), Some("Erika Mustermann"));
        assert_eq!(third.remittance.as_deref(), Some("second line"));
        assert_eq!(fourth.own_reference.as_deref(), Some("123"));
        // Two entries with one reference: it identifies neither.
        let identities = statements[0].entry_identities();
        assert_eq!(identities[0].bank_reference.as_deref(), Some("B1"));
        assert_eq!(second.bank_reference.as_deref(), Some("B2"));
        assert_eq!(identities[1].bank_reference, None);
    }

    #[test]
    fn two_equal_entries_are_two() {
        let line = ":61:2603310331C1,00NTRFSAME//SAME\n";
        let text = format!(
            ":20:X\n:25:1\n:28C:1\n:60F:C260331EUR0,00\n{line}{line}:62F:C260331EUR2,00\n-\n"
        );
        let statements = read(text.as_bytes()).unwrap();
        let identities = statements[0].entry_identities();
        assert_eq!(identities.len(), 2);
        assert_ne!(identities[0], identities[1]);
    }

    #[test]
    fn a_statement_that_does_not_tally_is_refused_with_the_difference() {
        let text = MARKS.replace("D260331EUR1128,50\n:64", "D260331EUR1128,51\n:64");
        assert_eq!(
            refused(&text),
            "line 12, column 1: the statement does not tally: opening 100.00 and entries -1228.50 make -1128.50, and \
         closing is -1128.51; the difference is -0.01 EUR"
        );
    }

    fn page(number: &str, from: &str, amount: &str, to: &str) -> String {
        format!(
            ":20:X\n:25:1\n:28C:{number}\n:60{}\n:61:260331C{amount}NTRFX\n:62{}\n-\n",
            from, to
        )
    }

    #[test]
    fn pages_are_joined_by_account_and_number() {
        let one = page("7/1", "F:C260331EUR0,00", "1,00", "M:C260331EUR1,00");
        let two = page("7/2", "M:C260331EUR1,00", "2,00", "M:C260331EUR3,00");
        let three = page("00007/3", "M:C260331EUR3,00", "4,00", "F:C260331EUR7,00");
        let three = three.replace("00007", "7");
        // Another account in between, and pages in another order.
        let other =
            page("7/1", "F:C260331EUR5,00", "1,00", "F:C260331EUR6,00").replace(":25:1", ":25:2");
        for text in [
            format!("{one}{two}{other}{three}"),
            format!("{three}{one}{other}{two}"),
        ] {
            let statements = read(text.as_bytes()).unwrap();
            assert_eq!(statements.len(), 2);
            let whole = statements.iter().find(|one| one.account.id == "1").unwrap();
            assert!(whole.is_complete());
            assert_eq!((whole.first_page, whole.last_page), (1, 3));
            assert_eq!(whole.closing.unwrap().units.get(), 700);
            let positions: Vec<usize> = whole.entries.iter().map(|entry| entry.position).collect();
            assert_eq!(positions, [1, 2, 3]);
        }
    }

    #[test]
    fn a_statement_without_its_last_page_is_open() {
        let one = page("7/1", "F:C260331EUR0,00", "1,00", "M:C260331EUR1,00");
        let two = page("7/2", "M:C260331EUR1,00", "2,00", "M:C260331EUR3,00");
        let three = page("7/3", "M:C260331EUR3,00", "4,00", "F:C260331EUR7,00");
        let open = read(format!("{one}{two}").as_bytes()).unwrap();
        assert_eq!(open.len(), 1);
        assert!(!open[0].is_complete());
        let gap = read(format!("{one}{three}").as_bytes()).unwrap();
        assert_eq!(gap.len(), 2);
        assert!(gap.iter().all(|statement| !statement.is_complete()));
    }

    #[test]
    fn pages_with_different_balances_do_not_join() {
        let one = page("7/1", "F:C260331EUR0,00", "1,00", "M:C260331EUR1,00");
        let two = page("7/2", "M:C260331EUR1,01", "2,00", "F:C260331EUR3,01");
        assert_eq!(
            refused(&format!("{one}{two}")),
            "line 8, column 1: page 2 begins with 1.01, and the page before it ends with 1.00"
        );
    }

    #[test]
    fn several_accounts_and_several_statements_of_one_number_are_normal() {
        let one = page("0", "F:C260331EUR0,00", "1,00", "F:C260331EUR1,00");
        let two = page("0", "F:C260331EUR1,00", "2,00", "F:C260331EUR3,00");
        let other = one.replace(":25:1", ":25:2");
        let statements = read(format!("{one}{two}{other}").as_bytes()).unwrap();
        assert_eq!(statements.len(), 3);
        assert!(statements.iter().all(|statement| statement.is_complete()));
        assert_ne!(statements[0].identity(), statements[1].identity());
    }

    #[test]
    fn blocks_line_ends_and_a_last_empty_line_are_taken() {
        let plain = page("7/1", "F:C260331EUR0,00", "1,00", "F:C260331EUR1,00");
        let blocks = format!(
            "{{1:F01COBADEFFAXXX0000000000}}{{2:O9401200260331COBADEFFAXXX00000000002603311200N}}{{4:\n{}",
            plain.replace("\n-\n", "\n-}{5:{CHK:123456789ABC}}\n")
        );
        let one_line = blocks.replace("{4:\n", "{4:");
        let headed = format!("ABNANL2A\n940\nABNANL2A\n{plain}");
        let expected = read(plain.as_bytes()).unwrap();
        for text in [
            plain.replace('\n', "\r\n"),
            format!("{plain}\n"),
            format!("{plain}\r\n\r\n"),
            plain.replace("\n-\n", "\n-}"),
            plain.replace("\n-\n", "\n-"),
            plain.replace("\n-\n", "\n"),
            blocks,
            one_line,
            headed,
        ] {
            let statements = read(text.as_bytes()).unwrap();
            let units = |statements: &[Statement]| {
                let all = statements.iter().flat_map(|one| &one.entries);
                all.map(|entry| (entry.units, entry.booked_on))
                    .collect::<Vec<_>>()
            };
            assert_eq!(units(&statements), units(&expected), "{text}");
        }
        // The same twice, one after the other.
        assert_eq!(read(format!("{plain}{plain}").as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn latin_1_is_read_if_the_file_is_no_utf_8() {
        let plain = page("7/1", "F:C260331EUR0,00", "1,00", "F:C260331EUR1,00");
        let with_name = plain.replace(":62F", ":86:166?20a?32M\u{fc}ller\n:62F");
        let latin: Vec<u8> = with_name
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        for file in [with_name.into_bytes(), latin] {
            let statements = read(&file).unwrap();
            let name = statements[0].entries[0].counterpart.name.as_deref();
            assert_eq!(name, Some("M\u{fc}ller"));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_column() {
        for (from, to, says) in [
            (
                "C10,50N",
                "C10,505N",
                "line 5, column 16: the amount \"10.505\" has more decimal places than EUR has: 2",
            ),
            (
                "C10,50N",
                "X10,50N",
                "line 5, column 15: the mark is \"X\"; right is C, D, RC or RD",
            ),
            (
                "C10,50N",
                "C10.50N",
                "line 5, column 16: the amount is \"10.50\"; right is digits with one comma: 1234,56",
            ),
            (
                "C10,50N",
                "C1050N",
                "line 5, column 16: the amount is \"1050\"; right is digits with one comma: 1234,56",
            ),
            (
                "NTRFINV-1",
                "XTRFINV-1",
                "line 5, column 25: the type of the entry",
            ),
            (
                "2603310331C10",
                "2602300331C10",
                "line 5, column 11: the date is \"260230\"; right is a date as YYMMDD",
            ),
            (
                ":28C:17/1",
                ":28C:17/",
                "line 3, column 1: the number of the statement is \"17/\"",
            ),
            (
                ":28C:17/1\n",
                "",
                "line 1, column 1: a statement needs :28C:",
            ),
            (
                ":25:DE89370400440532013000",
                ":25:",
                "line 2, column 5: there is nothing here: an account",
            ),
            (
                "C260330EUR100,00",
                "C260330EUX100,00",
                "line 4, column 6: \"EUX\" is not the code of a currency",
            ),
            (
                ":62F:D260331EUR",
                ":62F:D260331USD",
                "line 12, column 1: the currency is USD, and that of the account is EUR",
            ),
            (
                ":60F:",
                ":60X:",
                "line 4, column 1: :60X: does not belong here: MT940 has no such field",
            ),
            (":20:STMT1\n", "", "line 1, column 1: \":25:(left out"),
            (
                ":28C:17/1\n",
                ":28C:17/1\nmore\n",
                "line 3, column 1: :28C: does not belong here: this field is one line",
            ),
            (
                ":64:",
                ":61:",
                "line 13, column 1: :61: does not belong here: the order is",
            ),
        ] {
            let text = MARKS.replace(from, to);
            assert_ne!(text, MARKS, "{from}");
            let said = refused(&text);
            let says = says.replace("(left out", "DE8937");
            assert!(said.starts_with(&says), "{said}\n{says}");
        }
        assert_eq!(
            refused(""),
            "line 1, column 1: there is nothing here: a message that begins with :20:"
        );
    }

    prop_compose! {
        fn amounts_of_entries()(
            entries in prop::collection::vec((1..1_000_000_000_i64, 0..4_u8, 0..700_i64), 0..30),
            opening in -1_000_000_000_i64..1_000_000_000,
            code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"]),
        ) -> (Vec<(i64, u8, i64)>, i64, &'static str) {
            (entries, opening, code)
        }
    }

    proptest! {
        #[test]
        fn a_written_statement_reads_back((entries, opening, code) in amounts_of_entries()) {
            use std::fmt::Write as _;
            use jiff::ToSpan as _;
            let currency = Currency::from_code(code).unwrap();
            let written = |units: i64| {
                let decimal = currency.decimal(i128::from(units.abs()));
                if decimal.contains('.') { decimal.replace('.', ",") } else { format!("{decimal},") }
            };
            let mark = |units: i64| if units < 0 { 'D' } else { 'C' };
            let mut text = format!(":20:X\n:25:1\n:28C:1/1\n:60F:{}260101{code}{}\n", mark(opening), written(opening));
            let (mut sum, mut expected) = (opening, Vec::new());
            for (number, (units, kind, days)) in entries.iter().enumerate() {
                let (mark, units) = [("C", *units), ("D", -units), ("RC", -units), ("RD", *units)][usize::from(*kind)];
                let day = Date::constant(2025, 1, 1) + days.days();
                let short = day.strftime("%y%m%d").to_string();
                writeln!(text, ":61:{short}{}{mark}{}NTRFR{number}//B{number}", &short[2..], written(units)).unwrap();
                sum += units;
                expected.push((units, day, Some(format!("R{number}")), mark.len() == 2));
            }
            write!(text, ":62F:{}260131{code}{}\n-\n", mark(sum), written(sum)).unwrap();
            let statements = read(text.as_bytes()).unwrap();
            let found = statements[0].entries.iter().map(|entry| {
                (entry.units.get(), entry.booked_on, entry.own_reference.clone(), entry.is_reversal)
            });
            prop_assert_eq!(found.collect::<Vec<_>>(), expected);
            prop_assert_eq!(statements[0].closing.unwrap().units.get(), sum);
            // One minor unit more is noticed.
            let wrong = text.replace(&format!(":62F:{}260131{code}{}", mark(sum), written(sum)),
                &format!(":62F:{}260131{code}{}", mark(sum + 1), written(sum + 1)));
            prop_assert!(wrong == text || read(wrong.as_bytes()).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_stop(text in "(:(20|25|28C|60F|61|62F|86):[A-Z0-9,/\u{e9}]{0,30}\n|[-{}:?\u{e9}]{0,5}\n){0,12}") {
            let _ = read(text.as_bytes());
        }
    }
}
