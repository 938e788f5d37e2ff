//! The lines: commands that wait for the lane, one bounded line a tenant.
//!
//! Tenants are served in turn, one command each, so that the flood of one does not delay another. A command that
//! is as heavy as many is one turn only as the first of a batch; within a batch each tenant has a share, if more
//! than one tenant has been there lately. A batch may carry the commands of many tenants, or of one only.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::{TenantId, Trouble};
use tokio::sync::oneshot;

use crate::job::Job;

/// How long a tenant counts as being there after its last command.
const THERE: Duration = Duration::from_secs(1);

/// Somebody who asks whether anything can be written.
pub(super) type Try = oneshot::Sender<Result<(), Trouble>>;

/// Why a command is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The tenant's own line is full.
    Full,
    /// The lane takes no more commands.
    Closed,
}

/// The lines of all tenants.
pub(super) struct Lines {
    state: Mutex<State>,
    came: Condvar,
    /// Commands that one line holds at most.
    longest: usize,
}

#[derive(Default)]
struct State {
    lines: HashMap<TenantId, VecDeque<Box<dyn Job>>>,
    /// Tenants whose lines are not empty; the next one first.
    turns: VecDeque<TenantId>,
    tries: Vec<Try>,
    is_closed: bool,
    /// The tenant that came last, and when.
    latest: Option<(TenantId, Instant)>,
    /// When another tenant than that one came last.
    other: Option<Instant>,
}

/// A batch that is being filled.
#[derive(Debug)]
pub(super) struct Filling {
    limits: Limits,
    commands: usize,
    weight: usize,
    /// Weight of each tenant in the batch.
    of: HashMap<TenantId, usize>,
}

/// The bounds of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Number of commands in a batch.
    pub(super) commands: usize,
    /// Weight at which a batch is closed.
    pub(super) weight: usize,
    /// Weight that one tenant's commands have at most, if another tenant has been there lately.
    pub(super) share: usize,
    /// True if a batch may carry the commands of many tenants.
    pub(super) is_mixed: bool,
}

impl Filling {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            commands: 0,
            weight: 0,
            of: HashMap::new(),
        }
    }

    /// Weight of the batch.
    pub(super) const fn weight(&self) -> usize {
        self.weight
    }

    /// True if the batch takes no further command.
    pub(super) const fn is_full(&self) -> bool {
        self.commands >= self.limits.commands || self.weight >= self.limits.weight
    }

    /// True if the batch takes a command of this tenant with this weight.
    fn takes(&self, tenant: TenantId, weight: usize, is_crowded: bool) -> bool {
        if self.commands == 0 {
            return true;
        }
        let own = self.of.get(&tenant);
        let is_welcome = self.limits.is_mixed || own.is_some();
        let with_it = own.copied().unwrap_or(0).saturating_add(weight);
        is_welcome && !self.is_full() && (!is_crowded || with_it <= self.limits.share)
    }

    /// Counts a command no longer that was taken and is put back.
    pub(super) fn give_back(&mut self, job: &dyn Job) {
        let weight = job.weight();
        self.commands = self.commands.saturating_sub(1);
        self.weight = self.weight.saturating_sub(weight);
        if let Some(own) = self.of.get_mut(&job.tenant().id) {
            *own = own.saturating_sub(weight);
        }
    }

    fn add(&mut self, tenant: TenantId, weight: usize) {
        self.commands = self.commands.saturating_add(1);
        self.weight = self.weight.saturating_add(weight);
        let own = self.of.entry(tenant).or_insert(0);
        *own = own.saturating_add(weight);
    }
}

impl Lines {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            state: Mutex::new(State::default()),
            came: Condvar::new(),
            longest: longest.max(1),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command at the end of its tenant's line.
    pub(super) fn join(&self, job: Box<dyn Job>) -> Result<(), NotTaken> {
        let tenant = job.tenant().id;
        let mut state = self.state();
        if state.is_closed {
            return Err(NotTaken::Closed);
        }
        let line = state.lines.entry(tenant).or_default();
        if line.len() >= self.longest {
            return Err(NotTaken::Full);
        }
        let is_first = line.is_empty();
        line.push_back(job);
        if is_first {
            state.turns.push_back(tenant);
        }
        state.note(tenant, Instant::now());
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    /// Asks whether anything can be written. False if nobody will answer.
    pub(super) fn ask(&self, asked: Try) -> bool {
        let mut state = self.state();
        if state.is_closed {
            return false;
        }
        state.tries.push(asked);
        drop(state);
        self.came.notify_one();
        true
    }

    /// Takes no more commands; those that wait are still served.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.came.notify_all();
    }

    /// Waits until there is something to do. False if there never will be.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.state();
        loop {
            if !state.turns.is_empty() || !state.tries.is_empty() {
                return true;
            }
            if state.is_closed {
                return false;
            }
            state = self
                .came
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next command that the batch takes, if there is one already.
    pub(super) fn next(&self, filling: &mut Filling) -> Option<Box<dyn Job>> {
        if filling.commands > 0 && filling.is_full() {
            return None;
        }
        let mut state = self.state();
        let is_crowded = state.is_crowded(Instant::now());
        let lines = &state.lines;
        let place = state.turns.iter().position(|tenant| {
            let head = lines.get(tenant).and_then(VecDeque::front);
            head.is_some_and(|job| filling.takes(*tenant, job.weight(), is_crowded))
        })?;
        let tenant = state.turns.remove(place)?;
        let line = state.lines.get_mut(&tenant)?;
        let job = line.pop_front()?;
        if line.is_empty() {
            state.lines.remove(&tenant);
        } else {
            state.turns.push_back(tenant);
        }
        filling.add(tenant, job.weight());
        Some(job)
    }

    /// Puts commands back where they were taken from, in their order.
    pub(super) fn put_back(&self, jobs: Vec<Box<dyn Job>>) {
        let mut state = self.state();
        for job in jobs.into_iter().rev() {
            let tenant = job.tenant().id;
            let line = state.lines.entry(tenant).or_default();
            let is_first = line.is_empty();
            line.push_front(job);
            if is_first {
                state.turns.push_front(tenant);
            }
        }
    }

    /// Everything that waits.
    pub(super) fn drain(&self) -> Vec<Box<dyn Job>> {
        let mut state = self.state();
        state.turns.clear();
        state.lines.drain().flat_map(|(_, line)| line).collect()
    }

    /// Those who ask whether anything can be written.
    pub(super) fn tries(&self) -> Vec<Try> {
        std::mem::take(&mut self.state().tries)
    }
}

impl State {
    fn note(&mut self, tenant: TenantId, now: Instant) {
        match self.latest {
            Some((latest, at)) if latest != tenant => self.other = Some(at),
            Some(_) | None => {}
        }
        self.latest = Some((tenant, now));
    }

    fn is_crowded(&self, now: Instant) -> bool {
        self.turns.len() > 1
            || self
                .other
                .is_some_and(|at| now.saturating_duration_since(at) < THERE)
    }
}
