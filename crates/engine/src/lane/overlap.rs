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

mod ahead;
mod writers;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use store::{AnyConnection, Error, Store};

use super::{Batch, CAUTIOUS_BATCHES, Worker};
use crate::book::AfterCommit;
use ahead::Ahead;
use writers::{OngoingWrite, Report};

pub(super) use writers::{Writers, Writing};

/// A batch that weighs less is written by the lane's own thread: handing it over costs more than is won.
const WORTH_IT: usize = 64;
/// After a second connection was asked for, how long none is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// How long the writers are waited for before the queue is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// About how many plain commands the batch weighs.
pub(super) fn weight(batch: &Batch) -> usize {
    let each = batch.iter().map(|job| job.weight());
    each.fold(0, usize::saturating_add)
}

/// Whether it is handed over.
pub(super) fn is_worth_it(batch: &Batch) -> bool {
    weight(batch) >= WORTH_IT
}

/// A batch that was decided and is not yet written.
pub(super) struct DecidedBatch {
    pub(super) batch: Batch,
    pub(super) writing: Writing,
    pub(super) after: AfterCommit,
}

/// The connection for a batch that is written while another is.
#[derive(Default)]
pub(super) struct SpareConnection {
    connection: Option<AnyConnection>,
    /// No new one is asked for before.
    not_before: Option<Instant>,
}

impl SpareConnection {
    /// It, or a new one. If there is none to be had, it is not asked for again at once.
    fn take(&mut self, store: &Store) -> Option<AnyConnection> {
        let now = Instant::now();
        if self.connection.is_some() || self.not_before.is_some_and(|until| now < until) {
            return self.connection.take();
        }
        self.not_before = Some(now + ASK_AGAIN);
        let new = store.writer().inspect_err(|error| {
            tracing::warn!(%error, "no second connection: heavy batches are written one by one");
        });
        new.ok()
    }
}

/// What follows the batch that is being written.
enum Next {
    Nothing,
    /// It waits for its turn.
    Held(DecidedBatch),
    /// Its first part is being written.
    Launched(OngoingWrite),
}

impl Next {
    const fn launched(&mut self) -> Option<&mut OngoingWrite> {
        match self {
            Self::Launched(launched) => Some(launched),
            Self::Nothing | Self::Held(_) => None,
        }
    }
}

