//! The loop that finds the errands that are due and hands them to the work of their kind.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::tables::{DueErrand, due};
use crate::lane::{Engine, LaneError};
use crate::standstill::Watch;
use crate::tenant::Tenant;

/// Greatest number of errands that one question finds.
const PAGE: i64 = 500;

/// A boxed future of some work.
pub type WorkFuture<'a> = Pin<Box<dyn Future<Output = Result<(), LaneError>> + Send + 'a>>;

/// The work of one kind of errands.
pub trait Work: Send + Sync {
    /// The kind of errands.
    fn kind(&self) -> &'static str;

    /// Places that take no more errands at the moment.
    fn full(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes errands of one tenant that are due. Work that needs the network only begins here, and continues by
    /// itself.
    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_>;

    /// Looks for work that is no errand, with one question for all tenants.
    fn look(&self) -> WorkFuture<'_> {
        Box::pin(async { Ok(()) })
    }

    /// Takes a message that a command has sent after its commit. Returns it if it is meant for other work.
    fn hear(&self, _tenant: &Tenant, what: Box<dyn Any + Send>) -> Option<Box<dyn Any + Send>> {
        Some(what)
    }

    /// Waits until all work that was begun has ended.
    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// Lets work go on by itself, as a task of the runtime that the loop runs in.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(work));
}

/// The loop, and what it needs.
pub struct Runner {
    /// The lane.
    pub engine: Engine,
    /// All kinds of work.
    pub works: Vec<Arc<dyn Work>>,
    /// The messages that commands send after their commit.
    pub after_commit: mpsc::UnboundedReceiver<(Tenant, Box<dyn Any + Send>)>,
    /// Time between two searches for errands that are due.
    pub interval: Duration,
    /// Time that unfinished work has when the server stops.
    pub patience: Duration,
}

impl Runner {
    /// Runs until `stop` becomes true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(self.interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut clock = Watch::default();
        loop {
            tokio::select! {
                _ = stopped(&mut stop) => break,
                Some((tenant, what)) = self.after_commit.recv() => self.hear(&tenant, what),
                _ = tick.tick() => {
                    tokio::select! {
                        // A search that waits for the database does not keep the server from stopping.
                        _ = stopped(&mut stop) => break,
                        // A database that does not answer is reported by the requests that need an answer from it.
                        _unavailable = self.look() => {}
                    }
                    self.engine.look_for_answers().await;
                    clock.look(&self.engine);
                }
            }
        }
        // Unfinished work may still record its outcome. Work that cannot is found after the next start.
        let ends = async {
            for work in &self.works {
                work.end().await;
            }
        };
        let _patience = tokio::time::timeout(self.patience, ends).await;
    }

    fn hear(&self, tenant: &Tenant, what: Box<dyn Any + Send>) {
        let mut what = Some(what);
        for work in &self.works {
            what = what.and_then(|what| work.hear(tenant, what));
        }
    }

    /// Finds the errands that are due, with one question for all tenants, and hands them over.
    async fn look(&self) -> Result<(), LaneError> {
        let now = self.engine.clock().now();
        let full: Vec<String> = self.works.iter().flat_map(|work| work.full()).collect();
        let found = self
            .engine
            .read(move |connection| due(connection, now, &full, PAGE))
            .await;
        let found = found.map_err(|_unavailable| LaneError::Unavailable)?;
        let mut by_work: BTreeMap<(String, _), Vec<DueErrand>> = BTreeMap::new();
        for errand in found {
            let name = (errand.kind.clone(), errand.tenant.id);
            by_work.entry(name).or_default().push(errand);
        }
        // Each piece of work is a command in its tenant's own line, and one commit may carry all of them.
        let doing = by_work.into_iter().filter_map(|((kind, _), due)| {
            let work = self.works.iter().find(|work| work.kind() == kind)?;
            let tenant = due.first()?.tenant.clone();
            Some(work.take(tenant, due))
        });
        for done in futures_util::future::join_all(doing).await {
            done?;
        }
        for work in &self.works {
            work.look().await?;
        }
        Ok(())
    }
}

/// Waits until `stop` is true, or until its sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await.is_err();
}
