//! `florin bench`: measures the transfers per second, their response times, and what the database itself would
//! allow.
//!
//! A closed loop of 1, 32, 256, 1,024 transfers in flight goes through the lane in process and over HTTP on
//! loopback, spread over the accounts in three ways. The speed of a machine changes with time. So the rounds of
//! all blocks are interleaved, each with the floor ([`floor`]), and the medians are reported. The ratios are
//! more reliable than the values.
//!
//! Every run makes its own tenants, numbered from 1,000. They stay, because books are never deleted, so use a
//! database only for this. A run is limited by counts, not by time, and never leaves loopback.

mod floor;
mod http;
mod load;
mod process;
mod report;
mod series;
mod shape;
mod stage;
mod steps;
mod table;
mod tally;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use engine::Engine;
use indicatif::ProgressBar;
use serde::Serialize;
use store::{DatabaseUrl, Ids, Store};

use floor::Bedrock;
use report::Report;
use series::{Bench, FILLING, MAX_BLOCK};
use shape::{MIN_ACCOUNTS, Shape};
use stage::Stage;

/// Number of open files besides the connections of a block.
const OTHER_FILES: u64 = 64;

/// Options of `florin bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArguments {
    /// Number of transfers in each measured block (fewer if fewer than 32 are in flight).
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    transfers: u32,
    /// Number of accounts that pay and are paid.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(i64::from(MIN_ACCOUNTS)..=1_000_000))]
    accounts: u32,
    /// Numbers of transfers that wait for their answers at the same time.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,32,256,1024", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    in_flight: Vec<u32>,
    /// The kinds of load, each with its spread over the accounts.
    #[arg(
        long,
        value_enum,
        value_name = "SHAPE,…",
        value_delimiter = ',',
        default_value = "uniform,zipf,hot,two-phase,ten-postings,bulk"
    )]
    shapes: Vec<Shape>,
    /// The levels at which the load enters.
    #[arg(
        long,
        value_enum,
        value_name = "LEVEL,…",
        value_delimiter = ',',
        default_value = "lane,http"
    )]
    levels: Vec<Level>,
    /// Number of interleaved rounds. The median is reported.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Measure, fill the book up to this many transfers, and measure again.
    #[arg(long, value_name = "N")]
    grow: Option<u64>,
    /// Seed of the random accounts and keys: the same seed gives the same ones.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// The level at which the load enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// The lane, in process.
    Lane,
    /// HTTP over loopback.
    Http,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Lane => "lane",
            Self::Http => "http",
        }
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] store::OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The lane's thread or the server cannot be started, or a connection cannot be made.
    #[error("{what}: {cause}")]
    System {
        /// The action that failed.
        what: &'static str,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The tenant to measure cannot be made ready.
    #[error("cannot {what}: {cause}")]
    Stage {
        /// The action that failed.
        what: &'static str,
        /// What went wrong.
        cause: String,
    },
    /// A connection and its other end are two files.
    #[error(
        "{needed} files must be open at a time, and {allowed} may be: raise the limit (ulimit -n {needed}) or lower --in-flight"
    )]
    OpenFiles {
        /// Number of files that a block needs.
        needed: u64,
        /// Number of files that the system allows.
        allowed: u64,
    },
    /// A block did not end in time.
    #[error("{level} {shape} {in_flight} did not end within {} s", MAX_BLOCK.as_secs())]
    Stuck {
        /// The level of the block.
        level: &'static str,
        /// The shape of the block.
        shape: &'static str,
        /// The number in flight.
        in_flight: u32,
    },
    /// A thread of the bench has failed.
    #[error("a measuring thread failed: {0}")]
    Thread(String),
}

impl BenchError {
    fn system(what: &'static str, cause: io::Error) -> Self {
        Self::System { what, cause }
    }

    fn stage(what: &'static str, cause: impl ToString) -> Self {
        Self::Stage {
            what,
            cause: cause.to_string(),
        }
    }
}

