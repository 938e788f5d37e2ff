//! Requests that wait for an answer which comes in a later commit than their own.
//!
//! A waiter gets the reply after the commit that answers its key. Another process may commit the answer. So the
//! keys that are waited for are looked up together from time to time, by one question that does not enter the
//! lane.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use idempotency::{Key, Reply};
use store::TenantId;
use tokio::sync::oneshot;

/// Requests that wait, by tenant and key. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Waiters(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next: u64,
    by_key: HashMap<(TenantId, Key), Vec<Waiter>>,
}

struct Waiter {
    number: u64,
    told: oneshot::Sender<Reply>,
}

/// One request that waits. It stops waiting when this is dropped.
pub(crate) struct WaitGuard {
    waiters: Waiters,
    name: (TenantId, Key),
    number: u64,
    /// Gets the reply.
    pub(crate) reply: oneshot::Receiver<Reply>,
}

impl Waiters {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to wait for the answer to a key.
    pub(crate) fn wait(&self, tenant: TenantId, key: Key) -> WaitGuard {
        let (told, reply) = oneshot::channel();
        let name = (tenant, key);
        let mut state = self.state();
        let number = state.next;
        state.next = state.next.wrapping_add(1);
        let waiter = Waiter { number, told };
        state.by_key.entry(name.clone()).or_default().push(waiter);
        drop(state);
        WaitGuard {
            waiters: self.clone(),
            name,
            number,
            reply,
        }
    }

    /// Sends a reply to all who wait for the answer to this key.
    pub(crate) fn tell(&self, tenant: TenantId, key: &Key, reply: &Reply) {
        let waiting = self.state().by_key.remove(&(tenant, key.clone()));
        for waiter in waiting.into_iter().flatten() {
            // The request may be gone.
            let _gone = waiter.told.send(reply.clone());
        }
    }

    /// The keys whose answers somebody waits for, by tenant.
    pub(crate) fn keys(&self) -> HashMap<TenantId, Vec<Key>> {
        let mut keys: HashMap<TenantId, Vec<Key>> = HashMap::new();
        for (tenant, key) in self.state().by_key.keys() {
            keys.entry(*tenant).or_default().push(key.clone());
        }
        keys
    }
}

impl Drop for WaitGuard {
    fn drop(&mut self) {
        let mut state = self.waiters.state();
        if let Some(waiting) = state.by_key.get_mut(&self.name) {
            waiting.retain(|waiter| waiter.number != self.number);
            if waiting.is_empty() {
                state.by_key.remove(&self.name);
            }
        }
    }
}
