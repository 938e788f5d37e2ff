//! The code: which files may name a database, what no file contains, and how long a file is.

use crate::files::{File, holds, sources, words};

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