impl Worker {
    /// Commits a batch, and all that can be decided meanwhile, and answers everybody.
    pub(super) fn overlap(&mut self, connection: AnyConnection, decided: DecidedBatch) {
        let mut front = match self.writers.launch(None, connection, decided, true) {
            Ok(launched) => launched,
            Err(decided) => return self.once_more(writer_gone(), decided.batch),
        };
        let mut next = Next::Nothing;
        let mut committed: Option<OngoingWrite> = None;
        loop {
            // It goes on: each round is a commit.
            self.heartbeat.works();
            // The server works while those before are answered.
            if let Some(committed) = committed.take() {
                self.answer(committed.batch, committed.after);
            }
            let (outcome, follows, last) = self.decide_meanwhile(&front, next);
            let connection = match outcome {
                Ok(connection) => connection,
                Err(error) => {
                    last.into_iter()
                        .for_each(|last| self.state.lines.put_back(last.batch));
                    self.undo(follows);
                    return self.once_more(error, front.batch);
                }
            };
            metrics::counter!("florin_lane_overlapped_batches_total")
                .increment(u64::from(!matches!(follows, Next::Nothing)));
            let launched = match follows {
                Next::Nothing => {
                    self.connection = Some(connection);
                    return self.answer(front.batch, front.after);
                }
                Next::Held(held) => self.writers.launch(None, connection, held, true),
                Next::Launched(mut second) => match second.failed.take() {
                    Some(error) => {
                        self.connection = Some(connection);
                        self.answer(front.batch, front.after);
                        last.into_iter()
                            .for_each(|last| self.state.lines.put_back(last.batch));
                        return self.once_more(error, second.batch);
                    }
                    None => {
                        // If nobody hears it, it has failed just now, and its report is on its way.
                        let _sent = second.turn.take().map(|turn| turn.send(()));
                        self.spare.connection = Some(connection);
                        Ok(second)
                    }
                },
            };
            let done = match launched {
                Ok(launched) => std::mem::replace(&mut front, launched),
                Err(decided) => {
                    self.answer(front.batch, front.after);
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
        front: &OngoingWrite,
        mut next: Next,
    ) -> (Result<AnyConnection, Error>, Next, Option<DecidedBatch>) {
        let mut last = None;
        loop {
            if let Next::Held(held) = next {
                next = self.launch_early(front, held);
            }
            // After one that waits for its turn nothing more is decided: it would wait for two.
            if matches!(next, Next::Held(_)) || last.is_some() {
                return (self.wait_for(front, next.launched()), next, last);
            }
            let (outcome, decided) = self.decide_one(front, next.launched());
            let goes_on = outcome.is_none() && decided.is_some();
            if matches!(next, Next::Nothing) {
                next = decided.map_or(Next::Nothing, Next::Held);
            } else {
                last = decided;
            }
            match outcome {
                Some(outcome) => return (outcome, next, last),
                None if goes_on => {}
                None => return (self.wait_for(front, next.launched()), next, last),
            }
        }
    }

    /// Lets the next batch be written ahead of its turn, if both allow it.
    fn launch_early(&mut self, front: &OngoingWrite, held: DecidedBatch) -> Next {
        let both = front.is_in_two && matches!(held.writing, Writing::InTwo(..));
        if !both {
            return Next::Held(held);
        }
        let Some(spare) = self.spare.take(&self.store) else {
            return Next::Held(held);
        };
        match self.writers.launch(Some(front.writer), spare, held, false) {
            Ok(launched) => {
                metrics::counter!("florin_lane_early_batches_total").increment(1);
                Next::Launched(launched)
            }
            Err(held) => Next::Held(*held),
        }
    }

    /// Decides one batch. It ends when that is full (which is then returned), or when the first one is
    /// done (with what was decided until then, if that is worth handing over).
    fn decide_one(
        &mut self,
        front: &OngoingWrite,
        mut second: Option<&mut OngoingWrite>,
    ) -> (Option<Result<AnyConnection, Error>>, Option<DecidedBatch>) {
        let mut ahead = Ahead::new(self.limits());
        let outcome = loop {
            while ahead.goes_on && !ahead.is_full() {
                if self.heartbeat.is_relieved() {
                    break;
                }
                let Some(job) = self.state.lines.next(&mut ahead.filling) else {
                    break;
                };
                let decided = ahead.decide(job, &self.settings, &mut self.memories, &mut self.ids);
                if let Err(not_yet) = decided {
                    self.state.lines.put_back(vec![not_yet]);
                }
            }
            if ahead.is_full() {
                ahead.close(&mut self.memories);
                break None;
            }
            match self.writers.reports.recv_timeout(LOOK_AGAIN) {
                Ok(report) if report.writer == front.writer => {
                    break Some(arrived(report, &mut self.connection));
                }
                Ok(report) => undone(report, second.as_deref_mut(), &mut self.spare.connection),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break Some(Err(writer_gone())),
            }
        };
        if matches!(outcome, Some(Ok(_))) && ahead.weight() >= WORTH_IT {
            ahead.close(&mut self.memories);
        }
        let Ahead { batch, closed, .. } = ahead;
        let decided = match closed {
            Some((writing, after)) => Some(DecidedBatch {
                batch,
                writing,
                after,
            }),
            None => {
                self.state.lines.put_back(batch);
                None
            }
        };
        (outcome, decided)
    }

    /// Waits until the first batch is done.
    fn wait_for(
        &mut self,
        front: &OngoingWrite,
        mut second: Option<&mut OngoingWrite>,
    ) -> Result<AnyConnection, Error> {
        loop {
            match self.writers.reports.recv() {
                Ok(report) if report.writer == front.writer => {
                    return arrived(report, &mut self.connection);
                }
                Ok(report) => undone(report, second.as_deref_mut(), &mut self.spare.connection),
                Err(_gone) => return Err(writer_gone()),
            }
        }
    }

    /// Takes back what was decided after a batch that failed.
    fn undo(&mut self, follows: Next) {
        match follows {
            Next::Nothing => {}
            Next::Held(held) => self.state.lines.put_back(held.batch),
            Next::Launched(mut second) => {
                drop(second.turn.take());
                while second.failed.is_none() {
                    match self.writers.reports.recv() {
                        Ok(report) => undone(report, Some(&mut second), &mut self.spare.connection),
                        Err(_gone) => second.failed = Some(writer_gone()),
                    }
                }
                self.state.lines.put_back(second.batch);
            }
        }
    }

    /// The batch failed: it is decided again on its own, and whatever was decided after it too.
    fn once_more(&mut self, error: Error, failed: Batch) {
        tracing::debug!(%error, "a batch that was handed over is decided again");
        self.memories.forget_all();
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
        self.commit(failed, false);
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
fn undone(report: Report, second: Option<&mut OngoingWrite>, spare: &mut Option<AnyConnection>) {
    let error = report.outcome.err().unwrap_or_else(writer_gone);
    *spare = (!matches!(error, Error::Unavailable(_))).then_some(report.connection);
    if let Some(second) = second {
        second.failed = Some(error);
    }
}

fn writer_gone() -> Error {
    Error::Unavailable("the thread that writes is gone".to_owned())
}
