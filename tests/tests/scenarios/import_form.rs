//! The form of an import file: every line that is not exactly right is named, and nothing is imported.

use tests::{Database, on_both_databases};

use crate::given::rows;
use crate::imports::{empty_books, file, imported};

/// An import of this text is refused for exactly these lines and fields, and writes nothing.
fn refused(database: &Database, format: &str, text: &str, expected: &[(u64, &str)]) {
    let before = rows(database);
    let path = file(database, "wrong", text);
    let (code, said) = imported(database, format, &path, &[]);
    let mistakes = said["mistakes"].as_array().expect("a list");
    let found: Vec<(u64, &str)> = mistakes
        .iter()
        .map(|one| {
            let line = one["line"].as_u64().expect("a line");
            (line, one["field"].as_str().expect("a field"))
        })
        .collect();
    assert_eq!((code, &*found), (1, expected), "{said}");
    assert_eq!(rows(database), before);
}

on_both_databases!(an_amount_is_a_plain_decimal_with_no_more_places_than_its_currency);
async fn an_amount_is_a_plain_decimal_with_no_more_places_than_its_currency(database: Database) {
    empty_books(&database);
    let mut text = "record,account,currency,class,transaction,side,amount,kind\n\
        account,assets:a,JPY,asset,,,,\naccount,assets:b,JPY,asset,,,,\n"
        .to_owned();
    let mut expected = Vec::new();
    let amounts = [
        "10.0",
        "10.",
        ".5",
        "+1",
        "1e3",
        "1'000",
        "1 000",
        "007",
        "１",
        "-1",
        "\"1,000\"",
        "0",
    ];
    for (amount, line) in amounts.iter().zip((4..).step_by(2)) {
        for (account, side) in [("a", "debit"), ("b", "credit")] {
            text += &format!("entry,assets:{account},JPY,,{line},{side},{amount},fee\n");
        }
        expected.extend([(line, "amount"), (line + 1, "amount")]);
    }
    refused(&database, "csv", &text, &expected);
    let amounts = [
        "10.0",
        "1e1",
        "1E3",
        "\"10\"",
        "-1",
        "-0",
        "0",
        "9223372036854775808",
        "true",
        "[10]",
    ];
    let posting = |amount| {
        format!(
            "{{\"kind\":\"fee\",\"postings\":[{{\"debit\":\"a\",\"credit\":\"b\",\
             \"currency\":\"JPY\",\"amount\":{amount}}}]}}"
        )
    };
    let transactions = amounts.map(posting).join(",\n");
    let text =
        format!("{{\"format\":\"florin\",\"version\":1,\"transactions\":[\n{transactions}\n]}}");
    let expected: Vec<(u64, &str)> = (2..)
        .zip(amounts)
        .map(|(line, _)| (line, "amount"))
        .collect();
    refused(&database, "json", &text, &expected);
}

const HEADING: &str = "record,account,currency,class,name,external_id,description,metadata,transaction,side,amount,kind\n";

on_both_databases!(a_table_is_read_to_the_letter_or_not_at_all);
async fn a_table_is_read_to_the_letter_or_not_at_all(database: Database) {
    empty_books(&database);
    let refused = |text: &str, expected: &[(u64, &str)]| refused(&database, "csv", text, expected);
    let row = "account,assets:a,EUR,asset,";
    // An unclosed quote does not swallow other rows, and no amount is put together from two pieces.
    refused(
        &format!("{HEADING}{row}\"open,,,,,,,\n{row}x,,,,,,,\n"),
        &[(2, "")],
    );
    refused(&format!("{HEADING}{row}\"1\"0.00,,,,,,,\n"), &[(2, "")]);
    refused(&format!("{HEADING}{row}a \"b\",,,,,,,\n"), &[(2, "")]);
    refused(&HEADING.replace('\n', "\r"), &[(1, "")]);
    refused("", &[(1, "")]);
    refused("\u{feff}", &[(1, "")]);
    refused("record,account,currency;class\n", &[(1, "")]);
    refused("record,account,currency,record\n", &[(1, "record")]);
    refused(
        &format!("{HEADING}{row},\n{row}x,,,,,,,,\n\n"),
        &[(2, ""), (3, ""), (4, "")],
    );
    refused(&format!("{HEADING}{row}a\0b,,,,,,,\n"), &[(2, "")]);
    let utf_16: Vec<u8> = HEADING.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, word) in [
        ([b"\xff\xfe".as_slice(), &utf_16].concat(), "UTF-16"),
        (utf_16.clone(), "UTF-16"),
        (
            [HEADING.as_bytes(), b"\xe9"].concat(),
            "column 1: is not UTF-8",
        ),
    ] {
        let path = file(&database, "bytes.csv", &bytes);
        let (code, said) = imported(&database, "csv", &path, &[]);
        let problem = said["mistakes"][0]["problem"].as_str().expect("a text");
        assert!(code == 1 && problem.contains(word), "{said}");
    }
}

