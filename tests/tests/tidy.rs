//! Rules that no compiler checks: the crate graph, the files that may name a database, the agreement of the
//! documents with the code. Each rule first gets a case that it must find.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

#[path = "tidy/crash_points.rs"]
mod crash_points_rule;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The crates of this workspace that each crate may use: the arrows of `docs/architecture.md`.
const ARROWS: [(&str, &[&str]); 22] = [
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
    ("idempotency", &["store", "text"]),
    ("interchange", &["ledger", "money", "store", "text"]),
    ("ledger", &["money", "store", "text"]),
    ("money", &[]),
    (
        "payments",
        &[
            "books",
            "calendars",
            "crash-points",
            "edge",
            "engine",
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
    ("sandbox", &["money", "webhook-signatures"]),
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
        &["money", "text"],
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

/// The files outside `store` that may name a database: those that read its URL or write about it to the operator. They
/// choose none: their behaviour does not depend on it.
const MAY_NAME_A_DATABASE: [&str; 4] = [
    "crates/florin/src/demo.rs",
    "crates/florin/src/measure.rs",
    "crates/florin/src/settings.rs",
    "crates/florin/src/start.rs",
];

/// Files that may be longer than [`MAX_FILE_LINES`]: the check of payments, which has three invariants over the
/// same rows.
const MAY_BE_LONGER: [&str; 1] = ["crates/payments/src/check.rs"];
/// Greatest number of lines of a source file before its tests.
const MAX_FILE_LINES: usize = 500;

/// Routes for operators and tools, which are not in the description of the API.
const UNDOCUMENTED: [&str; 7] = [
    "get /",
    "get /livez",
    "get /metrics",
    "get /openapi.json",
    "get /problems/{code}",
    "get /readyz",
    "get /version",
];

/// A text file of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    fn planted(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn is_source(&self) -> bool {
        self.path.starts_with("crates/")
            && self.path.contains("/src/")
            && self.path.ends_with(".rs")
    }

    /// The text before the tests at the end of the file.
    fn before_tests(&self) -> &str {
        const MARK: &str = "\n#[cfg(test)]\n";
        let foot = self.text.match_indices(MARK).find(|(at, _)| {
            // Attributes may stand in between, over several lines.
            let mut after = self.text[at + MARK.len()..].lines();
            let item = after.find(|line| !line.starts_with(['#', ' ', ')', ']']));
            item.is_some_and(|line| line.starts_with("mod "))
        });
        foot.map_or(&self.text, |(at, _)| &self.text[..at])
    }

    /// The text before the tests, without comments.
    fn code(&self) -> String {
        self.before_tests()
            .lines()
            .map(|line| format!("{}\n", uncommented(line)))
            .collect()
    }
}

/// A line up to its comment. A quote in a character literal does not begin a text.
fn uncommented(line: &str) -> &str {
    let mut in_text = false;
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        match byte {
            b'"' if before != Some(b'\\') && before != Some(b'\'') => in_text = !in_text,
            b'/' if !in_text && before == Some(b'/') => return &line[..at - 1],
            _ => {}
        }
    }
    line
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every text file of the repository, except the lock file.
fn files() -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let inside = path.strip_prefix(root()).expect("below the root");
            let inside = inside.to_str().expect("plain names").to_owned();
            let is_ours = !matches!(inside.as_str(), ".git" | "target" | "data" | "Cargo.lock");
            if is_ours && path.is_dir() {
                folders.push(path);
            } else if is_ours && let Ok(text) = std::fs::read_to_string(path) {
                files.push(File { path: inside, text });
            }
        }
    }
    assert!(files.len() > 100, "the walk has missed something");
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn sources() -> Vec<File> {
    files().into_iter().filter(File::is_source).collect()
}

