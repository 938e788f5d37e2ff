//! `florin reconcile`: reads a provider's settlement report and a bank's statements, matches their lines, and proves that
//! everything adds up.

mod again;
mod report;
pub(crate) mod say;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bank_files::{Kind, Statement};
use engine::{Command, Engine, LaneError, Request, Tenant};
use payments::settlement::{
    self, BankLine, BankTally, MatchBankLines, OpenAbsent, Proof, ReportLine, SettleLines, Tally,
};
use sha2::{Digest as _, Sha256};
use store::{Error, Store};

use crate::bank::{BankError, hear_statements};
use crate::check::progress_bar;
use crate::existing::open_of_tenant;
use crate::lane;
use crate::settings::Settings;
use crate::start::{self, StartError};
use crate::tenant::{TenantError, chosen};
use again::{look_at_overdue, match_open};
use report::{Report, ReportMapping, ReportMistake};

/// A file is wrong, and nothing of it was taken.
const WRONG: u8 = 1;
/// There are open exceptions, or the sums do not add up.
const OPEN: u8 = 3;
/// Number of lines of one command.
const BATCH: usize = 500;

/// Options of `florin reconcile`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReconcileArguments {
    /// The provider whose report is read
    #[arg(long, value_name = "NAME", default_value = "sandbox")]
    of: String,
    /// The provider's settlement report, as CSV
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// How the report is written: sandbox, stripe, or a file of TOML
    #[arg(long, value_name = "NAME", default_value = "sandbox")]
    mapping: String,
    /// The bank's statements; repeat the option for each file
    #[arg(long = "statement", value_name = "FILE")]
    statements: Vec<PathBuf>,
    /// How the statements are written
    #[arg(long, value_enum, default_value = "mt940")]
    format: StatementFormat,
    /// The mapping of statements as CSV, a file of TOML
    #[arg(long, value_name = "FILE")]
    statement_mapping: Option<PathBuf>,
    /// Days after which the report should have what the books have
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(i32).range(0..=60))]
    days: i32,
    /// The tenant whose books are reconciled (default: the only tenant)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// The formats of statements, as they are typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum StatementFormat {
    /// SWIFT's MT940
    Mt940,
    /// camt.053 of ISO 20022
    Camt053,
    /// CSV, by --statement-mapping
    Csv,
}

/// Why nothing, or not everything, was reconciled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Whose(#[from] TenantError),
    #[error("{0}; run it once more: what is matched then is known, and is not matched again")]
    Lane(#[from] LaneError),
    #[error("{0}; run it once more: what is matched then is known, and is not matched again")]
    Database(#[from] Error),
    #[error(
        "there is nothing to read: name a report with --report, or a statement with --statement"
    )]
    Nothing,
    #[error("{0}")]
    Mapping(String),
    #[error(transparent)]
    Bank(#[from] BankError),
}

/// Reconciles the only tenant's books with files of the sandbox.
///
/// # Errors
/// The first thing that went wrong, in words.
pub(crate) async fn reconcile_files(
    store: &Store,
    report: Option<PathBuf>,
    statement: Option<PathBuf>,
) -> Result<(), String> {
    let arguments = ReconcileArguments {
        of: "sandbox".to_owned(),
        report,
        mapping: "sandbox".to_owned(),
        statements: statement.into_iter().collect(),
        format: StatementFormat::Mt940,
        statement_mapping: None,
        days: 60,
        tenant: None,
    };
    let checked = check_files(&arguments).map_err(|wrong| wrong.mistake)?;
    let checked = checked.map_err(|error| error.to_string())?;
    let tenant = store.read(|connection| chosen(connection, None));
    let tenant = tenant.map_err(|error| error.to_string())?;
    let settings = lane::settings_of(true, engine::keys::LEAST_LIFE_SECONDS);
    let engine = lane::start_lane(store.clone(), settings).map_err(|error| error.to_string())?;
    let outcome = reconcile(&engine, &tenant, &arguments, checked).await;
    engine.shut_down().await;
    outcome.map(drop).map_err(|error| error.to_string())
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    lines: Tally,
    bank: BankTally,
    /// Lines of earlier statements that were open and are matched now.
    again: BankTally,
    /// Number of exceptions about what the report does not have.
    absent: u64,
    proof: Proof,
}

