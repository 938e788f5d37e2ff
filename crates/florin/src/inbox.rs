//! `florin webhook inbox`: the events that providers have sent, read and tried again from the command line. It opens the
//! books themselves, so it works beside a server that is up, and without one.

use std::process::ExitCode;
use std::sync::Arc;

use edge::State;
use engine::Origin;
use payments::notices::{reprocess_event, show};
use serde_json::{Value, json};
use store::{Error, Store};
use webhooks::{EventId, Filter, Listed, Standing};

use crate::check::plain_table;
use crate::existing::open_of_tenant;
use crate::settings::{Settings, WrongSetting};
use crate::start::{self, StartError};
use crate::tenant::TenantError;
use crate::{lane, output, providers};

/// The event that was asked for is not there, or cannot be tried again.
const REFUSED: u8 = 1;

/// Options of `florin webhook inbox`.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct InboxArguments {
    #[command(subcommand)]
    verb: Option<InboxVerb>,
    #[command(flatten)]
    list: ListArguments,
}

/// The verbs below `florin webhook inbox`. Without one, the events are listed.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum InboxVerb {
    /// Show one event with its headers and its body (exit 0: shown, 1: there is no such event)
    Show(OneArguments),
    /// Try an event again that had no effect (exit 0: tried, 1: it cannot be tried again)
    Reprocess(OneArguments),
}

/// Options of the list.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ListArguments {
    /// Only events with this status: applied, parked, stored, dead or quarantined
    #[arg(long, value_parser = standing)]
    status: Option<Standing>,
    /// Only events of this provider
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// Only events of this type, as the provider calls it
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only events with this id of the provider
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,
    /// Greatest number of events, the newest first
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// The tenant whose inbox it is (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// Options of a verb about one event.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct OneArguments {
    /// The event: whe_…
    #[arg(value_name = "ID", value_parser = event_id)]
    id: EventId,
    /// The tenant whose inbox it is (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

fn standing(text: &str) -> Result<Standing, String> {
    let known = "applied, parked, stored, dead or quarantined";
    Standing::from_name(text).ok_or_else(|| format!("it is {known}"))
}