/// Fails if the rule found anything.
fn holds(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

// The crate graph. --------------------------------------------------------------------------------

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

// The code. ---------------------------------------------------------------------------------------

/// Words of a line: runs of letters, digits and underscores.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// A word that looks like the name of a type of a database and is none: the number of a page, in ISO 20022.
const NO_DATABASE: &str = "PgNb";

fn names_a_database(word: &str) -> bool {
    if word == NO_DATABASE {
        return false;
    }
    let lower = word.to_ascii_lowercase();
    let begins_as_type = word
        .strip_prefix("Pg")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    ["postgres", "sqlite", "libpq", "rusqlite"]
        .iter()
        .any(|name| lower.contains(name))
        || lower == "pg"
        || lower.starts_with("pg_")
        || begins_as_type
}

fn database_names(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let excepted = MAY_NAME_A_DATABASE.contains(&file.path.as_str());
        if excepted || file.path.starts_with("crates/store/") {
            continue;
        }
        for (number, line) in (1..).zip(file.code().lines()) {
            found.extend(
                words(line)
                    .filter(|word| names_a_database(word))
                    .map(|word| format!("{}:{number}: {word}", file.path)),
            );
        }
    }
    found
}

#[test]
fn nothing_but_store_names_a_database() {
    let planted = "//! On SQLite.\nfn page() {} // pg_trigger\nlet a = PgConnection::new();\n\
        match x { AnyConnection::Sqlite(c) => c }\nlet u = \"postgres://\";\nlet pgp = \"// pg\";\n\
        #[cfg(test)]\nmod tests { sqlite }\n";
    let found = database_names(&[File::planted("crates/api/src/x.rs", planted)]);
    let expected = ["3: PgConnection", "4: Sqlite", "5: postgres", "6: pg"];
    assert_eq!(
        found,
        expected.map(|hit| format!("crates/api/src/x.rs:{hit}"))
    );

    let sources = sources();
    holds(
        "only `store` knows which databases there are",
        database_names(&sources),
    );
    for excepted in MAY_NAME_A_DATABASE {
        let file = sources.iter().find(|file| file.path == excepted);
        let file = file.unwrap_or_else(|| panic!("{excepted} is gone: take the exception away"));
        let needs_it = file.code().lines().flat_map(words).any(names_a_database);
        assert!(needs_it, "{excepted} no longer needs its exception");
    }
}

fn forbidden(files: &[File]) -> Vec<String> {
    const WORDS: [&str; 4] = ["todo", "dbg", "f32", "f64"];
    const PARTS: [&str; 3] = [".unwrap()", "#[ignore", "#[allow("];
    const VERBS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    let mut found = Vec::new();
    for file in files {
        let code = file.code();
        for (number, line) in (1..).zip(code.lines()) {
            let word = words(line).find(|word| WORDS.contains(word));
            let part = PARTS.into_iter().find(|part| line.contains(part));
            found.extend(
                word.or(part)
                    .map(|what| format!("{}:{number}: {what}", file.path)),
            );
        }
        let one_line = code
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("( ", "(");
        for verb in VERBS {
            let made = format!("format!(\"{verb}");
            found.extend(
                one_line
                    .contains(&made)
                    .then(|| format!("{}: {made}", file.path)),
            );
        }
    }
    found
}

#[test]
fn the_code_has_no_shortcuts_no_floats_and_no_statements_put_together_from_texts() {
    let planted = "let a = b.unwrap();\n// todo f64\nlet f: f64 = todo!();\n#[ignore]\n\
        let s = format!(\n    \"SELECT {x}\",\n);\nlet t = \"f64 // dbg\"; // .unwrap()\n\
        #[cfg(test)]\n#[expect(\n    x\n)]\nmod tests { fn f() { a.unwrap() } }\n";
    let found = forbidden(&[File::planted("x.rs", planted)]);
    let expected = [
        "x.rs:1: .unwrap()",
        "x.rs:3: f64",
        "x.rs:4: #[ignore",
        "x.rs:8: f64",
        "x.rs: format!(\"SELECT",
    ];
    assert_eq!(found, expected);
    holds("not in this house", forbidden(&sources()));
}

fn shapeless(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for File { path, text } in files {
        if !text.starts_with("//! ") {
            found.push(format!("{path} does not begin by saying what it is"));
        }
    }
    for file in files {
        let lines = file.before_tests().lines().count();
        if lines > MAX_FILE_LINES && !MAY_BE_LONGER.contains(&file.path.as_str()) {
            found.push(format!("{} has {lines} lines before its tests", file.path));
        }
    }
    found
}

