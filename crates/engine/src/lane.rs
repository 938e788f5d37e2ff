//! The lane: one thread, one connection, one batch after another.

mod books;
mod engine;
mod lines;
mod overlap;
mod pace;
mod quiet;
mod state;
mod watch;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crash_points::{Point, here};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Clock, Error, Ids, Store, TenantId};
use tokio::sync::mpsc;

use crate::book::{AfterCommit, MakeAgain};
use crate::job::Job;
use crate::memory::Memories;
use crate::repeated::RepeatedWarning;
use crate::shelf::Kind;
use crate::tenant::Tenant;
use crate::waiters::Waiters;
use books::{Books, by_tenant, is_mixed};
pub use engine::Engine;
use lines::{BatchBuilder, Limits};
use overlap::{DecidedBatch, SpareConnection, Writers, Writing};
use pace::Pace;
use quiet::Quiet;
use state::{Heartbeat, LaneState};

/// Greatest number of runs of one tenant's batch, if other processes always commit first.
const RUNS: u32 = 10;
/// Greatest number of runs of a batch of many tenants. After that each tenant's commands run by themselves.
const MIXED_RUNS: u32 = 3;
/// Number of batches that lock from the start after another process was quicker.
const CAUTIOUS_BATCHES: u32 = 64;
/// Greatest weight at which a batch is closed.
const MAX_WEIGHT: usize = 1_000;
/// Least number of commands in a batch for which the next one is gathered.
const MANY_COMMANDS: usize = 16;
/// Greatest time after a commit within which the next batch is gathered.
const SOON: Duration = Duration::from_millis(2);
/// Time for which everything is refused at once after a failed connection, before the next try.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// The settings of the lane.
#[derive(Clone)]
pub struct Settings {
    /// The kinds of shelves, in the order in which they are loaded.
    pub shelves: Arc<[Kind]>,
    /// Makes the replies again that were stored by reference.
    pub make_again: MakeAgain,
    /// Gets the messages that commands send after their commit.
    pub after_commit: Option<mpsc::UnboundedSender<(Tenant, Box<dyn Any + Send>)>>,
    /// Greatest number of commands in a commit.
    pub max_batch: usize,
    /// Greatest number of commands in one tenant's line. One more is refused at once.
    pub line: usize,
    /// True if a commit may carry the commands of many tenants.
    pub mixes_tenants: bool,
    /// The source of time.
    pub clock: Clock,
    /// Time for which an answered idempotency key counts, in seconds.
    pub key_life_seconds: i64,
}

/// Why a command got no answer. Nothing is known to be committed; the same command may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LaneError {
    /// The tenant's own line is full.
    #[error("too many commands of this tenant are waiting")]
    Overloaded,
    /// The database does not answer, or not in time.
    #[error("the database is unavailable")]
    Unavailable,
    /// The command cannot be carried out, and the log says why.
    #[error("the command failed")]
    Failed,
}

type Batch = Vec<Box<dyn Job>>;

struct Worker {
    store: Store,
    settings: Settings,
    ids: Ids,
    state: Arc<LaneState>,
    heartbeat: Arc<Heartbeat>,
    /// The write-ahead log beside the database's file, if there is one.
    log: store::Log,
    connection: Option<AnyConnection>,
    /// Version of the database's content as this connection last saw it, if the database has only one writer.
    seen_version: Option<i64>,
    /// A connection for a batch that is written while another is.
    spare: SpareConnection,
    quiet: Quiet,
    /// The rows that are remembered of each tenant.
    memories: Memories,
    /// Number of batches that still lock from the start, because another process was quicker.
    cautious: u32,
    pace: Pace,
    /// Number of commands in the last batch, and the time at which they were answered.
    last: Option<(usize, Instant)>,
    /// Threads that write large batches while the next is decided.
    writers: Writers,
    waiters: Waiters,
}

/// The outcome of a run of a batch.
enum Run {
    Committed(AfterCommit),
    /// The batch is decided, and another thread is to write it over this connection.
    Decided(AnyConnection, Writing, AfterCommit),
}

