//! `florin rehearse URL`: duplicates, races, forgeries and other faults against a webhook consumer, and the verdict.

mod ours;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ::rehearse::{
    AT_ONCE, BooksError, COUNT, MOST_PAYMENTS, Rehearsal, RehearsalError, Report, Schedule, Signer,
    SignerError, TemplateError, Templates, Verdict,
};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use webhook_signatures::Scheme;

use crate::output::{self, CANNOT, cannot};
use crate::settings::Settings;
use crate::start::StartError;

/// The consumer is not correct.
const FAILED: u8 = 1;

/// Options of `florin rehearse`.
#[derive(Debug, Args)]
pub(crate) struct RehearseArguments {
    /// The URL of the consumer. All deliveries go there
    #[arg(required_unless_present_any = ["list", "against_florin"])]
    url: Option<String>,
    /// Rehearse a Florin that is started for this, on books of its own, and compare the books after each schedule
    #[arg(
        long,
        conflicts_with_all = [
            "url", "scheme", "secret", "signed_url", "form", "tolerance", "at_once", "timeout", "effects_url",
            "effects_command", "effects_within", "event_body", "headers",
        ]
    )]
    against_florin: bool,
    /// List the schedules, and end
    #[arg(long)]
    list: bool,
    /// A schedule, by its name; repeat the option for more [default: all]
    #[arg(long = "schedule", value_name = "NAME")]
    schedules: Vec<String>,
    /// A schedule to leave out; repeat the option for more
    #[arg(long = "skip", value_name = "NAME")]
    skipped: Vec<String>,
    /// The signing scheme: the names of `florin webhook sign`, but paypal
    #[arg(long, default_value = "standard-webhooks")]
    scheme: String,
    /// The consumer's secret [default: that of the sandbox]. For standard-webhooks-v1a it is the private key `whsk_…`
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true)]
    secret: Option<SecretString>,
    /// The URL as the sender has it, for square and for a form with {url} [default: URL]
    #[arg(long, value_name = "URL")]
    signed_url: Option<String>,
    /// The form of the signature, for generic: 'header=X-Signature; signed={timestamp}.{body}; …'
    #[arg(long)]
    form: Option<String>,
    /// How many seconds the consumer tolerates between a signature and its clock [default: that of the scheme]
    #[arg(long, value_name = "SECONDS")]
    tolerance: Option<u32>,
    /// The seed, which repeats a run exactly [default: drawn, and printed]
    #[arg(long)]
    seed: Option<u64>,
    /// Number of orders in each schedule; a burst has ten times as many
    #[arg(long, default_value_t = COUNT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Number of orders that are delivered at a time
    #[arg(long, default_value_t = AT_ONCE, value_name = "NUMBER")]
    at_once: usize,
    /// How long an answer may take
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    timeout: u32,
    /// Where the consumer tells how much it has credited to an order: a URL with {order} in it, asked with GET
    #[arg(long, value_name = "URL", conflicts_with = "effects_command")]
    effects_url: Option<String>,
    /// A command that reads the names of orders, one a line, and prints 'ORDER AMOUNT' lines
    #[arg(long, value_name = "COMMAND")]
    effects_command: Option<String>,
    /// How long the effects may take after the last answer of a schedule
    #[arg(long, default_value_t = 1, value_name = "SECONDS")]
    effects_within: u32,
    /// A file with the body of an event that credits an order: {{order}} and {{amount}}, and perhaps {{id}},
    /// {{created}} and {{signature}}, are filled in
    #[arg(long, value_name = "FILE")]
    event_body: Option<PathBuf>,
    /// The same for an event that takes a part of the amount back
    #[arg(long, value_name = "FILE", requires = "event_body")]
    refund_body: Option<PathBuf>,
    /// A header for every delivery, written as 'Name: value'; repeat the option for more
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Write the report as XML in the form of JUnit to this file too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mistake {
    #[error("unknown scheme `{0}`; the schemes are {names}", names = Scheme::ALL.map(Scheme::name).join(", "))]
    Scheme(String),
    #[error("unknown schedule `{0}`; the schedules are {names}", names = Schedule::ALL.map(Schedule::name).join(", "))]
    Schedule(String),
    #[error("no schedule is left")]
    NoSchedule,
    #[error("with --against-florin there are at most {MOST_PAYMENTS} orders in a schedule")]
    TooManyOrders,
    #[error(transparent)]
    Signer(#[from] SignerError),
    #[error("the file of the event: {0}")]
    Body(#[from] TemplateError),
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    #[error("{path}: {cause}")]
    File { path: String, cause: std::io::Error },
    #[error("cannot write the answer: {0}")]
    Unwritable(#[from] std::io::Error),
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot check the books: {0}")]
    Check(String),
}

/// Makes the rehearsal and prints the report. The exit status is 0 if the consumer has passed, 1 if it has not, 2 if
/// that was not found out.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &RehearseArguments,
    json: bool,
) -> ExitCode {
    let answered = if arguments.against_florin {
        ours::answer(settings, arguments, json).await
    } else {
        answer(arguments, json).await
    };
    match answered {
        Ok(status) => ExitCode::from(status),
        Err(mistake) => cannot(&mistake),
    }
}

async fn answer(arguments: &RehearseArguments, json: bool) -> Result<u8, Mistake> {
    let Some(url) = arguments.url.as_deref().filter(|_| !arguments.list) else {
        let lines = Schedule::ALL.map(|one| format!("{:<13} {}", one.name(), one.what()));
        output::line(&lines.join("\n"))?;
        return Ok(0);
    };
    let rehearsal = rehearsal(arguments, url)?;
    let is_watched = std::io::stderr().is_terminal() && !json;
    let report = rehearsal
        .run(|schedule| {
            if is_watched {
                // Only a sign of life: nothing is lost if nobody reads it.
                let _unheard = writeln!(std::io::stderr(), "{}…", schedule.name());
            }
        })
        .await?;
    write_junit(arguments, &report)?;
    print(&report, json)?;
    Ok(status(report.verdict()))
}

const fn status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => 0,
        Verdict::Failed => FAILED,
        Verdict::Unknown => CANNOT,
    }
}

