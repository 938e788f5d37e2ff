//! `florin import`: accounts, opening balances and past transactions, all of a file or nothing.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use engine::{LaneError, Request};
use interchange::{Mistake, Source};
use ledger::{Import, ImportResult, Misfit, OnKnown};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::check::progress_bar;
use crate::existing::open_of_tenant;
use crate::lane;
use crate::settings::Settings;
use crate::start::{self, StartError};
use crate::tenant::TenantError;

/// The file is wrong, and its mistakes were printed.
const WRONG: u8 = 1;
/// Longest time for the import of a large file.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Greatest number of known rows that are listed for people. The JSON has all of them.
const MAX_NAMED: usize = 100;

/// Options of `florin import`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ImportArguments {
    /// The format of the file
    #[arg(long, value_enum)]
    format: FormatArgument,
    /// What to do with accounts and transactions that are in the books already
    #[arg(long, value_enum, default_value = "skip")]
    known: KnownRows,
    /// Import nothing. Only print what would be done, or what is wrong with the file
    #[arg(long)]
    dry_run: bool,
    /// The tenant whose books take the file (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The file to import
    file: PathBuf,
}

/// The formats, as they are typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormatArgument {
    /// One row per account and per entry
    Csv,
    /// One document
    Json,
}

/// What to do with known rows, as it is typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum KnownRows {
    /// Skip them, count them and list them
    Skip,
    /// Refuse them, and with them the whole file
    Refuse,
}

/// Why it is unknown whether the file was imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("cannot read {path}: {cause}")]
    Unreadable { path: String, cause: io::Error },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Whose(#[from] TenantError),
    #[error("{0}; run it once more: what is in the books then is known, and not imported again")]
    Lane(#[from] LaneError),
    #[error("there was an unexpected answer")]
    Unexpected,
}

/// The result of an import or of a dry run.
#[derive(Debug)]
struct Done {
    accounts: u64,
    transactions: u64,
    known: Vec<KnownItem>,
}

/// A row of the file that was in the books already.
#[derive(Debug, Serialize)]
struct KnownItem {
    line: u64,
    record: String,
    name: String,
}

impl Done {
    fn of(imported: &ImportResult) -> Self {
        let count = |length| u64::try_from(length).unwrap_or(u64::MAX);
        let known = imported.known.iter().map(|known| KnownItem {
            line: known.line,
            record: known.what.to_owned(),
            name: known.name.clone(),
        });
        Self {
            accounts: count(imported.accounts.len()),
            transactions: count(imported.transactions.len()),
            known: known.collect(),
        }
    }

    /// True if all of the file was in the books already.
    const fn is_nothing_new(&self) -> bool {
        self.accounts == 0 && self.transactions == 0 && !self.known.is_empty()
    }
}

/// A mistake in the file.
#[derive(Debug, Serialize)]
struct Wrong {
    line: u64,
    field: String,
    problem: String,
}

/// The outcome.
enum Outcome {
    Done(Done),
    Wrong(Vec<Wrong>),
}

/// Imports a file. The exit status is 0 if the whole file is in the books, and 1 if the file is wrong.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &ImportArguments,
    json: bool,
) -> Result<ExitCode, ImportError> {
    let path = arguments.file.display().to_string();
    let text = std::fs::read(&arguments.file).map_err(|cause| ImportError::Unreadable {
        path: path.clone(),
        cause,
    })?;
    let hash = hex::encode(Sha256::digest(&text));
    let source = match arguments.format {
        FormatArgument::Csv => Source::Csv,
        FormatArgument::Json => Source::Json,
    };
    let outcome = match interchange::read(source, &text) {
        Ok(books) => {
            // The text is dropped before the next step, because it may be large.
            drop(text);
            take_over(settings, arguments, books, &hash).await?
        }
        Err(mistakes) => Outcome::Wrong(mistakes.into_iter().map(Wrong::from).collect()),
    };
    Ok(tell(arguments, &path, &outcome, json))
}

