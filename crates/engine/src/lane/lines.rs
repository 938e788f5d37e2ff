//! The lines: commands that wait for the lane, one bounded line a tenant.
//!
//! Tenants are served in turn, one command each, so that a flood of one tenant does not delay another. A
//! command that is heavier than a share is taken only as the first of a batch. Within a batch each tenant has a
//! share, if more than one tenant has sent commands lately. A batch may carry the commands of many tenants, or
//! of one only. Beside large batches of few tenants, commands of quiet tenants are committed by themselves.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::{TenantId, Trouble};
use tokio::sync::oneshot;

use crate::job::Job;

/// Time for which a tenant counts as present after its last command.
const PRESENT_FOR: Duration = Duration::from_millis(250);
/// Greatest number of looks at the lines while commands are gathered, and the pause after each.
const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_micros(100);

/// Greatest number of tenants in large batches beside which another tenant may be quiet.
const FEW_TENANTS: usize = 4;
/// Greatest number of commands in the line of a quiet tenant.
const QUIET_LINE: usize = 4;
/// Greatest weight of a batch of quiet tenants.
const QUIET_WEIGHT: usize = 16;

/// The channel to somebody who asks whether writes go through.
pub(super) type Try = oneshot::Sender<Result<(), Trouble>>;

/// Why a command is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineError {
    /// The tenant's own line is full.
    Full,
    /// The lane takes no more commands.
    Closed,
}

/// The lines of all tenants.
pub(super) struct Lines {
    state: Mutex<State>,
    arrival: Condvar,
    /// Greatest number of commands in one line.
    longest: usize,
}

#[derive(Default)]
struct State {
    lines: HashMap<TenantId, VecDeque<Box<dyn Job>>>,
    /// Tenants whose lines are not empty. The first one has the next turn.
    turns: VecDeque<TenantId>,
    tries: Vec<Try>,
    is_closed: bool,
    /// The tenant whose command came last, and the time.
    latest: Option<(TenantId, Instant)>,
    /// Time of the last command of any other tenant.
    other: Option<Instant>,
    /// True if the last batch began with a command that is heavier than a share. The next batch then begins
    /// with a lighter one, if there is one.
    was_heavy: bool,
}

/// The few tenants of large batches. Beside them, a tenant with a short line is quiet: its commands are committed by
/// themselves, so that they do not wait for a large batch.
#[derive(Debug, Default)]
pub(super) struct Crowd(HashSet<TenantId>);

impl Crowd {
    /// Adds the tenants of a batch.
    pub(super) fn add(&mut self, batch: &[Box<dyn Job>]) {
        self.0.extend(batch.iter().map(|job| job.tenant().id));
    }

    /// True if these tenants are few. Of many tenants with equal loads nobody is quiet.
    pub(super) fn is_few(&self) -> bool {
        (1..=FEW_TENANTS).contains(&self.0.len())
    }
}

/// A batch that is being filled.
#[derive(Debug)]
pub(super) struct BatchBuilder {
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
    /// Greatest weight of one tenant's commands, if another tenant was present lately.
    pub(super) share: usize,
    /// True if a batch may carry the commands of many tenants.
    pub(super) is_mixed: bool,
}

impl BatchBuilder {
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

    /// Subtracts a command that was taken and is put back.
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
            arrival: Condvar::new(),
            longest: longest.max(1),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command at the end of its tenant's line.
    pub(super) fn join(&self, job: Box<dyn Job>) -> Result<(), LineError> {
        let tenant = job.tenant().id;
        let mut state = self.state();
        if state.is_closed {
            return Err(LineError::Closed);
        }
        let line = state.lines.entry(tenant).or_default();
        if line.len() >= self.longest {
            return Err(LineError::Full);
        }
        let is_first = line.is_empty();
        line.push_back(job);
        if is_first {
            state.turns.push_back(tenant);
        }
        state.note(tenant, Instant::now());
        drop(state);
        self.arrival.notify_one();
        Ok(())
    }

    /// Asks whether writes go through. False if nobody will answer.
    pub(super) fn ask(&self, asked: Try) -> bool {
        let mut state = self.state();
        if state.is_closed {
            return false;
        }
        state.tries.push(asked);
        drop(state);
        self.arrival.notify_one();
        true
    }

