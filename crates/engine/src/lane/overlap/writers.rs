//! The threads that write batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use crash_points::{Point, here};
use store::bulk::{Statement, Writes};
use store::{AnyConnection, Error};

use super::{Batch, DecidedBatch};
use crate::book::AfterCommit;

/// Least weight of a batch that is written in two parts. For such a batch three more round trips cost less than
/// they save.
const HEAVY: usize = 512;

/// How a batch is written.
pub(in crate::lane) enum Writing {
    AtOnce(Statement),
    /// In two statements. The first may be run before the commit of the predecessor.
    InTwo(Statement, Statement),
}

impl Writing {
    /// The writing of a batch with this weight.
    pub(in crate::lane) fn of(writes: &Writes, weight: usize) -> Self {
        let in_two = (weight >= HEAVY).then(|| writes.in_two()).flatten();
        match in_two {
            Some((early, rest)) => Self::InTwo(early, rest),
            None => Self::AtOnce(writes.statement()),
        }
    }
}

/// A batch that is being written.
pub(super) struct OngoingWrite {
    pub(super) writer: usize,
    pub(super) batch: Batch,
    pub(super) after: AfterCommit,
    /// Sends that the predecessor is committed. If it is dropped, the predecessor has failed.
    pub(super) turn: Option<mpsc::Sender<()>>,
    pub(super) is_in_two: bool,
    /// Why the batch was undone before its turn.
    pub(super) failed: Option<Error>,
}

/// The threads that write.
pub(in crate::lane) struct Writers {
    tasks: [mpsc::Sender<Task>; 2],
    pub(super) reports: mpsc::Receiver<Report>,
}

/// The task of one thread.
struct Task {
    connection: AnyConnection,
    writing: Writing,
    turn: mpsc::Receiver<()>,
}

/// The report of one thread, with its connection.
pub(super) struct Report {
    pub(super) writer: usize,
    pub(super) connection: AnyConnection,
    pub(super) outcome: Result<(), Error>,
}

impl Writers {
    /// Starts the threads. They end when this is dropped.
    pub(in crate::lane) fn start() -> std::io::Result<Self> {
        let (report, reports) = mpsc::channel();
        let start = |writer: usize, name: &str| {
            let (tasks, asked) = mpsc::channel::<Task>();
            let report = report.clone();
            let work = move || {
                for mut task in asked {
                    here(Point::WriterBefore);
                    let written = AssertUnwindSafe(|| task.write());
                    let outcome = catch_unwind(written).unwrap_or_else(|_panic| {
                        Err(Error::Unavailable("writing panicked".to_owned()))
                    });
                    here(Point::WriterAfter);
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

    /// Hands a batch to the writer that is not `busy`, with a connection that nobody else uses. If its turn is
    /// now, it has no predecessor.
    pub(super) fn launch(
        &self,
        busy: Option<usize>,
        connection: AnyConnection,
        decided: DecidedBatch,
        now: bool,
    ) -> Result<OngoingWrite, Box<DecidedBatch>> {
        let DecidedBatch {
            batch,
            writing,
            after,
        } = decided;
        let is_in_two = matches!(writing, Writing::InTwo(..));
        let (turn, its_turn) = mpsc::channel();
        if now {
            // The receiver is still in scope, so this cannot fail.
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
            Ok(()) => Ok(OngoingWrite {
                writer,
                batch,
                after,
                turn: Some(turn),
                is_in_two,
                failed: None,
            }),
            Err(writing) => Err(Box::new(DecidedBatch {
                batch,
                writing,
                after,
            })),
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
        let written = early.run(connection).and_then(|()| {
            here(Point::WriterEarly);
            match self.turn.recv() {
                Ok(()) => rest.run(connection),
                Err(_predecessor_failed) => Err(predecessor_failed()),
            }
        });
        match written {
            Ok(()) => store::commit(connection),
            // If the rollback fails, the connection is closed, and the transaction with it.
            Err(error) => match store::rollback(connection) {
                Ok(()) => Err(error),
                Err(gone) => Err(Error::Unavailable(format!("{error}; {gone}"))),
            },
        }
    }
}

fn predecessor_failed() -> Error {
    Error::Conflict("the batch before it was not committed".to_owned())
}