/// Submits the books as one command, through a lane of this process.
async fn take_over(
    settings: &Settings,
    arguments: &ImportArguments,
    books: Import,
    hash: &str,
) -> Result<Outcome, ImportError> {
    let (store, tenant) = open_of_tenant::<ImportError>(settings, arguments.tenant.clone()).await?;
    let (clock, _recorded) = start::check_clock(&store, settings).await?;
    let settings = lane::lane_settings(settings);
    let engine = lane::start_lane(store, engine::Settings { clock, ..settings })?;
    let command = books::import::Import {
        books: Arc::new(books),
        on_known: match arguments.known {
            KnownRows::Skip => OnKnown::Skip,
            KnownRows::Refuse => OnKnown::Refuse,
        },
    };
    // There is no idempotency key: each row is recognised by its own content, in any file.
    let mut request = Request::of_system(tenant, "import", command);
    request.is_dry_run = arguments.dry_run;
    request.origin.request = Some(hash.to_owned());
    let bar = progress_bar();
    bar.set_prefix("import");
    bar.enable_steady_tick(Duration::from_millis(100));
    let outcome = engine.submit_within(request, PATIENCE).await;
    bar.finish_and_clear();
    engine.shut_down().await;
    match outcome?.decided {
        Some(Ok(imported)) => Ok(Outcome::Done(Done::of(&imported))),
        Some(Err(misfits)) => Ok(Outcome::Wrong(
            misfits.into_iter().map(Wrong::from).collect(),
        )),
        None => Err(ImportError::Unexpected),
    }
}

impl From<Mistake> for Wrong {
    fn from(mistake: Mistake) -> Self {
        Self {
            line: mistake.line,
            field: mistake.field,
            problem: mistake.problem,
        }
    }
}

impl From<Misfit> for Wrong {
    fn from(misfit: Misfit) -> Self {
        Self {
            line: misfit.line,
            field: misfit.field.to_owned(),
            problem: misfit.rule.to_string(),
        }
    }
}

fn tell(arguments: &ImportArguments, path: &str, outcome: &Outcome, json: bool) -> ExitCode {
    let said = if json {
        say_json(arguments, outcome)
    } else {
        say(arguments, path, outcome)
    };
    // If the reader of standard output is gone, the exit status still shows the result.
    let _unheard = said;
    match outcome {
        Outcome::Done(_) => ExitCode::SUCCESS,
        Outcome::Wrong(_) => ExitCode::from(WRONG),
    }
}

fn say_json(arguments: &ImportArguments, outcome: &Outcome) -> io::Result<()> {
    let object = match outcome {
        Outcome::Done(done) => serde_json::json!({
            "dry_run": arguments.dry_run,
            "imported_before": done.is_nothing_new(),
            "accounts": done.accounts,
            "transactions": done.transactions,
            "known": done.known,
            "mistakes": [],
        }),
        Outcome::Wrong(mistakes) => serde_json::json!({
            "dry_run": arguments.dry_run,
            "imported_before": false,
            "accounts": 0,
            "transactions": 0,
            "known": [],
            "mistakes": mistakes,
        }),
    };
    writeln!(io::stdout(), "{object}")
}

fn say(arguments: &ImportArguments, path: &str, outcome: &Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Done(done) => {
            let how = match (done.is_nothing_new(), arguments.dry_run) {
                (true, _) => "all of it was in the books: nothing is done",
                (false, true) => "would be imported",
                (false, false) => "imported",
            };
            let mut output = io::stdout().lock();
            for KnownItem { line, record, name } in done.known.iter().take(MAX_NAMED) {
                writeln!(
                    output,
                    "{path}:{line}: {record} {name} is known, and skipped"
                )?;
            }
            let more = done.known.len().saturating_sub(MAX_NAMED);
            if more > 0 {
                writeln!(output, "and {more} more, which --json lists")?;
            }
            let (accounts, transactions) = (done.accounts, done.transactions);
            let known = done.known.len();
            writeln!(
                output,
                "accounts: {accounts}, transactions: {transactions}, known: {known}, {how}, from {path}"
            )
        }
        Outcome::Wrong(mistakes) => {
            let mut errors = io::stderr().lock();
            for Wrong {
                line,
                field,
                problem,
            } in mistakes
            {
                let space = if field.is_empty() { "" } else { " " };
                writeln!(errors, "{path}:{line}: {field}{space}{problem}")?;
            }
            let count = mistakes.len();
            writeln!(
                errors,
                "florin: nothing is imported, because of these {count}"
            )
        }
    }
}
