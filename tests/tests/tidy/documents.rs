//! The documents: routes, verbs, code and tests that they name are there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::files::{File, files, holds, read, sources, uncommented, words};

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
        "webhook" => {
            let source = read("crates/florin/src/webhook.rs");
            let mut all = verbs(&source, "WebhookCommand");
            all.remove("signature");
            all.extend(verbs(&source, "SignatureCommand"));
            all
        }
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
