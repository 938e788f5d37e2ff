//! The command line: its verbs, and the exit status of each.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use store::{Clock, Store};

use crate::existing::open_existing;
use crate::output::{CANNOT, cannot};
use crate::settings::{Arguments, Settings};
use crate::webhook::WebhookCommand;
use crate::{
    audit, bank, bench, check, demo, export, import, inbox, key, measure, output, reconcile,
    rehearse, serve, webhook,
};

#[derive(Debug, Parser)]
#[command(name = "florin", version, about, long_about = None, arg_required_else_help = false)]
struct Cli {
    #[command(flatten)]
    settings: Arguments,
    /// Print JSON instead of tables and colours
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the API (the default without a verb)
    Serve,
    /// Make one payment end to end, with the request and its webhook sent repeatedly
    Demo(demo::DemoArguments),
    /// Check every invariant of the books (exit 0: all hold, 1: one does not, 2: cannot check)
    Check(check::CheckArguments),
    /// Verify the audit log (exit 0: clean, 1: tampered with, 2: cannot verify)
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Write the books for hledger, for Beancount, as CSV or as JSON (exit 0: written, 2: not written)
    Export(export::ExportArguments),
    /// Take over accounts, opening balances and past transactions from CSV or JSON (exit 0: all
    /// was imported, 1: nothing was imported, because the file is wrong, 2: the outcome is not known)
    Import(import::ImportArguments),
    /// Hold a provider's settlement report and a bank's statements against the books (exit 0: nothing
    /// is open, 3: there are open exceptions, 1: a file is wrong, and nothing of it was taken)
    Reconcile(reconcile::ReconcileArguments),
    /// Make files of payouts for a bank, and read its reports on them
    #[command(subcommand)]
    Bank(bank::BankCommand),
    /// Make API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Make and list tenants
    #[command(subcommand)]
    Tenant(key::TenantCommand),
    /// Measure the lane and the API on this machine, and the same rows without rules for comparison
    Bench(bench::BenchArguments),
    /// Hurt a webhook consumer on purpose, and judge its answers and its effects (exit 0: it is correct, 1:
    /// it is not, 2: not found out)
    Rehearse(rehearse::RehearseArguments),
    /// Sign and verify webhooks, and read those that were received
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Print the description of the API (OpenAPI)
    Openapi,
}

/// Reads the command line and runs the verb.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misread(&error),
    };
    // A rehearsal is full of refusals on purpose. The log of its own server would hide the report.
    let is_rehearsal = matches!(cli.verb, Some(Verb::Rehearse(_)));
    log_to_stderr(if is_rehearsal {
        "off"
    } else {
        "warn,florin=info"
    });
    match cli.verb {
        Some(Verb::Webhook(WebhookCommand::Inbox(arguments))) => {
            run_async(&cli.settings, RunVerb::Inbox(arguments), cli.json)
        }
        Some(Verb::Webhook(WebhookCommand::Signature(command))) => {
            webhook::run(command, Clock::system().now().unix_seconds())
        }
        Some(Verb::Openapi) => {
            let said = output::text(&api::openapi::text(&families::SURFACE));
            said.map_or_else(|error| cannot(&error), |()| ExitCode::SUCCESS)
        }
        Some(Verb::Check(arguments)) => {
            with_books(&cli.settings, |store| check::run(&arguments, store))
        }
        Some(Verb::Audit(command)) => {
            with_books(&cli.settings, |store| audit::run(&command, store))
        }
        Some(Verb::Export(arguments)) => with_books(&cli.settings, |store| {
            export::run(&arguments, store, cli.json)
        }),
        Some(Verb::Serve) | None => run_async(&cli.settings, RunVerb::Serve, cli.json),
        Some(Verb::Demo(arguments)) => run_async(&cli.settings, RunVerb::Demo(arguments), cli.json),
        Some(Verb::Import(arguments)) => {
            run_async(&cli.settings, RunVerb::Import(arguments), cli.json)
        }
        Some(Verb::Reconcile(arguments)) => {
            run_async(&cli.settings, RunVerb::Reconcile(arguments), cli.json)
        }
        Some(Verb::Bank(command)) => run_async(&cli.settings, RunVerb::Bank(command), cli.json),
        Some(Verb::Rehearse(arguments)) => run_async(
            &cli.settings,
            RunVerb::Rehearse(Box::new(arguments)),
            cli.json,
        ),
        Some(Verb::Key(command)) => run_async(&cli.settings, RunVerb::Key(command), cli.json),
        Some(Verb::Tenant(command)) => run_async(&cli.settings, RunVerb::Tenant(command), cli.json),
        Some(Verb::Bench(arguments)) => {
            run_async(&cli.settings, RunVerb::Bench(arguments), cli.json)
        }
    }
}

