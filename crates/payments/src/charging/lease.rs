//! Taking over what a worker that died has left.

use std::convert::Infallible;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decided, set};

use crate::{Operation, Shelf};

/// Leases operations whose lease has run out.
#[derive(Debug, Clone, Copy)]
pub struct LeaseDue {
    /// Number of operations at most.
    pub limit: i64,
    /// Duration of the new lease, in milliseconds.
    pub lease_millis: i64,
}

impl Command for LeaseDue {
    /// Operations that are leased now.
    type Done = Vec<Operation>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        let now = asks.now;
        if let Some(needs) = asks.of::<Shelf>() {
            needs.due = Some((now, self.limit));
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decided<Vec<Operation>>, Infallible> {
        let now = book.now();
        let leased = crate::lease(book.shelf_mut::<Shelf>().0, now, self.lease_millis);
        for operation in &leased {
            let (id, epoch) = (operation.id.to_string(), operation.lease_epoch.to_string());
            let delta = [set("lease_epoch", &epoch)];
            book.record(&AuditEvent::done(
                "operation.leased",
                ("operation", &id),
                &delta,
            ));
        }
        Ok(Decided::now(leased))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.lease",
            kind: "operation",
            id: String::new(),
        }
    }
}
