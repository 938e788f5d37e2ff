//! While one batch is written, the next is decided; and if both are heavy, the next is written too, as far
//! as that needs nothing of the one before.
//!
//! The lane's thread hands a batch's statement to a second thread and goes on with what is queued
//! meanwhile, as long as that needs nothing of the database but what is remembered: the memory is
//! already as the batch under way will leave the books. A heavy batch is written in two parts by a third
//! thread, over a connection of its own: first what is new and collides with nothing, while its
//! predecessor is still being written; then, when that one is committed, what both of them change. Nothing
//! is committed or answered before its predecessor is committed, so the order of the commits is the order
//! of the decisions, and if the predecessor fails, what was decided after it is undone and decided again.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use store::bulk::{Statement, Writes};
use store::find::Lock;
use store::{AnyConnection, Error};

use super::{CAUTIOUS_BATCHES, HEAVIEST, Message, Queued, Worker};
use crate::book::{AfterCommit, Book, Round};
use crate::command::Answer;
use crate::execute::{Rules, execute};
use crate::memory::Memory;

/// A batch that weighs less is written by the lane's own thread: handing it over costs more than is won.
const WORTH_IT: usize = 64;
/// A batch that weighs so much is written in two parts: three round trips more cost less than is won.
const HEAVY: usize = 512;
/// How long the writers are waited for before the queue is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// About how many plain commands the batch weighs.
pub(super) fn weight(batch: &[Queued]) -> usize {
    let each = batch.iter().map(|queued| queued.envelope.command.weight());
    each.fold(0, usize::saturating_add)
}

/// Whether it is handed over.
pub(super) fn is_worth_it(batch: &[Queued]) -> bool {
    weight(batch) >= WORTH_IT
}

/// A batch that was decided and is not yet written.
pub(super) struct Decided {
    pub(super) batch: Vec<Queued>,
    pub(super) answers: Vec<Answer>,
    pub(super) writing: Writing,
    pub(super) after: AfterCommit,
}

/// How a batch is written.
pub(super) enum Writing {
    AtOnce(Statement),
    /// The first may go ahead of the predecessor's commit.
    InTwo(Statement, Statement),
}

impl Writing {
    /// What a batch that weighs so much writes.
    pub(super) fn of(writes: &Writes, weight: usize) -> Self {
        let in_two = (weight >= HEAVY).then(|| writes.in_two()).flatten();
        match in_two {
            Some((early, rest)) => Self::InTwo(early, rest),
            None => Self::AtOnce(writes.statement()),
        }
    }
}

/// A batch that is being written.
struct Launched {
    writer: usize,
    batch: Vec<Queued>,
    answers: Vec<Answer>,
    after: AfterCommit,
    /// Says that the predecessor is committed. Dropped: that it is not.
    turn: Option<mpsc::Sender<()>>,
    is_in_two: bool,
    /// Why it was undone before it was its turn.
    failed: Option<Error>,
}

/// What follows the batch that is being written.
enum Next {
    Nothing,
    /// It waits for its turn.
    Held(Decided),
    /// Its first part is being written.
    Launched(Launched),
}

/// The threads that write.
pub(super) struct Writers {
    tasks: [mpsc::Sender<Task>; 2],
    reports: mpsc::Receiver<Report>,
}

/// What one of them is asked to do.
struct Task {
    connection: AnyConnection,
    writing: Writing,
    turn: mpsc::Receiver<()>,
}

/// What it has done: which one, with its connection.
struct Report {
    writer: usize,
    connection: AnyConnection,
    outcome: Result<(), Error>,
}

