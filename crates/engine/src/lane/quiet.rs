//! Quiet tenants: beside large batches of few tenants, the commands of others are committed by themselves, so that
//! they do not wait for a large batch and do not share one.

use std::time::{Duration, Instant};

use super::lines::Crowd;
use super::overlap::SpareConnection;
use super::{Batch, Run, Worker, overlap};

/// Least weight of a large batch, beside whose tenants others are quiet.
const LARGE: usize = 16;
/// Time for which no commands are committed by themselves after that has failed.
const NO_QUIET: Duration = Duration::from_secs(1);

/// The connection for quiet tenants, and the state from which the lane sees when to serve them apart.
#[derive(Default)]
pub(super) struct Quiet {
    /// The connection for their commands while large batches are written.
    pub(super) connection: SpareConnection,
    /// Time at which their commands could not be committed by themselves.
    failed: Option<Instant>,
    /// The tenants of the last batch, if it was a large one.
    last: Option<Crowd>,
}

impl Quiet {
    /// Notes a batch that is committed.
    pub(super) fn committed(&mut self, batch: &Batch) {
        self.last = (overlap::weight(batch) >= LARGE).then(|| {
            let mut crowd = Crowd::default();
            crowd.add(batch);
            crowd
        });
    }
}

impl Worker {
    /// The commands of quiet tenants, if the last batch was a large one.
    pub(super) fn take_quiet(&mut self) -> Batch {
        match self.quiet.last.take() {
            Some(crowd) if self.may_serve_quiet(&crowd) => {
                let is_mixed = self.settings.mixes_tenants;
                self.state.lines.quiet(&crowd, is_mixed)
            }
            Some(_) | None => Batch::new(),
        }
    }

    /// True if quiet tenants beside this crowd are served apart: the crowd is small, and this has not failed lately.
    pub(super) fn may_serve_quiet(&self, crowd: &Crowd) -> bool {
        let failed = |at: Instant| at.elapsed() < NO_QUIET;
        crowd.is_few() && !self.quiet.failed.is_some_and(failed)
    }

    /// Commits the commands of quiet tenants over a connection of their own while other batches are written. Their
    /// tenants are others, so neither needs the other's rows.
    pub(super) fn serve_quiet_meanwhile(&mut self, crowd: &Crowd) {
        if !self.may_serve_quiet(crowd) {
            return;
        }
        let batch = self.state.lines.quiet(crowd, self.settings.mixes_tenants);
        if batch.is_empty() {
            return;
        }
        // The lane's connection is with the writer.
        let kept = self.connection.take();
        self.connection = self.quiet.connection.take(&self.store);
        self.serve_quiet(batch);
        self.quiet.connection.connection = self.connection.take();
        self.connection = kept;
    }

    /// Commits the commands of quiet tenants by themselves. If that fails, they wait like others.
    fn serve_quiet(&mut self, mut batch: Batch) {
        let can = self.connection.is_some() && self.heartbeat.works();
        let committed = can
            .then(|| self.attempt(&mut batch, false, false).ok())
            .flatten();
        match committed {
            Some(Run::Committed(after)) => {
                metrics::counter!("florin_lane_quiet_batches_total").increment(1);
                self.answer(batch, after);
            }
            Some(Run::Decided(..)) | None => {
                self.quiet.failed = Some(Instant::now());
                self.state.lines.put_back(batch);
            }
        }
    }
}
