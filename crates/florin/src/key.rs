//! `florin key create`: the one way to a first API key in live mode, where nothing is seeded.

use std::process::ExitCode;

use engine::Engine;
use store::Ids;

use crate::cli::cannot;
use crate::settings::{Mode, Settings};
use crate::start;

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
        Ok(key) if json => {
            println!("{}", serde_json::json!({ "key": key }));
            ExitCode::SUCCESS
        }
        Ok(key) => {
            println!("{key}");
            ExitCode::SUCCESS
        }
        Err(error) => cannot(&error),
    }
}

async fn create(settings: &Settings) -> Result<String, start::StartError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| start::StartError::System {
        what: "no randomness".to_owned(),
        cause: std::io::Error::other(error.to_string()),
    })?;
    let mode = match settings.mode {
        Mode::Sandbox => "sandbox",
        Mode::Live => "live",
    };
    let key = format!("sk_{mode}_{}", hex::encode(random));
    let store = start::open(settings.database.clone()).await?;
    let (submit, _no_payments) = tokio::sync::mpsc::unbounded_channel();
    let lane = start::lane_settings(settings);
    let engine = Engine::start(store, lane, Ids::random(), submit);
    let engine = engine.map_err(|cause| start::StartError::System {
        what: "the lane's thread does not start".to_owned(),
        cause,
    })?;
    start::provision(&engine, &start::tenant(settings), &key).await?;
    engine.shut_down().await;
    Ok(key)
}