on_both_databases!(an_import_refuses_what_the_api_refuses);
async fn an_import_refuses_what_the_api_refuses(database: Database) {
    empty_books(&database);
    let account = |name: &str, metadata: &str| {
        format!("account,assets:a,EUR,asset,{name},,,{metadata},,,,\n")
    };
    let card = "my card 4111.1111.1111.1111";
    let entry = |name: &str, about: &str, kind: &str| {
        format!("entry,assets:a,EUR,,,{name},{about},,t,debit,1.00,{kind}\n")
    };
    for (row, fields) in [
        (account(card, ""), &["name"][..]),
        (
            account("", "\"{\"\"a\"\":\"\"4111111111111111\"\"}\""),
            &["metadata"],
        ),
        (
            account("", "\"{\"\"a\"\":\"\"1\"\",\"\"a\"\":\"\"2\"\"}\""),
            &["metadata"],
        ),
        (entry("4111111111111111", "", "fee"), &["external_id"]),
        (entry("x", card, "fee"), &["description"]),
        (entry("x", "", "void"), &["kind"]),
        (entry("x", "", "reversal"), &["kind"]),
    ] {
        let path = file(&database, "row.csv", &format!("{HEADING}{row}"));
        let (code, said) = imported(&database, "csv", &path, &[]);
        assert_eq!(
            (code, said["mistakes"][0]["field"].as_str()),
            (1, fields.first().copied()),
            "{said}"
        );
    }
    let json = |account: &str, transaction: &str| {
        format!(
            "{{\"format\":\"florin\",\"version\":1,\"accounts\":[\n{{\"code\":\"assets:a\",\"currency\":\"EUR\"{account}}}],\n\
             \"transactions\":[\n{{\"kind\":\"fee\"{transaction},\"postings\":[]}}]}}"
        )
    };
    for (account, transaction, expected) in [
        (r#","name":"""#, "", (2, "name")),
        (r#","name":"a\u0000b""#, "", (2, "name")),
        (r#","metadata":{"a":"1","a":"2"}"#, "", (2, "metadata")),
        (r#","metadata":{"a":"\u0000"}"#, "", (2, "metadata")),
        ("", r#","external_id":"""#, (4, "external_id")),
        ("", r#","description":"""#, (4, "description")),
        (
            "",
            r#","exchange":{"rate":"1","rate":"2"}"#,
            (4, "exchange"),
        ),
        ("", r#","id":"\u0000""#, (4, "id")),
    ] {
        let path = file(&database, "object.json", &json(account, transaction));
        let (code, said) = imported(&database, "json", &path, &[]);
        let mistakes = said["mistakes"].as_array().expect("a list");
        let found =
            |one: &serde_json::Value| one["line"] == expected.0 && one["field"] == expected.1;
        assert!(code == 1 && mistakes.iter().any(found), "{said}");
    }
}

on_both_databases!(one_debit_and_several_credits_are_one_transaction);
async fn one_debit_and_several_credits_are_one_transaction(database: Database) {
    empty_books(&database);
    // The example of the page itself.
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/import.md"));
    let page = page.expect("a page");
    let example = |about: &str| {
        let (_, from) = page.split_once(about).expect("it is on the page");
        let (_, from) = from.split_once("```\n").expect("an example");
        from.split("```").next().expect("its end").to_owned()
    };
    let path = file(
        &database,
        "sale.csv",
        &example("A sale with its tax, as CSV"),
    );
    let (code, said) = imported(&database, "csv", &path, &[]);
    assert_eq!(
        (code, &said["transactions"]),
        (0, &serde_json::json!(1)),
        "{said}"
    );
    assert_eq!(database.number("SELECT count(*) FROM posting"), 2);
    // The same data as JSON brings nothing new.
    let path = file(&database, "sale.json", &example("The same as JSON"));
    let (code, said) = imported(&database, "json", &path, &[]);
    assert_eq!(
        (code, &said["imported_before"]),
        (0, &serde_json::json!(true)),
        "{said}"
    );
    let heading = "record,account,currency,class,transaction,side,amount,kind\n\
        account,assets:a,EUR,asset,,,,\naccount,assets:b,EUR,asset,,,,\n\
        account,income:c,EUR,income,,,,\naccount,income:d,EUR,income,,,,\n";
    let entry = |account: &str, side: &str, amount: &str| {
        format!("entry,{account},EUR,,1,{side},{amount},sale\n")
    };
    let four = |amounts: [&str; 4]| {
        let [a, b, c, d] = amounts;
        let rows = [
            entry("assets:a", "debit", a),
            entry("assets:b", "debit", b),
            entry("income:c", "credit", c),
            entry("income:d", "credit", d),
        ];
        format!("{heading}{}", rows.concat())
    };
    refused(
        &database,
        "csv",
        &four(["6", "4", "5", "5"]),
        &[(6, "posting")],
    );
    refused(
        &database,
        "csv",
        &four(["5", "5", "5", "5"]),
        &[(6, "posting")],
    );
    refused(
        &database,
        "csv",
        &four(["6", "4", "6", "5"]),
        &[(6, "posting")],
    );
    let path = file(&database, "pairs.csv", &four(["6", "4", "4", "6"]));
    let (code, said) = imported(&database, "csv", &path, &[]);
    assert_eq!(
        (code, &said["transactions"]),
        (0, &serde_json::json!(1)),
        "{said}"
    );
    crate::books_hold(&database);
}
