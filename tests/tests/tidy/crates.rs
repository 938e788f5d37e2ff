//! The crate graph: which crates each crate may use.

use std::collections::BTreeSet;

use crate::files::{File, files, holds, sources};

/// The crates of this workspace that each crate may use: the arrows of `docs/architecture.md`.
const ARROWS: [(&str, &[&str]); 23] = [
    ("access", &["edge", "engine", "store"]),
    ("api", &["access", "edge", "engine", "store"]),
    ("audit-log", &["store"]),
    ("bank-files", &["money", "text"]),
    ("books", &["edge", "engine", "ledger", "money", "store"]),
    ("calendars", &[]),
    ("crash-points", &[]),
    (
        "edge",
        &["crash-points", "engine", "idempotency", "store", "text"],
    ),
    (
        "engine",
        &["audit-log", "crash-points", "idempotency", "store"],
    ),
    (
        "families",
        &[
            "access",
            "books",
            "edge",
            "engine",
            "idempotency",
            "payments",
            "webhooks",
        ],
    ),
    (
        "florin",
        &[
            "access",
            "api",
            "audit-log",
            "bank-files",
            "books",
            "crash-points",
            "edge",
            "engine",
            "families",
            "idempotency",
            "interchange",
            "ledger",
            "money",
            "payments",
            "rehearse",
            "sandbox",
            "store",
            "text",
            "webhook-signatures",
            "webhooks",
        ],
    ),
    ("faults", &[]),
    ("idempotency", &["store", "text"]),
    ("interchange", &["ledger", "money", "store", "text"]),
    ("ledger", &["money", "store", "text"]),
    ("money", &[]),
    (
        "payments",
        &[
            "bank-files",
            "books",
            "calendars",
            "crash-points",
            "edge",
            "engine",
            "faults",
            "idempotency",
            "ledger",
            "money",
            "store",
            "text",
            "webhook-signatures",
            "webhooks",
        ],
    ),
    ("rehearse", &["webhook-signatures"]),
    ("sandbox", &["faults", "money", "webhook-signatures"]),
    ("store", &["crash-points"]),
    ("text", &[]),
    ("webhook-signatures", &[]),
    ("webhooks", &["engine", "store"]),
];

/// Crates, and the packages that they must never use.
const NEVER: [(&[&str], &[&str]); 7] = [
    // It has an extractor for actix-web, behind a feature.
    (
        &["webhook-signatures"],
        &["diesel", "reqwest", "tokio", "uuid", "jiff", "getrandom"],
    ),
    (
        &["faults", "money", "text"],
        &[
            "actix-web",
            "diesel",
            "reqwest",
            "tokio",
            "uuid",
            "jiff",
            "getrandom",
        ],
    ),
    (
        &[
            "ledger",
            "audit-log",
            "idempotency",
            "access",
            "books",
            "families",
            "interchange",
            "webhooks",
            "payments",
        ],
        &["actix-web", "reqwest", "tokio", "uuid", "jiff", "getrandom"],
    ),
    (
        &["edge"],
        &[
            "actix-http",
            "actix-web",
            "diesel",
            "reqwest",
            "tokio",
            "uuid",
            "jiff",
            "getrandom",
        ],
    ),
    (&["engine"], &["actix-web", "uuid", "jiff", "getrandom"]),
    (
        &["bank-files"],
        &[
            "actix-web",
            "diesel",
            "reqwest",
            "tokio",
            "uuid",
            "getrandom",
        ],
    ),
    (
        &["api", "sandbox"],
        &[
            "diesel",
            "diesel_migrations",
            "libsqlite3-sys",
            "pq-sys",
            "uuid",
        ],
    ),
];

/// Packages that are linked although no source names them.
const LINKED_ONLY: [&str; 2] = ["libsqlite3-sys", "pq-sys"];

/// The packages that a manifest names in its `[dependencies]`.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once(['.', ' ', '='])) {
            names.insert(name.to_owned());
        }
    }
    names
}

fn is_of_the_house(name: &str) -> bool {
    ARROWS.iter().any(|(known, _)| *known == name)
}

fn wrong_arrows(name: &str, manifest: &str, code: &str) -> Vec<String> {
    let used = dependencies(manifest);
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name} is not in the table of arrows")];
    };
    let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
    let mut wrong = Vec::new();
    for of_house in used.iter().filter(|name| is_of_the_house(name)) {
        if !allowed.contains(of_house) {
            wrong.push(format!("{name} must not use {of_house}"));
        }
    }
    for unused in allowed.difference(&used) {
        wrong.push(format!("{name} does not use {unused}: take the arrow away"));
    }
    for dependency in &used {
        let is_named = code.contains(&format!("{}::", dependency.replace('-', "_")));
        if !is_named && !LINKED_ONLY.contains(&dependency.as_str()) {
            wrong.push(format!("{name} names {dependency} in its manifest only"));
        }
    }
    for (crates, never) in NEVER {
        for known in never.iter().filter(|known| used.contains(**known)) {
            if crates.contains(&name) {
                wrong.push(format!("{name} must never know {known}"));
            }
        }
    }
    wrong
}

#[test]
fn the_crate_graph_is_the_one_that_was_drawn() {
    let planted =
        |manifest: &str| wrong_arrows("ledger", manifest, "money::x store::y text::w api::z");
    let good = "[dependencies]\nmoney.workspace = true\nstore = { path = \"x\" }\ntext = 1\n[dev-dependencies]\napi = 1\n";
    assert_eq!(planted(good), Vec::<String>::new());
    assert_eq!(
        planted(
            "[dependencies]\nmoney.workspace = true\ntext = 1\napi.workspace = true\ntokio = 1\n"
        ),
        [
            "ledger must not use api",
            "ledger does not use store: take the arrow away",
            "ledger names tokio in its manifest only",
            "ledger must never know tokio",
        ]
    );
    assert_eq!(
        wrong_arrows("kyc", "", ""),
        ["kyc is not in the table of arrows"]
    );

    let sources = sources();
    let mut crates = 0;
    let mut wrong = Vec::new();
    for manifest in files()
        .iter()
        .filter(|file| file.path.starts_with("crates/"))
    {
        let Some((name, "Cargo.toml")) = manifest.path["crates/".len()..].split_once('/') else {
            continue;
        };
        let named = format!("name = \"{name}\"");
        if !manifest.text.lines().any(|line| line == named) {
            wrong.push(format!("{} is not named as its folder", manifest.path));
        }
        let own = format!("crates/{name}/src/");
        let code: String = sources
            .iter()
            .filter(|file| file.path.starts_with(&own))
            .map(File::code)
            .collect();
        wrong.extend(wrong_arrows(name, &manifest.text, &code));
        crates += 1;
    }
    assert_eq!(crates, ARROWS.len());
    holds("the crate graph", wrong);
}
