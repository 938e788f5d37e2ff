//! `florin import`: accounts, opening balances and past transactions, all of a file or nothing.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use engine::access::Tenant;
use engine::{Answer, Command, Engine, Envelope, LaneError, Origin};
use idempotency::{Claim, Fingerprint, Key, KeyError};
use interchange::{Mistake, Source};
use ledger::{Import, Misfit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{Ids, Store};

use crate::check::progress_bar;
use crate::cli::open_to_look;
use crate::settings::Settings;
use crate::start::{self, StartError};
use crate::whose::{WhoseError, chosen};

/// The file is wrong, and it was said where.
const WRONG: u8 = 1;
/// A large file takes its time.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Digits of the file's hash that name its lines.
const SHORT_HASH: usize = 16;

/// Options of `florin import`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ImportArguments {
    /// What the file is
    #[arg(long, value_enum)]
    format: Wanted,
    /// Only say what would become of it, or everything that is wrong with it
    #[arg(long)]
    dry_run: bool,
    /// Whose books (default: the only tenant's)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The file
    file: PathBuf,
}

/// The formats, as they are typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Wanted {
    /// One row per account and per entry
    Csv,
    /// One document
    Json,
}

/// Why it is not known whether the file can be imported, or was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("cannot read {path}: {cause}")]
    Unreadable { path: String, cause: io::Error },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Whose(#[from] WhoseError),
    #[error("{0}; run it once more: a file is imported once, however often it is tried")]
    Lane(#[from] LaneError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("there was an unexpected answer")]
    Unexpected,
}

/// What was done, or would be.
#[derive(Debug, Deserialize)]
struct Done {
    accounts: u64,
    transactions: u64,
}

/// One thing that is wrong with the file.
#[derive(Debug, Serialize)]
struct Wrong {
    line: u64,
    field: String,
    problem: String,
}

/// What came of it.
enum Outcome {
    Done { done: Done, replayed: bool },
    Wrong(Vec<Wrong>),
}

/// Imports, and ends with 0 if all of the file is in the books, 1 if it is wrong.
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
        Wanted::Csv => Source::Csv,
        Wanted::Json => Source::Json,
    };
    let name = format!("import:{}", hash.get(..SHORT_HASH).unwrap_or_default());
    let outcome = match interchange::read(source, &text, &name) {
        Ok(books) => {
            // Before anything else is asked for: the text may be large.
            drop(text);
            take_over(settings, arguments, books, &hash).await?
        }
        Err(mistakes) => Outcome::Wrong(mistakes.into_iter().map(Wrong::from).collect()),
    };
    Ok(tell(arguments, &path, &outcome, json))
}

/// Sends the books through a lane of this process, as one command.
async fn take_over(
    settings: &Settings,
    arguments: &ImportArguments,
    books: Import,
    hash: &str,
) -> Result<Outcome, ImportError> {
    let (store, tenant) = open(settings, arguments.tenant.clone()).await?;
    let (submit, _no_payments) = tokio::sync::mpsc::unbounded_channel();
    let lane = start::lane_settings(settings);
    let engine = Engine::start(store, lane, Ids::random(), submit);
    let engine = engine.map_err(|cause| StartError::System {
        what: "the lane's thread does not start".to_owned(),
        cause,
    })?;
    let claim = Claim {
        key: Key::parse(format!("import:{hash}"))?,
        fingerprint: Fingerprint::of("IMPORT", "", api::API_VERSION, hash.as_bytes()),
    };
    let envelope = Envelope {
        tenant,
        command: Command::Import {
            books: Arc::new(books),
            dry_run: arguments.dry_run,
        },
        claim: Some(claim),
        origin: Origin {
            kind: "system",
            id: "import".into(),
            request: Some(hash.to_owned()),
        },
    };
    let bar = progress_bar();
    bar.set_prefix("import");
    bar.enable_steady_tick(Duration::from_millis(100));
    let answer = engine.submit_within(envelope, PATIENCE).await;
    bar.finish_and_clear();
    engine.shut_down().await;
    match answer? {
        Answer::Replied { reply, replayed } => {
            let done = serde_json::from_slice(&reply.body);
            let done = done.map_err(|_not_ours| ImportError::Unexpected)?;
            Ok(Outcome::Done { done, replayed })
        }
        Answer::Misfits(misfits) => Ok(Outcome::Wrong(
            misfits.into_iter().map(Wrong::from).collect(),
        )),
        Answer::InFlight { .. }
        | Answer::KeyReused { .. }
        | Answer::Webhook(_)
        | Answer::Leased(_)
        | Answer::OtherMode(_)
        | Answer::Done => Err(ImportError::Unexpected),
    }
}

/// Books that are there already: a mistyped address never begins new ones.
async fn open(settings: &Settings, asked: Option<String>) -> Result<(Store, Tenant), ImportError> {
    let settings = settings.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let store = open_to_look(&settings)?.patient();
        let tenant = store.read(|connection| chosen(connection, asked.as_deref()))?;
        Ok((store, tenant))
    });
    opened.await.unwrap_or_else(|panic| {
        Err(ImportError::Start(StartError::System {
            what: "opening the database panicked".to_owned(),
            cause: io::Error::other(panic),
        }))
    })
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
    // The exit code still says it if nobody listens any longer.
    let _unheard = said;
    match outcome {
        Outcome::Done { .. } => ExitCode::SUCCESS,
        Outcome::Wrong(_) => ExitCode::from(WRONG),
    }
}

fn say_json(arguments: &ImportArguments, outcome: &Outcome) -> io::Result<()> {
    let object = match outcome {
        Outcome::Done { done, replayed } => serde_json::json!({
            "dry_run": arguments.dry_run,
            "imported_before": replayed,
            "accounts": done.accounts,
            "transactions": done.transactions,
            "mistakes": [],
        }),
        Outcome::Wrong(mistakes) => serde_json::json!({
            "dry_run": arguments.dry_run,
            "imported_before": false,
            "accounts": 0,
            "transactions": 0,
            "mistakes": mistakes,
        }),
    };
    writeln!(io::stdout(), "{object}")
}

fn say(arguments: &ImportArguments, path: &str, outcome: &Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Done { done, replayed } => {
            let how = match (replayed, arguments.dry_run) {
                (true, _) => "were imported before: nothing is done",
                (false, true) => "would be imported",
                (false, false) => "imported",
            };
            let (accounts, transactions) = (done.accounts, done.transactions);
            writeln!(
                io::stdout(),
                "accounts: {accounts}, transactions: {transactions}, {how}, from {path}"
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