/// Answers a command line that cannot be read, or that only asks for help.
fn misread(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand as NoVerb;
    let is_mistake = error.use_stderr();
    if is_mistake && error.kind() != NoVerb {
        output::mistake(error.to_string().trim_start_matches("error: "));
    } else {
        let _unprintable = error.print();
    }
    let verb = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    match (is_mistake, verb.as_deref()) {
        (false, _) => ExitCode::SUCCESS,
        (true, Some("webhook")) => ExitCode::from(webhook::USAGE),
        (true, _) => ExitCode::from(CANNOT),
    }
}

/// Runs a verb that only reads existing books.
fn with_books(arguments: &Arguments, look: impl FnOnce(&Store) -> ExitCode) -> ExitCode {
    let settings = match Settings::decide(arguments) {
        Ok(settings) => settings,
        Err(wrong) => return cannot(&wrong),
    };
    match open_existing(&settings) {
        Ok(store) => look(&store),
        Err(error) => cannot(&error),
    }
}

/// The verbs that run a server or a lane.
enum RunVerb {
    Serve,
    Inbox(Box<inbox::InboxArguments>),
    Demo(demo::DemoArguments),
    Bench(bench::BenchArguments),
    Key(key::KeyCommand),
    Tenant(key::TenantCommand),
    Import(import::ImportArguments),
    Reconcile(reconcile::ReconcileArguments),
    Bank(bank::BankCommand),
    Rehearse(Box<rehearse::RehearseArguments>),
}

fn run_async(arguments: &Arguments, verb: RunVerb, json: bool) -> ExitCode {
    let settings = match Settings::decide(arguments) {
        Ok(settings) => settings,
        Err(wrong) => return cannot(&wrong),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return cannot(&error),
    };
    let ended = runtime.block_on(async {
        match verb {
            RunVerb::Serve => serve::run(&settings, json)
                .await
                .unwrap_or_else(|error| cannot(&error)),
            RunVerb::Demo(arguments) => {
                let ended = demo::run(&settings, &arguments, json).await;
                ended.unwrap_or_else(|error| cannot(&error))
            }
            RunVerb::Import(arguments) => import::run(&settings, &arguments, json)
                .await
                .unwrap_or_else(|error| cannot(&error)),
            RunVerb::Reconcile(arguments) => reconcile::run(&settings, &arguments, json)
                .await
                .unwrap_or_else(|error| cannot(&error)),
            RunVerb::Bank(command) => bank::run(&settings, &command, json)
                .await
                .unwrap_or_else(|error| cannot(&error)),
            RunVerb::Inbox(arguments) => inbox::run(&settings, *arguments, json)
                .await
                .unwrap_or_else(|error| cannot(&error)),
            RunVerb::Rehearse(arguments) => rehearse::run(&settings, &arguments, json).await,
            RunVerb::Key(command) => key::run(&settings, &command, json).await,
            RunVerb::Tenant(command) => key::run_tenant(&settings, &command, json).await,
            RunVerb::Bench(arguments) => measure::run(&settings, arguments).await,
        }
    });
    // Does not wait for a thread that is stuck in the database.
    runtime.shutdown_background();
    ended
}

/// Sends the log to standard error, as structured lines, at the level `unless_set` if `FLORIN_LOG` sets none. Standard
/// output is for the result.
fn log_to_stderr(unless_set: &str) {
    use tracing_subscriber::EnvFilter;
    let asked = std::env::var("FLORIN_LOG").unwrap_or_default();
    let mut filter =
        EnvFilter::try_from_env("FLORIN_LOG").unwrap_or_else(|_unset| EnvFilter::new(unless_set));
    // The HTTP library logs malformed requests of strangers as its own errors. `api` counts them, and logs them
    // at the level debug.
    if !asked.contains("actix_http")
        && let Ok(quiet) = "actix_http::h1=off".parse()
    {
        filter = filter.add_directive(quiet);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.init();
    } else {
        log.json().init();
    }
}