impl Writers {
    /// Starts the threads. They end when this is dropped.
    pub(super) fn start() -> std::io::Result<Self> {
        let (report, reports) = mpsc::channel();
        let start = |writer: usize, name: &str| {
            let (tasks, asked) = mpsc::channel::<Task>();
            let report = report.clone();
            let work = move || {
                for mut task in asked {
                    let written = AssertUnwindSafe(|| task.write());
                    let outcome = catch_unwind(written).unwrap_or_else(|_panic| {
                        Err(Error::Unavailable("writing panicked".to_owned()))
                    });
                    let connection = task.connection;
                    let done = Report {
                        writer,
                        connection,
                        outcome,
                    };
                    if report.send(done).is_err() {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(work).map(|_detached| tasks)
        };
        let tasks = [start(0, "lane-writer")?, start(1, "lane-writer-2")?];
        Ok(Self { tasks, reports })
    }

    /// Hands a batch to the writer that `busy` is not, on a connection that nobody else uses. If its turn
    /// is now, it has no predecessor.
    fn launch(
        &self,
        busy: Option<usize>,
        connection: AnyConnection,
        decided: Decided,
        now: bool,
    ) -> Result<Launched, Decided> {
        let Decided {
            batch,
            answers,
            writing,
            after,
        } = decided;
        let is_in_two = matches!(writing, Writing::InTwo(..));
        let (turn, its_turn) = mpsc::channel();
        if now {
            // The other end is in hand: it cannot fail.
            let _sent = turn.send(());
        }
        let writer = usize::from(busy == Some(0));
        let task = Task {
            connection,
            writing,
            turn: its_turn,
        };
        let sent = match self.tasks.get(writer) {
            Some(tasks) => tasks
                .send(task)
                .map_err(|mpsc::SendError(task)| task.writing),
            None => Err(task.writing),
        };
        match sent {
            Ok(()) => Ok(Launched {
                writer,
                batch,
                answers,
                after,
                turn: Some(turn),
                is_in_two,
                failed: None,
            }),
            Err(writing) => Err(Decided {
                batch,
                answers,
                writing,
                after,
            }),
        }
    }
}

impl Task {
    fn write(&mut self) -> Result<(), Error> {
        let connection = &mut self.connection;
        let (early, rest) = match &self.writing {
            Writing::AtOnce(statement) => return statement.run(connection),
            Writing::InTwo(early, rest) => (early, rest),
        };
        store::begin_early(connection)?;
        let written = early.run(connection).and_then(|()| match self.turn.recv() {
            Ok(()) => rest.run(connection),
            Err(_predecessor_failed) => Err(predecessor_failed()),
        });
        match written {
            Ok(()) => store::commit(connection),
            // What cannot be rolled back is gone with its connection.
            Err(error) => match store::rollback(connection) {
                Ok(()) => Err(error),
                Err(gone) => Err(Error::Unavailable(format!("{error}; {gone}"))),
            },
        }
    }
}

impl Worker {
    /// Commits a batch, and all that can be decided meanwhile, and answers everybody.
    pub(super) fn overlap(&mut self, connection: AnyConnection, decided: Decided) {
        let mut front = match self.writers.launch(None, connection, decided, true) {
            Ok(launched) => launched,
            Err(decided) => return self.once_more(writer_gone(), decided.batch),
        };
        let mut next = Next::Nothing;
        let mut committed: Option<Launched> = None;
        loop {
            // The server works while those before are answered.
            if let Some(committed) = committed.take() {
                self.answer(committed.batch, committed.answers, committed.after);
            }
            let (outcome, follows, last) = self.decide_meanwhile(&front, next);
            let connection = match outcome {
                Ok(connection) => connection,
                Err(error) => {
                    last.into_iter().for_each(|last| self.put_back(last.batch));
                    self.undo(follows);
                    return self.once_more(error, front.batch);
                }
            };
            metrics::counter!("florin_lane_overlapped_batches_total")
                .increment(u64::from(!matches!(follows, Next::Nothing)));
            let launched = match follows {
                Next::Nothing => {
                    self.connection = Some(connection);
                    return self.answer(front.batch, front.answers, front.after);
                }
                Next::Held(held) => self.writers.launch(None, connection, held, true),
                Next::Launched(mut second) => match second.failed.take() {
                    Some(error) => {
                        self.connection = Some(connection);
                        self.answer(front.batch, front.answers, front.after);
                        last.into_iter().for_each(|last| self.put_back(last.batch));
                        return self.once_more(error, second.batch);
                    }
                    None => {
                        // If nobody hears it, there will be no report either, and that is noticed.
                        let _sent = second.turn.take().map(|turn| turn.send(()));
                        self.spare = Some(connection);
                        Ok(second)
                    }
                },
            };
            let done = match launched {
                Ok(launched) => std::mem::replace(&mut front, launched),
                Err(decided) => {
                    self.answer(front.batch, front.answers, front.after);
                    return self.once_more(writer_gone(), decided.batch);
                }
            };
            committed = Some(done);
            next = last.map_or(Next::Nothing, Next::Held);
        }
    }

    /// Decides what is queued until the first batch is done. Returns how it ended, what follows it, and
    /// what was decided after that; what was taken for a smaller one is back in the queue.
    fn decide_meanwhile(
        &mut self,
        front: &Launched,
        mut next: Next,
    ) -> (Result<AnyConnection, Error>, Next, Option<Decided>) {
        loop {
            next = match next {
                Next::Held(held) => self.launch_early(front, held),
                Next::Nothing | Next::Launched(_) => next,
            };
            let second = match &mut next {
                // What would be decided now is two batches away from being written.
                Next::Held(_) => return (self.wait_for(front, None), next, None),
                Next::Launched(second) => Some(second),
                Next::Nothing => None,
            };
            let (outcome, decided) = self.decide_one(front, second);
            match (outcome, decided, &mut next) {
                (Some(outcome), decided, Next::Nothing) => {
                    return (outcome, decided.map_or(Next::Nothing, Next::Held), None);
                }
                (Some(outcome), decided, Next::Held(_) | Next::Launched(_)) => {
                    return (outcome, next, decided);
                }
                (None, Some(decided), Next::Nothing) => next = Next::Held(decided),
                (None, decided, Next::Launched(second)) => {
                    return (self.wait_for(front, Some(second)), next, decided);
                }
                (None, decided, Next::Held(_)) => {
                    return (self.wait_for(front, None), next, decided);
                }
                (None, None, Next::Nothing) => return (self.wait_for(front, None), next, None),
            }
        }
    }

    /// Lets the next batch be written ahead of its turn, if both allow it.
    fn launch_early(&mut self, front: &Launched, held: Decided) -> Next {
        let both = front.is_in_two && matches!(held.writing, Writing::InTwo(..));
        if !both {
            return Next::Held(held);
        }
        let Some(spare) = self.spare.take().or_else(|| self.store.writer().ok()) else {
            return Next::Held(held);
        };
        match self.writers.launch(Some(front.writer), spare, held, false) {
            Ok(launched) => {
                metrics::counter!("florin_lane_early_batches_total").increment(1);
                Next::Launched(launched)
            }
            Err(held) => Next::Held(held),
        }
    }

    /// Decides one batch. It ends when that is full (which is then returned), or when the first one is
    /// done (with what was decided until then, if that is worth handing over).
    fn decide_one(
        &mut self,
        front: &Launched,
        mut second: Option<&mut Launched>,
    ) -> (Option<Result<AnyConnection, Error>>, Option<Decided>) {
        let Some(tenant) = front.batch.first().map(|queued| &queued.envelope.tenant) else {
            return (Some(Err(writer_gone())), None);
        };
        let memory = self.memories.entry(tenant.id).or_default();
        let round = Round {
            lock: Lock::Nothing,
            tenant,
            now: memory.not_before(self.settings.clock.now()),
            render: self.rules.render,
        };
        let mut ahead = Ahead::of(Book::empty(round, &mut self.ids));
        let outcome = loop {
            while ahead.goes_on && !ahead.is_full(self.settings.max_batch) {
                let Some(queued) = next_of(&mut self.waiting, &mut self.commands) else {
                    break;
                };
                if let Err(not_yet) = ahead.decide(queued, memory, &self.rules) {
                    self.waiting.push_front(not_yet);
                }
            }
            if ahead.is_full(self.settings.max_batch) {
                ahead.close(memory);
                break None;
            }
            match self.writers.reports.recv_timeout(LOOK_AGAIN) {
                Ok(report) if report.writer == front.writer => {
                    break Some(arrived(report, &mut self.connection));
                }
                Ok(report) => undone(report, second.as_deref_mut(), &mut self.spare),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break Some(Err(writer_gone())),
            }
        };
        if matches!(outcome, Some(Ok(_))) && ahead.weight >= WORTH_IT {
            ahead.close(memory);
        }
        let Ahead {
            batch,
            answers,
            closed,
            ..
        } = ahead;
        let decided = match closed {
            Some((writing, after)) => Some(Decided {
                batch,
                answers,
                writing,
                after,
            }),
            None => {
                self.put_back(batch);
                None
            }
        };
        (outcome, decided)
    }

    /// Waits until the first batch is done.
    fn wait_for(
        &mut self,
        front: &Launched,
        mut second: Option<&mut Launched>,
    ) -> Result<AnyConnection, Error> {
        loop {
            match self.writers.reports.recv() {
                Ok(report) if report.writer == front.writer => {
                    return arrived(report, &mut self.connection);
                }
                Ok(report) => undone(report, second.as_deref_mut(), &mut self.spare),
                Err(_gone) => return Err(writer_gone()),
            }
        }
    }

    /// Takes back what was decided after a batch that failed.
    fn undo(&mut self, follows: Next) {
        match follows {
            Next::Nothing => {}
            Next::Held(held) => self.put_back(held.batch),
            Next::Launched(mut second) => {
                drop(second.turn.take());
                while second.failed.is_none() {
                    match self.writers.reports.recv() {
                        Ok(report) => undone(report, Some(&mut second), &mut self.spare),
                        Err(_gone) => second.failed = Some(writer_gone()),
                    }
                }
                self.put_back(second.batch);
            }
        }
    }

    /// The batch failed: it is decided again on its own, and whatever was decided after it too.
    fn once_more(&mut self, error: Error, failed: Vec<Queued>) {
        tracing::debug!(%error, "a batch that was handed over is decided again");
        self.memories.values_mut().for_each(Memory::forget);
        match error {
            Error::Conflict(_) | Error::Busy(_) => {
                self.cautious = CAUTIOUS_BATCHES;
                metrics::counter!("florin_lane_reruns_total").increment(1);
            }
            Error::Unavailable(_) => {
                metrics::counter!("florin_lane_reconnects_total").increment(1);
            }
            Error::Refused(_) => {}
        }
        self.settle(failed, false);
    }

    fn put_back(&mut self, batch: Vec<Queued>) {
        for queued in batch.into_iter().rev() {
            self.waiting.push_front(Box::new(queued));
        }
    }
}

/// The first batch is done. If it failed, its connection is kept for the next try, unless it is gone.
fn arrived(report: Report, kept: &mut Option<AnyConnection>) -> Result<AnyConnection, Error> {
    match report.outcome {
        Ok(()) => Ok(report.connection),
        Err(error) => {
            *kept = (!matches!(error, Error::Unavailable(_))).then_some(report.connection);
            Err(error)
        }
    }
}

/// The second batch has failed before it was its turn, or has been undone.
fn undone(report: Report, second: Option<&mut Launched>, spare: &mut Option<AnyConnection>) {
    let error = report.outcome.err().unwrap_or_else(writer_gone);
    *spare = (!matches!(error, Error::Unavailable(_))).then_some(report.connection);
    if let Some(second) = second {
        second.failed = Some(error);
    }
}

/// The batch that is decided while another is written.
struct Ahead<'a> {
    /// Until it is closed, or given up.
    book: Option<Book<'a>>,
    batch: Vec<Queued>,
    answers: Vec<Answer>,
    /// About how many plain commands it weighs.
    weight: usize,
    goes_on: bool,
    closed: Option<(Writing, AfterCommit)>,
}

impl<'a> Ahead<'a> {
    fn of(book: Book<'a>) -> Self {
        Self {
            book: Some(book),
            batch: Vec::new(),
            answers: Vec::new(),
            weight: 0,
            goes_on: true,
            closed: None,
        }
    }

    /// Decides one more command, or gives it back if it must wait for the writer.
    fn decide(
        &mut self,
        queued: Box<Queued>,
        memory: &Memory,
        rules: &Rules,
    ) -> Result<(), Box<Queued>> {
        let Some(book) = self
            .book
            .as_mut()
            .filter(|book| queued.envelope.tenant.id == book.tenant.id)
        else {
            self.goes_on = false;
            return Err(queued);
        };
        if !book.remember(memory, &queued.envelope) {
            self.goes_on = false;
            return Err(queued);
        }
        let answer = catch_unwind(AssertUnwindSafe(|| execute(book, &queued.envelope, rules)));
        self.weight = self.weight.saturating_add(queued.envelope.command.weight());
        self.batch.push(*queued);
        match answer {
            Ok(answer) => self.answers.push(answer),
            // It will panic again, alone.
            Err(_panic) => {
                self.goes_on = false;
                self.book = None;
            }
        }
        Ok(())
    }

    /// Whether it takes no further command.
    fn is_full(&self, max_batch: usize) -> bool {
        self.batch.len() >= max_batch || self.weight >= HEAVIEST
    }

    /// Makes the batch ready to be written, unless it was given up.
    fn close(&mut self, memory: &mut Memory) {
        if let Some(book) = self.book.take().filter(|book| !book.is_unproven()) {
            self.goes_on = false;
            // The predecessor has left the log's head in memory. Were it not so, the batch would be
            // decided again by itself.
            let closed = book.close(memory, Lock::Nothing, || Ok(None)).ok();
            let weight = self.weight;
            self.closed = closed.map(|(writes, after)| (Writing::of(&writes, weight), after));
        }
    }
}

/// The next command, if there is one already.
fn next_of(
    waiting: &mut VecDeque<Box<Queued>>,
    commands: &mut tokio::sync::mpsc::Receiver<Message>,
) -> Option<Box<Queued>> {
    if let Some(queued) = waiting.pop_front() {
        return Some(queued);
    }
    loop {
        match commands.try_recv() {
            Ok(Message::Command(queued)) => return Some(queued),
            Ok(Message::Stop) => commands.close(),
            Err(_empty_or_closed) => return None,
        }
    }
}

fn writer_gone() -> Error {
    Error::Unavailable("the thread that writes is gone".to_owned())
}

fn predecessor_failed() -> Error {
    Error::Conflict("the batch before it was not committed".to_owned())
}
