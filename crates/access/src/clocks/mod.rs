//! The clock of a tenant in sandbox mode. A tenant moves its clock ahead, and everything that depends on time happens
//! as if the time had passed: authorizations expire, money becomes available, keys are forgotten.
//!
//! The offset is stored with the tenant. Each process keeps the offsets of all tenants in its [`store::Clock`], and
//! reads them again twice a second, because another process may have moved a clock.

mod http;
pub mod show;

use diesel::prelude::*;
use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Loading, changed};
use store::bulk::Writes;
use store::rows::Single;
use store::{Error, TenantId, Timestamp};

use crate::schema::tenant;

edge::codes! {
    CLOCK_TOO_FAR: "clock_too_far" 422 INVALID_REQUEST NEVER FREE "The clock would be more than ten years ahead";
}

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: ALL,
};

/// The greatest number of seconds by which one request moves a clock: 366 days.
const MOST_SECONDS: i64 = 366 * 86_400;
/// The greatest number of seconds that a clock is ahead: ten years.
const FARTHEST_SECONDS: i64 = 3_653 * 86_400;

/// Moves the clock of a tenant ahead.
#[derive(Debug, Clone, Copy)]
pub struct AdvanceClock {
    /// By so many seconds.
    pub seconds: i64,
}

/// A clock that was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advanced {
    /// Offset of the clock after the move, in microseconds.
    pub offset: i64,
    /// The tenant's time after the move.
    pub now: Timestamp,
}

/// The clock would be too far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a clock is at most 3653 days ahead, and this one is {0} seconds ahead already")]
pub struct TooFar(pub i64);

impl Command for AdvanceClock {
    type Done = Advanced;
    type Refusal = TooFar;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(asked) = asks.of::<ClockShelf>() {
            *asked = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Advanced>, TooFar> {
        let name = book.tenant().name.clone();
        let before = book.shelf::<ClockShelf>().state.value.offset;
        let ahead = before.div_euclid(1_000_000);
        let after = ahead.saturating_add(self.seconds);
        if after > FARTHEST_SECONDS {
            return Err(TooFar(ahead));
        }
        let by = self.seconds.saturating_mul(1_000_000);
        let offset = before.saturating_add(by);
        let state = &mut book.shelf_mut::<ClockShelf>().0.state.value;
        state.offset = offset;
        let (was, is) = (ahead.to_string(), after.to_string());
        let delta = [changed("clock_offset_seconds", &was, &is)];
        book.record(&AuditEvent::done(
            "clock.advanced",
            ("tenant", &name),
            &delta,
        ));
        let now = book.now().plus_micros(by);
        Ok(Decision::now(Advanced { offset, now }))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "clock.advance",
            kind: "tenant",
            id: String::new(),
        }
    }
}

/// The offset of a tenant's clock, as a batch holds it.
#[derive(Debug, Default)]
pub struct ClockShelf {
    state: Single<State>,
}

store::savepoint!(ClockShelf { state });

#[derive(Debug, Default, Clone)]
struct State {
    /// Offset in the database, in microseconds.
    seen: i64,
    /// Offset with the changes of the batch, in microseconds.
    offset: i64,
}

store::bulk_update! {
    /// A clock that was moved.
    pub struct MovedRow in tenant {
        find { tenant_id: TenantId = tenant_id, seen: i64 = clock_offset }
        set { clock_offset: i64 = clock_offset }
    }
}

impl engine::Shelf for ClockShelf {
    type Asks = bool;
    type Memory = ();

    fn must_lock(asks: &bool) -> bool {
        *asks
    }

    fn is_nothing(asks: &bool) -> bool {
        !asks
    }

    fn load(&mut self, from: &mut Loading<'_>, _asks: bool) -> Result<(), Error> {
        let offset = tenant::table.find(from.tenant).select(tenant::clock_offset);
        let offset: Option<i64> = offset.first(from.connection).optional()?;
        let seen = offset.unwrap_or(0);
        self.state.value = State { seen, offset: seen };
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let State { seen, offset } = self.state.value;
        if offset != seen {
            writes.add(vec![MovedRow {
                tenant_id,
                seen,
                clock_offset: offset,
            }]);
        }
    }
}
