//! The command that gives late money to the merchant.

use books::Books;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};

use crate::balances_after::BalancesAfter;
use crate::{Operation, OperationId, Refusal, Shelf, availability, opened, postings};

/// Gives the late money of an operation to the merchant.
#[derive(Debug, Clone)]
pub struct AllocateLate {
    /// The operation that had failed.
    pub operation: OperationId,
}

impl Command for AllocateLate {
    type Done = (Operation, BalancesAfter);
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.push(self.operation);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Refusal> {
        let now = book.now();
        let operation = book.shelf::<Shelf>().operation(&self.operation);
        let mut operation = operation.ok_or(Refusal::NotFound)?.clone();
        let amount = operation.undecided();
        if amount == 0 {
            return Err(Refusal::NothingUnallocated);
        }
        operation.allocated = amount;
        operation.unreleased = amount.saturating_sub(operation.fee);
        operation.available_on = operation.delay.map(|delay| delay.available_on(now));
        opened::recorded(book, |book| {
            let (shelf, books, ids) = book.shelves_mut::<Shelf, Books>();
            postings::post(books, &operation, postings::LATE_ALLOCATED, ids, now)?;
            shelf.change_operation(&mut operation);
            Ok(())
        })
        .map_err(Refusal::Ledger)?;
        availability::plan(book, &operation);
        let transaction = book.shelf::<Books>().posted().last();
        let transaction = transaction.map(|posted| posted.id.to_string());
        let (payment, amount) = (operation.payment().to_string(), amount.to_string());
        let mut delta = vec![set("allocated", &amount)];
        delta.extend(transaction.iter().map(|id| set("transaction", id)));
        book.record(&AuditEvent {
            cause: Some(&operation.id.to_string()),
            ..AuditEvent::done("payment.late_allocated", ("payment", &payment), &delta)
        });
        let after = BalancesAfter::by_operation(book.shelf::<Books>(), &operation);
        Ok(Decision::now((operation, after)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.allocate",
            kind: "operation",
            id: self.operation.to_string(),
        }
    }
}
