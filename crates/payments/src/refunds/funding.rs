//! The funding of refunds: where their money comes from, and the wait for it.

use std::convert::Infallible;
use std::sync::Arc;

use books::Books;
use engine::errand::{DueErrand, Errand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Engine, Request, Tenant, set};

use super::RefundId;
use crate::state::OperationEvent;
use crate::{Operation, OperationId, OperationState, Providers, Shelf, begun, opened, postings};

/// Kind of the errand of a refund that waits for money.
const FUNDING: &str = "refund_funding";
/// Pause after which a refund that waits for money is tried again.
const NEXT_TRY_SECONDS: i64 = 5;

/// Takes the money of a refund, and submits it. Returns the refund, and the id of the transaction. If the books
/// refuse, nothing changes.
pub(super) fn fund(
    book: &mut Book,
    refund: &Operation,
) -> Result<(Operation, String), ledger::Refusal> {
    book.try_part(|book| {
        let now = book.now();
        let funded = opened::recorded(book, |book| {
            let (shelf, books, ids) = book.shelves_mut::<Shelf, Books>();
            let mut refund = refund.clone();
            take_pending(shelf, &mut refund);
            shelf.step_operation(&mut refund, OperationEvent::Submitted, now);
            shelf.change_operation(&mut refund);
            postings::post(books, &refund, postings::REFUND_MADE, ids, now)?;
            Ok(refund)
        })?;
        let transaction = book.shelf::<Books>().posted().last();
        let transaction = transaction.map(|posted| posted.id.to_string());
        Ok((funded, transaction.unwrap_or_default()))
    })
}

/// Takes as much as possible from the money of the payment that is not available yet, so that less is released later.
fn take_pending(shelf: &mut Shelf, refund: &mut Operation) {
    let mut missing = refund.money.amount.get();
    for mut capture in shelf.pending_of(&refund.payment()) {
        let taken = capture.unreleased.min(missing);
        if taken == 0 || capture.id == refund.id {
            continue;
        }
        missing = missing.saturating_sub(taken);
        refund.from_pending = refund.from_pending.saturating_add(taken);
        // If the refund fails, the money is pending again until the latest of these days.
        refund.available_on = refund.available_on.max(capture.available_on);
        capture.unreleased = capture.unreleased.saturating_sub(taken);
        shelf.change_operation(&mut capture);
    }
}

/// Adds the errand of a refund that waits for money.
pub(super) fn wait(book: &mut Book, refund: OperationId) {
    let errand = Errand {
        due_at: book.now().plus_seconds(NEXT_TRY_SECONDS),
        epoch: 0,
        place: String::new(),
    };
    let errands = book.shelf_mut::<Errands>().0;
    errands.add((FUNDING, refund.bytes()), errand);
}

/// Sends the refunds for which there is enough money now.
#[derive(Debug, Clone)]
pub struct FundRefunds {
    /// The refunds, by their operations.
    pub refunds: Vec<OperationId>,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for FundRefunds {
    /// The refunds that the books refuse for another reason, and why.
    type Done = Vec<(OperationId, ledger::Refusal)>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.refunds.extend(&self.refunds);
        }
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.refunds.iter().map(|id| (FUNDING, id.bytes())));
        }
    }

    fn weight(&self) -> usize {
        self.refunds.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Infallible> {
        let mut refused = Vec::new();
        for id in &self.refunds {
            let name = (FUNDING, id.bytes());
            let waits = |refund: &&Operation| refund.state == OperationState::Created;
            let refund = book.shelf::<Shelf>().operation(id).filter(waits).cloned();
            let Some(refund) = refund else {
                book.shelf_mut::<Errands>().0.end(name);
                continue;
            };
            match fund(book, &refund) {
                Ok((refund, transaction)) => {
                    book.shelf_mut::<Errands>().0.end(name);
                    let subject = RefundId::of(refund.id).to_string();
                    let delta = [set("transaction", &transaction)];
                    book.record(&AuditEvent::done(
                        "refund.funded",
                        ("refund", &subject),
                        &delta,
                    ));
                    begun::send(book, &refund, &self.providers);
                }
                Err(refusal) => {
                    if !matches!(refusal, ledger::Refusal::InsufficientFunds { .. }) {
                        refused.push((*id, refusal));
                    }
                    let next_try = book.now().plus_seconds(NEXT_TRY_SECONDS);
                    book.shelf_mut::<Errands>().0.postpone(name, next_try);
                }
            }
        }
        Ok(Decision::now(refused))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "refund.fund",
            kind: "refund",
            id: String::new(),
        }
    }
}

/// The work of refunds that wait for money.
pub struct Refunding {
    /// The lane.
    pub engine: Engine,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Work for Refunding {
    fn kind(&self) -> &'static str {
        FUNDING
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let refunds = due.iter().map(|due| due.subject);
        let command = FundRefunds {
            refunds: refunds.map(OperationId::from_bytes).collect(),
            providers: Arc::clone(&self.providers),
        };
        let request = Request::of_system(tenant, "sweeper", command);
        Box::pin(async move {
            let refused = self.engine.submit(request).await?.done();
            for (refund, refusal) in refused.unwrap_or_default() {
                tracing::error!(%refund, %refusal, "a refund cannot be funded");
            }
            Ok(())
        })
    }
}
