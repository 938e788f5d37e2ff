//! The way to the lane: commands go in, answers come out, and nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use idempotency::Key;
use store::{Clock, Ids, Store, TenantId, Trouble};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};

use super::post::Post;
use super::watch::{Manning, Recruiter};
use super::{LaneError, Message, Queued, Settings};
use crate::command::{Answer, Envelope};
use crate::pulse::{DOUBT, Pulse};
use crate::reading::Left;
use crate::standstill::Recorded;

/// How long a caller waits for the lane at most.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);

/// A running lane. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) left: Left,
    /// Questions are asked in the order in which they came, as many at a time as there are connections.
    pub(crate) turns: Arc<Semaphore>,
    queue: mpsc::Sender<Message>,
    post: Arc<Post>,
    manning: watch::Receiver<Manning>,
    settled: broadcast::Sender<(TenantId, Key)>,
}

impl Engine {
    /// Starts the lane's thread. Operations that are submitted go to `submitted`.
    ///
    /// # Errors
    /// Whatever the operating system says of a thread that cannot be started.
    pub fn start(
        store: Store,
        settings: Settings,
        ids: Ids,
        submitted: mpsc::UnboundedSender<(crate::access::Tenant, payments::Operation)>,
    ) -> std::io::Result<Self> {
        let (queue, commands) = mpsc::channel(settings.queue.max(1));
        let (settled, _) = broadcast::channel(4_096);
        let (tell, manning) = watch::channel(Manning {
            relieved: 0,
            is_manned: true,
            has_ended: false,
        });
        let post = Arc::new(Post::new(commands));
        let recruiter = Recruiter {
            store: store.clone(),
            settings: settings.clone(),
            post: Arc::clone(&post),
            settled: settled.clone(),
            submitted,
            manning: tell,
            threads: Arc::new(()),
        };
        let beat = recruiter.start(ids, 0)?;
        // A program that is patient waits as long as the database takes.
        if let Some(longest) = store.longest_answer() {
            std::thread::Builder::new()
                .name("lane-watch".into())
                .spawn(move || recruiter.watch(beat, longest))?;
        }
        Ok(Self {
            pulse: Arc::new(Pulse::start(store.clone())?),
            left: Left::default(),
            turns: Arc::new(Semaphore::new(store::READERS.into())),
            store,
            settings,
            queue,
            post,
            manning,
            settled,
        })
    }

    /// Until when the books are written, as far as this process knows.
    pub(crate) fn recorded(&self) -> &Recorded {
        &self.post.recorded
    }

    /// Sends a command and waits for its commit.
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit(&self, envelope: Envelope) -> Result<Answer, LaneError> {
        self.submit_within(envelope, LONGEST_ANSWER).await
    }

    /// The same for a command that may take longer than any caller of the API waits.
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit_within(
        &self,
        envelope: Envelope,
        patience: Duration,
    ) -> Result<Answer, LaneError> {
        let before = *self.manning.borrow();
        if !before.is_manned || self.pulse.is_silent() {
            return Err(LaneError::Unavailable);
        }
        let (reply, mut answer) = oneshot::channel();
        let queued = Box::new(Queued { envelope, reply });
        match self.queue.try_send(Message::Command(queued)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                metrics::counter!("florin_lane_refused_total").increment(1);
                return Err(LaneError::Overloaded);
            }
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(LaneError::Unavailable),
        }
        let doubt = match self.store.longest_answer() {
            Some(_) => DOUBT.min(patience),
            None => patience,
        };
        if let Ok(answered) = tokio::time::timeout(doubt, &mut answer).await {
            return answered.unwrap_or(Err(LaneError::Unavailable));
        }
        self.pulse.doubt();
        // If the database falls silent the commit may still come: a retry finds it by its key.
        let mut manning = self.manning.clone();
        tokio::select! {
            answered = &mut answer => answered.unwrap_or(Err(LaneError::Unavailable)),
            () = self.pulse.silence() => Err(LaneError::Unavailable),
            _relieved_or_gone = manning.wait_for(|now| now.relieved != before.relieved) => {
                Err(LaneError::Unavailable)
            }
            () = tokio::time::sleep(patience.saturating_sub(doubt)) => Err(LaneError::Unavailable),
        }
    }

    /// Hears of every request that is answered after having been in flight.
    pub(crate) fn settled(&self) -> broadcast::Receiver<(TenantId, Key)> {
        self.settled.subscribe()
    }

    /// Whether what is committed goes through. If nothing was lately, the lane tries, for no longer than
    /// `patience`.
    pub(crate) async fn can_write(&self, patience: Duration) -> Result<(), Trouble> {
        if self.post.is_writing() {
            return Ok(());
        }
        if !self.manning.borrow().is_manned {
            return Err(self.post.trouble().unwrap_or(Trouble::Silent));
        }
        let (ask, answer) = oneshot::channel();
        // A queue that is full is the callers' trouble, who are told so.
        if self.queue.try_send(Message::Try(ask)).is_err() {
            return self.post.trouble().map_or(Ok(()), Err);
        }
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(self.post.trouble().unwrap_or(Trouble::Silent)),
        }
    }

    /// The present moment, by the clock the lane goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// Takes no more commands, finishes those in the queue, and ends the thread. Returns whether it has
    /// ended: if the database is silent, that is not waited for.
    pub async fn shut_down(&self) -> bool {
        let mut manning = self.manning.clone();
        let ending = async {
            let _closed = self.queue.send(Message::Stop).await;
            // Nobody is left to say so: it has ended, too.
            let _ended = manning.wait_for(|now| now.has_ended).await;
        };
        match self.store.longest_answer() {
            // Whoever is stuck is relieved within this time, and that one has the rest.
            Some(longest) => tokio::time::timeout(longest.saturating_mul(2), ending)
                .await
                .is_ok(),
            None => {
                ending.await;
                true
            }
        }
    }
}
