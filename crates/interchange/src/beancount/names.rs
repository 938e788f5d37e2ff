//! Names of accounts in Beancount, made from their codes.
//!
//! A Beancount name begins with one of five classes; each level after it begins with a capital or a digit and goes
//! on with letters, digits and hyphens. Therefore:
//!
//! - A first level that names a class becomes that class: `assets:cash` is `Assets:Cash`. Any other code stands as
//!   a whole below `X--Other` in the class of the account, as in `Liabilities:X--Other`; nothing else has this name.
//! - A level that begins with two lower-case letters is capitalised: `wallets` is `Wallets`. Levels like `EUR`
//!   and `42` stay as they are. The second character tells the two apart: if it is a lower-case letter in a name,
//!   the level of the code begins with a lower-case letter.
//! - A single underscore between letters or digits becomes a hyphen: `psp_clearing` is `Psp-clearing`.
//! - Any other character is written as two hyphens and two hexadecimal digits: `a@b` is `X--61--40b`. The X stands
//!   in front because a level cannot begin with a hyphen.
//!
//! The code can be found again from each name, so two codes never have the same name. The tests find the codes again.

use ledger::Account;

use crate::roots::Root;

/// The level for codes that name no class. No code is written in this way, because after two hyphens come
/// hexadecimal digits.
const OTHER: &str = "X--Other";

pub(super) fn name(account: &Account) -> String {
    of(&account.code, Root::by_class(account))
}

fn of(code: &str, otherwise: Root) -> String {
    let (root, below) = Root::named_by(code).unwrap_or((otherwise, ""));
    let mut name = root.capitalised().to_owned();
    let levels = if below.is_empty() {
        name.push(':');
        name.push_str(OTHER);
        code
    } else {
        below
    };
    for one in levels.split(':') {
        name.push(':');
        name.push_str(&level(one));
    }
    name
}

fn level(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars();
    if let Some(first) = characters.next() {
        let then = characters.clone().next();
        begin(&mut written, first, then);
    }
    let mut before = text.chars();
    let mut after = text.chars().skip(2);
    for c in characters {
        let (before, after) = (before.next(), after.next());
        let is_between = [before, after]
            .iter()
            .all(|side| side.is_some_and(|c| c.is_ascii_alphanumeric()));
        if c.is_ascii_alphanumeric() {
            written.push(c);
        } else if c == '_' && is_between {
            written.push('-');
        } else {
            escape(&mut written, c);
        }
    }
    written
}

/// Writes the first character. A capital before a lower-case letter means that the first character was in lower
/// case.
fn begin(written: &mut String, first: char, then: Option<char>) {
    let before_lower = then.is_some_and(|c| c.is_ascii_lowercase());
    // An X before an escape stands for no character: it is there because a level cannot begin with a hyphen. So the
    // code's own X is escaped in that place.
    let before_escape = then.is_some_and(|c| !c.is_ascii_alphanumeric());
    if first.is_ascii_lowercase() && before_lower {
        written.push(first.to_ascii_uppercase());
    } else if first.is_ascii_digit()
        || (first.is_ascii_uppercase() && !before_lower && !(first == 'X' && before_escape))
    {
        written.push(first);
    } else {
        written.push('X');
        escape(written, first);
    }
}

/// Writes each byte of a character as an escape. (Codes are visible ASCII.)
fn escape(written: &mut String, c: char) {
    let mut bytes = [0; 4];
    for byte in c.encode_utf8(&mut bytes).bytes() {
        written.push_str(&format!("--{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_codes_read_as_they_are() {
        for (code, name) in [
            ("liabilities:wallets:42", "Liabilities:Wallets:42"),
            ("assets:psp_clearing:EUR", "Assets:Psp-clearing:EUR"),
            ("income:fees:Q4", "Income:Fees:Q4"),
            ("equity:opening_balances", "Equity:Opening-balances"),
            ("expenses:2026:rent", "Expenses:2026:Rent"),
        ] {
            assert_eq!(of(code, Root::Assets), name);
        }
    }

    #[test]
    fn a_code_that_names_no_class_goes_below_other() {
        assert_eq!(
            of("wallets:ann", Root::Liabilities),
            "Liabilities:X--Other:Wallets:Ann"
        );
        // In Beancount the class alone is not an account.
        assert_eq!(of("assets", Root::Assets), "Assets:X--Other:Assets");
        assert_eq!(
            of("Assets:cash", Root::Assets),
            "Assets:X--Other:X--41ssets:Cash"
        );
    }

    #[test]
    fn what_beancount_cannot_write_is_written_in_digits() {
        for (code, name) in [
            ("assets:a@b", "Assets:X--61--40b"),
            ("assets:Cash", "Assets:X--43ash"),
            ("assets:a", "Assets:X--61"),
            ("assets:A", "Assets:A"),
            ("assets:_x", "Assets:X--5fx"),
            ("assets:cash__1", "Assets:Cash--5f--5f1"),
            ("assets:cash-1", "Assets:Cash--2d1"),
            ("assets:cash_", "Assets:Cash--5f"),
            ("assets:X-1", "Assets:X--58--2d1"),
        ] {
            assert_eq!(of(code, Root::Assets), name);
        }
    }

    /// The level of a code, found again from its name.
    fn unwritten(level: &str) -> String {
        let begins_escaped = level.strip_prefix("X--").is_some();
        let mut rest = if begins_escaped {
            level.strip_prefix('X').unwrap()
        } else {
            level
        };
        let mut text = String::new();
        while let Some(c) = rest.chars().next() {
            if let Some(escaped) = rest.strip_prefix("--") {
                let (hex, after) = escaped.split_at(2);
                text.push(char::from(u8::from_str_radix(hex, 16).unwrap()));
                rest = after;
            } else {
                text.push(if c == '-' { '_' } else { c });
                rest = rest.split_at(1).1;
            }
        }
        let was_lower = level.chars().nth(1).is_some_and(|c| c.is_ascii_lowercase());
        if was_lower && !begins_escaped {
            let (first, rest) = text.split_at(1);
            return format!("{}{rest}", first.to_ascii_lowercase());
        }
        text
    }

    fn code(name: &str) -> String {
        let (root, below) = name.split_once(':').unwrap();
        let levels = |text: &str| text.split(':').map(unwritten).collect::<Vec<_>>().join(":");
        match below.strip_prefix("X--Other:") {
            Some(whole) => levels(whole),
            None => format!("{}:{}", root.to_ascii_lowercase(), levels(below)),
        }
    }

    /// Texts that are close to the rules, and any other text that a code may be.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[XxaA1_:-]{1,8}",
            "[!-~]{1,30}",
            "[a-z]{1,3}(_[a-z0-9]{1,3}){0,2}"
        ]
        .prop_map(|text| {
            let levels: Vec<&str> = text.split(':').filter(|l| !l.is_empty()).collect();
            if levels.is_empty() {
                "x".to_owned()
            } else {
                levels.join(":")
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn from_a_name_its_code_can_be_told(text in text(), in_class in any::<bool>()) {
            let full = if in_class { format!("income:{text}") } else { text };
            let name = of(&full, Root::Assets);
            prop_assert_eq!(code(&name), full);
            for level in name.split(':') {
                let mut characters = level.chars();
                let first = characters.next().unwrap();
                prop_assert!(first.is_ascii_uppercase() || first.is_ascii_digit(), "{}", name);
                prop_assert!(characters.all(|c| c.is_ascii_alphanumeric() || c == '-'), "{}", name);
            }
        }
    }
}