#[test]
fn each_file_says_what_it_is_and_fits_a_few_screens() {
    let silent = File::planted("a.rs", "mod b;\n");
    let long = File::planted("b.rs", &format!("//! B.\n{}", "\n".repeat(MAX_FILE_LINES)));
    let tested = File::planted(
        "c.rs",
        &format!(
            "//! C.\n\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            "\n".repeat(600)
        ),
    );
    assert_eq!(
        shapeless(&[silent, long, tested]),
        [
            "a.rs does not begin by saying what it is",
            "b.rs has 501 lines before its tests"
        ]
    );
    holds("files are concepts", shapeless(&sources()));
}

// The common crates. ------------------------------------------------------------------------------

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

// Circles. ----------------------------------------------------------------------------------------

/// Greatest number of files of one crate that name each other in a circle.
const MAX_CIRCLE: usize = 3;

/// Follows one tree of paths, as it stands after `use`; adds its paths, and returns what comes after it.
fn follow<'t>(mut text: &'t str, before: &[&'t str], found: &mut Vec<Vec<&'t str>>) -> &'t str {
    let mut path = before.to_vec();
    loop {
        text = text.trim_start();
        if let Some(inside) = text.strip_prefix('{') {
            text = inside.trim_start();
            while !text.is_empty() && !text.starts_with('}') {
                let after = follow(text, &path, found);
                // The new name of a path is skipped.
                let end = after.find([',', '}']).unwrap_or(after.len());
                text = after[end..].trim_start_matches(',').trim_start();
            }
            return text.strip_prefix('}').unwrap_or(text);
        }
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
        if end > 0 {
            path.push(&text[..end]);
        }
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(more) if end > 0 => text = more,
            Some(_) | None => {
                found.push(path);
                return text;
            }
        }
    }
}

/// The paths of a file that begin with `crate` or `super`.
fn paths(code: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            let continues = |c: char| c.is_ascii_alphanumeric() || "_:$".contains(c);
            if !before.is_some_and(continues) {
                follow(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// The path of a file's module within its crate.
fn module(path: &str) -> Vec<&str> {
    let (_, inside) = path.split_once("/src/").expect("a source");
    let mut names: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    if matches!(names.last(), Some(&("lib" | "main" | "mod"))) {
        names.pop();
    }
    names
}

/// The files of a crate, each with the files that its paths lead to.
fn named_files<'f>(files: &[&'f File]) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
    let known: BTreeMap<Vec<&str>, &str> = files
        .iter()
        .map(|file| (module(&file.path), file.path.as_str()))
        .collect();
    let mut named = BTreeMap::new();
    for file in files {
        let code = file.code();
        let mut to = BTreeSet::new();
        for path in paths(&code) {
            let mut place = module(&file.path);
            let mut names = path.into_iter().peekable();
            if names.next_if_eq(&"crate").is_some() {
                place.clear();
            }
            while names.next_if_eq(&"super").is_some() {
                place.pop();
            }
            for name in names {
                let below = [place.as_slice(), &[name]].concat();
                let Some((own, _)) = known.get_key_value(&below) else {
                    break;
                };
                place = own.clone();
            }
            to.extend(known.get(&place).filter(|path| **path != file.path));
        }
        named.insert(file.path.as_str(), to);
    }
    named
}

fn reached<'f>(from: &'f str, named: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> BTreeSet<&'f str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(named[file].iter().filter(|next| seen.insert(**next)));
    }
    seen
}

/// The circles of files of one crate, each once.
fn circles(files: &[File]) -> BTreeSet<BTreeSet<&str>> {
    let mut crates: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        let (folder, _) = file.path.split_once("/src/").expect("a source");
        crates.entry(folder).or_default().push(file);
    }
    let mut found = BTreeSet::new();
    for files in crates.values() {
        let named = named_files(files);
        let reach: BTreeMap<&str, BTreeSet<&str>> = named
            .keys()
            .map(|file| (*file, reached(file, &named)))
            .collect();
        for (file, far) in &reach {
            let circle: BTreeSet<&str> = far
                .iter()
                .copied()
                .filter(|other| reach[other].contains(file))
                .collect();
            found.extend((circle.len() > 1).then_some(circle));
        }
    }
    found
}

