//! `florin bank`: makes files of the payouts that wait for a bank, and reads what the bank says of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bank_files::{Date, Statement, pain002};
use comfy_table::Cell;
use engine::{Command, Engine, LaneError, Request, Tenant};
use payments::bank_orders::{
    self, BankOrder, MakeBankOrder, OrderRefusal, Told, of_message, open_transfers, report,
    statement,
};
use payments::notices::{ReceiveWebhook, WebhookOutcome};
use store::Error;

use crate::check::plain_table;
use crate::existing::open_of_tenant;
use crate::reconcile::say;
use crate::settings::{Settings, WrongSetting};
use crate::start::{self, StartError};
use crate::tenant::TenantError;
use crate::{lane, output, providers};

/// A file is wrong, and nothing of it was taken.
const WRONG: u8 = 1;
/// Something that the bank says cannot be right, and is in the quarantine.
const QUARANTINED: u8 = 3;

/// The verbs of `florin bank`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum BankCommand {
    /// Make files of the payouts that wait: pain.001 of ISO 20022 (exit 0: made, or nothing waits)
    Order(OrderArguments),
    /// Read a bank's report on an order, pain.002 (exit 0: taken, 1: the file is wrong, and nothing
    /// of it was taken, 3: something is in the quarantine)
    Report(ReportArguments),
}

