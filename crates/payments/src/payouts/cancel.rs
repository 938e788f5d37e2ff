//! The command that cancels a payout before it is sent.
//!
//! A payout that waits for an approval has moved no money: its approval is withdrawn. One that waits for an order of a
//! bank has its errand, and the commit that makes an order ends this errand. So of a cancellation and an order, the
//! first one counts. All other payouts are with their provider, and only the provider says what becomes of them.

use books::Books;
use engine::errand::Errands;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, set};

use super::state::{PayoutEvent, PayoutState};
use super::{Payout, PayoutId, dropped};
use crate::approvals::{self, ApprovalId};
use crate::balances_after::BalancesAfter;
use crate::bank_orders::BANK_TRANSFER;
use crate::state::OperationEvent;
use crate::{Operation, Refusal, Shelf, opened, postings, replies};

/// Cancels a payout.
#[derive(Debug, Clone)]
pub struct CancelPayout {
    /// The payout.
    pub id: PayoutId,
    /// The approval that it needed, if it needed one. It never changes.
    pub approval: Option<ApprovalId>,
}

impl Command for CancelPayout {
    type Done = (Payout, BalancesAfter);
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(id) = self.approval {
            approvals::ask(asks, id);
        }
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations_of.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Refusal> {
        let shelf = book.shelf::<Shelf>();
        let payout = shelf.payout(&self.id).ok_or(Refusal::NotFound)?.clone();
        let state = payout.state;
        let done = match state {
            PayoutState::RequiresApproval => {
                if let Some(id) = payout.approval {
                    approvals::withdraw(book, id);
                }
                let payout = dropped(book, payout, PayoutEvent::Canceled);
                (payout, BalancesAfter::NONE)
            }
            PayoutState::Processing => {
                let operation = shelf.unfinished_of(&self.id).cloned();
                let operation = operation.filter(|known| {
                    let errand = (BANK_TRANSFER, known.id.bytes());
                    book.shelf::<Errands>().get(errand).is_some()
                });
                let operation = operation.ok_or(Refusal::PayoutState { state })?;
                take_back(book, payout, operation)?
            }
            PayoutState::Paid | PayoutState::Failed | PayoutState::Canceled => {
                return Err(Refusal::PayoutState { state });
            }
        };
        Ok(Decision::now(done))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payout.cancel",
            kind: "payout",
            id: self.id.to_string(),
        }
    }
}

/// Gives up an operation that no bank has got, and gives its money back to where it came from.
fn take_back(
    book: &mut Book,
    mut payout: Payout,
    mut operation: Operation,
) -> Result<(Payout, BalancesAfter), Refusal> {
    let now = book.now();
    opened::recorded(book, |book| {
        let (_, books, ids) = book.shelves_mut::<Shelf, Books>();
        postings::post(books, &operation, postings::PAYOUT_CANCELED, ids, now)
    })
    .map_err(Refusal::Ledger)?;
    // After this point nothing may fail.
    let posted = book.shelf::<Books>().posted().last();
    let transaction = posted.map_or_else(String::new, |posted| posted.id.to_string());
    let before = payout.state.name();
    let shelf = book.shelf_mut::<Shelf>().0;
    shelf.step_operation(&mut operation, OperationEvent::Canceled, now);
    shelf.change_operation(&mut operation);
    shelf.step_payout(&mut payout, PayoutEvent::Canceled, now);
    shelf.change_payout(&mut payout, now);
    let errands = book.shelf_mut::<Errands>().0;
    errands.end((BANK_TRANSFER, operation.id.bytes()));
    if let Some(reply) = replies::reply_to(&operation, book) {
        let (_, resource) = replies::subject(&operation);
        book.answer(&operation.idempotency_key, &resource, reply);
    }
    let (id, cause) = (payout.id.to_string(), operation.id.to_string());
    let delta = [
        changed("status", before, payout.state.name()),
        set("transaction", &transaction),
    ];
    book.record(&AuditEvent {
        cause: Some(&cause),
        ..AuditEvent::done("payout.canceled", ("payout", &id), &delta)
    });
    let after = BalancesAfter::by_operation(book.shelf::<Books>(), &operation);
    Ok((payout, after))
}