fn long_circles(files: &[File]) -> Vec<String> {
    let long = circles(files).into_iter();
    let long = long.filter(|circle| circle.len() > MAX_CIRCLE);
    long.map(|circle| Vec::from_iter(circle).join(" "))
        .collect()
}

#[test]
fn no_circle_of_files_is_long() {
    let file = |name: &str, text: &str| File::planted(&format!("crates/x/src/{name}.rs"), text);
    let planted = [
        file("lib", "mod a;\nuse a::b::B;\n"),
        file("a/mod", "use crate::{\n    c::{C, D as E},\n    f,\n};\n"),
        file("a/b", "pub(crate) use super::A;\nuse super::super::lib;\n"),
        file("c", "use crate::d::*; // crate::f\n"),
        file("d", "fn d() -> crate::a::b::B {\n    super::g::<u8>()\n}\n"),
        file("f", "use crate::g::G;\n"),
        file(
            "g",
            "use super::f::{self};\n#[cfg(test)]\nmod tests { use crate::a; }\n",
        ),
    ];
    let names = |names: &[&str]| -> BTreeSet<String> {
        names
            .iter()
            .map(|name| format!("crates/x/src/{name}.rs"))
            .collect()
    };
    let found: BTreeSet<BTreeSet<String>> = circles(&planted)
        .into_iter()
        .map(|circle| circle.into_iter().map(str::to_owned).collect())
        .collect();
    let (four, two) = (names(&["a/mod", "a/b", "c", "d"]), names(&["f", "g"]));
    assert_eq!(found, BTreeSet::from([four.clone(), two]));
    let four: Vec<String> = four.into_iter().collect();
    assert_eq!(long_circles(&planted), [four.join(" ")]);

    let sources = sources();
    holds(
        "files that can only be read together",
        long_circles(&sources),
    );
}

// The documents. ----------------------------------------------------------------------------------

/// `get /v1/payments` for each operation of the API's description.
fn described(openapi: &str) -> BTreeSet<String> {
    let openapi: Value = serde_json::from_str(openapi).expect("docs/openapi.json is JSON");
    let paths = openapi["paths"].as_object().expect("it has paths");
    let mut routes = BTreeSet::new();
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys() {
            routes.insert(format!("{method} {path}"));
        }
    }
    routes
}

/// The same for each row of a route.
fn routed(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for row in code.split(" r.").skip(1) {
        let Some((call, rest)) = row.split_once('(') else {
            continue;
        };
        let method = match call {
            "get" | "post" | "patch" => call.to_owned(),
            "open" => {
                let name = rest.split("Method::").nth(1).unwrap_or_default();
                words(name).next().unwrap_or_default().to_ascii_lowercase()
            }
            _ => continue,
        };
        let path = rest.split('"').nth(1).unwrap_or_default();
        found.insert(format!("{method} {path}"));
    }
    found
}

fn undescribed(routes: &str, openapi: &str) -> Vec<String> {
    let mut described = described(openapi);
    described.extend(UNDOCUMENTED.map(str::to_owned));
    let routed = routed(routes);
    routed.symmetric_difference(&described).cloned().collect()
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let routes = r#"fn routes(r: &mut Routes) {
        r.tag("a", "A");
        r.post(
            "/a", "makeA", "Makes it.", b)
            .gives::<A>(201, "Made");
        r.get("/a", "getA", "Shows it.", c);
        r.open(Method::Get, "/livez", ["", "Alive."], l);"#;
    let planted = undescribed(
        routes,
        r#"{"paths": {"/a": {"get": {}}, "/b": {"get": {}}}}"#,
    );
    assert_eq!(
        planted,
        [
            "get /",
            "get /b",
            "get /metrics",
            "get /openapi.json",
            "get /problems/{code}",
            "get /readyz",
            "get /version",
            "post /a"
        ]
    );
    let rows = sources().into_iter();
    let rows = rows.filter(|file| file.text.contains("r: &mut Routes"));
    let rows: String = rows.map(|file| file.code()).collect();
    let found = undescribed(&rows, &read("docs/openapi.json"));
    holds(
        "the rows of the routes and docs/openapi.json differ in",
        found,
    );
}

