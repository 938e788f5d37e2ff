//! `florin serve`: runs until it is told to stop.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::settings::{Mode, SANDBOX_KEY, SANDBOX_SECRET, Settings};
use crate::start::{Florin, StartError, start};

/// Starts, says where, waits for a signal, drains.
pub(crate) async fn run(settings: &Settings, json: bool) -> Result<ExitCode, StartError> {
    let settings = &settings.clone().ready_to_serve()?;
    let florin = start(settings).await?;
    if settings.mode == Mode::Live && !florin.server.address.ip().is_loopback() {
        let address = florin.server.address;
        tracing::warn!(%address, "live mode listens to the network without TLS: put a proxy with TLS in front");
    }
    // Whoever reads the first line may rely on the server being there.
    let said = if json {
        announce_json(settings, &florin)
    } else {
        announce(settings, &florin)
    };
    if let Err(cause) = said {
        tracing::warn!(%cause, "the address could not be printed");
    }
    wait_for_signal().await;
    tracing::info!("stopping: answering what is under way");
    florin.stop().await;
    tracing::info!("stopped: everything that was acknowledged is in the books");
    Ok(ExitCode::SUCCESS)
}

fn announce_json(settings: &Settings, florin: &Florin) -> std::io::Result<()> {
    let sandbox = florin
        .sandbox
        .as_ref()
        .map(|sandbox| format!("http://{}", sandbox.address()));
    let seeded = settings.mode == Mode::Sandbox;
    let line = serde_json::json!({
        "api": florin.url(),
        "database": florin.database.to_string(),
        "new_books": florin.is_new,
        "key": seeded.then_some(SANDBOX_KEY),
        "webhook_secret": seeded.then_some(SANDBOX_SECRET),
        "sandbox": sandbox,
    });
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
    if let Some(sandbox) = &florin.sandbox {
        writeln!(out, "  {} http://{}", bold("provider  "), sandbox.address())?;
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

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_unsupported) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
