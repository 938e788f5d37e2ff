//! The one loop that finds what is due and hands it to those who know what to do.

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

/// Errands looked up at a time.
const PAGE: i64 = 500;

/// A future whose type is forgotten.
pub type WorkFuture<'a> = Pin<Box<dyn Future<Output = Result<(), LaneError>> + Send + 'a>>;

/// What is to be done for one kind of errands.
pub trait Work: Send + Sync {
    /// The kind of errands.
    fn kind(&self) -> &'static str;

    /// Places that take no more errands at the moment.
    fn full(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes errands of one tenant that are due. Work that needs the network is begun here and goes on by itself.
    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_>;

    /// Looks for work that is no errand, by one question for all tenants.
    fn look(&self) -> WorkFuture<'_> {
        Box::pin(async { Ok(()) })
    }

    /// Hears what a command has had told after its commit. Returns it if it is about something else.
    fn hear(&self, _tenant: &Tenant, what: Box<dyn Any + Send>) -> Option<Box<dyn Any + Send>> {
        Some(what)
    }

    /// Waits until what was begun has ended.
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
    /// What commands have had told after their commit.
    pub after_commit: mpsc::UnboundedReceiver<(Tenant, Box<dyn Any + Send>)>,
    /// Time between two looks at what is due.
    pub interval: Duration,
    /// Time that work under way has to end when the server stops.
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
                        // A look that waits for the database does not keep the server from stopping.
                        _ = stopped(&mut stop) => break,
                        // A database that does not answer is reported by those who need an answer from it.
                        _unavailable = self.look() => {}
                    }
                    self.engine.look_for_answers().await;
                    clock.look(&self.engine);
                }
            }
        }
        // Work under way may still bring its outcome home. The next start finds what cannot.
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

    /// Finds what is due, by one question for all tenants, and hands it over.
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
        // Each is a command in its tenant's own line, and one commit may carry them all.
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

/// Returns once `stop` is true, or nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await.is_err();
}