/// How one run of a batch reads.
#[derive(Clone, Copy)]
struct Reading {
    lock: Lock,
    /// True if rows that are remembered need not be read.
    trusts_memory: bool,
}

impl Worker {
    fn run(mut self) {
        while self.heartbeat.rests() && self.state.lines.wait() {
            self.gather();
            self.pace.begin();
            let batch = self.take();
            if !batch.is_empty() {
                let may_overlap = overlap::weight(&batch) >= self.worth_handing_over();
                self.commit(batch, may_overlap);
                self.memories.make_room();
            }
            self.try_writing();
        }
    }

    /// Waits a moment for more commands if a batch of many was answered just now. Their clients send the next ones,
    /// and the first of these would be a batch of its own, which costs nearly as much time as a batch of many.
    fn gather(&mut self) {
        if let Some((commands, at)) = self.last.take()
            && commands >= MANY_COMMANDS
            && at.elapsed() < SOON
        {
            self.state.lines.gather(commands / 4);
        }
    }

    /// Takes the next batch: as many of the waiting commands as fit. After a large batch, commands of quiet tenants
    /// are a batch of their own.
    fn take(&mut self) -> Batch {
        let mut batch = self.take_quiet();
        if !batch.is_empty() {
            return batch;
        }
        let mut filling = BatchBuilder::new(self.limits());
        while let Some(job) = self.state.lines.next(&mut filling, None) {
            batch.push(job);
        }
        batch
    }

    fn limits(&self) -> Limits {
        Limits {
            commands: self.settings.max_batch,
            weight: match self.state.lines.are_many() {
                true => MAX_WEIGHT,
                false => self.pace.undivided(self.store.has_one_writer()),
            },
            share: self.pace.share(),
            is_mixed: self.settings.mixes_tenants,
        }
    }

    /// Answers those who ask whether writes go through. If nothing was written a moment ago, a housekeeping row
    /// is written now.
    fn try_writing(&mut self) {
        let tries = self.state.lines.tries();
        if tries.is_empty() {
            return;
        }
        let outcome = match self.state.is_writing() {
            true => Ok(()),
            // The kept connection may be broken: the database may have been away meanwhile.
            false => match self.leave_trace() {
                Err(Error::Unavailable(_)) => self.leave_trace(),
                outcome => outcome,
            },
        };
        let outcome = outcome.map_err(|error| error.trouble());
        if !self.heartbeat.is_relieved() {
            self.state.wrote(outcome);
        }
        for asked in tries {
            let _gone = asked.send(outcome);
        }
    }

