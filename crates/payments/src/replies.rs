//! The reply to the request that waits for an operation, and the name of what the operation is about.

use books::Books;
use engine::{Book, Reply};

use crate::balances_after::BalancesAfter;
use crate::refunds::key::RefundId;
use crate::{Operation, OperationKind, Shelf, charging, disputes, moved, payouts, refunds};

/// The thing that an operation is about, in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The payment.
    Payment,
    /// The refund that the operation makes.
    Refund,
    /// The payout.
    Payout,
    /// The dispute.
    Dispute,
}

impl Subject {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Payout => "payout",
            Self::Dispute => "dispute",
        }
    }
}

/// The thing that an operation is about, with its id.
pub(crate) fn subject(operation: &Operation) -> (Subject, String) {
    match operation.kind {
        OperationKind::Charge
        | OperationKind::Authorize
        | OperationKind::Capture
        | OperationKind::Void
        | OperationKind::Increment => (Subject::Payment, operation.payment().to_string()),
        OperationKind::Refund | OperationKind::RefundReturn => {
            (Subject::Refund, RefundId::of(operation.id).to_string())
        }
        OperationKind::Payout | OperationKind::PayoutReturn => {
            (Subject::Payout, operation.payout().to_string())
        }
        OperationKind::Evidence => (Subject::Dispute, operation.dispute().to_string()),
    }
}

/// The reply to the request that has submitted an operation, by the present state of both and of the accounts. `None`
/// if the shelf does not have what the operation belongs to.
pub(crate) fn reply_to(operation: &Operation, book: &Book) -> Option<Reply> {
    let shelf = book.shelf::<Shelf>();
    let after = &BalancesAfter::by_operation(book.shelf::<Books>(), operation);
    Some(match operation.kind {
        OperationKind::Charge | OperationKind::Authorize => {
            charging::show::reply(shelf.payment(&operation.payment())?, after)
        }
        OperationKind::Capture | OperationKind::Void | OperationKind::Increment => {
            moved::reply(operation, shelf.payment(&operation.payment())?, after)
        }
        OperationKind::Refund | OperationKind::RefundReturn => {
            refunds::show::reply(operation, after)
        }
        OperationKind::Payout | OperationKind::PayoutReturn => {
            payouts::show::reply(operation, shelf.payout(&operation.payout())?, after)
        }
        OperationKind::Evidence => {
            disputes::show::reply(operation, shelf.dispute_with_id(&operation.dispute())?)
        }
    })
}