/// The variants of an enum that clap reads, as they are typed.
fn verbs(source: &str, name: &str) -> BTreeSet<String> {
    let body = source.split(&format!("enum {name} {{")).nth(1);
    let body = body.unwrap_or_else(|| panic!("no enum {name}"));
    let body = body.split("\n}").next().unwrap_or_default();
    let variants = body.lines().filter_map(|line| {
        let variant = line.strip_prefix("    ")?;
        let is_one = variant.starts_with(|c: char| c.is_ascii_uppercase());
        words(variant).next().filter(|_| is_one)
    });
    variants.map(str::to_ascii_lowercase).collect()
}

/// The verbs, each with its sub-verbs.
fn command_line() -> BTreeMap<String, BTreeSet<String>> {
    let below = |verb: &str| match verb {
        "webhook" => verbs(&read("crates/florin/src/webhook.rs"), "WebhookCommand"),
        "audit" => verbs(&read("crates/florin/src/audit.rs"), "AuditCommand"),
        _ => BTreeSet::new(),
    };
    let all = verbs(&read("crates/florin/src/cli.rs"), "Verb");
    all.into_iter()
        .map(|verb| (verb.clone(), below(&verb)))
        .collect()
}

fn unknown_verbs(file: &File, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for call in ["florin ", "cargo run -- ", "cargo run --release -- "] {
            for (at, _) in line.match_indices(call) {
                // A command stands at the beginning of a line, after `$ ` or in backticks.
                let before = line[..at].trim_end_matches(['$', ' ']);
                if !(before.is_empty() || before.ends_with(['`', '/', '|', '&'])) {
                    continue;
                }
                let mut said = line[at + call.len()..].split_whitespace();
                let mut next = || {
                    said.next()
                        .map(|word| word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
                };
                let Some(verb) =
                    next().filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
                else {
                    continue;
                };
                let below = known.get(verb);
                let second = next().unwrap_or_default();
                if below.is_none_or(|below| !below.is_empty() && !below.contains(second)) {
                    found.push(format!("{}:{number}: {call}{verb} {second}", file.path));
                }
            }
        }
    }
    found
}

#[test]
fn the_documents_name_verbs_that_exist_and_the_readme_names_them_all() {
    let known = command_line();
    assert!(
        known.contains_key("serve") && known["webhook"].contains("verify"),
        "{known:?}"
    );
    let planted = "Run `florin chekc`, then\n$ florin audit verfy\n$ cargo run -- dmeo\nFine: `florin check`, \
        `florin audit verify`, `florin --help`; florin verbs in prose; `cargo run -- webhook sign --scheme x`.\n";
    assert_eq!(
        unknown_verbs(&File::planted("x.md", planted), &known),
        [
            "x.md:1: florin chekc then",
            "x.md:2: florin audit verfy",
            "x.md:3: cargo run -- dmeo "
        ]
    );
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.path.ends_with(".md")) {
        found.extend(unknown_verbs(file, &known));
    }
    let readme = read("README.md");
    for (verb, below) in &known {
        let all = if below.is_empty() {
            vec![verb.clone()]
        } else {
            below
                .iter()
                .map(|second| format!("{verb} {second}"))
                .collect()
        };
        found.extend(
            all.into_iter()
                .filter(|verb| !readme.contains(&format!("`{verb}`")))
                .map(|verb| format!("README.md does not tell of `{verb}`")),
        );
    }
    holds("the documents", found);
}

/// The code without comments and white space.
fn bare(code: &str) -> String {
    let lines = code.lines().map(uncommented);
    lines.flat_map(str::split_whitespace).collect()
}

