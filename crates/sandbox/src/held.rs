//! Webhooks that a fault holds until there are enough of them, to be sent in the opposite order.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use faults::{Group, Part};
use tokio::sync::oneshot;

use crate::courier::Delivery;
use crate::event::Message;

/// A webhook as a fault wants it sent.
pub(crate) struct Outgoing {
    pub(crate) message: Message,
    pub(crate) copies: u8,
    /// What is wrong with its first try.
    pub(crate) corrupted: Option<Part>,
}

/// A webhook that is held, and where the result of its delivery is told.
pub(crate) type Held = (Outgoing, oneshot::Sender<Delivery>);

/// The webhooks that are held, by the fault that holds them.
#[derive(Default)]
pub(crate) struct Holding(Mutex<State>);

#[derive(Default)]
struct State {
    /// Number of groups so far.
    groups: u64,
    of: HashMap<u64, (u64, Vec<Held>)>,
}

/// What has become of a webhook that was given to [`Holding::add`].
pub(crate) enum Step {
    /// It is the first of a group, which has this number.
    Begun(u64),
    /// It is one of a group.
    Joined,
    /// Its group is whole: these are to be sent now, in this order.
    Whole(Vec<Held>),
}

impl Holding {
    /// Adds a webhook to the group of its fault.
    pub(crate) fn add(&self, group: Group, held: Held) -> Step {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = state.groups.saturating_add(1);
        let (number, members) = state
            .of
            .entry(group.fault)
            .or_insert_with(|| (next, Vec::new()));
        members.push(held);
        let (number, size) = (*number, members.len());
        if size >= group.size {
            let whole = state.of.remove(&group.fault);
            return Step::Whole(reversed(whole));
        }
        if size == 1 {
            state.groups = next;
            return Step::Begun(number);
        }
        Step::Joined
    }

    /// Takes a group that has waited long enough, in the order in which it is to be sent; empty if it is gone.
    pub(crate) fn give_up(&self, fault: u64, number: u64) -> Vec<Held> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = state.of.get(&fault).is_some_and(|(own, _)| *own == number);
        reversed(is_same.then(|| state.of.remove(&fault)).flatten())
    }
}

fn reversed(group: Option<(u64, Vec<Held>)>) -> Vec<Held> {
    let mut members = group.map(|(_, members)| members).unwrap_or_default();
    members.reverse();
    members
}
