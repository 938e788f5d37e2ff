#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use super::*;

const GERMAN: &str = "\
Kontoauszug;erstellt
IBAN;Buchung;Valuta;Name;Konto;Text;Betrag;W\u{e4}hrung;Saldo
DE89370400440532013000;31.03.2026;01.04.2026;Erika Mustermann;AT611904300234573201;\"Rechnung; \"\"1\"\"\";1.234,50;EUR;1.334,50
DE89370400440532013000;31.03.2026;;;;Geb\u{fc}hr;-34,5;EUR;1.300,00
7654321;30.03.2026;;;;Zinsen;1;JPY;1
";

fn german() -> Mapping {
    Mapping {
        delimiter: ';',
        encoding: Encoding::Utf8OrLatin1,
        heading_line: 2,
        order: Order::OldestFirst,
        account: Source::Column("IBAN".to_owned()),
        currency: Source::Column("W\u{e4}hrung".to_owned()),
        statement: None,
        booking_date: "Buchung".to_owned(),
        value_date: Some("Valuta".to_owned()),
        date_format: "%d.%m.%Y".to_owned(),
        amount: AmountColumns::Signed {
            column: "Betrag".to_owned(),
            negative_is_in: false,
        },
        decimal: ',',
        thousands: Some('.'),
        balance: Some("Saldo".to_owned()),
        bank_reference: None,
        own_reference: None,
        end_to_end_id: None,
        name: Some("Name".to_owned()),
        counterpart_account: Some("Konto".to_owned()),
        remittance: vec!["Text".to_owned()],
    }
}

fn refused(text: &str, mapping: &Mapping) -> String {
    read(text.as_bytes(), mapping).unwrap_err().to_string()
}

fn units(text: &str, mapping: &Mapping) -> Vec<i64> {
    let statements = read(text.as_bytes(), mapping).unwrap();
    let entries = statements.iter().flat_map(|one| &one.entries);
    entries.map(|entry| entry.units.get()).collect()
}

#[test]
fn a_file_is_read_by_its_mapping() {
    let statements = read(GERMAN.as_bytes(), &german()).unwrap();
    assert_eq!(statements.len(), 2);
    let statement = &statements[0];
    assert_eq!(statement.account.key(), "DE89370400440532013000");
    assert_eq!(statement.opening.unwrap().units.get(), 10_000);
    assert_eq!(statement.closing.unwrap().units.get(), 130_000);
    let entry = &statement.entries[0];
    assert_eq!(entry.units.get(), 123_450);
    assert_eq!(entry.booked_on.to_string(), "2026-03-31");
    assert_eq!(entry.value_on.unwrap().to_string(), "2026-04-01");
    assert_eq!(entry.remittance.as_deref(), Some("Rechnung; \"1\""));
    assert_eq!(entry.counterpart.name.as_deref(), Some("Erika Mustermann"));
    assert_eq!(entry.place, Place { line: 3, column: 1 });
    assert_eq!(statement.entries[1].units.get(), -3_450);
    assert_eq!(statement.entries[1].position, 2);
    assert_eq!(statements[1].currency.code(), "JPY");
}

#[test]
fn the_encoding_is_utf_8_or_else_iso_8859_1() {
    let latin: Vec<u8> = GERMAN
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let expected = read(GERMAN.as_bytes(), &german()).unwrap();
    assert_eq!(read(&latin, &german()).unwrap(), expected);
    let marked = format!("\u{feff}{GERMAN}");
    assert_eq!(read(marked.as_bytes(), &german()).unwrap(), expected);
    let windows = GERMAN.replace('\n', "\r\n");
    assert_eq!(units(&windows, &german()), units(GERMAN, &german()));
}

#[test]
fn rows_may_go_backward_in_time() {
    let mut lines: Vec<&str> = GERMAN.lines().collect();
    lines.swap(2, 3);
    let text = lines.join("\n");
    assert!(refused(&text, &german()).contains("does not tally"));
    let backward = Mapping {
        order: Order::NewestFirst,
        ..german()
    };
    let statements = read(text.as_bytes(), &backward).unwrap();
    assert_eq!(statements[0].opening.unwrap().units.get(), 10_000);
    assert_eq!(
        statements[0].entries[0].units.get(),
        -3_450,
        "the order of the file"
    );
}

#[test]
fn the_direction_is_told_by_a_sign_by_a_mark_or_by_two_columns() {
    let plain = |amount| Mapping {
        delimiter: ',',
        heading_line: 1,
        account: Source::Fixed("1".to_owned()),
        currency: Source::Fixed("USD".to_owned()),
        booking_date: "Date".to_owned(),
        value_date: None,
        date_format: "%m/%d/%Y".to_owned(),
        amount,
        decimal: '.',
        thousands: Some(','),
        balance: None,
        name: None,
        counterpart_account: None,
        remittance: Vec::new(),
        ..german()
    };
    let own = str::to_owned;
    let card = plain(AmountColumns::Signed {
        column: own("Amount"),
        negative_is_in: true,
    });
    assert_eq!(
        units(
            "Date,Amount\n03/31/2026,\"1,234.50\"\n03/31/2026,-1\n",
            &card
        ),
        [-123_450, 100]
    );
    let marked = plain(AmountColumns::Marked {
        column: own("Amount"),
        mark: own("Side"),
        r#in: vec![own("CR")],
        out: vec![own("DR")],
    });
    assert_eq!(
        units(
            "Date,Amount,Side\n03/31/2026,1.50,CR\n3/31/2026,2,DR\n",
            &marked
        ),
        [150, -200]
    );
    assert_eq!(
        refused("Date,Amount,Side\n03/31/2026,1.50,XX\n", &marked),
        "line 2, column 17: the mark is \"XX\"; right is one of CR, DR"
    );
    assert!(refused("Date,Amount,Side\n03/31/2026,-1.50,CR\n", &marked).contains("without a sign"));
    let split = plain(AmountColumns::Split {
        r#in: own("In"),
        out: own("Out"),
    });
    let text = "Date,In,Out\n03/31/2026,1.50,\n03/31/2026,,2.25\n03/31/2026,0.00,-3\n";
    assert_eq!(units(text, &split), [150, -225, -300]);
    for row in ["03/31/2026,,", "03/31/2026,1,2"] {
        let said = refused(&format!("Date,In,Out\n{row}\n"), &split);
        assert_eq!(
            said,
            "line 2, column 1: a row needs one amount in \"In\" or in \"Out\""
        );
    }
}

