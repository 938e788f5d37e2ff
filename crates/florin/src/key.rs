//! `florin key create`: the one way to a first API key in live mode, where no key is made.

use std::process::ExitCode;

use engine::Engine;
use store::Ids;

use crate::cli::cannot;
use crate::settings::Settings;
use crate::{say, start};

/// What `florin key` can be asked.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an API key and print it, once: only its hash is kept
    Create,
}

/// Makes a key through the lane, like any other change.
pub(crate) async fn run(settings: &Settings, command: &KeyCommand, json: bool) -> ExitCode {
    let KeyCommand::Create = command;
    match create(settings).await {
        Ok(key) => {
            let said = if json {
                say::line(&serde_json::json!({ "key": key }))
            } else {
                say::line(&key)
            };
            match said {
                Ok(()) => ExitCode::SUCCESS,
                Err(cause) => cannot(&Unheard(cause)),
            }
        }
        Err(error) => cannot(&error),
    }
}

/// The key exists, and nobody will ever see it.
#[derive(Debug, thiserror::Error)]
#[error("a key was made and could not be printed, so that it is of no use: {0}; make another one")]
struct Unheard(std::io::Error);

async fn create(settings: &Settings) -> Result<String, start::StartError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| start::StartError::System {
        what: "no randomness".to_owned(),
        cause: std::io::Error::other(error.to_string()),
    })?;
    let prefix = settings.mode.of_books().key_prefix();
    let key = format!("{prefix}{}", hex::encode(random));
    let (store, _is_new) = start::open_or_begin(settings).await?;
    start::check_clock(&store, settings).await?;
    let (submit, _no_payments) = tokio::sync::mpsc::unbounded_channel();
    let lane = start::lane_settings(settings);
    let engine = Engine::start(store, lane, Ids::random(), submit);
    let engine = engine.map_err(|cause| start::StartError::System {
        what: "the lane's thread does not start".to_owned(),
        cause,
    })?;
    let tenant = start::tenant(settings);
    let provisioned = start::provision(&engine, settings, &tenant, Some(&key)).await;
    engine.shut_down().await;
    provisioned?;
    Ok(key)
}