fn write_junit(arguments: &RehearseArguments, report: &Report) -> Result<(), Mistake> {
    let Some(path) = &arguments.junit else {
        return Ok(());
    };
    let written = report.to_junit().and_then(|xml| std::fs::write(path, xml));
    written.map_err(|cause| file(path, cause))
}

fn print(report: &Report, json: bool) -> std::io::Result<()> {
    if json {
        return output::text(&format!("{:#}\n", report.to_json()));
    }
    let Report {
        url, scheme, seed, ..
    } = report;
    let head = format!("rehearsal of {url}, scheme {scheme}, seed {seed}");
    output::text(&format!("{head}\n{report}\n"))
}

fn rehearsal(arguments: &RehearseArguments, url: &str) -> Result<Rehearsal, Mistake> {
    let scheme = Scheme::from_name(&arguments.scheme);
    let scheme = scheme.ok_or_else(|| Mistake::Scheme(arguments.scheme.clone()))?;
    let tolerance = arguments.tolerance.map(i64::from);
    let signer = Signer::new(
        scheme,
        arguments
            .secret
            .as_ref()
            .map(|secret| secret.expose_secret()),
        arguments.signed_url.as_deref().unwrap_or(url),
        arguments.form.as_deref(),
        tolerance,
    )?;
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let mut rehearsal = Rehearsal::new(url, signer)?
        .schedules(&schedules(arguments)?)
        .seed(arguments.seed.unwrap_or_else(drawn))
        .count(arguments.count)
        .at_once(arguments.at_once)
        .tolerance(tolerance)
        .timeout(seconds(arguments.timeout))
        .effects_within(seconds(arguments.effects_within));
    if let Some(path) = &arguments.event_body {
        let refund = arguments.refund_body.as_deref().map(read).transpose()?;
        rehearsal = rehearsal.templates(Templates::own(read(path)?, refund)?);
    }
    for header in &arguments.headers {
        rehearsal = rehearsal.header(header)?;
    }
    if let Some(url) = &arguments.effects_url {
        rehearsal = rehearsal.effects_by_url(url)?;
    }
    if let Some(command) = &arguments.effects_command {
        rehearsal = rehearsal.effects_by_command(command);
    }
    Ok(rehearsal)
}

fn schedules(arguments: &RehearseArguments) -> Result<Vec<Schedule>, Mistake> {
    let named = |names: &[String]| -> Result<Vec<Schedule>, Mistake> {
        let named = names
            .iter()
            .map(|name| Schedule::from_name(name).ok_or_else(|| Mistake::Schedule(name.clone())));
        named.collect()
    };
    let (wanted, skipped) = (named(&arguments.schedules)?, named(&arguments.skipped)?);
    let is_chosen =
        |one: &Schedule| (wanted.is_empty() || wanted.contains(one)) && !skipped.contains(one);
    let chosen: Vec<Schedule> = Schedule::ALL.into_iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        return Err(Mistake::NoSchedule);
    }
    Ok(chosen)
}

/// A seed that is easily typed again. The printed head says it.
fn drawn() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| u64::from(since.subsec_micros()))
}

fn read(path: &Path) -> Result<String, Mistake> {
    std::fs::read_to_string(path).map_err(|cause| file(path, cause))
}

fn file(path: &Path, cause: std::io::Error) -> Mistake {
    let path = path.display().to_string();
    Mistake::File { path, cause }
}
