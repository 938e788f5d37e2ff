//! The one place that reads the machine's clock.
//!
//! In sandbox mode each tenant may move its own clock ahead, so that a test need not wait for days. The books of that
//! tenant, and the work that is due in them, then follow the moved clock. Everything else follows the machine's clock:
//! signatures, leases of connections, logs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::id::TenantId;
use crate::timestamp::Timestamp;

/// The source of the time: the machine's clock, or a manual clock that a test moves. Clones share the offsets of the
/// tenants.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    hand: Option<Arc<AtomicI64>>,
    /// How far the clocks of tenants are ahead; `None` if no tenant can move its clock.
    offsets: Option<Arc<Offsets>>,
}

/// How far the clocks of tenants are ahead, in microseconds, as this process knows it.
#[derive(Debug, Default)]
struct Offsets {
    greatest: AtomicI64,
    of: RwLock<HashMap<TenantId, i64>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            hand: None,
            offsets: None,
        }
    }

    /// The machine's clock, which each tenant may move ahead for itself.
    #[must_use]
    pub fn of_tenants() -> Self {
        Self {
            hand: None,
            offsets: Some(Arc::default()),
        }
    }

    /// A manual clock that stands still at `start` until it is [`set`](Clock::set).
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self {
            hand: Some(Arc::new(AtomicI64::new(start.micros()))),
            offsets: None,
        }
    }

    /// Sets a manual clock; does nothing to the machine's clock.
    pub fn set(&self, now: Timestamp) {
        if let Some(hand) = &self.hand {
            hand.store(now.micros(), Ordering::SeqCst);
        }
    }

    /// True if tenants can move their clocks.
    #[must_use]
    pub const fn is_of_tenants(&self) -> bool {
        self.offsets.is_some()
    }

    /// Sets how far the clock of a tenant is ahead, in microseconds. A clock is never set back.
    pub fn move_ahead(&self, tenant: TenantId, offset: i64) {
        if let Some(offsets) = &self.offsets {
            let mut of = offsets.of.write().unwrap_or_else(PoisonError::into_inner);
            let known = of.entry(tenant).or_default();
            *known = offset.max(*known);
            offsets.greatest.fetch_max(offset, Ordering::SeqCst);
        }
    }

    /// How far the clock of a tenant is ahead, in microseconds.
    #[must_use]
    pub fn offset_of(&self, tenant: TenantId) -> i64 {
        // Most servers have no moved clock, and need no look-up.
        self.offsets
            .as_ref()
            .filter(|offsets| offsets.greatest.load(Ordering::SeqCst) > 0)
            .and_then(|offsets| {
                let of = offsets.of.read().unwrap_or_else(PoisonError::into_inner);
                of.get(&tenant).copied()
            })
            .unwrap_or(0)
    }

    /// The present moment of the clock that is ahead of all others.
    #[must_use]
    pub fn latest_now(&self) -> Timestamp {
        let greatest = self.offsets.as_ref();
        let greatest = greatest.map_or(0, |offsets| offsets.greatest.load(Ordering::SeqCst));
        self.now().plus_micros(greatest)
    }

    /// The present moment of a tenant.
    #[must_use]
    pub fn now_of(&self, tenant: TenantId) -> Timestamp {
        self.now().plus_micros(self.offset_of(tenant))
    }

    /// The present moment of the machine.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.hand {
            Some(hand) => Timestamp::from_micros(hand.load(Ordering::SeqCst)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let micros = since.map_or(0, |since| since.as_micros());
                Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_micros(5));
        assert_eq!(clock.now(), clock.now());
        clock.set(Timestamp::from_micros(7));
        assert_eq!(clock.now().micros(), 7);
    }

    #[test]
    fn a_tenant_moves_its_own_clock_and_never_back() {
        let clock = Clock::of_tenants();
        let (one, other) = (TenantId(1), TenantId(2));
        clock.move_ahead(one, 60_000_000);
        clock.move_ahead(one, 1);
        assert_eq!(
            (clock.offset_of(one), clock.offset_of(other)),
            (60_000_000, 0)
        );
        let ahead = clock.now_of(one).micros() - clock.now().micros();
        assert!((50_000_000..=60_000_000).contains(&ahead));
        assert!(clock.latest_now() > clock.now_of(other));
        let fixed = Clock::system();
        fixed.move_ahead(one, 60_000_000);
        assert_eq!(fixed.offset_of(one), 0);
    }
}