/// A file that is wrong.
struct Wrong {
    path: String,
    mistake: String,
}

/// Reconciles. The exit status is 0 if nothing is open, 3 if there are open exceptions, and 1 if a file is wrong.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &ReconcileArguments,
    json: bool,
) -> Result<ExitCode, ReconcileError> {
    if arguments.report.is_none() && arguments.statements.is_empty() {
        return Err(ReconcileError::Nothing);
    }
    // All files are read to their end before anything is taken: nothing of a wrong file is used.
    let checked = match check_files(arguments) {
        Ok(checked) => checked?,
        Err(wrong) => {
            say::wrong(&wrong.path, &wrong.mistake, json);
            return Ok(ExitCode::from(WRONG));
        }
    };
    let (store, tenant) =
        open_of_tenant::<ReconcileError>(settings, arguments.tenant.clone()).await?;
    let (clock, _recorded) = start::check_clock(&store, settings).await?;
    let (of_banks, settings) = (settings, lane::lane_settings(settings));
    let engine = lane::start_lane(store.clone(), engine::Settings { clock, ..settings })?;
    // The lines of statements are matched with the payouts of bank-file providers, whose outcomes they tell first.
    let outcome = match hear_statements(&engine, &tenant, of_banks, &checked.statements).await {
        Ok(()) => match look_at_overdue(&engine, &tenant).await {
            Ok(()) => reconcile(&engine, &tenant, arguments, checked).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error.into()),
    };
    engine.shut_down().await;
    let done = outcome?;
    let is_done = done.proof.open_exceptions.is_empty() && adds_up(&done.proof);
    say::done(&done, json);
    Ok(match is_done {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(OPEN),
    })
}

fn adds_up(proof: &Proof) -> bool {
    let mut currencies = proof.currencies.values();
    currencies.all(settlement::CurrencyProof::adds_up)
}

/// What the files have, after they were read once to their end.
struct Checked {
    mapping: ReportMapping,
    /// The first and the last day of the report; `None` if it has no line.
    days: Option<(i32, i32)>,
    statements: Vec<Statement>,
}

type CheckedFiles = Result<Result<Checked, ReconcileError>, Wrong>;

