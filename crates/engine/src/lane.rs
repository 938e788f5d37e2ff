//! The lane: one thread, one connection, one batch after another.

mod engine;
mod overlap;
mod post;
mod watch;

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use idempotency::Key;
use store::find::Lock;
use store::{AnyConnection, Clock, Error, Ids, Store, TenantId, Trouble};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::book::{AfterCommit, Book, Round, must_lock};
use crate::command::{Answer, Envelope, Render};
use crate::execute::{Rules, execute};
use crate::memory::Memory;
use crate::repeated::Repeated;
pub use engine::Engine;
use overlap::{Decided, Spare, Writers, Writing};
use post::{Beat, Post};

/// How often a batch is decided again because another process committed first.
const RERUNS: u32 = 10;
/// After another process was quicker, how many batches lock from the start.
const CAUTIOUS_BATCHES: u32 = 64;
/// A batch that weighs so much takes no further command.
const HEAVIEST: usize = 1_000;
/// After a failed connection, how long everything is refused at once before the next try.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How the lane works.
#[derive(Clone)]
pub struct Settings {
    /// Makes replies.
    pub render: Render,
    /// The provider's name, and how long a worker may take before another takes over.
    pub provider: payments::Provider,
    /// At most so many commands a commit.
    pub max_batch: usize,
    /// At most so many commands in the queue: one more is refused at once.
    pub queue: usize,
    /// Where the time comes from.
    pub clock: Clock,
}

/// Why a command got no answer. Nothing is known to be committed; the same command may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LaneError {
    /// The queue is full.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The database does not answer, or not in time.
    #[error("the database is unavailable")]
    Unavailable,
    /// The command cannot be carried out, and the log says why.
    #[error("the command failed")]
    Failed,
}

enum Message {
    Command(Box<Queued>),
    /// Asks whether anything can be written.
    Try(oneshot::Sender<Result<(), Trouble>>),
    Stop,
}

struct Queued {
    envelope: Envelope,
    reply: oneshot::Sender<Result<Answer, LaneError>>,
}

/// An operation that was just submitted, for the worker.
pub(crate) type Submitted = mpsc::UnboundedSender<(crate::access::Tenant, payments::Operation)>;

struct Worker {
    store: Store,
    settings: Settings,
    rules: Rules,
    ids: Ids,
    post: Arc<Post>,
    beat: Arc<Beat>,
    /// The log beside the database's file, where there is one.
    log: store::Log,
    /// Taken from the queue and not yet part of a batch, because a batch is one tenant's.
    waiting: VecDeque<Box<Queued>>,
    /// Those who ask whether anything can be written.
    tries: Vec<oneshot::Sender<Result<(), Trouble>>>,
    connection: Option<AnyConnection>,
    /// For a batch that is written while another is.
    spare: Spare,
    /// What is remembered of each tenant.
    memories: HashMap<TenantId, Memory>,
    /// So many batches more are locked from the start, because another process was quicker.
    cautious: u32,
    /// Write large batches while the next is decided.
    writers: Writers,
    settled: broadcast::Sender<(TenantId, Key)>,
    submitted: Submitted,
}

/// What a run of a batch has come to.
enum Run {
    Committed(Vec<Answer>, AfterCommit),
    /// To be written by somebody else, on this connection.
    Decided(AnyConnection, Vec<Answer>, Writing, AfterCommit),
}

impl Worker {
    fn run(mut self) {
        while let Some(batch) = self.take() {
            if !batch.is_empty() {
                let may_overlap = overlap::is_worth_it(&batch);
                self.settle(batch, may_overlap);
            }
            self.try_writing();
        }
    }