/// The blocks of a page that name a file (`<!-- path -->` on the line before) and do not agree with it. A line `…`
/// stands for the lines that a block leaves out.
fn strayed_blocks(page: &str, read: impl Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for part in page.split("\n<!-- ").skip(1) {
        let (path, rest) = part
            .split_once(" -->\n```rust\n")
            .expect("a path and a block");
        let (block, _) = rest.split_once("\n```").expect("a block ends");
        let code = bare(&read(path));
        for piece in block.split("…") {
            if !code.contains(&bare(piece)) {
                found.push(format!("{path}: {}", piece.trim()));
            }
        }
    }
    found
}

#[test]
fn the_page_about_adding_a_capability_shows_the_code_as_it_is() {
    let code = |_path: &str| "/// Adds.\nfn add(\n    one: u8,\n) {}\nfn end() {}\n".to_owned();
    let planted = "\n<!-- a.rs -->\n```rust\nfn add(one: u8,) {}\n…\nfn begin() {}\n```\n";
    assert_eq!(strayed_blocks(planted, code), ["a.rs: fn begin() {}"]);

    let page = read("docs/adding-a-capability.md");
    assert!(
        page.matches("\n<!-- ").count() >= 8,
        "the blocks name their files"
    );
    holds("docs/adding-a-capability.md", strayed_blocks(&page, read));
}

/// Words that have no meaning in a payment back-end; each is split so that it is not found here.
const FOREIGN: [&str; 2] = [concat!("hel", "per"), concat!("age", "nt")];
const FOREIGN_PARTS: [&str; 7] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("crates", ".io"),
    concat!("py", "pi.org"),
    concat!("npm", "js"),
    concat!("docker", ".io"),
];

fn foreign(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            // A lock file contains the names that others gave to their packages.
            let is_ours = !file.path.ends_with("package-lock.json");
            let word = words(line).find(|word| {
                let is_foreign = |foreign: &&str| word.eq_ignore_ascii_case(foreign);
                is_ours && FOREIGN.iter().any(is_foreign)
            });
            let part = FOREIGN_PARTS.into_iter().find(|part| line.contains(part));
            found.extend(
                word.or(part)
                    .map(|what| format!("{}:{number}: {what}", file.path)),
            );
        }
    }
    found
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let planted = format!(
        "user_{0} and helpers\nthe {1} of\ncd {2}main\n{3}\n",
        FOREIGN[1], FOREIGN[0], FOREIGN_PARTS[0], FOREIGN_PARTS[3]
    );
    assert_eq!(foreign(&[File::planted("x.md", &planted)]).len(), 3);
    holds("words that do not belong here", foreign(&files()));
}

/// Lines that a merge has left behind.
fn half_merged(files: &[File]) -> Vec<String> {
    let marks = ["<".repeat(7), ">".repeat(7)];
    let mut found = Vec::new();
    for file in files {
        let lines = (1..).zip(file.text.lines());
        let left = lines.filter(|(_, line)| marks.iter().any(|mark| line.starts_with(mark)));
        found.extend(left.map(|(number, _)| format!("{}:{number}", file.path)));
    }
    found
}

#[test]
fn no_merge_is_left_half_done() {
    let planted = format!("a\n{0} HEAD\nb\n{1} other\n", "<".repeat(7), ">".repeat(7));
    assert_eq!(
        half_merged(&[File::planted("x.md", &planted)]),
        ["x.md:2", "x.md:4"]
    );
    holds("marks of a merge", half_merged(&files()));
}

/// The tests that the last column of a page's tables names, and that are in no file.
fn missing_tests(page: &str, files: &[File]) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let names = cells.filter_map(|cell| cell.strip_prefix('`')?.strip_suffix('`'));
    let is_missing = |name: &&str| {
        let declared = format!("fn {name}(");
        let mut sources = files.iter().filter(|file| file.path.ends_with(".rs"));
        !sources.any(|file| file.text.contains(&declared))
    };
    names.filter(is_missing).map(str::to_owned).collect()
}