    fn leave_trace(&mut self) -> Result<(), Error> {
        if !self.heartbeat.works() {
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

    /// Commits a batch and answers all of its requests. If batches may overlap, also commits what can be
    /// decided while this one is written.
    fn commit(&mut self, mut batch: Batch, may_overlap: bool) {
        match self.run_batch(&mut batch, may_overlap) {
            Ok(Run::Committed(after)) => self.answer(batch, after),
            Ok(Run::Decided(connection, writing, after)) => {
                let decided = DecidedBatch {
                    batch,
                    writing,
                    after,
                };
                self.overlap(connection, decided);
            }
            // The commands of each tenant run by themselves, so that no tenant suffers from another one.
            Err(Error::Refused(_) | Error::Busy(_) | Error::Conflict(_)) if is_mixed(&batch) => {
                for own in by_tenant(batch) {
                    self.commit(own, false);
                }
            }
            Err(error @ (Error::Unavailable(_) | Error::Busy(_) | Error::Conflict(_))) => {
                static GIVEN_UP: RepeatedWarning = RepeatedWarning::new();
                metrics::counter!("florin_lane_given_up_total").increment(1);
                // The trouble of a relieved thread says nothing about the lane.
                if matches!(error, Error::Unavailable(_)) && !self.heartbeat.is_relieved() {
                    self.state.wrote(Err(error.trouble()));
                }
                if let Some(times) = GIVEN_UP.due() {
                    tracing::warn!(cause = %error, commands = batch.len(), times, "a batch was given up");
                }
                end(batch, LaneError::Unavailable);
            }
            Err(Error::Refused(cause)) if batch.len() == 1 => {
                tracing::error!(%cause, "a command was refused by the database");
                end(batch, LaneError::Failed);
            }
            // Each command runs by itself, so that a command that breaks its batch fails alone.
            Err(Error::Refused(_)) => {
                for job in batch {
                    self.commit(vec![job], false);
                }
            }
        }
    }

    /// Answers all requests of a committed batch.
    fn answer(&mut self, batch: Batch, after: AfterCommit) {
        self.state.wrote(Ok(()));
        self.pace.committed(overlap::weight(&batch));
        self.quiet.committed(&batch);
        let commands = batch.len();
        metrics::histogram!("florin_lane_batch_commands")
            .record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        here(Point::LaneCommitted);
        for job in batch {
            job.end(Ok(()));
            here(Point::LaneAnswered);
        }
        for (tenant, key, reply) in after.answered {
            self.waiters.tell(tenant.id, &key, &reply);
        }
        here(Point::LaneSilent);
        if let Some(sender) = &self.settings.after_commit {
            for what in after.messages {
                let _stopping = sender.send(what);
            }
        }
        self.last = Some((commands, Instant::now()));
    }

    /// Runs a batch, and runs it again, decided afresh, as long as another process was quicker. The first run
    /// takes no locks if the batch needs none, unless another process was quicker lately.
    fn run_batch(&mut self, batch: &mut Batch, may_overlap: bool) -> Result<Run, Error> {
        let most = if is_mixed(batch) { MIXED_RUNS } else { RUNS };
        let mut runs = 0_u32;
        let mut reconnected = false;
        loop {
            if !self.heartbeat.works() {
                return Err(relieved());
            }
            let is_cautious = runs > 0 || self.cautious > 0;
            runs = runs.saturating_add(1);
            let was_connected = self.connection.is_some();
            match self.attempt(batch, is_cautious, may_overlap) {
                // The connection broke during the batch. If the batch was committed nevertheless, the next run
                // finds it by its keys.
                Err(Error::Unavailable(cause)) if was_connected && !reconnected => {
                    reconnected = true;
                    static LOST: RepeatedWarning = RepeatedWarning::new();
                    metrics::counter!("florin_lane_reconnects_total").increment(1);
                    if let Some(times) = LOST.due() {
                        tracing::warn!(%cause, times, "the database connection was lost: once more");
                    }
                }
                Err(Error::Conflict(cause)) if runs < most => {
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

    /// One run: begin, load, decide, flush, commit.
    fn attempt(
        &mut self,
        batch: &mut Batch,
        is_cautious: bool,
        may_overlap: bool,
    ) -> Result<Run, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        here(Point::LaneTaken);
        let books = Books::open(batch, &self.settings, &mut self.memories);
        // If the database has only one writer, a lock costs nothing.
        let has_one_writer = connection.has_one_writer();
        let reading = Reading {
            lock: if is_cautious || has_one_writer || books.must_lock() {
                Lock::Rows
            } else {
                Lock::Nothing
            },
            trusts_memory: !is_cautious && (has_one_writer || !books.must_lock()),
        };
        let tenants: Vec<TenantId> = books.of.keys().copied().collect();
        let hand_over = may_overlap && reading.lock == Lock::Nothing;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.work(&mut connection, batch, books, reading, hand_over)
        }));
        let outcome = outcome.unwrap_or_else(|panic| Err(Error::Refused(said(panic.as_ref()))));
        if outcome.is_err() {
            for tenant in tenants {
                self.memories.forget(tenant);
            }
        }
        match outcome {
            Ok((Some(writing), after)) => Ok(Run::Decided(connection, writing, after)),
            Ok((None, after)) => {
                self.log.committed(&mut connection, overlap::weight(batch));
                self.connection = Some(connection);
                Ok(Run::Committed(after))
            }
            // The connection may be gone: the next batch makes a new one.
            Err(error @ Error::Unavailable(_)) => Err(error),
            Err(error @ (Error::Conflict(_) | Error::Busy(_) | Error::Refused(_))) => {
                if reading.lock == Lock::Nothing || store::rollback(&mut connection).is_ok() {
                    self.connection = Some(connection);
                }
                Err(error)
            }
        }
    }

    /// Decides a batch and commits it. If another thread is to write it, returns its writes instead.
    fn work(
        &mut self,
        connection: &mut AnyConnection,
        batch: &mut Batch,
        mut books: Books,
        reading: Reading,
        hand_over: bool,
    ) -> Result<(Option<Writing>, AfterCommit), Error> {
        // Without locks the one statement of the flush is a transaction of its own.
        if reading.lock == Lock::Rows {
            store::begin_write(connection)?;
            self.forget_if_others_wrote(connection)?;
        }
        let trusts = reading.trusts_memory;
        for (tenant, book) in &mut books.of {
            let memory = self.memories.of(*tenant);
            // The head is read before anything else, so that no row that is remembered from now on is older than
            // the head.
            if trusts
                && memory.head().is_none()
                && let Some(head) = audit_log::tables::head(connection, *tenant, reading.lock)?
            {
                memory.keep_head(head);
                book.now = memory.not_before(book.now);
            }
            let memory = trusts.then_some(&*memory);
            book.load(connection, reading.lock, memory, self.settings.make_again)?;
        }
        here(Point::LaneLoaded);
        let (clock, ids) = (&self.settings.clock, &mut self.ids);
        books.decide(batch, clock, ids);
        // Remembered rows may be stale, and a key that is not remembered may exist nevertheless.
        if trusts {
            for tenant in books.unproven() {
                let mut book = Books::open_one(batch, tenant, &self.settings, &mut self.memories);
                if let Some(book) = &mut book {
                    book.load(connection, reading.lock, None, self.settings.make_again)?;
                }
                books.decide_again(batch, tenant, book, clock, ids);
            }
        }
        let (mut writes, mut after) = (Writes::default(), AfterCommit::default());
        for (tenant, book) in books.of {
            let memory = self.memories.of(tenant);
            book.close(memory, trusts, &mut writes, &mut after, || {
                audit_log::tables::head(connection, tenant, reading.lock)
            })?;
            self.state.recorded.learn(memory.latest());
        }
        here(Point::LaneDecided);
        if hand_over {
            let writing = Writing::of(&writes, overlap::weight(batch));
            return Ok((Some(writing), after));
        }
        writes.run(connection)?;
        if reading.lock == Lock::Rows {
            store::commit(connection)?;
        }
        Ok((None, after))
    }

    /// Forgets everything if another connection has written since this one last looked. Only a database with
    /// one writer can say so.
    fn forget_if_others_wrote(&mut self, connection: &mut AnyConnection) -> Result<(), Error> {
        let version = store::content_version(connection)?;
        if version.is_some() && version != self.seen_version {
            self.memories.forget_all();
        }
        self.seen_version = version;
        Ok(())
    }

    /// Connects. While that fails, refuses every command that waits, so that nobody waits for a database that
    /// is away.
    fn connect(&mut self) -> Result<AnyConnection, Error> {
        self.seen_version = None;
        let connected = self.store.writer();
        if let Err(error) = &connected {
            let trouble = error.trouble();
            if !self.heartbeat.is_relieved() {
                self.state.wrote(Err(trouble));
            }
            let until = Instant::now() + RECONNECT_PAUSE;
            loop {
                end(self.state.lines.drain(), LaneError::Unavailable);
                for asked in self.state.lines.tries() {
                    let _gone = asked.send(Err(trouble));
                }
                if Instant::now() >= until || !self.heartbeat.works() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        connected
    }
}

/// Answers all requests of a batch with an error.
fn end(batch: Batch, error: LaneError) {
    for job in batch {
        job.end(Err(error));
    }
}

/// The message of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "a command panicked".to_owned())
}

/// The error of a thread that was relieved: it begins nothing more.
fn relieved() -> Error {
    Error::Unavailable("the database does not answer, and another thread is the lane".to_owned())
}
