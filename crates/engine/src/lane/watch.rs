//! The watch over the lane: if the database does not answer the lane's thread, another thread takes over.
//!
//! The stuck thread is left behind, with its connection and its batch. The callers of the batch get the answer
//! that nothing is known. The thread may still commit the batch when it wakes up, and then ends without taking
//! another one. This is the same as if another process had been quicker: the commit is found by its keys, and a
//! contradicting write is refused by versions and unique keys.

use std::sync::Arc;
use std::time::Duration;

use store::{Ids, Store};
use tokio::sync::watch;

use super::overlap::{SpareConnection, Writers};
use super::pace::Pace;
use super::quiet::Quiet;
use super::state::{Heartbeat, LaneState};
use super::{CAUTIOUS_BATCHES, Settings, Worker};
use crate::memory::Memories;
use crate::repeated::RepeatedWarning;
use crate::waiters::Waiters;

/// Greatest number of threads that may be stuck. If there are more, no thread is the lane until one of them has
/// ended.
const MAX_STUCK: usize = 4;
/// Number of looks at the lane within the time that it may be stuck.
const LOOKS: u32 = 32;

/// The state of the lane's threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneStatus {
    /// Number of threads that were relieved.
    pub(super) relieved: u64,
    /// True if a thread is the lane.
    pub(super) has_thread: bool,
    /// True if the lines are closed and empty.
    pub(super) has_ended: bool,
}

/// Starts the lane's threads and watches them.
pub(super) struct Supervisor {
    pub(super) store: Store,
    pub(super) settings: Settings,
    pub(super) state: Arc<LaneState>,
    pub(super) waiters: Waiters,
    pub(super) status: watch::Sender<LaneStatus>,
    /// Counts the threads by its owners: each thread owns one clone, and this field is another.
    pub(super) threads: Arc<()>,
}

impl Supervisor {
    /// Starts a thread as the lane.
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
            quiet: Quiet::default(),
            memories: Memories::new(Arc::clone(&self.settings.shelves)),
            cautious,
            pace: Pace::default(),
            last: None,
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

    /// Watches the lane until it has ended.
    pub(super) fn watch(self, mut heartbeat: Arc<Heartbeat>, longest: Duration) {
        static RELIEVED: RepeatedWarning = RepeatedWarning::new();
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
                // Another process, or the thread that was left behind, may have committed meanwhile.
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

/// Notes, when it is dropped, that the lane has ended. It does nothing for a relieved thread.
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
