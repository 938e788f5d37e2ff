//! The way to the lane: commands go in, answers come out, and nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use store::{Clock, Ids, Store, Trouble};
use tokio::sync::{Semaphore, oneshot, watch};

use super::lines::NotTaken;
use super::post::Post;
use super::watch::{Manning, Recruiter};
use super::{LaneError, Settings};
use crate::command::{Command, Outcome, Request};
use crate::job::Waiting;
use crate::pulse::{DOUBT, Pulse};
use crate::reading::Left;
use crate::standstill::Recorded;
use crate::waiters::Waiters;

/// How long a caller waits for the lane at most.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);

/// A running lane. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) left: Left,
    /// Turns of questions: they are asked in the order in which they came, as many at a time as there are
    /// connections.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) waiters: Waiters,
    post: Arc<Post>,
    manning: watch::Receiver<Manning>,
}

impl Engine {
    /// Starts the lane's thread.
    ///
    /// # Errors
    /// Whatever the operating system says of a thread that cannot be started.
    pub fn start(store: Store, settings: Settings, ids: Ids) -> std::io::Result<Self> {
        let (tell, manning) = watch::channel(Manning {
            relieved: 0,
            is_manned: true,
            has_ended: false,
        });
        let post = Arc::new(Post::new(settings.line));
        let waiters = Waiters::default();
        let recruiter = Recruiter {
            store: store.clone(),
            settings: settings.clone(),
            post: Arc::clone(&post),
            waiters: waiters.clone(),
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
            waiters,
            post,
            manning,
        })
    }

    /// Time until which the books are written, as far as this process knows.
    pub(crate) fn recorded(&self) -> &Recorded {
        &self.post.recorded
    }

    /// Sends a command and waits for its commit.
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit<C: Command>(&self, request: Request<C>) -> Result<Outcome<C>, LaneError> {
        self.submit_within(request, LONGEST_ANSWER).await
    }

    /// The same for a command that may take longer than any caller of the API waits.
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit_within<C: Command>(
        &self,
        request: Request<C>,
        patience: Duration,
    ) -> Result<Outcome<C>, LaneError> {
        let before = *self.manning.borrow();
        if !before.is_manned || self.pulse.is_silent() {
            return Err(LaneError::Unavailable);
        }
        let (waiter, mut answer) = oneshot::channel();
        match self
            .post
            .lines
            .join(Box::new(Waiting::new(request, waiter)))
        {
            Ok(()) => {}
            Err(NotTaken::Full) => {
                metrics::counter!("florin_lane_refused_total").increment(1);
                return Err(LaneError::Overloaded);
            }
            Err(NotTaken::Closed) => return Err(LaneError::Unavailable),
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
        if !self.post.lines.ask(ask) {
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
            self.post.lines.close();
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
