//! The loops behind the lane. They find the errands that are due and give them to the work of their kind, give the
//! messages of commits to the works, and search for what is no errand.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crash_points::{Point, here};
use store::{AnyConnection, Error, TenantId};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::MissedTickBehavior;

use super::tables::{DueErrand, due, read_clocks};
use crate::lane::{Engine, LaneError};
use crate::standstill::Watch;
use crate::tenant::Tenant;

/// Greatest number of errands that one question finds.
const PAGE: i64 = 500;
/// Time for which a tenant's errands are left alone after their work has failed.
const PAUSE: Duration = Duration::from_secs(5);

/// The messages that commands send after their commit, each with its tenant.
pub type Messages = mpsc::UnboundedReceiver<(Tenant, Box<dyn Any + Send>)>;

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

    /// Takes a message that a command has sent after its commit. Returns it if it is meant for other work.
    fn hear(&self, _tenant: &Tenant, what: Box<dyn Any + Send>) -> Option<Box<dyn Any + Send>> {
        Some(what)
    }

    /// Waits until all work that was begun has ended.
    fn end(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// A search for work that is no errand.
pub trait Search: Send + Sync {
    /// Looks once, with few questions for all tenants together, and does what is found.
    fn look(&self) -> WorkFuture<'_>;
}

/// Lets work go on by itself, as a task of the runtime that the loop runs in.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(work));
}

/// The loops, and what they need.
pub struct Runner {
    /// The lane.
    pub engine: Engine,
    /// All kinds of work.
    pub works: Vec<Arc<dyn Work>>,
    /// The searches for work that is no errand.
    pub searches: Vec<Arc<dyn Search>>,
    /// Time between two searches.
    pub interval: Duration,
    /// Time that unfinished work has when the server stops.
    pub patience: Duration,
}

impl Runner {
    /// Runs until `stop` becomes true. `after_commit` has the messages that commands send after their commit. No loop waits for another one: a search that waits for the database, or for a
    /// tenant's full line, keeps no message of a commit waiting.
    pub async fn run(self, after_commit: Messages, mut stop: watch::Receiver<bool>) {
        let loops = async {
            tokio::join!(
                self.hand_over(after_commit),
                self.run_errands(),
                self.search(),
                self.look_for_answers(),
            )
        };
        tokio::select! {
            _ = stopped(&mut stop) => {}
            _ = loops => {}
        }
        // Unfinished work may still record its outcome. Work that cannot is found after the next start.
        let ends = async {
            for work in &self.works {
                work.end().await;
            }
        };
        let _patience = tokio::time::timeout(self.patience, ends).await;
    }

    fn ticks(&self) -> tokio::time::Interval {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    /// Gives the messages of commits to the works.
    async fn hand_over(&self, mut after_commit: Messages) {
        while let Some((tenant, what)) = after_commit.recv().await {
            here(Point::MessageHeard);
            let mut what = Some(what);
            for work in &self.works {
                what = what.and_then(|what| work.hear(&tenant, what));
            }
        }
    }

    /// Looks for the errands that are due, with one question for all tenants, and gives them to the works. Each piece
    /// of work is a command in its tenant's own line. Until it is done, the tenant is left out of the search, so that
    /// a long line, or more errands than a page has, delay no other tenant.
    async fn run_errands(&self) {
        let mut ticks = self.ticks();
        let mut taking = JoinSet::new();
        let mut tenants: HashMap<Id, TenantId> = HashMap::new();
        let mut was_full = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let left_out = tenants.values().copied().collect();
                    // A database that does not answer is reported by the requests that need an answer from it.
                    let due = self.due(left_out).await.unwrap_or_default();
                    was_full = i64::try_from(due.len()).is_ok_and(|found| found >= PAGE);
                    for (work, tenant, due) in self.by_work(due) {
                        let id = tenant.id;
                        let take = taking.spawn(take(work, tenant, due));
                        tenants.insert(take.id(), id);
                    }
                }
                Some(done) = taking.join_next_with_id() => {
                    let task = match done {
                        Ok((task, ())) => task,
                        Err(panicked) => panicked.id(),
                    };
                    tenants.remove(&task);
                    if std::mem::take(&mut was_full) {
                        ticks.reset_immediately();
                    }
                }
            }
        }
    }

    async fn due(&self, left_out: Vec<TenantId>) -> Result<Vec<DueErrand>, Error> {
        let clock = self.engine.clock().clone();
        let kinds: Vec<&'static str> = self.works.iter().map(|work| work.kind()).collect();
        let full: Vec<String> = self.works.iter().flat_map(|work| work.full()).collect();
        let question = move |connection: &mut AnyConnection| {
            read_clocks(connection, &clock)?;
            due(connection, &clock, &kinds, &left_out, &full, PAGE)
        };
        self.engine.read(question).await
    }

    /// The errands of each kind and tenant, with the work of their kind.
    fn by_work(&self, found: Vec<DueErrand>) -> Vec<(Arc<dyn Work>, Tenant, Vec<DueErrand>)> {
        let mut by_name: BTreeMap<(String, TenantId), Vec<DueErrand>> = BTreeMap::new();
        for errand in found {
            let name = (errand.kind.clone(), errand.tenant.id);
            by_name.entry(name).or_default().push(errand);
        }
        let by_work = by_name.into_iter().filter_map(|((kind, _), due)| {
            let work = self.works.iter().find(|work| work.kind() == kind)?;
            let tenant = due.first()?.tenant.clone();
            Some((Arc::clone(work), tenant, due))
        });
        by_work.collect()
    }

    /// Searches for work that is no errand.
    async fn search(&self) {
        let mut ticks = self.ticks();
        loop {
            ticks.tick().await;
            for search in &self.searches {
                // A database that does not answer is reported by the requests that need an answer from it.
                let _unavailable = search.look().await;
            }
        }
    }

    /// Looks for answers that other processes have committed, and for a clock that stands still.
    async fn look_for_answers(&self) {
        let mut ticks = self.ticks();
        let mut clock = Watch::default();
        loop {
            ticks.tick().await;
            self.engine.look_for_answers().await;
            clock.look(&self.engine);
        }
    }
}

/// Takes errands of one tenant. The task of a failure ends only after a pause, so that the same errands do not fail
/// all the time. The lane has logged why the command failed; the errands stay due.
async fn take(work: Arc<dyn Work>, tenant: Tenant, due: Vec<DueErrand>) {
    here(Point::ErrandFound);
    let taken = work.take(tenant, due).await;
    here(Point::ErrandTaken);
    if taken.is_err() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until `stop` is true, or until its sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await.is_err();
}
