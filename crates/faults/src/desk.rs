//! The desk: the faults of every tenant, with the numbers of calls that they have seen and hit. It is in memory only.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::script::{Answer, Effect, Fault, Operation, Part, When};
use crate::{MAX_FAULTS, MAX_LATENCY_MILLIS, MAX_OF_TENANT};

/// A fault on a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scripted {
    /// The number of the fault on its desk, from 1.
    pub number: u64,
    /// The fault.
    pub fault: Fault,
    /// Number of calls, or webhooks, that it has seen.
    pub seen: u64,
    /// Number of these that it has hit.
    pub hits: u64,
}

/// There are too many faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The tenant has too many.
    #[error("a tenant has at most {MAX_OF_TENANT} faults")]
    OfTenant,
    /// All tenants together have too many.
    #[error("there are at most {MAX_FAULTS} faults of all tenants")]
    OfAll,
}

/// The faults that hit one call, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallFaults {
    /// The pause before the thing is done, in milliseconds.
    pub pause_before: u32,
    /// The pause after it, in milliseconds.
    pub pause_after: u32,
    /// The answer in the place of the right one.
    pub answer: Option<(When, Answer)>,
}

/// Webhooks that are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The number of the fault that holds them.
    pub fault: u64,
    /// The number of webhooks that end the group.
    pub size: usize,
}

/// The faults that hit one webhook, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookFaults {
    /// True if it is not sent.
    pub is_lost: bool,
    /// The pause before it is sent, in milliseconds.
    pub pause: u32,
    /// The number of times that it is sent.
    pub copies: u8,
    /// The part of its first try that is wrong.
    pub corrupted: Option<Part>,
    /// The webhooks with which it is held.
    pub held: Option<Group>,
}

impl Default for WebhookFaults {
    /// A webhook without faults is sent once.
    fn default() -> Self {
        Self {
            is_lost: false,
            pause: 0,
            copies: 1,
            corrupted: None,
            held: None,
        }
    }
}

/// The faults of every tenant.
#[derive(Debug, Default)]
pub struct Desk(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    of: BTreeMap<String, Vec<Scripted>>,
}

impl Desk {
    /// Sets a fault for a tenant. It counts calls from now on.
    ///
    /// # Errors
    /// [`Full`] if there are too many faults.
    pub fn set(&self, tenant: &str, fault: Fault) -> Result<Scripted, Full> {
        let mut state = self.lock();
        if state.of.values().map(Vec::len).sum::<usize>() >= MAX_FAULTS {
            return Err(Full::OfAll);
        }
        if state.of.get(tenant).map_or(0, Vec::len) >= MAX_OF_TENANT {
            return Err(Full::OfTenant);
        }
        state.last = state.last.saturating_add(1);
        let scripted = Scripted {
            number: state.last,
            fault,
            seen: 0,
            hits: 0,
        };
        let own = state.of.entry(tenant.to_owned()).or_default();
        own.push(scripted);
        Ok(scripted)
    }

    /// The faults of a tenant, in the order in which they were set.
    #[must_use]
    pub fn of(&self, tenant: &str) -> Vec<Scripted> {
        self.lock().of.get(tenant).cloned().unwrap_or_default()
    }

    /// Removes all faults of a tenant. Returns their number.
    pub fn clear(&self, tenant: &str) -> usize {
        self.lock().of.remove(tenant).map_or(0, |own| own.len())
    }

    /// Counts a call, and tells what happens to it. Pauses add up to at most a minute; of several answers, the fault
    /// that was set first gives the answer.
    pub fn call(&self, tenant: &str, operation: Operation) -> CallFaults {
        let mut faults = CallFaults::default();
        for effect in self.hits(tenant, operation) {
            match effect {
                Effect::Status {
                    status,
                    retry_after,
                    when,
                } => {
                    let answer = Answer::Status {
                        status,
                        retry_after,
                    };
                    faults.answer.get_or_insert((when, answer));
                }
                Effect::Drop { when } => {
                    faults.answer.get_or_insert((when, Answer::Closed));
                }
                Effect::Latency { millis, when } => {
                    let used = faults.pause_before.saturating_add(faults.pause_after);
                    let left = MAX_LATENCY_MILLIS.saturating_sub(used);
                    let pause = match when {
                        When::Before => &mut faults.pause_before,
                        When::After => &mut faults.pause_after,
                    };
                    *pause = pause.saturating_add(millis.min(left));
                }
                // No fault of a call has such an effect.
                Effect::Duplicate { .. } | Effect::Reorder { .. } | Effect::Corrupt { .. } => {}
            }
        }
        faults
    }

