//! The command that takes over the operations whose lease has run out.

use std::convert::Infallible;

use engine::errand::Errands;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};

use crate::{LeasedOperation, Operation, OperationId, Shelf};

/// Leases operations that are due.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The operations.
    pub operations: Vec<OperationId>,
    /// Duration of the new lease, in milliseconds.
    pub lease_millis: i64,
}

impl Command for Lease {
    /// The operations that are leased now, without those that another worker has.
    type Done = Vec<LeasedOperation>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.extend(&self.operations);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Vec<LeasedOperation>>, Infallible> {
        let now = book.now();
        let until = now.plus_millis(self.lease_millis);
        let mut leased = Vec::new();
        for id in &self.operations {
            let operation = book.shelf::<Shelf>().operation(id).cloned();
            let Some(operation) = operation.filter(Operation::is_unfinished) else {
                continue;
            };
            let errands = book.shelf_mut::<Errands>().0;
            let Some(epoch) = errands.lease(operation.errand(), now, until) else {
                continue;
            };
            let (id, text) = (operation.id.to_string(), epoch.to_string());
            let delta = [set("lease_epoch", &text)];
            book.record(&AuditEvent::done(
                "operation.leased",
                ("operation", &id),
                &delta,
            ));
            leased.push(LeasedOperation::new(
                book.shelf::<Shelf>(),
                operation,
                epoch,
            ));
        }
        Ok(Decision::now(leased))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.lease",
            kind: "operation",
            id: String::new(),
        }
    }
}
