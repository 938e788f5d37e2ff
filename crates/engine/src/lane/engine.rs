//! The handle of the lane: commands go in, answers come out, and nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use store::{Clock, Ids, Store, Trouble};
use tokio::sync::{Semaphore, oneshot, watch};

use super::lines::LineError;
use super::state::LaneState;
use super::watch::{LaneStatus, Supervisor};
use super::{LaneError, Settings};
use crate::command::{Command, Outcome, Request};
use crate::job::QueuedRequest;
use crate::pulse::{DOUBT, Pulse};
use crate::reading::AbandonedQuestions;
use crate::standstill::LatestRecordTime;
use crate::waiters::Waiters;

/// Longest time that a caller waits for the lane.
const MAX_ANSWER_TIME: Duration = Duration::from_secs(60);

/// A running lane. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) left: AbandonedQuestions,
    /// The turns of questions. They are asked in the order of their arrival, as many at a time as there are
    /// connections.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) waiters: Waiters,
    state: Arc<LaneState>,
    status: watch::Receiver<LaneStatus>,
}

impl Engine {
    /// Starts the lane's thread.
    ///
    /// # Errors
    /// The error of the operating system if the thread cannot be started.
    pub fn start(store: Store, settings: Settings, ids: Ids) -> std::io::Result<Self> {
        let (tell, status) = watch::channel(LaneStatus {
            relieved: 0,
            has_thread: true,
            has_ended: false,
        });
        let state = Arc::new(LaneState::new(settings.line));
        let waiters = Waiters::default();
        let supervisor = Supervisor {
            store: store.clone(),
            settings: settings.clone(),
            state: Arc::clone(&state),
            waiters: waiters.clone(),
            status: tell,
            threads: Arc::new(()),
        };
        let heartbeat = supervisor.start(ids, 0)?;
        // A patient program waits as long as the database takes.
        if let Some(longest) = store.longest_answer() {
            std::thread::Builder::new()
                .name("lane-watch".into())
                .spawn(move || supervisor.watch(heartbeat, longest))?;
        }
        Ok(Self {
            pulse: Arc::new(Pulse::start(store.clone())?),
            left: AbandonedQuestions::default(),
            turns: Arc::new(Semaphore::new(store::READERS.into())),
            store,
            settings,
            waiters,
            state,
            status,
        })
    }

    /// The latest recording time that this process knows of.
    pub(crate) fn recorded(&self) -> &LatestRecordTime {
        &self.state.recorded
    }

    /// Sends a command and waits for its commit.
    ///
    /// # Errors
    /// [`LaneError`] says whether to try again.
    pub async fn submit<C: Command>(&self, request: Request<C>) -> Result<Outcome<C>, LaneError> {
        self.submit_within(request, MAX_ANSWER_TIME).await
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
        let before = *self.status.borrow();
        if !before.has_thread || self.pulse.is_silent() {
            return Err(LaneError::Unavailable);
        }
        let (waiter, mut answer) = oneshot::channel();
        match self
            .state
            .lines
            .join(Box::new(QueuedRequest::new(request, waiter)))
        {
            Ok(()) => {}
            Err(LineError::Full) => {
                metrics::counter!("florin_lane_refused_total").increment(1);
                return Err(LaneError::Overloaded);
            }
            Err(LineError::Closed) => return Err(LaneError::Unavailable),
        }
        let doubt = match self.store.longest_answer() {
            Some(_) => DOUBT.min(patience),
            None => patience,
        };
        if let Ok(answered) = tokio::time::timeout(doubt, &mut answer).await {
            return answered.unwrap_or(Err(LaneError::Unavailable));
        }
        self.pulse.doubt();
        // If the database falls silent, the commit may still go through. A retry finds it by its key.
        let mut status = self.status.clone();
        tokio::select! {
            answered = &mut answer => answered.unwrap_or(Err(LaneError::Unavailable)),
            () = self.pulse.silence() => Err(LaneError::Unavailable),
            _relieved_or_gone = status.wait_for(|now| now.relieved != before.relieved) => {
                Err(LaneError::Unavailable)
            }
            () = tokio::time::sleep(patience.saturating_sub(doubt)) => Err(LaneError::Unavailable),
        }
    }

    /// Checks that commits go through. If nothing was committed lately, the lane tries a commit, for at most
    /// `patience`.
    pub(crate) async fn can_write(&self, patience: Duration) -> Result<(), Trouble> {
        if self.state.is_writing() {
            return Ok(());
        }
        if !self.status.borrow().has_thread {
            return Err(self.state.trouble().unwrap_or(Trouble::Silent));
        }
        let (ask, answer) = oneshot::channel();
        if !self.state.lines.ask(ask) {
            return self.state.trouble().map_or(Ok(()), Err);
        }
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(self.state.trouble().unwrap_or(Trouble::Silent)),
        }
    }

    /// The clock of the lane.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// Takes no more commands, finishes those in the queue, and ends the thread. Returns whether the thread has
    /// ended. It does not wait for a silent database.
    pub async fn shut_down(&self) -> bool {
        let mut status = self.status.clone();
        let ending = async {
            self.state.lines.close();
            // If the sender is gone, the lane has ended too.
            let _ended = status.wait_for(|now| now.has_ended).await;
        };
        match self.store.longest_answer() {
            // A stuck thread is relieved within this time, and its successor has the remaining time.
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
