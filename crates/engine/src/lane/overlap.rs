//! Overlapping batches: while one batch is written, the next one is decided. If both are heavy, the next one is
//! also written, as far as it does not depend on the one before.
//!
//! The lane's thread hands a batch's statement to a second thread and continues with the commands that wait, as
//! long as they need only rows that are remembered. The memory already has the rows as they will be after the
//! batch that is being written. A heavy batch is written in two parts by a third thread, over a connection of
//! its own: first its new rows, which collide with nothing, while its predecessor is still being written; then,
//! when the predecessor is committed, the rows that both of them change. Nothing is committed or answered
//! before its predecessor is committed, so the order of the commits is the order of the decisions, and if the
//! predecessor fails, everything that was decided after it is undone and decided again.

mod ahead;
mod writers;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use store::{AnyConnection, Error, Store};

use super::lines::Crowd;
use super::pace::MIN_SHARE;
use super::{Batch, CAUTIOUS_BATCHES, Worker};
use crate::book::AfterCommit;
use crate::job::Job;
use ahead::Ahead;
use writers::{OngoingWrite, Report};

pub(super) use writers::{Writers, Writing};

/// Least weight of a batch that another thread writes. For a lighter one, handing it over costs more than it
/// saves. While several tenants are present, [`MIN_SHARE`] is enough, because others are served meanwhile.
const WORTH_IT: usize = 64;
/// Least time between two attempts to get a second connection.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Time to wait for the writers before the lines are looked at again.
const LOOK_AGAIN: Duration = Duration::from_micros(500);

/// The weight of a batch.
pub(super) fn weight(batch: &Batch) -> usize {
    let each = batch.iter().map(|job| job.weight());
    each.fold(0, usize::saturating_add)
}

/// A batch that was decided and is not yet written.
pub(super) struct DecidedBatch {
    pub(super) batch: Batch,
    pub(super) writing: Writing,
    pub(super) after: AfterCommit,
}

/// The connection for a batch that is written while another one is being written.
#[derive(Default)]
pub(super) struct SpareConnection {
    pub(super) connection: Option<AnyConnection>,
    /// Time before which no new connection is opened.
    not_before: Option<Instant>,
}

impl SpareConnection {
    /// Opens the connection if it is not open, so that nobody waits for that later.
    pub(super) fn open(&mut self, store: &Store) {
        self.connection = self.take(store);
    }

    /// Takes the connection, or opens a new one. After a failure it does not try again at once.
    pub(super) fn take(&mut self, store: &Store) -> Option<AnyConnection> {
        let now = Instant::now();
        if self.connection.is_some() || self.not_before.is_some_and(|until| now < until) {
            return self.connection.take();
        }
        self.not_before = Some(now + ASK_AGAIN);
        let new = store.writer().inspect_err(|error| {
            tracing::warn!(%error, "no further connection: batches are written one after the other");
        });
        new.ok()
    }
}

/// The batch that follows the one that is being written.
enum Next {
    Nothing,
    /// The batch waits for its turn.
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

    /// The commands of the batch.
    fn batch(&self) -> &[Box<dyn Job>] {
        match self {
            Self::Nothing => &[],
            Self::Held(held) => &held.batch,
            Self::Launched(launched) => &launched.batch,
        }
    }
}