fn check_files(arguments: &ReconcileArguments) -> CheckedFiles {
    let mapping = match ReportMapping::named(&arguments.mapping) {
        Ok(mapping) => mapping,
        Err(problem) => return Ok(Err(ReconcileError::Mapping(problem))),
    };
    let mut days: Option<(i32, i32)> = None;
    if let Some(path) = &arguments.report {
        let wrong = |mistake: ReportMistake| Wrong {
            path: path.display().to_string(),
            mistake: mistake.to_string(),
        };
        let bar = progress_bar();
        bar.set_prefix("read");
        for (number, line) in Report::open(path, &mapping).map_err(wrong)?.enumerate() {
            let day = line.map_err(wrong)?.day;
            let (first, last) = days.unwrap_or((day, day));
            days = Some((first.min(day), last.max(day)));
            if number.is_multiple_of(1_000) {
                bar.set_position(u64::try_from(number).unwrap_or(u64::MAX));
            }
        }
        bar.finish_and_clear();
    }
    let mut statements = Vec::new();
    for path in &arguments.statements {
        match read_statements(path, arguments) {
            Ok(read) => statements.extend(read?),
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Ok(Ok(Checked {
        mapping,
        days,
        statements,
    }))
}

type ReadStatements = Result<Result<Vec<Statement>, Wrong>, ReconcileError>;

fn read_statements(path: &Path, arguments: &ReconcileArguments) -> ReadStatements {
    let wrong = |mistake: String| Wrong {
        path: path.display().to_string(),
        mistake,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(cause) => return Ok(Err(wrong(format!("it cannot be read: {cause}")))),
    };
    let read = match arguments.format {
        StatementFormat::Mt940 => bank_files::mt940::read(&bytes),
        StatementFormat::Camt053 => bank_files::camt053::read(&bytes),
        StatementFormat::Csv => {
            let Some(path) = &arguments.statement_mapping else {
                let needed = "--format csv needs --statement-mapping FILE";
                return Err(ReconcileError::Mapping(needed.to_owned()));
            };
            let name = path.display();
            let text = std::fs::read_to_string(path).map_err(|cause| {
                ReconcileError::Mapping(format!("cannot read the mapping {name}: {cause}"))
            })?;
            let mapping = toml::from_str(&text)
                .map_err(|cause| ReconcileError::Mapping(format!("the mapping {name}: {cause}")))?;
            bank_files::csv::read(&bytes, &mapping)
        }
    };
    let read = read.map_err(|error| wrong(format!("{error}{}", hint(&bytes, arguments.format))));
    Ok(read.and_then(|statements| {
        // A statement has the entries of reports and notices again.
        match statements.iter().all(|one| one.kind == Kind::Statement) {
            true => Ok(statements),
            false => Err(wrong(
                "it is a report or a notice, and the statement has its entries again; read camt.053"
                    .to_owned(),
            )),
        }
    }))
}

async fn reconcile(
    engine: &Engine,
    tenant: &Tenant,
    arguments: &ReconcileArguments,
    checked: Checked,
) -> Result<Done, ReconcileError> {
    let mut done = Done::default();
    let bar = progress_bar();
    if let Some(path) = &arguments.report {
        bar.set_prefix("match");
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().chars().take(200).collect::<String>();
        let mut lines = Vec::with_capacity(BATCH);
        let report = Report::open(path, &checked.mapping);
        let report = report.map_err(|changed| ReconcileError::Mapping(changed.to_string()))?;
        for line in report {
            lines.push(line.map_err(|changed| ReconcileError::Mapping(changed.to_string()))?);
            if lines.len() >= BATCH {
                let batch = std::mem::replace(&mut lines, Vec::with_capacity(BATCH));
                settle(
                    engine,
                    tenant,
                    (&arguments.of, &name),
                    batch,
                    &mut done.lines,
                )
                .await?;
                bar.inc(u64::try_from(BATCH).unwrap_or(0));
            }
        }
        settle(
            engine,
            tenant,
            (&arguments.of, &name),
            lines,
            &mut done.lines,
        )
        .await?;
        if let Some((first, last)) = checked.days {
            bar.set_prefix("missing");
            let days = (first, last.saturating_sub(arguments.days));
            done.absent = absent(engine, tenant, (&arguments.of, &name), days).await?;
        }
    }
    bar.set_prefix("bank");
    done.again = match_open(engine, tenant).await?;
    for statement in &checked.statements {
        match_bank(engine, tenant, statement, &mut done.bank).await?;
    }
    bar.set_prefix("prove");
    let id = tenant.id;
    done.proof = engine
        .read(move |connection| settlement::proof(connection, id))
        .await?;
    bar.finish_and_clear();
    Ok(done)
}

async fn submit<C: Command<Refusal = std::convert::Infallible>>(
    engine: &Engine,
    tenant: &Tenant,
    command: C,
) -> Result<C::Done, ReconcileError> {
    let request = Request::of_system(tenant.clone(), "reconcile", command);
    let outcome = engine.submit(request).await?;
    outcome
        .done()
        .ok_or(ReconcileError::Lane(LaneError::Failed))
}

async fn settle(
    engine: &Engine,
    tenant: &Tenant,
    (provider, report): (&str, &str),
    lines: Vec<ReportLine>,
    sum: &mut Tally,
) -> Result<(), ReconcileError> {
    if lines.is_empty() {
        return Ok(());
    }
    let command = SettleLines {
        provider: provider.to_owned(),
        report: report.to_owned(),
        lines,
    };
    let tally = submit(engine, tenant, command).await?;
    sum.add(&tally);
    Ok(())
}

/// Opens exceptions for what the report should have and has not.
async fn absent(
    engine: &Engine,
    tenant: &Tenant,
    (provider, report): (&str, &str),
    days: (i32, i32),
) -> Result<u64, ReconcileError> {
    let (mut opened, mut after) = (0_u64, None);
    loop {
        let (id, of) = (tenant.id, provider.to_owned());
        let page =
            engine.read(move |connection| settlement::absent(connection, id, &of, days, after));
        let (operations, next) = page.await?;
        for batch in operations.chunks(BATCH) {
            let command = OpenAbsent {
                provider: provider.to_owned(),
                report: report.to_owned(),
                operations: batch.to_vec(),
            };
            let found = submit(engine, tenant, command).await?;
            opened = opened.saturating_add(found);
        }
        after = next;
        if after.is_none() {
            return Ok(opened);
        }
    }
}

async fn match_bank(
    engine: &Engine,
    tenant: &Tenant,
    statement: &Statement,
    sum: &mut BankTally,
) -> Result<(), ReconcileError> {
    let lines = bank_lines(statement);
    for batch in lines.chunks(BATCH) {
        let command = MatchBankLines {
            account: storable(statement.account.key()),
            statement: storable(statement.id.as_deref().unwrap_or_default()),
            lines: batch.to_vec(),
        };
        let tally = submit(engine, tenant, command).await?;
        sum.add(&tally);
    }
    Ok(())
}

/// A bank's text may have anything in it. A card number is never stored.
fn storable(text: &str) -> String {
    match text::contains_card_number(text) {
        true => String::new(),
        false => text.to_owned(),
    }
}

/// What to do if a file is not of the format that it is read in, as the end of a message.
fn hint(bytes: &[u8], format: StatementFormat) -> &'static str {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_xml = text.trim_ascii_start().first() == Some(&b'<');
    match (format, is_xml) {
        (StatementFormat::Mt940 | StatementFormat::Csv, true) => {
            "; it looks like XML: read it with --format camt053"
        }
        (StatementFormat::Camt053, false) => {
            "; it is no XML: read it with --format mt940, or with --format csv"
        }
        (StatementFormat::Mt940 | StatementFormat::Csv, false)
        | (StatementFormat::Camt053, true) => "",
    }
}

/// The booked entries of a statement, with the payments of an entry one by one if each has its amount. A line is known
/// by its account, its statement and its position there, and by what it says: a statement that was made again with
/// another entry at that position has a new one.
fn bank_lines(statement: &Statement) -> Vec<BankLine> {
    let number = statement.id.clone().unwrap_or_default();
    let parts = statement.entries.iter().flat_map(|entry| {
        let parts = entry.parts().into_iter();
        parts.map(move |part| (entry, part))
    });
    let lines = parts.map(|(entry, part)| {
        let reference: String = part.texts.join(" ").chars().take(1_000).collect();
        let reference = storable(&reference);
        let mut content = Sha256::new();
        let day = entry.booked_on.to_string();
        let amount = part.units.get().to_string();
        for part in [
            statement.account.key(),
            &number,
            &part.position,
            &day,
            &amount,
            &reference,
        ] {
            content.update(part.len().to_be_bytes());
            content.update(part);
        }
        BankLine {
            number: i64::try_from(entry.position)
                .unwrap_or(i64::MAX)
                .saturating_add(1),
            content: content.finalize().into(),
            amount: part.units.get(),
            currency: statement.currency,
            day: bank_files::days_of(entry.booked_on),
            reference,
        }
    });
    lines.filter(|line| line.amount != 0).collect()
}
