//! The common crates: their code names no capability.

use crate::files::{File, holds, sources, words};

/// The crates that are the same for every capability. Their code names no capability.
const COMMON: [&str; 3] = ["crates/engine/src/", "crates/edge/src/", "crates/api/src/"];
/// Words of capabilities. `book`, `hold`, `currency` and `statement` are not among them, because they have other
/// meanings too: the engine's book, to hold a lock, the edge's reader of a code, a statement of SQL.
const OF_CAPABILITIES: [&str; 17] = [
    "account",
    "asset",
    "transaction",
    "transfer",
    "posting",
    "period",
    "exchange",
    "ledger",
    "wallet",
    "payment",
    "charge",
    "refund",
    "customer",
    "merchant",
    "provider",
    "webhook",
    "inbox",
];
/// Foreign names that contain such a word: a method of all atomic types of the standard library.
const OF_OTHERS: [&str; 1] = ["compare_exchange"];

/// The parts of a name: `NewAccount` and `new_account` have two.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_ascii_uppercase() {
            parts.push(String::new());
        }
        if let (true, Some(last)) = (letter != '_', parts.last_mut()) {
            last.push(letter.to_ascii_lowercase());
        }
    }
    parts
}

fn named_capabilities(files: &[File]) -> Vec<String> {
    let is_one = |part: &String| {
        let singular = part.strip_suffix('s').unwrap_or(part);
        OF_CAPABILITIES.contains(&singular)
    };
    let mut found = Vec::new();
    for file in files {
        if !COMMON.iter().any(|common| file.path.starts_with(common)) {
            continue;
        }
        for (number, line) in (1..).zip(file.code().lines()) {
            let names = words(line).filter(|word| !OF_OTHERS.contains(word));
            let names = names.filter(|word| parts(word).iter().any(is_one));
            found.extend(names.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    found
}

#[test]
fn the_engine_the_edge_and_the_server_name_no_capability() {
    let planted = "//! On accounts.\nuse ledger::Posted; // and payments\nlet id = NewAccount::id();\n\
        since.compare_exchange(a, b);\nlet t = \"/v1/webhooks/{id}\";\nfn open_periods() {}\nlet book = hold();\n\
        #[cfg(test)]\nmod tests { account }\n";
    let found = named_capabilities(&[
        File::planted("crates/edge/src/x.rs", planted),
        File::planted("crates/books/src/x.rs", planted),
    ]);
    let expected = [
        "2: ledger",
        "3: NewAccount",
        "5: webhooks",
        "6: open_periods",
    ];
    assert_eq!(
        found,
        expected.map(|hit| format!("crates/edge/src/x.rs:{hit}"))
    );
    holds(
        "a capability is a folder in its family, and nothing elsewhere",
        named_capabilities(&sources()),
    );
}
