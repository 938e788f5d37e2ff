//! The command line: which verbs there are, and how each ends.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use store::Clock;

use crate::settings::{Arguments, Settings};
use crate::{demo, serve, webhook};

/// A setting, an address or a file is wrong.
pub(crate) const CANNOT: u8 = 2;

#[derive(Debug, Parser)]
#[command(name = "florin", version, about, long_about = None, arg_required_else_help = false)]
struct Cli {
    #[command(flatten)]
    settings: Arguments,
    /// JSON instead of tables and colours
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the API (what happens without a verb)
    Serve,
    /// Make one payment end to end, with everything that can go twice going twice
    Demo(demo::DemoArguments),
    /// Sign and verify webhooks
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Print the API's description
    Openapi,
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _unprintable = error.print();
            let of_webhook = std::env::args()
                .nth(1)
                .is_some_and(|verb| verb == "webhook");
            return match (error.use_stderr(), of_webhook) {
                (false, _) => ExitCode::SUCCESS,
                (true, true) => ExitCode::from(webhook::USAGE),
                (true, false) => ExitCode::from(CANNOT),
            };
        }
    };
    log_to_stderr();
    match cli.verb {
        Some(Verb::Webhook(command)) => webhook::run(command, Clock::system().now().unix_seconds()),
        Some(Verb::Openapi) => {
            print!("{}", api::openapi::text());
            ExitCode::SUCCESS
        }
        verb => with_settings(&cli.settings, cli.json, verb),
    }
}

/// The verbs that need a database.
fn with_settings(arguments: &Arguments, json: bool, verb: Option<Verb>) -> ExitCode {
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
            None | Some(Verb::Serve) => serve::run(&settings, json).await,
            Some(Verb::Demo(arguments)) => demo::run(&settings, &arguments, json).await,
            Some(Verb::Webhook(_) | Verb::Openapi) => Ok(ExitCode::SUCCESS),
        }
    });
    ended.unwrap_or_else(|error| cannot(&error))
}

/// One line that says what is wrong.
pub(crate) fn cannot(error: &dyn std::error::Error) -> ExitCode {
    let text = error.to_string();
    eprintln!(
        "florin: {}",
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    ExitCode::from(CANNOT)
}

/// Structured lines, on stderr: stdout is for what was asked for.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("FLORIN_LOG")
        .unwrap_or_else(|_unset| EnvFilter::new("warn,florin=info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.init();
    } else {
        log.json().init();
    }
}