fn event_id(text: &str) -> Result<EventId, String> {
    let wrong = |_malformed| "an event is whe_ and 32 hexadecimal digits".to_owned();
    text.parse().map_err(wrong)
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InboxError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Whose(#[from] TenantError),
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    #[error("{0}")]
    Database(#[from] Error),
}

/// Runs `florin webhook inbox`.
pub(crate) async fn run(
    settings: &Settings,
    arguments: InboxArguments,
    json: bool,
) -> Result<ExitCode, InboxError> {
    match arguments.verb {
        None => list(settings, arguments.list, json).await,
        Some(InboxVerb::Show(one)) => show_one(settings, one, json).await,
        Some(InboxVerb::Reprocess(one)) => reprocess(settings, one, json).await,
    }
}

async fn list(
    settings: &Settings,
    asked: ListArguments,
    json: bool,
) -> Result<ExitCode, InboxError> {
    let (store, tenant) = open_of_tenant::<InboxError>(settings, asked.tenant).await?;
    let filter = Filter {
        standing: asked.status,
        provider: asked.of,
        kind: asked.kind,
        event_id: asked.event_id,
        reference: None,
    };
    let limit = i64::from(asked.limit);
    let listed = read(store, move |store| {
        store.read(|connection| webhooks::list(connection, tenant.id, &filter, None, limit))
    });
    let listed: Vec<Listed> = listed.await?;
    if json {
        let data: Vec<_> = listed.iter().map(show::listed).collect();
        let _unheard = output::line(&json!({ "object": "list", "data": data }));
        return Ok(ExitCode::SUCCESS);
    }
    if listed.is_empty() {
        let _unheard = output::line(&"There is no such event.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = plain_table();
    table.set_header(["received", "provider", "type", "status", "event id", "id"]);
    for event in &listed {
        let status = match &event.reason {
            Some(reason) => format!("{}: {reason}", event.standing.name()),
            None => event.standing.name().to_owned(),
        };
        table.add_row([
            edge::reply::moment(event.received_at),
            event.provider.clone(),
            event.kind.clone().unwrap_or_default(),
            status,
            event.event_id.clone(),
            event.id.to_string(),
        ]);
    }
    let _unheard = output::line(&table);
    Ok(ExitCode::SUCCESS)
}

async fn show_one(
    settings: &Settings,
    asked: OneArguments,
    json: bool,
) -> Result<ExitCode, InboxError> {
    let (store, tenant) = open_of_tenant::<InboxError>(settings, asked.tenant).await?;
    let found = read(store, move |store| {
        store.read(|connection| webhooks::one(connection, tenant.id, asked.id))
    });
    let Some(event) = found.await? else {
        output::mistake(&format!("the inbox has no event {}", asked.id));
        return Ok(ExitCode::from(REFUSED));
    };
    let shown = serde_json::to_value(show::whole(&event)).unwrap_or_default();
    if json {
        let _unheard = output::line(&shown);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = plain_table();
    for name in [
        "id",
        "provider",
        "event_id",
        "type",
        "status",
        "reason",
        "reference",
        "received_at",
        "body_sha256",
    ] {
        if let Some(text) = shown.get(name).and_then(Value::as_str) {
            table.add_row([name, text]);
        }
    }
    let _unheard = output::line(&table);
    let headers = shown.pointer("/delivery/headers").and_then(Value::as_array);
    let mut of_delivery = plain_table();
    for header in headers.into_iter().flatten() {
        let text = |name| header.get(name).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        of_delivery.add_row([&format!("{name}:"), text("value").unwrap_or("(not stored)")]);
    }
    if !of_delivery.is_empty() {
        let _unheard = output::line(&format!("\n{of_delivery}"));
    }
    let body = ["body", "body_base64"].into_iter();
    if let Some(text) = body.filter_map(|name| shown.get(name)?.as_str()).next() {
        let _unheard = output::line(&format!("\n{text}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn reprocess(
    settings: &Settings,
    asked: OneArguments,
    json: bool,
) -> Result<ExitCode, InboxError> {
    let (store, tenant) = open_of_tenant::<InboxError>(settings, asked.tenant).await?;
    let (clock, _recorded) = start::check_clock(&store, settings).await?;
    let of_lane = lane::lane_settings(settings);
    let engine = lane::start_lane(store, engine::Settings { clock, ..of_lane })?;
    let tenants = engine
        .read(access::tenants)
        .await
        .map_err(StartError::from)?;
    let dialects = providers::dialects(settings)?;
    let receivers = providers::receivers(settings, &dialects, &tenant, &tenants)?;
    let state = State::new(engine.clone(), &families::CARDS).with(receivers);
    let origin = Origin {
        kind: "system",
        id: Arc::from("inbox"),
        request: None,
    };
    let outcome = reprocess_event(&state, &tenant, asked.id, origin).await;
    engine.shut_down().await;
    let (status, body) = match outcome {
        Ok(response) => (response.status, response.body),
        Err(problem) => {
            let response = problem.into_response("");
            (response.status, response.body)
        }
    };
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    if json {
        let _unheard = output::line(&said);
    } else if status < 300 {
        let word = said.get("status").and_then(Value::as_str);
        let _unheard = output::line(&word.unwrap_or_default());
    } else {
        let detail = said.get("detail").or(said.get("title"));
        output::mistake(detail.and_then(Value::as_str).unwrap_or("it was refused"));
    }
    Ok(match status {
        200..300 => ExitCode::SUCCESS,
        _ => ExitCode::from(REFUSED),
    })
}

/// Reads the books in a thread that may wait.
async fn read<T: Send + 'static>(
    store: Store,
    question: impl FnOnce(&Store) -> Result<T, Error> + Send + 'static,
) -> Result<T, InboxError> {
    let read = tokio::task::spawn_blocking(move || question(&store));
    let read = read.await.unwrap_or_else(|panic| {
        Err(Error::Refused(format!(
            "reading the database panicked: {panic}"
        )))
    });
    Ok(read?)
}