impl Worker {
    /// Commits a batch, and everything that can be decided meanwhile, and answers all requests.
    pub(super) fn overlap(&mut self, connection: AnyConnection, decided: DecidedBatch) {
        let mut front = match self.writers.launch(None, connection, decided, true) {
            Ok(launched) => launched,
            Err(decided) => return self.once_more(writer_gone(), decided.batch),
        };
        self.quiet.connection.open(&self.store);
        let mut next = Next::Nothing;
        let mut committed: Option<OngoingWrite> = None;
        loop {
            // The lane makes progress: each round is a commit.
            self.heartbeat.works();
            // The database works while the earlier batch is answered.
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
                        // If nobody receives it, the writer has just failed, and its report is on its way.
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

    /// Decides what waits, until the first batch is written. Returns the outcome of the first batch, the batch
    /// that follows it, and the batch that was decided after that. Commands of a batch that is too small to be
    /// handed over are put back.
    fn decide_meanwhile(
        &mut self,
        front: &OngoingWrite,
        mut next: Next,
    ) -> (Result<AnyConnection, Error>, Next, Option<DecidedBatch>) {
        let mut last = None;
        let mut crowd = Crowd::default();
        crowd.add(&front.batch);
        crowd.add(next.batch());
        loop {
            if let Next::Held(held) = next {
                next = self.launch_early(front, held);
            }
            // After a batch that waits for its turn nothing more is decided, because it would wait for two
            // others.
            if matches!(next, Next::Held(_)) || last.is_some() {
                return (self.wait_for(front, next.launched(), &crowd), next, last);
            }
            let (outcome, decided) = self.decide_one(front, next.launched(), &mut crowd);
            let goes_on = outcome.is_none() && decided.is_some();
            if matches!(next, Next::Nothing) {
                next = decided.map_or(Next::Nothing, Next::Held);
            } else {
                last = decided;
            }
            match outcome {
                Some(outcome) => return (outcome, next, last),
                None if goes_on => {}
                None => return (self.wait_for(front, next.launched(), &crowd), next, last),
            }
        }
    }

    /// Begins to write the next batch ahead of its turn, if both batches are written in two parts and no other tenant
    /// is present, who would have to share the database with both.
    fn launch_early(&mut self, front: &OngoingWrite, held: DecidedBatch) -> Next {
        let both = front.is_in_two && matches!(held.writing, Writing::InTwo(..));
        if !both || self.state.lines.is_crowded() {
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

    /// Decides one batch. It ends when the batch is full, or when the first batch is written. Then the batch is
    /// returned if it is heavy enough to be handed over.
    fn decide_one(
        &mut self,
        front: &OngoingWrite,
        mut second: Option<&mut OngoingWrite>,
        crowd: &mut Crowd,
    ) -> (Option<Result<AnyConnection, Error>>, Option<DecidedBatch>) {
        let mut ahead = Ahead::new(self.limits());
        let outcome = loop {
            while ahead.goes_on && !ahead.is_full() {
                if self.heartbeat.is_relieved() {
                    break;
                }
                self.serve_quiet_meanwhile(crowd);
                let beside = self.may_serve_quiet(crowd).then_some(&*crowd);
                let Some(job) = self.state.lines.next(&mut ahead.filling, beside) else {
                    break;
                };
                crowd.add(std::slice::from_ref(&job));
                let decided = ahead.decide(job, &self.settings, &mut self.memories, &mut self.ids);
                if let Err(not_yet) = decided {
                    self.state.lines.put_back(vec![not_yet]);
                }
            }
            if ahead.is_full() {
                self.serve_quiet_meanwhile(crowd);
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
        if matches!(outcome, Some(Ok(_))) && ahead.weight() >= self.worth_handing_over() {
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

    /// Waits until the first batch is done. Quiet tenants are served meanwhile.
    fn wait_for(
        &mut self,
        front: &OngoingWrite,
        mut second: Option<&mut OngoingWrite>,
        crowd: &Crowd,
    ) -> Result<AnyConnection, Error> {
        loop {
            match self.writers.reports.recv_timeout(LOOK_AGAIN) {
                Ok(report) if report.writer == front.writer => {
                    return arrived(report, &mut self.connection);
                }
                Ok(report) => undone(report, second.as_deref_mut(), &mut self.spare.connection),
                Err(mpsc::RecvTimeoutError::Timeout) => self.serve_quiet_meanwhile(crowd),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(writer_gone()),
            }
        }
    }

    /// The least weight of a batch that another thread writes.
    pub(super) fn worth_handing_over(&self) -> usize {
        match self.state.lines.is_crowded() {
            true => MIN_SHARE,
            false => WORTH_IT,
        }
    }

    /// Undoes all decisions that were made after a batch that failed.
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

    /// Decides a failed batch again, by itself. All batches that were decided after it are decided again too.
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

/// Takes the report of the first batch. If it failed, the connection is kept for the next try, unless it is
/// broken.
fn arrived(report: Report, kept: &mut Option<AnyConnection>) -> Result<AnyConnection, Error> {
    match report.outcome {
        Ok(()) => Ok(report.connection),
        Err(error) => {
            *kept = (!matches!(error, Error::Unavailable(_))).then_some(report.connection);
            Err(error)
        }
    }
}

/// Takes the report of the second batch, which failed before its turn or was undone.
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