    /// The next batch: one tenant's commands, in order, as many as are queued. `None` at the end, or if
    /// another thread is the lane by now.
    fn take(&mut self) -> Option<Vec<Queued>> {
        if !self.beat.rests() {
            return None;
        }
        {
            let mut commands = self.post.commands();
            // Nobody takes from the queue but the thread that is the lane, and none but it is relieved.
            if self.waiting.is_empty() {
                match commands.blocking_recv()? {
                    Message::Command(queued) => self.waiting.push_back(queued),
                    Message::Try(asked) => self.tries.push(asked),
                    Message::Stop => commands.close(),
                }
            }
            while self.waiting.len() < self.settings.max_batch {
                match commands.try_recv() {
                    Ok(Message::Command(queued)) => self.waiting.push_back(queued),
                    Ok(Message::Try(asked)) => self.tries.push(asked),
                    Ok(Message::Stop) => commands.close(),
                    Err(_empty_or_closed) => break,
                }
            }
        }
        let Some(first) = self.waiting.front() else {
            // Only asked whether it can write, or stopped and about to find out that nothing is left.
            return Some(Vec::new());
        };
        let tenant = first.envelope.tenant.id;
        let mut weight = 0_usize;
        let (batch, others): (VecDeque<_>, VecDeque<_>) =
            self.waiting.drain(..).partition(|queued| {
                let taken = queued.envelope.tenant.id == tenant && weight < HEAVIEST;
                if taken {
                    weight = weight.saturating_add(queued.envelope.command.weight());
                }
                taken
            });
        self.waiting = others;
        Some(batch.into_iter().map(|queued| *queued).collect())
    }

    /// Tells whoever asked whether anything can be written. If nothing was just now, something is.
    fn try_writing(&mut self) {
        if self.tries.is_empty() {
            return;
        }
        let outcome = match self.post.is_writing() {
            true => Ok(()),
            // What is kept may be the connection to a database that was gone meanwhile.
            false => match self.leave_trace() {
                Err(Error::Unavailable(_)) => self.leave_trace(),
                outcome => outcome,
            },
        };
        let outcome = outcome.map_err(|error| error.trouble());
        if !self.beat.is_relieved() {
            self.post.wrote(outcome);
        }
        for asked in self.tries.drain(..) {
            let _gone = asked.send(outcome);
        }
    }

