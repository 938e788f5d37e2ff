//! `florin rehearse --against-florin`: a server on books of its own is rehearsed, and its books are compared and checked.

use std::time::Duration;

use ::rehearse::{Address, BooksReport, MOST_PAYMENTS, rehearse_books};
use engine::check::Verdict;
use serde_json::{Value, json};
use store::Store;

use super::{FAILED, Mistake, RehearseArguments, drawn, print, schedules, status, write_junit};
use crate::demo::own_books;
use crate::output;
use crate::settings::{SANDBOX_KEY, SANDBOX_SECRET, Settings};
use crate::start::{self, start};
use families::CHECK;

/// The provider never answers in a rehearsal. This is longer than one lasts.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(600);

pub(super) async fn answer(
    settings: &Settings,
    arguments: &RehearseArguments,
    json: bool,
) -> Result<u8, Mistake> {
    let schedules = schedules(arguments)?;
    if arguments.count > MOST_PAYMENTS {
        return Err(Mistake::TooManyOrders);
    }
    let mut settings = settings.clone();
    settings.webhooks.clear();
    let (mut settings, _folder) = own_books(&settings)?;
    settings.provider_timeout = PROVIDER_TIMEOUT;
    let florin = start(&settings).await?;
    let sandbox = florin.played.first();
    let sandbox = sandbox.map(|(_, sandbox)| format!("http://{}", sandbox.address()));
    let address = Address {
        api: florin.url(),
        key: SANDBOX_KEY.to_owned(),
        webhook_secret: SANDBOX_SECRET.to_owned(),
        sandbox: sandbox.unwrap_or_default(),
    };
    let seed = arguments.seed.unwrap_or_else(drawn);
    let rehearsed = rehearse_books(&address, &schedules, seed, arguments.count).await?;
    let store = start::open(settings.database.clone(), settings.tuning).await?;
    let broken = broken(store).await?;
    write_junit(arguments, &rehearsed.report)?;
    say(&rehearsed, &broken, json)?;
    // The calls to the provider that never answers are not waited for.
    let verdict = status(rehearsed.report.verdict());
    let is_sound = rehearsed.differences.is_empty() && broken.is_empty();
    Ok(if is_sound { verdict } else { FAILED })
}

/// The invariants that do not hold, each with what is wrong.
async fn broken(store: Store) -> Result<Vec<String>, Mistake> {
    let checking =
        tokio::task::spawn_blocking(move || engine::check::whole(CHECK, &store, |_, _| {}));
    let failed = |error: &dyn std::error::Error| Mistake::Check(error.to_string());
    let report = checking.await.map_err(|panic| failed(&panic))?;
    let report = report.map_err(|error| failed(&error))?;
    let broken = report.invariants.iter().filter_map(|verdict: &Verdict| {
        let violation = verdict.violation.as_ref()?;
        Some(format!(
            "{} {}: {}",
            verdict.name, verdict.what, violation.detail
        ))
    });
    Ok(broken.collect())
}

fn say(rehearsed: &BooksReport, broken: &[String], json: bool) -> std::io::Result<()> {
    let differences = &rehearsed.differences;
    if json {
        let differences = differences.iter().map(|one| {
            json!({
                "schedule": one.schedule.name(), "account": one.account,
                "expected": one.expected, "found": one.found,
            })
        });
        let differences: Vec<Value> = differences.collect();
        let mut report = rehearsed.report.to_json();
        if let Some(fields) = report.as_object_mut() {
            fields.insert("differences".to_owned(), differences.into());
            fields.insert("broken_invariants".to_owned(), json!(broken));
        }
        return output::text(&format!("{report:#}\n"));
    }
    print(&rehearsed.report, false)?;
    let mut lines = Vec::new();
    for one in differences {
        let (schedule, account) = (one.schedule.name(), &one.account);
        let [posted, pending, entries] = one.found;
        let [right, right_pending, right_entries] = one.expected;
        lines.push(format!(
            "✗ books: {schedule} added {posted} (pending {pending}, {entries} entries) to {account}, not {right} (pending {right_pending}, {right_entries} entries)"
        ));
    }
    if differences.is_empty() {
        lines.push("✓ books: the same after every schedule as after each event once".to_owned());
    }
    lines.extend(broken.iter().map(|what| format!("✗ check: {what}")));
    if broken.is_empty() {
        lines.push("✓ check: every invariant holds".to_owned());
    }
    output::text(&format!("{}\n", lines.join("\n")))
}
