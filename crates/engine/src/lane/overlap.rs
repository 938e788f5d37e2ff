//! While one batch is written, the next is decided.
//!
//! The lane's thread hands a batch's one statement to a second thread and goes on with what is queued
//! meanwhile, as long as that needs nothing of the database but what is remembered: the memory is
//! already as the batch under way will leave the books. Nothing is sent or answered before its
//! predecessor is committed, so the order of the commits is the order of the decisions, and if the
//! predecessor fails, what was decided after it is forgotten and decided again.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use store::bulk::Statement;
use store::find::Lock;
use store::{AnyConnection, Error};

use super::{CAUTIOUS_BATCHES, HEAVIEST, Message, Queued, Worker};
use crate::book::{AfterCommit, Book, Round};
use crate::command::Answer;
use crate::execute::{Rules, execute};
use crate::memory::Memory;

/// A batch that weighs less is written by the lane's own thread: handing it over costs more than is won.
const WORTH_IT: usize = 64;
/// How long the writer is waited for before the queue is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Whether the batch weighs so much.
pub(super) fn is_worth_it(batch: &[Queued]) -> bool {
    let each = batch.iter().map(|queued| queued.envelope.command.weight());
    each.fold(0, usize::saturating_add) >= WORTH_IT
}

/// A batch that was decided and is not yet written.
pub(super) struct Decided {
    pub(super) batch: Vec<Queued>,
    pub(super) answers: Vec<Answer>,
    pub(super) statement: Statement,
    pub(super) after: AfterCommit,
}

/// The thread that writes.
pub(super) struct Writer {
    work: mpsc::Sender<(AnyConnection, Statement)>,
    done: mpsc::Receiver<(AnyConnection, Result<(), Error>)>,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped.
    pub(super) fn start() -> std::io::Result<Self> {
        let (work, statements) = mpsc::channel::<(AnyConnection, Statement)>();
        let (report, done) = mpsc::channel();
        std::thread::Builder::new()
            .name("lane-writer".into())
            .spawn(move || {
                for (mut connection, statement) in statements {
                    let written = AssertUnwindSafe(|| statement.run(&mut connection));
                    let outcome = catch_unwind(written).unwrap_or_else(|_panic| {
                        Err(Error::Unavailable("writing panicked".to_owned()))
                    });
                    if report.send((connection, outcome)).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { work, done })
    }
}

impl Worker {
    /// Commits a batch, and all that can be decided meanwhile, and answers everybody.
    pub(super) fn overlap(&mut self, connection: AnyConnection, decided: Decided) {
        let mut connection = connection;
        let mut current = decided;
        let mut committed: Option<Decided> = None;
        loop {
            let statement = std::mem::take(&mut current.statement);
            let handed_over = self.writer.work.send((connection, statement));
            // The server works while those before are answered.
            if let Some(committed) = committed.take() {
                self.answer(committed.batch, committed.answers, committed.after);
            }
            let (outcome, next) = match handed_over {
                Ok(()) => self.decide_meanwhile(&current),
                Err(_gone) => (Err(writer_gone()), None),
            };
            match (outcome, next) {
                (Ok(returned), Some(next)) => {
                    metrics::counter!("florin_lane_overlapped_batches_total").increment(1);
                    connection = returned;
                    committed = Some(std::mem::replace(&mut current, next));
                }
                (Ok(returned), None) => {
                    self.connection = Some(returned);
                    return self.answer(current.batch, current.answers, current.after);
                }
                (Err(error), next) => return self.once_more(error, current, next),
            }
        }
    }

    /// Decides what is queued until the writer is done. The next batch, if it is worth handing over,
    /// is ready to be written; what was taken for a smaller one is back in the queue.
    fn decide_meanwhile(
        &mut self,
        current: &Decided,
    ) -> (Result<AnyConnection, Error>, Option<Decided>) {
        let Some(tenant) = current.batch.first().map(|queued| &queued.envelope.tenant) else {
            return (Err(writer_gone()), None);
        };
        let memory = self.memories.entry(tenant.id).or_default();
        let round = Round {
            lock: Lock::Nothing,
            tenant,
            now: memory.not_before(self.settings.clock.now()),
            render: self.rules.render,
        };
        let mut ahead = Ahead::of(Book::empty(round, &mut self.ids));
        let written = loop {
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
            }
            match self.writer.done.recv_timeout(LOOK_AGAIN) {
                Ok((connection, Ok(()))) => break Ok(connection),
                // The statement was undone: the connection is as good as before, unless it is gone.
                Ok((connection, Err(error))) => {
                    self.connection =
                        (!matches!(error, Error::Unavailable(_))).then_some(connection);
                    break Err(error);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break Err(writer_gone()),
            }
        };
        if written.is_ok() && ahead.weight >= WORTH_IT {
            ahead.close(memory);
        }
        let Ahead {
            batch,
            answers,
            closed,
            ..
        } = ahead;
        match closed {
            Some((statement, after)) => {
                let next = Decided {
                    batch,
                    answers,
                    statement,
                    after,
                };
                (written, Some(next))
            }
            None => {
                self.put_back(batch);
                (written, None)
            }
        }
    }

    /// The batch failed: it is decided again on its own, and whatever was decided after it too.
    fn once_more(&mut self, error: Error, failed: Decided, next: Option<Decided>) {
        tracing::debug!(%error, "a batch that was handed over is decided again");
        self.memories.values_mut().for_each(Memory::forget);
        if matches!(error, Error::Conflict(_)) {
            self.cautious = CAUTIOUS_BATCHES;
            metrics::counter!("florin_lane_reruns_total").increment(1);
        } else if matches!(error, Error::Unavailable(_)) {
            metrics::counter!("florin_lane_reconnects_total").increment(1);
        }
        if let Some(next) = next {
            self.put_back(next.batch);
        }
        self.settle(failed.batch, false);
    }

    fn put_back(&mut self, batch: Vec<Queued>) {
        for queued in batch.into_iter().rev() {
            self.waiting.push_front(Box::new(queued));
        }
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
    closed: Option<(Statement, AfterCommit)>,
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
            self.closed = closed.map(|(writes, after)| (writes.statement(), after));
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
