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

use super::overlap::{Spare, Writers};
use super::pace::Pace;
use super::post::{Beat, Post};
use super::{CAUTIOUS_BATCHES, Settings, Worker};
use crate::memory::Memories;
use crate::repeated::Repeated;
use crate::waiters::Waiters;

/// Threads that may be stuck. Beyond that nobody is the lane, until one of them has ended.
const MOST_STUCK: usize = 4;
/// How often the lane is looked after, as a part of how long it may be stuck.
const LOOKS: u32 = 32;

/// Who is the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manning {
    /// How many threads were relieved.
    pub(super) relieved: u64,
    /// Whether any thread is the lane.
    pub(super) is_manned: bool,
    /// Whether the queue was closed and is worked off.
    pub(super) has_ended: bool,
}

/// What it takes to start a thread that is the lane.
pub(super) struct Recruiter {
    pub(super) store: Store,
    pub(super) settings: Settings,
    pub(super) post: Arc<Post>,
    pub(super) waiters: Waiters,
    pub(super) manning: watch::Sender<Manning>,
    /// Counts the threads: each owns one share, and this field another.
    pub(super) threads: Arc<()>,
}

impl Recruiter {
    /// Starts a thread that is the lane.
    pub(super) fn start(&self, ids: Ids, cautious: u32) -> std::io::Result<Arc<Beat>> {
        let beat = Arc::new(Beat::new());
        let worker = Worker {
            store: self.store.clone(),
            settings: self.settings.clone(),
            ids,
            post: Arc::clone(&self.post),
            beat: Arc::clone(&beat),
            log: self.store.log(),
            connection: None,
            seen_version: None,
            spare: Spare::default(),
            memories: Memories::new(Arc::clone(&self.settings.shelves)),
            cautious,
            pace: Pace::default(),
            writers: Writers::start()?,
            waiters: self.waiters.clone(),
        };
        let end = End {
            beat: Arc::clone(&beat),
            manning: self.manning.clone(),
            _counted: Arc::clone(&self.threads),
        };
        let work = move || {
            let _told_at_the_end = end;
            worker.run();
        };
        std::thread::Builder::new()
            .name("lane".into())
            .spawn(work)?;
        Ok(beat)
    }

    /// Looks after the lane until it has ended.
    pub(super) fn watch(self, mut beat: Arc<Beat>, longest: Duration) {
        static RELIEVED: Repeated = Repeated::new();
        while !self.manning.borrow().has_ended {
            std::thread::sleep(longest / LOOKS);
            if beat.relieve(longest) {
                metrics::counter!("florin_lane_relieved_total").increment(1);
                if let Some(times) = RELIEVED.due() {
                    tracing::error!(
                        ?longest,
                        times,
                        "the database does not answer the lane: another thread takes over"
                    );
                }
                self.post.wrote(Err(store::Trouble::Silent));
                self.manning.send_modify(|manning| {
                    manning.relieved = manning.relieved.saturating_add(1);
                    manning.is_manned = false;
                });
            }
            let is_manned = self.manning.borrow().is_manned;
            if !is_manned && Arc::strong_count(&self.threads) <= MOST_STUCK {
                // Others may have committed meanwhile, the thread that was left behind among them.
                match self.start(Ids::random(), CAUTIOUS_BATCHES) {
                    Ok(fresh) => {
                        beat = fresh;
                        self.manning.send_modify(|manning| manning.is_manned = true);
                    }
                    Err(error) => tracing::error!(%error, "no thread for the lane"),
                }
            }
        }
    }
}

/// Says that the lane has ended, however it does. A thread that was relieved ends unheard.
struct End {
    beat: Arc<Beat>,
    manning: watch::Sender<Manning>,
    _counted: Arc<()>,
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.beat.is_relieved() {
            self.manning.send_modify(|manning| {
                manning.is_manned = false;
                manning.has_ended = true;
            });
        }
    }
}