    /// Takes no more commands; those that wait are still served.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.arrival.notify_all();
    }

    /// Waits until there is something to do. False if the lines are closed and empty.
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
                .arrival
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a short time until this number of commands waits.
    pub(super) fn gather(&self, enough: usize) {
        for _ in 0..LOOKS {
            let state = self.state();
            let waiting = state.lines.values().map(VecDeque::len);
            if state.is_closed || waiting.fold(0, usize::saturating_add) >= enough {
                return;
            }
            drop(state);
            // A wait for `arrival` would wake the thread at each command.
            std::thread::sleep(PAUSE);
        }
    }

    /// The next command that the batch takes, if there is one already. Commands of quiet tenants beside a crowd are
    /// left in their lines.
    pub(super) fn next(
        &self,
        filling: &mut BatchBuilder,
        crowd: Option<&Crowd>,
    ) -> Option<Box<dyn Job>> {
        if filling.commands > 0 && filling.is_full() {
            return None;
        }
        let mut state = self.state();
        let is_crowded = state.is_crowded(Instant::now());
        let share = filling.limits.share;
        let is_first = filling.commands == 0;
        let place = match is_first && state.was_heavy {
            true => state.place(|_, weight| weight <= share),
            false => None,
        };
        let is_left =
            |tenant| crowd.is_some_and(|crowd| state.quiet_weight(tenant, crowd).is_some());
        let takes = |tenant, weight| filling.takes(tenant, weight, is_crowded) && !is_left(tenant);
        let place = place.or_else(|| state.place(takes))?;
        let tenant = state.turns.remove(place)?;
        let line = state.lines.get_mut(&tenant)?;
        let job = line.pop_front()?;
        if line.is_empty() {
            state.lines.remove(&tenant);
        } else {
            state.turns.push_back(tenant);
        }
        if is_first {
            state.was_heavy = job.weight() > share;
        }
        filling.add(tenant, job.weight());
        Some(job)
    }

    /// Takes the commands of quiet tenants, up to a weight of [`QUIET_WEIGHT`] in all.
    pub(super) fn quiet(&self, crowd: &Crowd, is_mixed: bool) -> Vec<Box<dyn Job>> {
        let mut state = self.state();
        let mut taken: Vec<Box<dyn Job>> = Vec::new();
        let mut room = QUIET_WEIGHT;
        let mut place = 0;
        while (is_mixed || taken.is_empty())
            && let Some(tenant) = state.turns.get(place).copied()
        {
            match state
                .quiet_weight(tenant, crowd)
                .and_then(|weight| room.checked_sub(weight))
            {
                Some(left) => {
                    room = left;
                    let _turn = state.turns.remove(place);
                    taken.extend(state.lines.remove(&tenant).into_iter().flatten());
                }
                None => place = place.saturating_add(1),
            }
        }
        taken
    }

    /// Puts commands back at the beginning of their lines, in their order. Their tenants have the next turns, and
    /// the first command may be heavy.
    pub(super) fn put_back(&self, jobs: Vec<Box<dyn Job>>) {
        let mut state = self.state();
        for job in jobs.into_iter().rev() {
            let tenant = job.tenant().id;
            state.lines.entry(tenant).or_default().push_front(job);
            state.turns.retain(|waiting| *waiting != tenant);
            state.turns.push_front(tenant);
            state.was_heavy = false;
        }
    }

    /// True if commands of so many tenants wait that nobody is quiet beside them.
    pub(super) fn are_many(&self) -> bool {
        self.state().turns.len() > FEW_TENANTS
    }

    /// True if more than one tenant has sent commands lately.
    pub(super) fn is_crowded(&self) -> bool {
        self.state().is_crowded(Instant::now())
    }

    /// Takes all commands that wait.
    pub(super) fn drain(&self) -> Vec<Box<dyn Job>> {
        let mut state = self.state();
        state.turns.clear();
        state.lines.drain().flat_map(|(_, line)| line).collect()
    }

    /// Takes the channels to those who ask whether writes go through.
    pub(super) fn tries(&self) -> Vec<Try> {
        std::mem::take(&mut self.state().tries)
    }
}