#[test]
fn two_pages_name_tests_that_exist() {
    let planted = "| draft | Florin | test |\n| a | b | `it_is` |\n| a | `c` | `it_was` |\n";
    let source = [File::planted(
        "a.rs",
        "async fn it_is(database: Database) {}",
    )];
    assert_eq!(missing_tests(planted, &source), ["it_was"]);
    let files = files();
    for path in ["docs/idempotency.md", "docs/bank-files.md"] {
        let page = files.iter().find(|file| file.path == path);
        let page = page.expect("it is there");
        let rows = page.text.matches("` |\n").count();
        assert!(rows >= 15, "{path}: {rows} tests");
        holds(path, missing_tests(&page.text, &files));
    }
}

// The schema. -------------------------------------------------------------------------------------

/// Each table with its columns, each index and each view by name, in the order of the file. Objects that the file
/// drops or renames are left out, because they existed before.
fn schema(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut made_again = Vec::new();
    let mut table: Option<&str> = None;
    for line in sql.lines() {
        let line = line.split("--").next().unwrap_or_default();
        let mut said = words(line);
        let first = said.next().unwrap_or_default();
        let renames = line.starts_with("ALTER TABLE") && line.contains(" RENAME TO ");
        if first == "DROP" || renames {
            made_again.extend(said.nth(1).map(str::to_owned));
        } else if first == "CREATE" {
            let kinds = ["TABLE", "VIEW", "INDEX"];
            let name = said
                .by_ref()
                .find(|word| kinds.contains(word))
                .and_then(|_| said.next());
            table = name.filter(|_| line.starts_with("CREATE TABLE"));
            found.extend(name.map(str::to_owned));
        } else if line.starts_with(')') {
            table = None;
        } else if let Some(table) = table
            && line.starts_with("    ")
            && first.starts_with(|c: char| c.is_ascii_lowercase())
        {
            found.push(format!("{table}.{first}"));
        }
    }
    let of = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    found.retain(|name| !made_again.contains(&of(name)));
    found
}

fn differences(one: &str, other: &str) -> Vec<String> {
    let (one, other) = (schema(one), schema(other));
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        from.iter()
            .filter(|name| !of.contains(name))
            .cloned()
            .collect()
    };
    let mut found = [missing(&one, &other), missing(&other, &one)].concat();
    if found.is_empty() && one != other {
        found.push("the order".to_owned());
    }
    found
}

#[test]
fn both_databases_have_the_same_tables_with_the_same_columns() {
    let one = "CREATE TABLE a (\n    id BIGINT,  -- the id\n    PRIMARY KEY (id)\n);\nCREATE UNIQUE INDEX i\n    ON a (id);\n";
    assert_eq!(schema(one), ["a", "a.id", "i"]);
    let other = "CREATE TABLE a (\n    id INTEGER,\n    b TEXT\n) STRICT;\nCREATE VIEW v AS\n    SELECT id FROM a;\n";
    assert_eq!(differences(one, other), ["i", "a.b", "v"]);
    let again = format!("DROP VIEW v;\n{other}");
    assert_eq!(differences(one, &again), ["i", "a.b"]);
    let renamed = format!("ALTER TABLE a RENAME TO a_before;\n{other}");
    assert_eq!(differences(one, &renamed), ["a", "a.id", "i", "v"]);

    let named = |kind: &str| -> Vec<String> {
        let folder = std::fs::read_dir(root().join("migrations").join(kind)).expect("readable");
        let names = folder.map(|entry| entry.expect("readable").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let (sqlite, postgres) = (named("sqlite"), named("postgres"));
    assert_eq!(sqlite, postgres, "each migration is written for both");
    let mut found = Vec::new();
    for name in sqlite {
        let up = |kind: &str| read(&format!("migrations/{kind}/{name}/up.sql"));
        found.extend(
            differences(&up("sqlite"), &up("postgres"))
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    let all = schema(&read(
        "migrations/sqlite/2026-11-21-000001_foundation/up.sql",
    ));
    assert!(all.len() > 100, "{all:?}");
    holds("only one of the two schemas has", found);
}
