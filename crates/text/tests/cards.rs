//! Every published test card of every network is found, however it is written. A text that only resembles a card
//! number is not.
#![expect(
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use proptest::prelude::*;
use text::{contains_card_number, is_card_number};

/// Numbers that networks and processors publish for tests; they belong to no person.
const CARDS: [&str; 44] = [
    // Visa
    "4111111111111111",
    "4012888888881881",
    "4242424242424242",
    "4000056655665556",
    "4917610000000000",
    "4988438843884305",
    "4000000000000000006",
    // Mastercard
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "2222420000001113",
    "2720994326581252",
    // American Express
    "378282246310005",
    "371449635398431",
    "378734493671000",
    "343434343434343",
    // Discover
    "6011111111111117",
    "6011000990139424",
    "6445644564456445",
    "6510000000000000",
    // Diners Club
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "36148900647913",
    "3056930009020004",
    // JCB
    "3530111333300000",
    "3566002020360505",
    "3566111111111113",
    // UnionPay
    "6200000000000005",
    "6205500000000000004",
    "6250946000000016",
    // Maestro
    "6759649826438453",
    "6304000000000000",
    "6799990100000000019",
    "5020620000000000",
    // Mir
    "2200000000000053",
    "2200770212727079",
    // Elo
    "5066991111111118",
    "6362970000457013",
    // Troy
    "9792030000000000",
    // RuPay
    "6074819900004939",
    // Verve
    "5060666666666666666",
    // Dankort
    "5019555544445555",
];

/// Separators that may stand between the digits of a card number: it is found with each of them.
const SEPARATORS: [&str; 24] = [
    "", " ", "-", ".", "_", "/", "  ", "\u{a0}", "\u{2009}", "\u{202f}", "\u{3000}", "\t", "\n",
    "\r\n", "\u{2010}", "\u{2011}", "\u{2013}", "\u{2014}", "\u{200b}", ":", "*", " - ", ",", "|",
];

/// The digits in groups of these lengths; the last length is repeated.
fn grouped(digits: &str, lengths: &[usize], separator: &str) -> String {
    let mut text = String::new();
    let (mut place, mut left) = (0, lengths[0]);
    for digit in digits.chars() {
        if left == 0 {
            place = (place + 1).min(lengths.len() - 1);
            left = lengths[place];
            text.push_str(separator);
        }
        text.push(digit);
        left -= 1;
    }
    text
}

fn full_width(digits: &str) -> String {
    let wide = |digit: char| char::from_u32(u32::from(digit) - u32::from('0') + 0xff10);
    digits
        .chars()
        .filter_map(|digit| wide(digit).filter(|_| digit.is_ascii_digit()))
        .collect()
}

#[test]
fn a_card_is_found_whatever_separates_its_groups() {
    for card in CARDS {
        for separator in SEPARATORS {
            let usual: &[usize] = match card.len() {
                14 | 15 => &[4, 6, 99],
                _ => &[6, 99],
            };
            for lengths in [usual, &[4], &[8], &[5], &[3], &[2], &[1]] {
                let written = grouped(card, lengths, separator);
                assert!(
                    is_card_number(&written),
                    "{written:?} was taken for an identifier"
                );
                for (before, after) in [
                    ("", ""),
                    ("my card is ", "!"),
                    ("pan=", ";exp=12/27"),
                    ("acc_", ""),
                    ("(", ")"),
                    ("\u{5361}", "\u{3067}\u{3059}"),
                ] {
                    let text = format!("{before}{written}{after}");
                    assert!(contains_card_number(&text), "{text:?} was let through");
                }
            }
        }
        assert!(
            contains_card_number(&full_width(card)),
            "{card} in full width"
        );
        assert!(is_card_number(&full_width(card)), "{card} in full width");
    }
}

#[test]
fn a_card_is_found_among_other_numbers() {
    for text in [
        "order 12 4111 1111 1111 1111",
        "Paid to fi.4836721991866412",
        "4111 1111 1111 1111 12/27",
        "4111 1111 1111 1111 123",
        "4111-1111-1111-1111 exp 12-27",
        "1, 2, 3 and 4111 1111 1111 1111",
        "acc_0192f1c04242424242424242a0b0c0d0 4242424242424242",
        "+49 170 1234567 4111 1111 1111 1111",
        "AT61 1904 3002 3457 3201 4111 1111 1111 1111",
        "[\"4111\",\"1111\",\"1111\",\"1111\"]",
        "4111-1111 1111.1111",
        "\u{661}\u{662} \u{664}\u{661}\u{661}\u{661} \u{661}\u{661}\u{661}\u{661} \u{661}\u{661}\u{661}\u{661} \u{661}\u{661}\u{661}\u{661}",
        "4111 1111 11\n11 1111",
        "41111111-11111111",
        "4-111111111111111",
    ] {
        assert!(contains_card_number(text), "{text:?} was let through");
    }
}

#[test]
fn what_only_resembles_a_card_is_let_through() {
    for text in [
        "",
        "4111111111111112",
        "4222222222222",
        "424242424242",
        "42424242424242424242",
        "x4242424242424242",
        "4242424242424242x",
        "2026-11-21 10:30:00",
        "2026-11-21T10:30:00.123456789Z",
        "4.12.2026 10:30:22.123",
        "acc_0192f1c04242424242424242a0b0c0d0",
        "a4242424242424242aaaaaaaaaaaaaaaaaaaaaaa",
        "42424242-4242-4242-8242-42424242424a",
        "42424242-4242-4242-8242-424242424242",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "+4111 1111 1111 1111",
        "+4111111111111111",
        "AT61 1904 3002 3457 3201",
        "IBAN AT61 1904 3002 3457 3201",
        "IBANAT61 1904 3002 3457 3201",
        "DE89 3704 0044 0532 0130 00",
        "405-1234567-1234567",
        "orders 4111, 1111, 1111, 1111",
        "4111 11 22, 33 44; 5555 6666",
        "415-555-2671 / 415-555-2672",
        "30-12-34 12345678",
        "w-1795936088-1-15-554584798",
    ] {
        assert!(!contains_card_number(text), "{text:?} was refused");
        assert!(
            !is_card_number(text),
            "{text:?} was refused as an identifier"
        );
    }
}

#[test]
fn an_identifier_is_looked_at_as_a_whole() {
    for text in [
        "4111111111111111",
        "(4111-1111-1111-1111)",
        "#4111.1111.1111.1111;",
        "4111:1111:1111:1111",
    ] {
        assert!(is_card_number(text), "{text:?} was let through");
    }
    for text in [
        "order-4111111111111111",
        "4111111111111111-1",
        "4111111111111111:12/27",
        "\u{e9}4111111111111111",
        "4111111111111111\u{e9}",
        "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4111 1111 1111     1111",
        "4111, 1111, 1111, 1111",
    ] {
        assert!(!is_card_number(text), "{text:?} was refused");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived_and_a_whole_card_is_a_card_within(
        text in "[0-9]{0,20}|[ -/0-9a-c\u{a0}\u{e9}\u{661}\u{ff11}]{0,60}|[0-9][0-9 ]{12,50}|.{0,60}",
    ) {
        prop_assert!(!is_card_number(&text) || contains_card_number(&text), "{:?}", text);
    }

    #[test]
    fn among_ten_check_digits_one_makes_a_card(payload in "4[0-9]{14}", before in "[a-z ]{0,9}[:.]") {
        let found = (0..10).filter(|check| contains_card_number(&format!("{before}{payload}{check}")));
        prop_assert_eq!(found.count(), 1);
    }
}