/// Measures, and prints the report. `serve` starts a server over the given lane, on loopback, and returns its
/// address; it is called only if HTTP is measured. The exit status is 1 if any transfer did not get the
/// expected answer.
///
/// # Errors
/// [`BenchError`], whose message says what to do.
pub(crate) async fn run<Served>(
    arguments: BenchArguments,
    url: &DatabaseUrl,
    settings: engine::Settings,
    serve: impl FnOnce(Engine) -> Served,
) -> Result<ExitCode, BenchError>
where
    Served: Future<Output = io::Result<SocketAddr>>,
{
    let json = arguments.json;
    let report = measure(arguments, url, settings, serve).await?;
    print(&report, json);
    Ok(if report.errors() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prepares the stage, measures, and cleans up.
async fn measure<Served>(
    arguments: BenchArguments,
    url: &DatabaseUrl,
    mut settings: engine::Settings,
    serve: impl FnOnce(Engine) -> Served,
) -> Result<Report, BenchError>
where
    Served: Future<Output = io::Result<SocketAddr>>,
{
    check_open_files(&arguments)?;
    let store = in_thread({
        let url = url.clone();
        move || Store::open(&url)
    })
    .await?;
    // The line must be long enough for the load. Otherwise the line would be measured, not the lane.
    let most = arguments.in_flight.iter().copied().max().unwrap_or(1);
    let most = usize::try_from(most.max(FILLING)).unwrap_or(usize::MAX);
    settings.line = settings.line.max(most);
    let engine = Engine::start(store.clone(), settings, Ids::random())
        .map_err(|cause| BenchError::system("cannot start the lane", cause))?;

    let progress = ProgressBar::no_length();
    progress.set_message("setting the stage");
    let api_key = api_key();
    let stage = Stage::set(&engine, &api_key, arguments.accounts).await?;
    stage.fund().await?;
    let bed = Stage::set(&engine, &format!("{api_key}_floor"), arguments.accounts).await?;
    let server = if arguments.levels.contains(&Level::Http) {
        let address = serve(engine.clone()).await;
        Some(address.map_err(|cause| BenchError::system("cannot start the server", cause))?)
    } else {
        None
    };
    let bedrock = in_thread({
        let (store, seed) = (store.clone(), arguments.seed);
        move || Bedrock::lay(&store, bed, seed)
    });
    let mut bench = Bench {
        bedrock: Some(bedrock.await?),
        posted: u64::try_from(stage.accounts.len()).unwrap_or(0),
        block: 0,
        arguments,
        store,
        stage,
        api_key,
        server,
        progress,
    };
    let report = bench.report(url.backend()).await?;
    bench.progress.finish_and_clear();
    if let Some(bedrock) = bench.bedrock.take() {
        in_thread(move || bedrock.clear()).await?;
    }
    engine.shut_down().await;
    Ok(report)
}

/// Runs a blocking function on a thread for such functions.
async fn in_thread<T: Send + 'static, E: Into<BenchError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, BenchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(E::into),
        Err(panic) => Err(BenchError::Thread(panic.to_string())),
    }
}

/// A new API key.
fn api_key() -> String {
    let now = store::Clock::system().now();
    format!(
        "bench_{:032x}",
        u128::from_be_bytes(Ids::random().next(now))
    )
}

fn check_open_files(arguments: &BenchArguments) -> Result<(), BenchError> {
    let most = arguments.in_flight.iter().copied().max().unwrap_or(1);
    let needed = u64::from(most) * 2 + OTHER_FILES;
    match process::most_open_files() {
        Some(allowed) if allowed < needed && arguments.levels.contains(&Level::Http) => {
            Err(BenchError::OpenFiles { needed, allowed })
        }
        Some(_) | None => Ok(()),
    }
}

fn print(report: &Report, json: bool) {
    let text = if json {
        serde_json::to_string(report)
            .map(|text| text + "\n")
            .unwrap_or_default()
    } else {
        report.to_text()
    };
    // If the reader of standard output is gone, it wants no more.
    let _closed = io::stdout().lock().write_all(text.as_bytes());
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        bench: BenchArguments,
    }

    fn settings() -> engine::Settings {
        engine::Settings {
            max_batch: 256,
            line: 1,
            ..crate::lane::settings_of(true, engine::keys::LEAST_LIFE_SECONDS)
        }
    }

    #[tokio::test]
    async fn a_book_that_was_measured_keeps_every_invariant() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("florin.db"));
        let line = "florin --transfers 100 --accounts 20 --in-flight 1,40 --rounds 1 --levels lane \
                    --grow 3000";
        let Line { bench } = Line::parse_from(line.split_whitespace());
        let nobody = |_engine| std::future::ready(Err(io::ErrorKind::Unsupported.into()));
        let report = measure(bench, &url, settings(), nobody).await.unwrap();
        assert_eq!(report.errors(), 0);
        let grown = report.grown.unwrap();
        assert!(grown.transfers > 0 && grown.findings.transfers_in_book == 3_000);

        let store = Store::open_existing(&url, store::Tuning::default()).unwrap();
        let report = store.read(|book| engine::check::run(families::CHECK, book, |_, _| {}));
        assert_eq!(report.unwrap().first_violated(), None);
        for log in store.read(audit_log::tables::logs).unwrap() {
            let verified = store.read(|book| audit_log::verify(book, log, |_| {}));
            assert!(verified.unwrap().is_ok());
        }
    }
}