/// Options of `florin bank order`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct OrderArguments {
    /// The bank-file provider
    #[arg(long, value_name = "NAME", default_value = "bank")]
    of: String,
    /// The day on which the bank shall pay (default: today, in UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<Date>,
    /// The folder for the files
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// The tenant whose payouts are ordered (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// Options of `florin bank report`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReportArguments {
    /// The report
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The bank-file provider
    #[arg(long, value_name = "NAME", default_value = "bank")]
    of: String,
    /// The tenant whose payouts it is about (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// Why nothing was done, or not everything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BankError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Whose(#[from] TenantError),
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    #[error("{0}; run it once more: what is done then is known, and is not done again")]
    Lane(#[from] LaneError),
    #[error("{0}; run it once more: what is done then is known, and is not done again")]
    Database(#[from] Error),
    #[error("{0}")]
    Order(#[from] OrderRefusal),
    #[error("{0}")]
    Text(String),
    #[error("{}: {cause}; the order is made: fetch its file with GET /v1/bank_orders/{order}", path.display())]
    File {
        path: PathBuf,
        order: String,
        cause: std::io::Error,
    },
}

/// Runs a verb of `florin bank`.
pub(crate) async fn run(
    settings: &Settings,
    command: &BankCommand,
    json: bool,
) -> Result<ExitCode, BankError> {
    match command {
        BankCommand::Order(arguments) => order(settings, arguments, json).await,
        BankCommand::Report(arguments) => read_report(settings, arguments, json).await,
    }
}

async fn order(
    settings: &Settings,
    arguments: &OrderArguments,
    json: bool,
) -> Result<ExitCode, BankError> {
    if !arguments.out.is_dir() {
        let folder = arguments.out.display();
        return Err(BankError::Text(format!(
            "there is no folder {folder}: make it, or name another one with --out"
        )));
    }
    let providers = Arc::new(providers::choice(settings)?);
    let day = arguments.day.map(bank_files::days_of);
    let (engine, tenant) = begin(settings, arguments.tenant.clone()).await?;
    let mut made = Vec::new();
    let outcome = loop {
        let (id, of) = (tenant.id, arguments.of.clone());
        let waiting = engine.read(move |connection| bank_orders::waiting(connection, id, &of));
        let waiting = match waiting.await {
            Ok(waiting) => waiting,
            Err(error) => break Err(error.into()),
        };
        let command = MakeBankOrder {
            provider: arguments.of.clone(),
            waiting,
            requested_on: day,
            providers: Arc::clone(&providers),
        };
        match submit(&engine, &tenant, command).await {
            Ok(Ok(order)) => match write(&engine, &tenant, &arguments.out, &order).await {
                Ok(path) => made.push((order, path)),
                Err(error) => break Err(error),
            },
            Ok(Err(OrderRefusal::NothingWaits)) => break Ok(()),
            Ok(Err(refusal)) => break Err(refusal.into()),
            Err(error) => break Err(error),
        }
    };
    engine.shut_down().await;
    if outcome.is_ok() || !made.is_empty() {
        say_orders(&made, json);
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Writes the file of an order into a folder.
async fn write(
    engine: &Engine,
    tenant: &Tenant,
    folder: &Path,
    order: &BankOrder,
) -> Result<PathBuf, BankError> {
    let (id, of) = (tenant.id, order.id);
    let file = engine.read(move |connection| bank_orders::file_of(connection, id, of));
    let file = file.await?;
    let path = folder.join(format!("{}.xml", order.id));
    match write_privately(&path, &file) {
        Ok(()) => Ok(path),
        Err(cause) => Err(BankError::File {
            path,
            order: order.id.to_string(),
            cause,
        }),
    }
}

/// Writes a file that only its owner can read. It is there as a whole, or not at all.
fn write_privately(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn say_orders(made: &[(BankOrder, PathBuf)], json: bool) {
    // If the reader of standard output is gone, the orders are made all the same.
    if json {
        let orders = made.iter().map(|(order, path)| {
            serde_json::json!({
                "id": order.id.to_string(),
                "message_id": bank_orders::message_id(order.id),
                "transfers": order.transfers,
                "amount": order.sum,
                "currency": order.currency.code(),
                "file": path.display().to_string(),
            })
        });
        let _unheard = output::line(&serde_json::json!({ "orders": Vec::from_iter(orders) }));
        return;
    }
    if made.is_empty() {
        let _unheard = output::line(&"no payout waits for an order");
        return;
    }
    let mut table = plain_table();
    table.set_header(["order", "transfers", "sum", "currency", "file"]);
    for (order, path) in made {
        table.add_row([
            Cell::new(order.id),
            Cell::new(order.transfers),
            Cell::new(order.currency.decimal(i128::from(order.sum))),
            Cell::new(order.currency.code()),
            Cell::new(path.display()),
        ]);
    }
    let _unheard = output::line(&table);
}

async fn read_report(
    settings: &Settings,
    arguments: &ReportArguments,
    json: bool,
) -> Result<ExitCode, BankError> {
    let name = arguments.file.display().to_string();
    let wrong = |mistake: String| {
        say::wrong(&name, &mistake, json);
        Ok(ExitCode::from(WRONG))
    };
    let bytes = match std::fs::read(&arguments.file) {
        Ok(bytes) => bytes,
        Err(cause) => return wrong(format!("it cannot be read: {cause}")),
    };
    let read = match pain002::read(&bytes) {
        Ok(read) => read,
        Err(mistake) => return wrong(mistake.to_string()),
    };
    let (engine, tenant) = begin(settings, arguments.tenant.clone()).await?;
    let (id, of) = (tenant.id, arguments.of.clone());
    let message = read.original_message_id.clone();
    let known = engine.read(move |connection| of_message(connection, id, &of, &message));
    let outcome = match known.await {
        Ok(Some(transfers)) => {
            let now = engine.clock().now_of(tenant.id);
            match report::events(&arguments.of, &read, &transfers, now) {
                Ok(told) => tell(&engine, &tenant, told).await.map(Ok),
                Err(mistake) => Ok(Err(mistake.to_string())),
            }
        }
        Ok(None) => Ok(Err(format!(
            "it is about the message {:?}, and {} has no such order",
            read.original_message_id, arguments.of
        ))),
        Err(error) => Err(error.into()),
    };
    engine.shut_down().await;
    match outcome? {
        Ok(heard) => {
            say_heard(&heard, json);
            Ok(match heard.quarantined {
                0 => ExitCode::SUCCESS,
                _ => ExitCode::from(QUARANTINED),
            })
        }
        Err(mistake) => wrong(mistake),
    }
}

/// The number of events of a file, by their effect.
#[derive(Debug, Default, Clone, Copy)]
struct Heard {
    /// Number of facts that took effect.
    applied: u64,
    /// Number of events that were known.
    known: u64,
    /// Number of events that were only news.
    news: u64,
    /// Number of events that cannot be right.
    quarantined: u64,
}

/// Records events, one commit for each.
async fn tell(engine: &Engine, tenant: &Tenant, told: Vec<Told>) -> Result<Heard, BankError> {
    let mut heard = Heard::default();
    for Told { event, fact } in told {
        let command = ReceiveWebhook { event, fact };
        let outcome = match submit(engine, tenant, command).await? {
            Ok(outcome) => outcome,
            Err(never) => match never {},
        };
        let count = match outcome {
            WebhookOutcome::Applied => &mut heard.applied,
            WebhookOutcome::Duplicate => &mut heard.known,
            WebhookOutcome::Stored | WebhookOutcome::Parked => &mut heard.news,
            WebhookOutcome::Quarantined => &mut heard.quarantined,
        };
        *count = count.saturating_add(1);
    }
    Ok(heard)
}

/// The events of statements about the transfers of bank-file providers. A provider hears the statements of its account.
async fn told_by(
    engine: &Engine,
    tenant: &Tenant,
    settings: &Settings,
    statements: &[Statement],
) -> Result<Vec<Told>, BankError> {
    let mut all = Vec::new();
    for of in statements {
        for (name, own) in &settings.bank_accounts {
            if !own.has(of) {
                continue;
            }
            let (id, provider, ids) = (tenant.id, name.clone(), statement::mentioned(of));
            let known =
                engine.read(move |connection| open_transfers(connection, id, &provider, &ids));
            let now = engine.clock().now_of(tenant.id);
            let told = statement::events(name, of, &known.await?, now);
            all.extend(told.map_err(|mistake| BankError::Text(mistake.to_string()))?);
        }
    }
    Ok(all)
}

/// Records what statements say of the payouts of bank-file providers. All is read before anything is recorded.
pub(crate) async fn hear_statements(
    engine: &Engine,
    tenant: &Tenant,
    settings: &Settings,
    statements: &[Statement],
) -> Result<(), BankError> {
    let told = told_by(engine, tenant, settings, statements).await?;
    let heard = tell(engine, tenant, told).await?;
    if heard.quarantined > 0 {
        tracing::warn!(
            lines = heard.quarantined,
            "lines of a statement cannot be right, and are in the quarantine"
        );
    }
    Ok(())
}

fn say_heard(heard: &Heard, json: bool) {
    let _unheard = match json {
        true => output::line(&serde_json::json!({
            "applied": heard.applied,
            "known": heard.known,
            "news": heard.news,
            "quarantined": heard.quarantined,
        })),
        false => output::line(&format!(
            "{} applied, {} known, {} news, {} in the quarantine",
            heard.applied, heard.known, heard.news, heard.quarantined
        )),
    };
}

/// Opens the books, and starts a lane beside a server that may run.
async fn begin(settings: &Settings, tenant: Option<String>) -> Result<(Engine, Tenant), BankError> {
    let (store, tenant) = open_of_tenant::<BankError>(settings, tenant).await?;
    let (clock, _recorded) = start::check_clock(&store, settings).await?;
    let of_lane = lane::lane_settings(settings);
    let engine = lane::start_lane(store, engine::Settings { clock, ..of_lane })?;
    Ok((engine, tenant))
}

async fn submit<C: Command>(
    engine: &Engine,
    tenant: &Tenant,
    command: C,
) -> Result<Result<C::Done, C::Refusal>, BankError> {
    let request = Request::of_system(tenant.clone(), "bank", command);
    let outcome = engine.submit(request).await?;
    outcome.decided.ok_or(BankError::Lane(LaneError::Failed))
}
