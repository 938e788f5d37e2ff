//! Availability: captured money becomes available to the merchant on its day.
//!
//! The day is a fact of the capture ([`crate::terms`]). The commit that records the capture adds an errand for it, due
//! when the day begins, in UTC. A refund of the payment takes from its pending money first, so less becomes available
//! then. The terms may say that a share of it is held back from that moment on ([`crate::reserves`]).

use std::convert::Infallible;

use books::Books;
use engine::errand::{DueErrand, Errand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Engine, Request, Tenant, set};
use store::Timestamp;

use crate::terms::TermsShelf;
use crate::{Operation, OperationId, Shelf, opened, postings, reserves};

/// Kind of the errand that makes money available.
const AVAILABILITY: &str = "availability";
/// Pause after which money that could not be made available is tried again.
const NEXT_TRY_SECONDS: i64 = 60;
/// Number of microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Adds the errand that makes the money of an operation available on its day, if there is such money.
pub(crate) fn plan(book: &mut Book, operation: &Operation) {
    let (Some(day), true) = (operation.available_on, operation.unreleased > 0) else {
        return;
    };
    let errand = Errand {
        due_at: beginning_of(day),
        epoch: 0,
        place: String::new(),
    };
    let errands = book.shelf_mut::<Errands>().0;
    errands.add((AVAILABILITY, operation.id.bytes()), errand);
}

/// The moment at which a day begins, in UTC.
fn beginning_of(day: i32) -> Timestamp {
    Timestamp::from_micros(i64::from(day).saturating_mul(DAY_MICROS))
}

/// Makes the pending money of operations available, if its day has come.
#[derive(Debug, Clone)]
pub struct MakeAvailable {
    /// The operations.
    pub operations: Vec<OperationId>,
}

impl Command for MakeAvailable {
    /// The operations whose money could not be made available, and why.
    type Done = Vec<(OperationId, ledger::Refusal)>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.extend(&self.operations);
        }
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.operations.iter().map(|id| (AVAILABILITY, id.bytes())));
        }
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all = true;
        }
    }

    fn weight(&self) -> usize {
        self.operations.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Infallible> {
        let now = book.now();
        let mut refused = Vec::new();
        for id in &self.operations {
            let name = (AVAILABILITY, id.bytes());
            let errand = book.shelf::<Errands>().get(name);
            if errand.is_none_or(|errand| errand.due_at > now) {
                continue;
            }
            match make_available(book, *id) {
                Ok(()) => book.shelf_mut::<Errands>().0.end(name),
                Err(refusal) => {
                    refused.push((*id, refusal));
                    let next_try = now.plus_seconds(NEXT_TRY_SECONDS);
                    book.shelf_mut::<Errands>().0.postpone(name, next_try);
                }
            }
        }
        Ok(Decision::now(refused))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.make_available",
            kind: "operation",
            id: String::new(),
        }
    }
}

/// Makes the pending money of one operation available. If nothing is pending any more, nothing is done.
fn make_available(book: &mut Book, id: OperationId) -> Result<(), ledger::Refusal> {
    let operation = book.shelf::<Shelf>().operation(&id).cloned();
    let Some(mut operation) = operation.filter(|operation| operation.unreleased > 0) else {
        return Ok(());
    };
    operation.made_available = operation.unreleased;
    operation.unreleased = 0;
    book.try_part(|book| {
        opened::recorded(book, |book| {
            let now = book.now();
            let (shelf, books, ids) = book.shelves_mut::<Shelf, Books>();
            postings::post(books, &operation, postings::MADE_AVAILABLE, ids, now)?;
            shelf.change_operation(&mut operation);
            Ok(())
        })?;
        let transaction = book.shelf::<Books>().posted().last();
        let transaction = transaction.map(|posted| posted.id.to_string());
        let (payment, amount) = (
            operation.payment().to_string(),
            operation.made_available.to_string(),
        );
        let mut delta = vec![set("made_available", &amount)];
        delta.extend(transaction.iter().map(|id| set("transaction", id)));
        book.record(&AuditEvent {
            cause: Some(&operation.id.to_string()),
            ..AuditEvent::done("payment.made_available", ("payment", &payment), &delta)
        });
        reserves::hold_share(book, &operation)
    })
}

/// The work of money whose day has come.
pub struct Availability(pub Engine);

impl Work for Availability {
    fn kind(&self) -> &'static str {
        AVAILABILITY
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let operations = due.iter().map(|due| due.subject);
        let operations = operations.map(OperationId::from_bytes).collect();
        let request = Request::of_system(tenant, "sweeper", MakeAvailable { operations });
        Box::pin(async move {
            let refused = self.0.submit(request).await?.done().unwrap_or_default();
            for (operation, refusal) in refused {
                tracing::error!(%operation, %refusal, "money cannot be made available");
            }
            Ok(())
        })
    }
}