#[test]
fn a_separator_of_thousands_is_never_taken_for_one_of_decimal_places() {
    let mapping = german();
    let read = |text: &str, code: &str| {
        mapping
            .number(text, Currency::from_code(code).unwrap())
            .map(MinorUnits::get)
    };
    for (text, code, expected) in [
        ("1.234.567,89", "EUR", 123_456_789),
        ("1234567,89", "EUR", 123_456_789),
        ("-0,5", "EUR", -50),
        ("12,50-", "EUR", -1_250),
        ("\u{2212}12,50", "EUR", -1_250),
        ("+12", "EUR", 1_200),
        ("1,234", "KWD", 1_234),
        ("1.000", "JPY", 1_000),
    ] {
        assert_eq!(read(text, code), Ok(expected), "{text}");
    }
    for text in [
        "12.50",
        "1.2345,00",
        "1234.567,00",
        ".500",
        "1,",
        "",
        "-",
        "1,5 EUR",
        "1,2,3",
        "1,-5",
    ] {
        assert!(
            matches!(read(text, "EUR"), Err(Problem::Malformed { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        read("1,505", "EUR"),
        Err(Problem::TooPrecise { .. })
    ));
    let blanks = Mapping {
        thousands: Some(' '),
        ..german()
    };
    let eur = Currency::from_code("EUR").unwrap();
    for text in ["1 234,50", "1\u{a0}234,50", "1\u{202f}234,50"] {
        assert_eq!(blanks.number(text, eur).map(MinorUnits::get), Ok(123_450));
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let with = |from: &str, to: &str| {
        assert!(GERMAN.contains(from), "{from}");
        GERMAN.replacen(from, to, 1)
    };
    for (text, says) in [
        (
            String::new(),
            "line 1, column 1: there is nothing here: a heading",
        ),
        (
            with("Betrag", "Summe"),
            "line 2, column 1: the heading has the column \"Betrag\" 0 times, and it must be there once; it has IBAN, Buchung",
        ),
        (
            with("Valuta", "Text"),
            "line 2, column 1: the heading has the column \"Valuta\" 0 times",
        ),
        (
            with("Valuta;Name", "Name;Name"),
            "line 2, column 1: the heading has the column \"Valuta\" 0 times",
        ),
        (
            with("Konto;Text", "Text;Text"),
            "line 2, column 1: the heading has the column \"Konto\" 0 times",
        ),
        (
            with("31.03.2026", "2026-03-31"),
            "line 3, column 24: the date is \"2026-03-31\"; right is a date as %d.%m.%Y",
        ),
        (
            with("31.03.2026", "31.02.2026"),
            "line 3, column 24: the date is \"31.02.2026\"",
        ),
        (
            with("1.234,50", "1234.50"),
            "line 3, column 102: the amount is \"1234.50\"; right is an amount as 1.234,56",
        ),
        (
            with("-34,5;EUR", "-34,5;EURO"),
            "line 4, column 51: \"EURO\" is not the code of a currency",
        ),
        (
            with("-34,5;", "-34,6;"),
            "line 4, column 55: the statement does not tally: opening 1334.50 and entries -34.60 make 1299.90, and closing is 1300.00; the difference is 0.10 EUR",
        ),
        (
            with("-34,5;EUR;1.300,00", "-34,5;EUR;"),
            "line 4, column 55: the amount is \"\"",
        ),
        (
            with(";EUR;1.300,00", ";EUR"),
            "line 4, column 1: the row is",
        ),
        (
            with("7654321;30", ";30"),
            "line 5, column 1: a row needs an account",
        ),
    ] {
        let said = refused(&text, &german());
        assert!(said.starts_with(says), "{said}\n{says}");
    }
}

#[test]
fn a_mapping_that_contradicts_itself_is_refused() {
    for mapping in [
        Mapping {
            date_format: "%d.%m".to_owned(),
            ..german()
        },
        Mapping {
            date_format: "%Q".to_owned(),
            ..german()
        },
        Mapping {
            thousands: Some(','),
            ..german()
        },
        Mapping {
            decimal: '0',
            ..german()
        },
        Mapping {
            delimiter: '\u{20ac}',
            ..german()
        },
        Mapping {
            heading_line: 0,
            ..german()
        },
    ] {
        let said = refused(GERMAN, &mapping);
        assert!(
            said.starts_with("line 1, column 1: the mapping is wrong: "),
            "{said}"
        );
    }
}