    fn leave_trace(&mut self) -> Result<(), Error> {
        if !self.beat.works() {
            return Err(relieved());
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let outcome = store::leave_trace(&mut connection, self.settings.clock.now());
        if !matches!(outcome, Err(Error::Unavailable(_))) {
            self.connection = Some(connection);
        }
        outcome
    }

    /// Commits a batch and answers everybody in it. If it may overlap, also what can be decided while it
    /// is written.
    fn settle(&mut self, batch: Vec<Queued>, may_overlap: bool) {
        match self.run_batch(&batch, may_overlap) {
            Ok(Run::Committed(answers, after)) => self.answer(batch, answers, after),
            Ok(Run::Decided(connection, answers, writing, after)) => {
                let decided = Decided {
                    batch,
                    answers,
                    writing,
                    after,
                };
                self.overlap(connection, decided);
            }
            Err(error @ (Error::Unavailable(_) | Error::Busy(_) | Error::Conflict(_))) => {
                static GIVEN_UP: Repeated = Repeated::new();
                metrics::counter!("florin_lane_given_up_total").increment(1);
                // Of a thread that is the lane no more, the trouble says nothing of the lane.
                if matches!(error, Error::Unavailable(_)) && !self.beat.is_relieved() {
                    self.post.wrote(Err(error.trouble()));
                }
                if let Some(times) = GIVEN_UP.due() {
                    tracing::warn!(cause = %error, commands = batch.len(), times, "a batch was given up");
                }
                for queued in batch {
                    let _gone = queued.reply.send(Err(LaneError::Unavailable));
                }
            }
            Err(Error::Refused(cause)) if batch.len() == 1 => {
                tracing::error!(%cause, "a command was refused by the database");
                for queued in batch {
                    let _gone = queued.reply.send(Err(LaneError::Failed));
                }
            }
            // A poisonous command fails alone.
            Err(Error::Refused(_)) => {
                for queued in batch {
                    self.settle(vec![queued], false);
                }
            }
        }
    }

    /// Tells everybody what was committed.
    fn answer(&self, batch: Vec<Queued>, answers: Vec<Answer>, after: AfterCommit) {
        let Some(first) = batch.first() else { return };
        self.post.wrote(Ok(()));
        let tenant = first.envelope.tenant.clone();
        metrics::histogram!("florin_lane_batch_commands")
            .record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        for (queued, answer) in batch.into_iter().zip(answers) {
            // Whoever asked may be gone; the commit stands.
            let _gone = queued.reply.send(Ok(answer));
        }
        for key in after.settled {
            let _nobody_waits = self.settled.send((tenant.id, key));
        }
        for operation in after.submitted {
            let _stopping = self.submitted.send((tenant.clone(), operation));
        }
    }

    /// Runs a batch, and again with fresh decisions while other processes are quicker. The first
    /// run of a batch that need not lock does not, unless others have been quicker lately.
    fn run_batch(&mut self, batch: &[Queued], may_overlap: bool) -> Result<Run, Error> {
        let must_lock = must_lock(batch.iter().map(|queued| &queued.envelope));
        let mut runs = 0_u32;
        let mut reconnected = false;
        loop {
            if !self.beat.works() {
                return Err(relieved());
            }
            let lock = if must_lock || runs > 0 || self.cautious > 0 {
                Lock::Rows
            } else {
                Lock::Nothing
            };
            runs = runs.saturating_add(1);
            let was_connected = self.connection.is_some();
            match self.attempt(batch, lock, may_overlap) {
                // The connection died amid the batch. What it may have committed all the same is
                // found by its keys in the run that follows.
                Err(Error::Unavailable(cause)) if was_connected && !reconnected => {
                    reconnected = true;
                    static LOST: Repeated = Repeated::new();
                    metrics::counter!("florin_lane_reconnects_total").increment(1);
                    if let Some(times) = LOST.due() {
                        tracing::warn!(%cause, times, "the database connection was lost: once more");
                    }
                }
                Err(Error::Conflict(cause)) if runs < RERUNS => {
                    self.cautious = CAUTIOUS_BATCHES;
                    metrics::counter!("florin_lane_reruns_total").increment(1);
                    tracing::debug!(%cause, runs, "a batch is decided again");
                }
                outcome => {
                    self.cautious = self.cautious.saturating_sub(1);
                    return outcome;
                }
            }
        }
    }

    /// One begin, prefetch, execute, flush, commit.
    fn attempt(&mut self, batch: &[Queued], lock: Lock, may_overlap: bool) -> Result<Run, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        // Where only one may write anyway, a lock costs nothing.
        let lock = if connection.has_one_writer() {
            Lock::Rows
        } else {
            lock
        };
        let hand_over = may_overlap && lock == Lock::Nothing;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.work(&mut connection, batch, lock, hand_over)
        }));
        let outcome = outcome.unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            Err(Error::Refused(
                said.unwrap_or_else(|| "a command panicked".to_owned()),
            ))
        });
        if outcome.is_err() {
            self.memories.values_mut().for_each(Memory::forget);
        }
        match outcome {
            Ok((answers, Some(writing), after)) => {
                Ok(Run::Decided(connection, answers, writing, after))
            }
            Ok((answers, None, after)) => {
                self.log.keep_short(&mut connection);
                self.connection = Some(connection);
                Ok(Run::Committed(answers, after))
            }
            // The connection may be gone: the next batch makes a new one.
            Err(error @ Error::Unavailable(_)) => Err(error),
            Err(error @ (Error::Conflict(_) | Error::Busy(_) | Error::Refused(_))) => {
                if lock == Lock::Nothing || store::rollback(&mut connection).is_ok() {
                    self.connection = Some(connection);
                }
                Err(error)
            }
        }
    }

    /// Decides a batch and commits it. If it shall be handed over, what it writes is returned instead.
    fn work(
        &mut self,
        connection: &mut AnyConnection,
        batch: &[Queued],
        lock: Lock,
        hand_over: bool,
    ) -> Result<(Vec<Answer>, Option<Writing>, AfterCommit), Error> {
        let Some(first) = batch.first() else {
            return Ok((Vec::new(), None, AfterCommit::default()));
        };
        let tenant = first.envelope.tenant.clone();
        // Without locks the one statement of the flush is a transaction of its own.
        if lock == Lock::Rows {
            store::begin_write(connection)?;
        }
        let memory = self.memories.entry(tenant.id).or_default();
        // Before anything else is read, so that nothing remembered is older than the head.
        if lock == Lock::Nothing
            && memory.head().is_none()
            && let Some(head) = audit_log::tables::head(connection, tenant.id, lock)?
        {
            memory.keep_head(head);
        }
        let clock = &self.settings.clock;
        let round = Round {
            lock,
            tenant: &tenant,
            now: memory.not_before(clock.now()),
            render: self.rules.render,
        };
        let (ids, rules) = (&mut self.ids, &self.rules);
        let remembered = (lock == Lock::Nothing).then_some(&*memory);
        let (book, answers) = match decide(connection, round, clock, remembered, ids, batch, rules)?
        {
            (book, _) if book.is_unproven() && remembered.is_some() => {
                drop(book);
                decide(connection, round, clock, None, ids, batch, rules)?
            }
            decided => decided,
        };
        let read_head = || audit_log::tables::head(connection, tenant.id, lock);
        let (writes, after) = book.close(memory, lock, read_head)?;
        self.post.recorded.learn(memory.latest());
        if hand_over {
            let writing = Writing::of(&writes, overlap::weight(batch));
            return Ok((answers, Some(writing), after));
        }
        writes.run(connection)?;
        if lock == Lock::Rows {
            store::commit(connection)?;
        }
        Ok((answers, None, after))
    }

    /// Connects, or refuses everything that is queued meanwhile, so that nobody waits for a database
    /// that is away.
    fn connect(&mut self) -> Result<AnyConnection, Error> {
        let connected = self.store.writer();
        if let Err(error) = &connected {
            let trouble = error.trouble();
            if !self.beat.is_relieved() {
                self.post.wrote(Err(trouble));
            }
            for queued in self.waiting.drain(..) {
                let _gone = queued.reply.send(Err(LaneError::Unavailable));
            }
            let until = std::time::Instant::now() + RECONNECT_PAUSE;
            while std::time::Instant::now() < until && self.beat.works() {
                let message = self.post.commands().try_recv();
                match message {
                    Ok(Message::Command(queued)) => {
                        let _gone = queued.reply.send(Err(LaneError::Unavailable));
                    }
                    Ok(Message::Try(asked)) => {
                        let _gone = asked.send(Err(trouble));
                    }
                    Ok(Message::Stop) => self.post.commands().close(),
                    Err(mpsc::error::TryRecvError::Disconnected) => break,
                    Err(mpsc::error::TryRecvError::Empty) => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
            }
        }
        connected
    }
}

/// Another thread is the lane by now: nothing more is begun.
fn relieved() -> Error {
    Error::Unavailable("the database does not answer, and another thread is the lane".to_owned())
}

/// Prefetches and executes: what these commands do, and what they are answered.
fn decide<'a>(
    connection: &mut AnyConnection,
    round: Round<'a>,
    clock: &Clock,
    memory: Option<&Memory>,
    ids: &'a mut Ids,
    batch: &[Queued],
    rules: &Rules,
) -> Result<(Book<'a>, Vec<Answer>), Error> {
    let envelopes = batch.iter().map(|queued| &queued.envelope);
    let mut book = Book::prefetch(connection, round, memory, ids, envelopes.clone())?;
    // Only now, so that whoever was waited for is seldom recorded later than this batch.
    book.advance(clock.now());
    let answers = envelopes
        .map(|envelope| execute(&mut book, envelope, rules))
        .collect();
    Ok((book, answers))
}
