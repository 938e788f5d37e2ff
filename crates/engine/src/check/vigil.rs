//! The check, repeated while the server runs, so that a violation is reported.
//!
//! `florin_check_violations` is the number of invariants that the last check found broken,
//! `florin_check_last_success_timestamp_seconds` the time of the last check that found no violation, and
//! `florin_check_duration_seconds` the duration of the last check. A check that was not finished changes none
//! of them: the time of the last success shows how old the result is.

use std::time::{Duration, Instant};

use store::{DatabaseUrl, OpenError, Store, Tuning};
use tokio::sync::{oneshot, watch};

use super::{Plan, Report, whole};
use crate::lane::Engine;

/// Why a check was not finished.
#[derive(Debug, thiserror::Error)]
enum CheckFailure {
    #[error(transparent)]
    Closed(#[from] OpenError),
    #[error(transparent)]
    Database(#[from] store::Error),
    #[error("no thread for it: {0}")]
    NoThread(#[from] std::io::Error),
    #[error("its thread has died")]
    Died(#[from] oneshot::error::RecvError),
}

/// Checks every invariant each time `every` has passed, until `stop` becomes true. If there is no `every`,
/// nothing is checked.
pub async fn keep_checking(
    plan: Plan,
    engine: Engine,
    every: Option<Duration>,
    mut stop: watch::Receiver<bool>,
) {
    let Some(every) = every else { return };
    let checks = async {
        loop {
            tokio::time::sleep(every).await;
            match once(plan, engine.store.url().clone()).await {
                Ok((report, took)) => {
                    let now = engine.clock().now().unix_seconds();
                    tell(&report, took, u64::try_from(now).unwrap_or(0));
                }
                Err(cause) => tracing::warn!(%cause, "the books could not be checked"),
            }
        }
    };
    tokio::select! {
        () = checks => {}
        _told_or_alone = stop.wait_for(|stop| *stop) => {}
    }
}

/// One check, on a thread that nobody waits for when the server stops. It has a connection of its own, because the
/// other connections end a long question early.
async fn once(plan: Plan, url: DatabaseUrl) -> Result<(Report, Duration), CheckFailure> {
    let (found, finding) = oneshot::channel();
    let work = move || {
        let began = Instant::now();
        let report = Store::open_existing(&url, Tuning::default()).map_err(CheckFailure::from);
        let report = report.and_then(|store| Ok(whole(plan, &store, |_invariant, _done| {})?));
        // The server may have stopped meanwhile.
        let _unheard = found.send(report.map(|report| (report, began.elapsed())));
    };
    std::thread::Builder::new()
        .name("check".into())
        .spawn(work)?;
    finding.await?
}

/// Sets the metrics, and logs each violation.
fn tell(report: &Report, took: Duration, now: u64) {
    let broken = report.invariants.iter();
    let broken: Vec<_> = broken
        .filter_map(|verdict| Some((verdict, verdict.violation.as_ref()?)))
        .collect();
    metrics::gauge!("florin_check_violations").set(u32::try_from(broken.len()).unwrap_or(u32::MAX));
    metrics::gauge!("florin_check_duration_seconds").set(took);
    if broken.is_empty() {
        let success = metrics::gauge!("florin_check_last_success_timestamp_seconds");
        success.set(Duration::from_secs(now));
    }
    for (verdict, violation) in broken {
        tracing::error!(
            invariant = verdict.name,
            what = verdict.what,
            tenant = violation.tenant.as_deref().unwrap_or_default(),
            subject = violation.subject,
            detail = violation.detail,
            "the books are violated"
        );
    }
}
