//! The form of a file to import: what is not exactly right is refused by line, and nothing of it is taken.

use tests::{Database, on_both_databases};

use crate::given::rows;
use crate::imports::{empty_books, file, imported};

/// An import of this text is refused for exactly these lines and fields, and leaves nothing.
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