    /// Counts a webhook, and tells what happens to it. Of several groups the first holds it, and of several numbers of
    /// copies the greatest counts.
    pub fn webhook(&self, tenant: &str) -> WebhookFaults {
        let mut faults = WebhookFaults::default();
        for (number, effect) in self.numbered_hits(tenant, Operation::Webhook) {
            match effect {
                Effect::Drop { .. } => faults.is_lost = true,
                Effect::Latency { millis, .. } => {
                    let pause = faults.pause.saturating_add(millis);
                    faults.pause = pause.min(MAX_LATENCY_MILLIS);
                }
                Effect::Duplicate { copies } => faults.copies = faults.copies.max(copies),
                Effect::Corrupt { part } => {
                    faults.corrupted.get_or_insert(part);
                }
                Effect::Reorder { hold } => {
                    let size = usize::from(hold);
                    let group = Group {
                        fault: number,
                        size,
                    };
                    faults.held.get_or_insert(group);
                }
                // No fault of a webhook has such an effect.
                Effect::Status { .. } => {}
            }
        }
        faults
    }

    fn hits(&self, tenant: &str, operation: Operation) -> impl Iterator<Item = Effect> {
        let hits = self.numbered_hits(tenant, operation).into_iter();
        hits.map(|(_, effect)| effect)
    }

    /// Counts a call or a webhook at every fault that is about it, and returns the effects of those that hit it.
    fn numbered_hits(&self, tenant: &str, operation: Operation) -> Vec<(u64, Effect)> {
        let mut state = self.lock();
        let own = state.of.get_mut(tenant);
        let mut hits = Vec::new();
        for scripted in own.into_iter().flatten() {
            if !scripted.fault.operation.covers(operation) {
                continue;
            }
            scripted.seen = scripted.seen.saturating_add(1);
            if scripted.fault.calls.hit(scripted.seen) {
                scripted.hits = scripted.hits.saturating_add(1);
                hits.push((scripted.number, scripted.fault.effect));
            }
        }
        hits
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No change is left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::Calls;

    fn fault(operation: Operation, calls: Calls, effect: Effect) -> Fault {
        Fault::new(operation, calls, effect).unwrap()
    }

    const NEXT: Calls = Calls::Next(1);

    #[test]
    fn calls_count_at_the_faults_of_their_operation_and_tenant_only() {
        let desk = Desk::default();
        let drop = Effect::Drop { when: When::After };
        let second = fault(Operation::Capture, Calls::Nth(2), drop);
        desk.set("1", second).unwrap();
        let closed = Some((When::After, Answer::Closed));
        assert_eq!(desk.call("2", Operation::Capture).answer, None);
        assert_eq!(desk.call("1", Operation::Capture).answer, None);
        assert_eq!(desk.call("1", Operation::Refund).answer, None);
        assert_eq!(desk.call("1", Operation::Capture).answer, closed);
        assert_eq!(desk.call("1", Operation::Capture).answer, None);
        let seen = desk.of("1").first().map(|one| (one.seen, one.hits));
        assert_eq!(seen, Some((3, 1)));
        assert_eq!(
            (desk.clear("2"), desk.clear("1"), desk.clear("1")),
            (0, 1, 0)
        );
    }

    #[test]
    fn several_faults_of_one_call_join() {
        let desk = Desk::default();
        let latency = |millis, when| Effect::Latency { millis, when };
        let status = |status, when| Effect::Status {
            status,
            retry_after: Some(2),
            when,
        };
        for effect in [
            latency(50_000, When::Before),
            latency(50_000, When::After),
            status(503, When::Before),
            status(500, When::After),
        ] {
            desk.set("1", fault(Operation::Any, NEXT, effect)).unwrap();
        }
        let answer = Answer::Status {
            status: 503,
            retry_after: Some(2),
        };
        let expected = CallFaults {
            pause_before: 50_000,
            pause_after: 10_000,
            answer: Some((When::Before, answer)),
        };
        assert_eq!(desk.call("1", Operation::Void), expected);
        assert_eq!(desk.call("1", Operation::Void), CallFaults::default());
    }

    #[test]
    fn several_faults_of_one_webhook_join() {
        let desk = Desk::default();
        let part = Part::Signature;
        for effect in [
            Effect::Duplicate { copies: 3 },
            Effect::Duplicate { copies: 2 },
            Effect::Corrupt { part },
            Effect::Reorder { hold: 4 },
        ] {
            desk.set("1", fault(Operation::Webhook, NEXT, effect))
                .unwrap();
        }
        let expected = WebhookFaults {
            copies: 3,
            corrupted: Some(part),
            held: Some(Group { fault: 4, size: 4 }),
            ..WebhookFaults::default()
        };
        assert_eq!(desk.webhook("1"), expected);
        assert_eq!(desk.webhook("1"), WebhookFaults::default());
    }

    #[test]
    fn the_number_of_faults_is_bounded() {
        let desk = Desk::default();
        let one = fault(Operation::Any, NEXT, Effect::Drop { when: When::After });
        for _ in 0..MAX_OF_TENANT {
            desk.set("1", one).unwrap();
        }
        assert_eq!(desk.set("1", one), Err(Full::OfTenant));
        for tenant in 2..=MAX_FAULTS / MAX_OF_TENANT {
            for _ in 0..MAX_OF_TENANT {
                desk.set(&tenant.to_string(), one).unwrap();
            }
        }
        assert_eq!(desk.set("other", one), Err(Full::OfAll));
        desk.clear("1");
        assert!(desk.set("other", one).is_ok());
    }
}
