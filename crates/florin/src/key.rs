//! `florin key create` and `florin tenant`: the verbs that make tenants and API keys on the machine of the
//! server. In live mode this is the only way to a first API key.

use std::process::ExitCode;

use access::Provision;
use engine::{Engine, Request, Tenant};
use serde_json::json;
use store::Ids;

use crate::lane;
use crate::output::cannot;
use crate::settings::Settings;
use crate::start::StartError;
use crate::tenant::{TenantError, chosen};
use crate::{output, start};

/// Verbs below `florin key`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an API key and print it. It is printed only once, because only its hash is kept
    Create {
        /// The tenant that the key acts for (default: the tenant that the server began with)
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
}

/// Verbs below `florin tenant`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant, with books of its own and an API key, which is printed once
    Create {
        /// The name of the tenant: 1 to 64 lower-case letters and digits, with - _ . between them
        #[arg(value_parser = access::parse_name)]
        name: String,
    },
    /// List all tenants
    List,
}

/// Why a verb has failed.
#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Whose(#[from] TenantError),
    #[error("{0}; see that the database runs and --database-url names it")]
    Database(#[from] store::Error),
    #[error("{0}; run it once more")]
    Lane(#[from] engine::LaneError),
    #[error("{0}: choose another name")]
    Refused(access::ProvisionError),
    /// The key was made and could not be printed.
    #[error(
        "a key was made and could not be printed, so that it is of no use: {0}; make another one with \
         `florin key create`"
    )]
    Unheard(std::io::Error),
}

/// Makes a key through the lane, like any other change.
pub(crate) async fn run(settings: &Settings, command: &KeyCommand, json: bool) -> ExitCode {
    let KeyCommand::Create { tenant } = command;
    ended(create_key(settings, tenant.as_deref(), json).await)
}

/// Makes or lists tenants.
pub(crate) async fn run_tenant(
    settings: &Settings,
    command: &TenantCommand,
    json: bool,
) -> ExitCode {
    ended(match command {
        TenantCommand::Create { name } => create_tenant(settings, name, json).await,
        TenantCommand::List => list_tenants(settings, json).await,
    })
}

fn ended(outcome: Result<(), KeyError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cannot(&error),
    }
}

async fn create_key(settings: &Settings, tenant: Option<&str>, json: bool) -> Result<(), KeyError> {
    let engine = open(settings).await?;
    let made = async {
        let tenant = match tenant.map(str::to_owned) {
            None => start::tenant(&engine, settings).await?,
            Some(name) => {
                engine
                    .read(move |connection| Ok(chosen(connection, Some(&name))))
                    .await??
            }
        };
        let key = access::new_key(settings.mode.of_books());
        start::provision(&engine, settings, &tenant, Some(&key)).await?;
        Ok::<_, KeyError>(key)
    };
    let made = made.await;
    engine.shut_down().await;
    let key = made?;
    let said = match json {
        true => output::line(&json!({ "key": key })),
        false => output::line(&key),
    };
    said.map_err(KeyError::Unheard)
}

async fn create_tenant(settings: &Settings, name: &str, json: bool) -> Result<(), KeyError> {
    let engine = open(settings).await?;
    let mode = settings.mode.of_books();
    let key = access::new_key(mode);
    let tenant = Tenant {
        id: Ids::random().tenant(),
        name: name.into(),
    };
    let command = Provision {
        mode,
        key: Some((access::hash(&key), access::label(&key))),
    };
    let request = Request::of_system(tenant.clone(), "tenant", command);
    let outcome = engine.submit(request).await;
    engine.shut_down().await;
    if let Some(Err(refusal)) = outcome?.decided {
        return Err(KeyError::Refused(refusal));
    }
    let (id, name) = (tenant.id.to_string(), &*tenant.name);
    let said = match json {
        true => output::line(&json!({ "id": id, "name": name, "key": key })),
        false => output::line(&key),
    };
    said.map_err(KeyError::Unheard)
}

async fn list_tenants(settings: &Settings, json: bool) -> Result<(), KeyError> {
    let engine = open(settings).await?;
    let tenants = engine.read(access::tenants).await;
    engine.shut_down().await;
    for tenant in tenants? {
        let (id, name) = (tenant.id.to_string(), &*tenant.name);
        let said = match json {
            true => output::line(&json!({ "id": id, "name": name })),
            false => output::line(&format!("{id:>16}  {name}")),
        };
        // The reader of standard output is gone.
        let _unheard = said;
    }
    Ok(())
}

/// Starts a lane over existing books, or over new ones if that is allowed.
async fn open(settings: &Settings) -> Result<Engine, StartError> {
    let (store, _is_new) = start::open_or_begin(settings).await?;
    let (clock, _recorded) = start::check_clock(&store, settings).await?;
    let settings = lane::lane_settings(settings);
    lane::start_lane(store, engine::Settings { clock, ..settings })
}
