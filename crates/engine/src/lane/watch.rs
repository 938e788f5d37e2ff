//! The lane is never stuck for long: if the database does not answer its thread, another thread takes over.
//!
//! The thread that is stuck is left behind, with its connection and its batch, whose callers are told that
//! nothing is known. It may still commit that batch when it wakes up, and then ends without taking
//! another. That is as if it were another process that was quicker: what it has written is found by
//! key, and what would contradict it is refused by versions and unique keys.

use std::sync::Arc;
use std::time::Duration;

use store::{Ids, Store};
use tokio::sync::watch;

use super::overlap::{SpareConnection, Writers};
use super::pace::Pace;
use super::state::{Heartbeat, LaneState};
use super::{CAUTIOUS_BATCHES, Settings, Worker};
use crate::memory::Memories;
use crate::repeated::Repeated;
use crate::waiters::Waiters;

/// Threads that may be stuck. Beyond that nobody is the lane, until one of them has ended.
const MAX_STUCK: usize = 4;
/// How often the lane is looked after, as a part of how long it may be stuck.
const LOOKS: u32 = 32;

/// Who is the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneStatus {
    /// How many threads were relieved.
    pub(super) relieved: u64,
    /// Whether any thread is the lane.
    pub(super) has_thread: bool,
    /// Whether the queue was closed and is worked off.
    pub(super) has_ended: bool,
}

/// What it takes to start a thread that is the lane.
pub(super) struct Supervisor {
    pub(super) store: Store,
    pub(super) settings: Settings,
    pub(super) state: Arc<LaneState>,
    pub(super) waiters: Waiters,
    pub(super) status: watch::Sender<LaneStatus>,
    /// Counts the threads: each owns one share, and this field another.
    pub(super) threads: Arc<()>,
}

impl Supervisor {
    /// Starts a thread that is the lane.
    pub(super) fn start(&self, ids: Ids, cautious: u32) -> std::io::Result<Arc<Heartbeat>> {
        let heartbeat = Arc::new(Heartbeat::new());
        let worker = Worker {
            store: self.store.clone(),
            settings: self.settings.clone(),
            ids,
            state: Arc::clone(&self.state),
            heartbeat: Arc::clone(&heartbeat),
            log: self.store.log(),
            connection: None,
            seen_version: None,
            spare: SpareConnection::default(),
            memories: Memories::new(Arc::clone(&self.settings.shelves)),
            cautious,
            pace: Pace::default(),
            writers: Writers::start()?,
            waiters: self.waiters.clone(),
        };
        let end = End {
            heartbeat: Arc::clone(&heartbeat),
            status: self.status.clone(),
            _counted: Arc::clone(&self.threads),
        };
        let work = move || {
            let _told_at_the_end = end;
            worker.run();
        };
        std::thread::Builder::new()
            .name("lane".into())
            .spawn(work)?;
        Ok(heartbeat)
    }

    /// Looks after the lane until it has ended.
    pub(super) fn watch(self, mut heartbeat: Arc<Heartbeat>, longest: Duration) {
        static RELIEVED: Repeated = Repeated::new();
        while !self.status.borrow().has_ended {
            std::thread::sleep(longest / LOOKS);
            if heartbeat.relieve(longest) {
                metrics::counter!("florin_lane_relieved_total").increment(1);
                if let Some(times) = RELIEVED.due() {
                    tracing::error!(
                        ?longest,
                        times,
                        "the database does not answer the lane: another thread takes over"
                    );
                }
                self.state.wrote(Err(store::Trouble::Silent));
                self.status.send_modify(|status| {
                    status.relieved = status.relieved.saturating_add(1);
                    status.has_thread = false;
                });
            }
            let has_thread = self.status.borrow().has_thread;
            if !has_thread && Arc::strong_count(&self.threads) <= MAX_STUCK {
                // Others may have committed meanwhile, the thread that was left behind among them.
                match self.start(Ids::random(), CAUTIOUS_BATCHES) {
                    Ok(fresh) => {
                        heartbeat = fresh;
                        self.status.send_modify(|status| status.has_thread = true);
                    }
                    Err(error) => tracing::error!(%error, "no thread for the lane"),
                }
            }
        }
    }
}

/// Says that the lane has ended, however it does. A thread that was relieved ends unheard.
struct End {
    heartbeat: Arc<Heartbeat>,
    status: watch::Sender<LaneStatus>,
    _counted: Arc<()>,
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.heartbeat.is_relieved() {
            self.status.send_modify(|status| {
                status.has_thread = false;
                status.has_ended = true;
            });
        }
    }
}
