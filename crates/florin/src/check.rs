//! `florin check`: every invariant of the book, over one snapshot.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use comfy_table::{Cell, Color, Table, presets};
use engine::check::{Report, Verdict};
use indicatif::{ProgressBar, ProgressStyle};
use store::{Error, Store};

use families::CHECK;

/// Every invariant holds, or every log is as it was written.
pub(crate) const SOUND: u8 = 0;
/// An invariant is broken, and the first bad row was named.
pub(crate) const UNSOUND: u8 = 1;
/// The check could not be made. This says nothing about the books.
pub(crate) const CANNOT: u8 = 2;

/// Options of `florin check`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CheckArguments {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Checks the books and prints the results to standard output. The exit status is 0 if every invariant holds, 1
/// if one does not, 2 if that could not be checked.
pub(crate) fn run(arguments: &CheckArguments, store: &Store) -> ExitCode {
    finish(
        "check",
        answer(arguments, store, &mut io::stdout().lock()),
        arguments.json,
    )
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mistake {
    #[error("{0}; {advice}", advice = advice(.0))]
    Database(#[from] Error),
    #[error("cannot write the answer: {0}")]
    UnwritableAnswer(#[from] io::Error),
}

/// The exit status of a verb. If there is no result, prints the reason.
pub(crate) fn finish(verb: &str, outcome: Result<u8, Mistake>, json: bool) -> ExitCode {
    ExitCode::from(outcome.unwrap_or_else(|mistake| {
        let text = mistake.to_string();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // If the reader of standard output is gone, the exit status still shows the result.
        if json {
            let object = serde_json::json!({ "error": text });
            let _unheard = writeln!(io::stdout(), "{object}");
        }
        let _unheard = writeln!(io::stderr(), "florin {verb}: {text}");
        CANNOT
    }))
}

fn advice(error: &Error) -> &'static str {
    match error {
        Error::Unavailable(_) => {
            "see that the database runs and --database-url names it, try again"
        }
        Error::Busy(_) | Error::Conflict(_) => "try again, it is at work",
        Error::Refused(_) => {
            "see that the schema is of this program, and the database itself is not damaged"
        }
    }
}

/// The progress bar on standard error. It draws only on a terminal.
pub(crate) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {prefix}  {human_pos} rows  {elapsed}")
    {
        bar.set_style(style);
    }
    bar
}

fn answer(
    arguments: &CheckArguments,
    store: &Store,
    output: &mut impl Write,
) -> Result<u8, Mistake> {
    let bar = progress_bar();
    let report = engine::check::whole(CHECK, store, |invariant, done| {
        bar.set_prefix(invariant.to_owned());
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = report?;
    if arguments.json {
        print_json(&report, store, output)?;
    } else {
        print_table(&report, store, output)?;
    }
    Ok(match report.first_violated() {
        None => SOUND,
        Some(_) => UNSOUND,
    })
}

fn print_json(report: &Report, store: &Store, output: &mut impl Write) -> io::Result<()> {
    let invariant = |verdict: &Verdict| {
        let violation = verdict.violation.as_ref().map(|violation| {
            serde_json::json!({
                "tenant": violation.tenant,
                "subject": violation.subject,
                "detail": violation.detail,
            })
        });
        serde_json::json!({
            "name": verdict.name,
            "what": verdict.what,
            "examined": verdict.examined,
            "holds": violation.is_none(),
            "violation": violation,
            "note": verdict.note,
        })
    };
    let object = serde_json::json!({
        "database": store.url().to_string(),
        "holds": report.first_violated().is_none(),
        "invariants": report.invariants.iter().map(invariant).collect::<Vec<_>>(),
    });
    writeln!(output, "{object}")
}

fn print_table(report: &Report, store: &Store, output: &mut impl Write) -> io::Result<()> {
    let mut table = plain_table();
    table.set_header(["", "", "invariant", "rows"]);
    for verdict in &report.invariants {
        table.add_row([
            mark(verdict.violation.is_none()),
            Cell::new(verdict.name),
            Cell::new(verdict.what),
            Cell::new(verdict.examined),
        ]);
    }
    writeln!(output, "{table}")?;
    for verdict in &report.invariants {
        if let Some(note) = &verdict.note {
            writeln!(output, "{} was not looked at: {note}", verdict.name)?;
        }
        if let Some(violation) = &verdict.violation {
            let whose = violation.tenant.as_deref().unwrap_or("database");
            let (name, subject, detail) = (verdict.name, &violation.subject, &violation.detail);
            writeln!(output, "{name} is violated: {whose}: {subject}: {detail}")?;
        }
    }
    if report.first_violated().is_none() {
        let what = match report.invariants.iter().all(|one| one.note.is_none()) {
            true => "every invariant",
            false => "every invariant that was looked at",
        };
        writeln!(output, "{what} holds in {}", store.url())?;
    }
    Ok(())
}

/// A table for people and for tools.
pub(crate) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !io::stdout().is_terminal() {
        table.force_no_tty();
    }
    table
}

/// ✓ or ✗, in colour on a terminal.
pub(crate) fn mark(good: bool) -> Cell {
    if good {
        Cell::new("✓").fg(Color::Green)
    } else {
        Cell::new("✗").fg(Color::Red)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    use store::DatabaseUrl;

    use super::*;

    struct Setup {
        _folder: tempfile::TempDir,
        store: Store,
    }

    /// A new database that this SQL has changed without the server.
    fn given(sql: &str) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("florin.db");
        let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
        let store = Store::open(&url).unwrap();
        let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute(sql).unwrap();
        Setup {
            _folder: folder,
            store,
        }
    }

    fn checked(given: &Setup, json: bool) -> (Result<u8, Mistake>, String) {
        let mut output = Vec::new();
        let outcome = answer(&CheckArguments { json }, &given.store, &mut output);
        (outcome, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_sound_book_is_told_as_a_table_and_as_json() {
        let given = given("");
        let (outcome, text) = checked(&given, false);
        assert_eq!(outcome.unwrap(), SOUND);
        assert!(text.contains("✓") && !text.contains("✗"), "{text}");
        assert!(text.contains("every invariant holds in sqlite:"), "{text}");
        let (outcome, text) = checked(&given, true);
        assert_eq!(outcome.unwrap(), SOUND);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object.get("holds"), Some(&true.into()));
        let invariants = object
            .get("invariants")
            .and_then(|list| list.as_array())
            .unwrap();
        let names: Vec<_> = invariants
            .iter()
            .filter_map(|one| one.get("name")?.as_str())
            .collect();
        for name in ["L1", "P1", "I1", "W1", "A1", "A3"] {
            assert!(names.contains(&name), "{names:?}");
        }
    }

    #[test]
    fn an_unsound_book_names_its_first_offender() {
        let given = given("INSERT INTO tenant (created_at, tenant_id, name) VALUES (0, 1, 'acme')");
        let (outcome, text) = checked(&given, false);
        assert_eq!(outcome.unwrap(), UNSOUND);
        assert!(
            text.contains("A1 is violated: acme: audit log: the tenant has none"),
            "{text}"
        );
        let (_, text) = checked(&given, true);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object.get("holds"), Some(&false.into()));
        let invariants = object.get("invariants").and_then(|list| list.as_array());
        let a1 = invariants.unwrap().iter().find(|one| one["name"] == "A1");
        let whose = a1.unwrap().pointer("/violation/tenant");
        assert_eq!(whose, Some(&"acme".into()));
    }

    #[test]
    fn a_book_that_cannot_be_read_gets_no_verdict() {
        let (outcome, text) = checked(&given("DROP TABLE tenant"), false);
        assert!(
            matches!(outcome, Err(Mistake::Database(Error::Refused(_)))),
            "{text}"
        );
        assert_eq!(text, "");
    }
}
