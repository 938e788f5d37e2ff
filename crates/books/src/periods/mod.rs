//! Periods: closed books, in which nothing happens any more.

pub(crate) mod codes;
pub(crate) mod http;
pub mod show;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decided, set};
use store::Timestamp;

use crate::Refusal;
use crate::shelf::Books;

/// What the edge gets of it.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Closes everything that happened before a moment, for ever.
#[derive(Debug, Clone, Copy)]
pub struct ClosePeriod {
    /// The earliest moment that stays open.
    pub before: Timestamp,
}

impl Command for ClosePeriod {
    type Done = Timestamp;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.period = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decided<Timestamp>, Refusal> {
        let now = book.now();
        ledger::close_period(book.shelf_mut::<Books>().0, self.before, now)
            .map_err(Refusal::Period)?;
        let before = self.before.to_string();
        let delta = [set("closed_before", &before)];
        book.record(&AuditEvent::done("period.closed", ("period", ""), &delta));
        Ok(Decided::now(self.before))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "period.closed",
            kind: "period",
            id: String::new(),
        }
    }
}
