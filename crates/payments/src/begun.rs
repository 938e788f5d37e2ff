//! What every command that sends an operation to a provider has in common: the errand, the reply, and the wait for
//! the outcome.

use std::sync::Arc;
use std::time::Duration;

use edge::{Problem, Response, State, Submission};
use engine::errand::{Errand, Errands};
use engine::{Book, Command, Decision, Keep, RefusalReply, Reply};

use crate::balances_after::BalancesAfter;
use crate::bank_accounts::is_bank_account;
use crate::charging::AnswerNow;
use crate::disputes::evidence::Evidence;
use crate::{
    Operation, OperationId, OperationKind, Payment, Providers, Refusal, Shelf, bank_orders,
    charging, moved, refunds,
};

/// Epoch of the lease with which an operation begins.
const FIRST_EPOCH: i32 = 1;

/// A payment after a command, and the operation that the command has submitted, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The payment.
    pub payment: Payment,
    /// The operation.
    pub operation: Option<Operation>,
}

/// An operation, and the lease under which its outcome may be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedOperation {
    /// The operation.
    pub operation: Operation,
    /// Epoch of the lease.
    pub epoch: i32,
    /// The authorized amount of its payment when the lease began, in minor units; 0 for a payout.
    pub authorized: i64,
    /// The captured part of it, in minor units; 0 for a payout.
    pub captured: i64,
    /// The evidence that the operation sends; `None` if it sends none.
    pub evidence: Option<Evidence>,
}

impl LeasedOperation {
    /// An operation with its lease, and with what its request needs of the shelf: the amounts of its payment, or the
    /// evidence for its dispute.
    #[must_use]
    pub fn new(shelf: &Shelf, operation: Operation, epoch: i32) -> Self {
        let payment = shelf.payment(&operation.payment());
        let dispute = shelf.dispute_with_id(&operation.dispute());
        Self {
            evidence: dispute.and_then(|dispute| dispute.evidence.clone()),
            authorized: payment.map_or(0, |payment| payment.authorized),
            captured: payment.map_or(0, |payment| payment.captured),
            operation,
            epoch,
        }
    }
}

/// The outcome of a command that may submit an operation.
pub(crate) trait Submits: Send + 'static {
    /// The operation, if there is one.
    fn operation(&self) -> Option<OperationId>;
}

impl Submits for Begun {
    fn operation(&self) -> Option<OperationId> {
        self.operation.as_ref().map(|operation| operation.id)
    }
}

/// The decision of a command that has submitted an operation. `resource` names what the request has made or moved; the
/// reply comes later.
pub(crate) fn decision(
    book: &mut Book,
    (payment, operation): (Payment, Operation),
    providers: &Providers,
    resource: String,
) -> Decision<Begun> {
    send(book, &operation, providers);
    Decision {
        done: Begun {
            payment,
            operation: Some(operation),
        },
        keep: Keep::Later(resource),
    }
}

/// Gives an operation its errand, already leased, and sends it to the worker after the commit. A transfer of a bank-file
/// provider waits for an order instead.
pub(crate) fn send(book: &mut Book, operation: &Operation, providers: &Providers) {
    // The destination decides, because the provider may not be in the settings of this server.
    if is_bank_account(&operation.payment_method) {
        return bank_orders::wait(book, operation);
    }
    let provider = providers.named(&operation.provider);
    // A provider that is not in the settings any more has no lease: the errand is due at once, for another server.
    let lease_millis = provider.map_or(0, |provider| provider.lease_millis);
    let errand = Errand {
        due_at: book.now().plus_millis(lease_millis),
        epoch: FIRST_EPOCH,
        place: operation.provider.clone(),
    };
    let errands = book.shelf_mut::<Errands>().0;
    errands.add(operation.errand(), errand);
    let leased = LeasedOperation::new(book.shelf::<Shelf>(), operation.clone(), FIRST_EPOCH);
    book.tell_after_commit(leased);
}

/// The reply of a command, at the moment of its decision. It has moved no money: a request whose operation goes to the
/// provider gets its reply with the outcome.
pub(crate) fn show(begun: &Begun, _is_dry_run: bool) -> Reply {
    match &begun.operation {
        Some(operation) if operation.kind == OperationKind::Refund => {
            refunds::show::reply(operation, &BalancesAfter::NONE)
        }
        Some(operation) if !operation.kind.begins_attempt() => {
            moved::reply(operation, &begun.payment, &BalancesAfter::NONE)
        }
        Some(_) | None => charging::show::reply(&begun.payment, &BalancesAfter::NONE),
    }
}

/// Submits a command that may send an operation to the provider, and waits for the outcome as long as the request
/// allows.
pub(crate) async fn submit<C, D>(
    state: &State,
    submission: Submission,
    command: C,
    wait: Duration,
    show: fn(&D, bool) -> Reply,
    show_refusal: fn(&C, &Refusal) -> RefusalReply,
) -> Result<Response, Problem>
where
    C: Command<Done = D, Refusal = Refusal>,
    D: Submits,
{
    let answer_now = |key, begun: D| AnswerNow {
        key,
        operation: begun.operation(),
    };
    let waited = state.submit_and_wait(submission, wait, command, show, show_refusal, answer_now);
    waited.await
}

/// The providers, for a command.
pub(crate) fn providers(state: &State) -> Result<Arc<Providers>, Problem> {
    Ok(Arc::clone(state.part()?))
}
