//! Each write to the database and each call of a provider has a crash point before it and one after it, and every
//! crash point stands somewhere.

use crash_points::Point;

use crate::files::{File, holds, sources};

/// The calls through which a process changes something outside itself: statements, transactions, requests over HTTP.
const CALLS: [&str; 6] = [
    ".execute(",
    ".batch_execute(",
    "AllAtOnce(&self.parts).get_result(",
    "::begin_transaction_sql(",
    "::commit_transaction(",
    ".send().await",
];

/// The functions without crash points that have such calls, each with the reason.
const EXCEPTED: [(&str, &[&str], &str); 8] = [
    (
        "crates/store/src/connection.rs",
        &[
            "open",
            "begin_read",
            "by_any_plan",
            "probe",
            "set_bulk_hints",
        ],
        "they only read, or set up a session",
    ),
    (
        "crates/store/src/housekeeping.rs",
        &["sign"],
        "it runs inside the transaction of the migrations",
    ),
    (
        "crates/store/src/migrations.rs",
        &["apply"],
        "all migrations are one transaction, before anything is served",
    ),
    (
        "crates/store/src/log.rs",
        &["keep_short"],
        "it copies the log of what is committed",
    ),
    (
        "crates/store/src/schema.rs",
        &["begin_elsewhere"],
        "it compares schemas, and rolls back",
    ),
    (
        "crates/store/src/standing.rs",
        &["in_transaction"],
        "it only reads",
    ),
    (
        "crates/sandbox/src/courier.rs",
        &["post"],
        "the sandbox is another party",
    ),
    (
        "crates/store/src/measure.rs",
        &["refresh_statistics", "create_bare_table", "drop_bare_table"],
        "the bench makes tables of its own",
    ),
];

/// The beginnings of the paths of customers, who call the server as anybody does.
const CUSTOMERS: [&str; 3] = [
    "crates/florin/src/demo",
    "crates/florin/src/bench",
    "crates/rehearse/src/",
];

const POINT: &str = "here(Point::";

/// The function around a place in a file: its name, its beginning and its end.
fn function(code: &str, place: usize) -> Option<(&str, usize, usize)> {
    let begin = code[..place].rfind("fn ")?;
    let name = code[begin + "fn ".len()..].split(['(', '<']).next()?;
    let line = code[..begin].rfind('\n').map_or(0, |at| at + 1);
    let indent = code[line..].len() - code[line..].trim_start_matches(' ').len();
    let closing = format!("\n{}}}", " ".repeat(indent));
    let end = code[place..].find(&closing)? + place;
    Some((name, begin, end))
}

fn is_excepted(file: &File, name: &str) -> bool {
    let of_file = EXCEPTED.iter().find(|(path, ..)| *path == file.path);
    of_file.is_some_and(|(_, functions, _)| functions.contains(&name))
}

/// The calls that have no crash point before them or after them.
fn unguarded(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        if CUSTOMERS.iter().any(|path| file.path.starts_with(path)) {
            continue;
        }
        let code = file.code();
        for call in CALLS {
            for (place, _) in code.match_indices(call) {
                let Some((name, begin, end)) = function(&code, place) else {
                    found.push(format!("{}: {call} in no function", file.path));
                    continue;
                };
                if is_excepted(file, name) {
                    continue;
                }
                let sides = [
                    ("before", &code[begin..place]),
                    ("after", &code[place..end]),
                ];
                for (side, text) in sides {
                    let is_bare = !text.contains(POINT);
                    found.extend(is_bare.then(|| format!("{}: {name}: {side} {call}", file.path)));
                }
            }
        }
    }
    found
}

/// The points that stand nowhere.
fn unused(files: &[File]) -> Vec<String> {
    let code: String = files.iter().map(File::code).collect();
    let is_unused = |point: &&Point| !code.contains(&format!("{POINT}{point:?})"));
    let unused = Point::ALL.iter().filter(is_unused);
    unused.map(|point| format!("{point:?}")).collect()
}

/// The excepted functions that need no exception any more.
fn needless(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, functions, _) in EXCEPTED {
        let file = files.iter().find(|file| file.path == path);
        let code = file.map(File::code).unwrap_or_default();
        let places = CALLS.iter().flat_map(|call| code.match_indices(call));
        let named: Vec<&str> = places
            .filter_map(|(place, _)| function(&code, place))
            .map(|(name, ..)| name)
            .collect();
        let gone = functions.iter().filter(|name| !named.contains(name));
        found.extend(gone.map(|name| format!("{path}: {name}")));
    }
    found
}

#[test]
fn every_write_and_every_call_has_crash_points_beside_it() {
    let planted = "impl A {\n    fn good() {\n        here(Point::WriteBefore);\n        a.execute(c)?;\n        \
        here(Point::WriteAfter);\n    }\n\n    async fn bad() {\n        a.send().await;\n        \
        here(Point::CallSent);\n    }\n}\n\nfn worse(a: A) {\n    if b {\n        a.execute(c);\n    }\n}\n";
    assert_eq!(
        unguarded(&[File::planted("crates/ledger/src/x.rs", planted)]),
        [
            "crates/ledger/src/x.rs: worse: before .execute(",
            "crates/ledger/src/x.rs: worse: after .execute(",
            "crates/ledger/src/x.rs: bad: before .send().await",
        ]
    );

    let sources = sources();
    holds(
        "a write or a call without a crash point",
        unguarded(&sources),
    );
    holds("crash points that stand nowhere", unused(&sources));
    holds("exceptions that are not needed", needless(&sources));

    // No crash point can be taken away from a file with such calls, unless another one is beside it.
    let mut spare = Vec::new();
    let mut needed = 0;
    for file in sources.iter().filter(|file| file.text.contains(POINT)) {
        let has_call = CALLS.iter().any(|call| file.code().contains(call));
        for (place, _) in file.text.match_indices(POINT).filter(|_| has_call) {
            let (before, rest) = file.text.split_at(place);
            let (point, after) = rest.split_once(';').expect("a statement");
            let without = format!("{before}{after}");
            match unguarded(&[File::planted(&file.path, &without)]).len() {
                0 => spare.push(point),
                _ => needed += 1,
            }
        }
    }
    // Each of the two stands after the call.
    assert_eq!(spare, ["here(Point::CallSent)", "here(Point::CallAfter)"]);
    assert!(needed >= 12, "only {needed}");
}
