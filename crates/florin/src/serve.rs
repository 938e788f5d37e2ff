//! `florin serve`: runs until it is told to stop.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::settings::{Mode, SANDBOX_KEY, SANDBOX_SECRET, Settings};
use crate::start::{Florin, StartError, start};

/// Exit status of a server that ended before everything was answered.
const UNANSWERED: u8 = 1;
/// Longest time that unfinished requests may take after the server was told to stop.
const MAX_STOP_TIME: Duration = Duration::from_secs(60);

/// Starts the server, prints its address, waits for a signal, and stops it.
pub(crate) async fn run(settings: &Settings, json: bool) -> Result<ExitCode, StartError> {
    let settings = &settings.clone().ready_to_serve()?;
    let florin = start(settings).await?;
    // The signals are caught before the address is printed, because after that somebody may stop the server.
    let mut signals = Signals::catch();
    if settings.mode == Mode::Live && !florin.server.address.ip().is_loopback() {
        let address = florin.server.address;
        tracing::warn!(%address, "live mode listens to the network without TLS: put a proxy with TLS in front");
    }
    // A program that has read the first line may rely on the running server.
    let said = if json {
        announce_json(settings, &florin)
    } else {
        announce(settings, &florin)
    };
    if let Err(cause) = said {
        tracing::warn!(%cause, "the address could not be printed");
    }
    signals.next().await;
    tracing::info!("stopping: answering what is under way; a second signal ends it at once");
    let is_drained = tokio::select! {
        stopped = tokio::time::timeout(MAX_STOP_TIME, florin.stop()) => stopped.unwrap_or(false),
        () = signals.next() => false,
    };
    if is_drained {
        tracing::info!("stopped: everything that was acknowledged is in the books");
        return Ok(ExitCode::SUCCESS);
    }
    // No acknowledged request is lost, because each is committed.
    tracing::error!("ended before everything was answered; what is unknown is found by its key");
    Ok(ExitCode::from(UNANSWERED))
}

fn announce_json(settings: &Settings, florin: &Florin) -> std::io::Result<()> {
    let played = florin.played.iter();
    let played = played.map(|(name, sandbox)| (name, format!("http://{}", sandbox.address())));
    let played: BTreeMap<&String, String> = played.collect();
    let sandbox = played.get(&settings.provider);
    let seeded = settings.mode == Mode::Sandbox;
    let mut line = serde_json::json!({
        "api": florin.url(),
        "database": florin.database.to_string(),
        "new_books": florin.is_new,
        "key": seeded.then_some(SANDBOX_KEY),
        "webhook_secret": seeded.then_some(SANDBOX_SECRET),
        "sandbox": sandbox,
    });
    if let (Some(line), false) = (line.as_object_mut(), settings.other_providers.is_empty()) {
        line.insert("sandboxes".to_owned(), serde_json::json!(played));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn announce(settings: &Settings, florin: &Florin) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let bold = |text: &str| match std::io::stdout().is_terminal() {
        true => format!("\u{1b}[1m{text}\u{1b}[0m"),
        false => text.to_owned(),
    };
    let url = florin.url();
    let new = if florin.is_new {
        "     new books, begun now"
    } else {
        ""
    };
    writeln!(out, "  {} {}{new}", bold("database  "), florin.database)?;
    writeln!(
        out,
        "  {} {url}/v1     docs {url}/docs/",
        bold("api       ")
    )?;
    if settings.listen_is_default && !settings.listen.addresses().contains(&florin.server.address) {
        writeln!(
            out,
            "  {} {} is taken, so the next free port",
            bold("port      "),
            settings.listen
        )?;
    }
    for (name, sandbox) in &florin.played {
        let name = match settings.other_providers.is_empty() {
            true => String::new(),
            false => format!("     {name}"),
        };
        let address = sandbox.address();
        writeln!(out, "  {} http://{address}{name}", bold("provider  "))?;
    }
    if settings.mode == Mode::Sandbox {
        writeln!(
            out,
            "  {} {SANDBOX_KEY}     webhook secret {SANDBOX_SECRET}",
            bold("key       ")
        )?;
        writeln!(out, "  {} cargo run -- demo", bold("try       "))?;
    }
    out.flush()
}

/// Catches SIGTERM and Ctrl-C from now on: each signal, not only the first one.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn catch() -> Self {
        let both = signal(SignalKind::terminate())
            .and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
        let both = both.inspect_err(|error| tracing::error!(%error, "signals cannot be heard"));
        Self(both.ok())
    }

    /// Waits for the next signal.
    async fn next(&mut self) {
        match &mut self.0 {
            Some((terminate, interrupt)) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            None => std::future::pending().await,
        }
    }
}