impl State {
    /// Weight of the line of a quiet tenant; `None` if the tenant is not quiet.
    fn quiet_weight(&self, tenant: TenantId, crowd: &Crowd) -> Option<usize> {
        let line = self.lines.get(&tenant)?;
        let is_short = line.len() <= QUIET_LINE && !crowd.0.contains(&tenant);
        let weights = line.iter().map(|job| job.weight());
        let weight = weights.fold(0, usize::saturating_add);
        (is_short && weight <= QUIET_WEIGHT).then_some(weight)
    }

    /// The place, among the turns, of the first tenant whose next command `takes` accepts.
    fn place(&self, takes: impl Fn(TenantId, usize) -> bool) -> Option<usize> {
        self.turns.iter().position(|tenant| {
            let head = self.lines.get(tenant).and_then(VecDeque::front);
            head.is_some_and(|job| takes(*tenant, job.weight()))
        })
    }

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
                .is_some_and(|at| now.saturating_duration_since(at) < PRESENT_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::lane::LaneError;
    use crate::shelf::Asks;
    use crate::tenant::Tenant;

    /// A command of a weight, which is only taken and never decided.
    struct Heavy {
        tenant: Tenant,
        weight: usize,
    }

    impl Job for Heavy {
        fn tenant(&self) -> &Tenant {
            &self.tenant
        }

        fn weight(&self) -> usize {
            self.weight
        }

        fn asks(&self, _asks: &mut Asks<'_>) {}

        fn decide(&mut self, _book: &mut Book) {}

        fn end(self: Box<Self>, _outcome: Result<(), LaneError>) {}
    }

    fn job(tenant: i64, weight: usize) -> Box<dyn Job> {
        Box::new(Heavy {
            tenant: Tenant {
                id: TenantId(tenant),
                name: "one".into(),
            },
            weight,
        })
    }

    fn lines(jobs: &[(i64, usize)]) -> Lines {
        let lines = Lines::new(100);
        for (tenant, weight) in jobs {
            assert_eq!(lines.join(job(*tenant, *weight)), Ok(()));
        }
        lines
    }

    const LIMITS: Limits = Limits {
        commands: 10,
        weight: 50,
        share: 4,
        is_mixed: true,
    };

    fn batch(lines: &Lines, limits: Limits) -> Vec<(i64, usize)> {
        let mut filling = BatchBuilder::new(limits);
        let next = || lines.next(&mut filling, None);
        std::iter::from_fn(next)
            .map(|job| (job.tenant().id.0, job.weight()))
            .collect()
    }

    #[test]
    fn tenants_are_served_in_turn_each_up_to_its_share() {
        let lines = lines(&[
            (1, 1),
            (1, 1),
            (1, 1),
            (1, 1),
            (1, 1),
            (1, 1),
            (2, 1),
            (3, 1),
        ]);
        let first = [(1, 1), (2, 1), (3, 1), (1, 1), (1, 1), (1, 1)];
        assert_eq!(batch(&lines, LIMITS), first);
        assert_eq!(batch(&lines, LIMITS), [(1, 1), (1, 1)]);
        assert_eq!(batch(&lines, LIMITS), []);
    }

    #[test]
    fn a_tenant_that_is_alone_fills_the_batch() {
        let lines = lines(&[(1, 1); 12]);
        assert_eq!(batch(&lines, LIMITS).len(), LIMITS.commands);
        assert_eq!(batch(&lines, LIMITS).len(), 2);
    }

    #[test]
    fn what_is_heavier_than_the_share_goes_first_or_not_at_all() {
        let lines = lines(&[(1, 40), (1, 40), (2, 1)]);
        assert_eq!(batch(&lines, LIMITS), [(1, 40), (2, 1)]);
        // The next batch belongs to the other tenant, although this tenant has waited longer.
        assert_eq!(lines.join(job(2, 1)), Ok(()));
        assert_eq!(batch(&lines, LIMITS), [(2, 1)]);
        assert_eq!(batch(&lines, LIMITS), [(1, 40)]);
    }

    #[test]
    fn a_full_line_is_full_for_its_own_tenant_alone() {
        let lines = Lines::new(2);
        let joined = [1, 1, 1, 2].map(|tenant| lines.join(job(tenant, 1)));
        assert_eq!(joined, [Ok(()), Ok(()), Err(LineError::Full), Ok(())]);
        lines.close();
        assert_eq!(lines.join(job(2, 1)), Err(LineError::Closed));
        assert!(lines.wait());
        assert_eq!(lines.drain().len(), 3);
        assert!(!lines.wait());
    }

    #[test]
    fn a_batch_is_one_tenants_where_it_must_be() {
        let lines = lines(&[(1, 1), (2, 1), (1, 1)]);
        let limits = Limits {
            is_mixed: false,
            ..LIMITS
        };
        assert_eq!(batch(&lines, limits), [(1, 1), (1, 1)]);
        assert_eq!(batch(&lines, limits), [(2, 1)]);
    }

    #[test]
    fn quiet_tenants_are_taken_by_themselves_beside_a_crowd() {
        let lines = lines(&[(1, 1), (2, 1), (3, 40), (4, 1), (4, 1), (1, 1)]);
        let mut crowd = Crowd::default();
        assert!(!crowd.is_few());
        crowd.add(&[job(1, 1), job(1, 1)]);
        assert!(crowd.is_few());
        // A batch of the crowd leaves the quiet ones in their lines. What is heavy is not quiet.
        let mut filling = BatchBuilder::new(LIMITS);
        let first = lines.next(&mut filling, Some(&crowd));
        let second = lines.next(&mut filling, Some(&crowd));
        let third = lines.next(&mut filling, Some(&crowd));
        let of = |job: Option<Box<dyn Job>>| job.map(|job| job.tenant().id.0);
        assert_eq!([first, second, third].map(of), [Some(1), Some(1), None]);
        let quiet = lines.quiet(&crowd, true);
        let quiet: Vec<i64> = quiet.iter().map(|job| job.tenant().id.0).collect();
        assert_eq!(quiet, [2, 4, 4]);
        assert_eq!(batch(&lines, LIMITS), [(3, 40)]);
    }

    #[test]
    fn a_long_line_is_not_quiet_and_quiet_batches_are_light() {
        let long = [(2, 1); 5];
        let heavy = [(3, 8), (4, 8), (5, 1)];
        let lines = lines(&[long.as_slice(), heavy.as_slice()].concat());
        let mut crowd = Crowd::default();
        crowd.add(&[job(1, 1)]);
        assert_eq!(lines.quiet(&crowd, false).len(), 1, "of one tenant");
        assert_eq!(lines.quiet(&crowd, true).len(), 2);
        assert_eq!(lines.quiet(&crowd, true).len(), 0);
        for tenant in 2..=5 {
            crowd.add(&[job(tenant, 1)]);
        }
        assert!(!crowd.is_few(), "nobody is quiet beside many");
    }

    #[test]
    fn what_is_put_back_is_the_next_in_its_order() {
        let lines = lines(&[(1, 1), (1, 2), (1, 3)]);
        let mut filling = BatchBuilder::new(LIMITS);
        let taken = [
            lines.next(&mut filling, None),
            lines.next(&mut filling, None),
        ];
        lines.put_back(taken.into_iter().flatten().collect());
        assert_eq!(batch(&lines, LIMITS), [(1, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn what_is_put_back_has_the_next_turn_although_others_wait() {
        let lines = lines(&[(1, 1), (1, 2), (2, 1), (3, 1)]);
        let mut filling = BatchBuilder::new(LIMITS);
        let taken = [
            lines.next(&mut filling, None),
            lines.next(&mut filling, None),
        ];
        lines.put_back(taken.into_iter().flatten().collect());
        let all = [(1, 1), (2, 1), (3, 1), (1, 2)];
        assert_eq!(batch(&lines, LIMITS), all);
    }

    #[test]
    fn what_is_heavy_and_put_back_is_the_first_of_the_next_batch() {
        let lines = lines(&[(1, 40), (2, 1)]);
        let mut filling = BatchBuilder::new(LIMITS);
        lines.put_back(lines.next(&mut filling, None).into_iter().collect());
        assert_eq!(batch(&lines, LIMITS), [(1, 40), (2, 1)]);
    }
}
