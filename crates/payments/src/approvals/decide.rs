//! The command that decides on an approval.

use std::sync::Arc;

use engine::errand::Errands;
use engine::{Asks, Attempt, Book, Command, Decision};

use super::{Approval, ApprovalEvent, ApprovalId, ApprovalShelf, ApprovalState, EXPIRY, end};
use crate::balances_after::BalancesAfter;
use crate::{Providers, Refusal};

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Approve,
    /// It is given up.
    Reject,
}

/// Decides on an approval.
#[derive(Debug, Clone)]
pub struct DecideApproval {
    /// The approval.
    pub id: ApprovalId,
    /// The decision.
    pub verdict: Verdict,
    /// The person who decides: the label of their key.
    pub by: String,
    /// The reason.
    pub reason: Option<String>,
    /// The providers, for what is done.
    pub providers: Arc<Providers>,
}

/// Why nothing was decided: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// The approval does not exist, or belongs to another tenant.
    #[error("there is no such approval")]
    NotFound,
    /// It was decided already, or has expired.
    #[error("the approval is {} already", .0.name())]
    Decided(ApprovalState),
    /// The person has proposed it themselves.
    #[error("nobody decides on what they have proposed")]
    SamePerson,
    /// What was approved is refused: by the books, or by the standing of the customer.
    #[error(transparent)]
    Refused(Refusal),
}

impl Command for DecideApproval {
    type Done = (Approval, BalancesAfter);
    type Refusal = DecisionError;

    fn asks(&self, asks: &mut Asks<'_>) {
        super::ask(asks, self.id);
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, DecisionError> {
        let approval = book.shelf::<ApprovalShelf>().approval(&self.id).cloned();
        let approval = approval.ok_or(DecisionError::NotFound)?;
        if approval.state != ApprovalState::Proposed {
            return Err(DecisionError::Decided(approval.state));
        }
        if approval.proposed_by == self.by {
            return Err(DecisionError::SamePerson);
        }
        let (action, subject) = (approval.action, approval.subject);
        let event = match self.verdict {
            Verdict::Approve => ApprovalEvent::Approved,
            Verdict::Reject => ApprovalEvent::Rejected,
        };
        let approval = end(
            book,
            approval,
            event,
            Some(&self.by),
            self.reason.as_deref(),
        );
        book.shelf_mut::<Errands>().0.end((EXPIRY, self.id.bytes()));
        let after = match self.verdict {
            // If it is refused, the whole command is undone, and the approval still waits.
            Verdict::Approve => {
                let done = action.approved(book, subject, &self.providers);
                done.map_err(DecisionError::Refused)?
            }
            Verdict::Reject => {
                action.dropped(book, subject);
                BalancesAfter::NONE
            }
        };
        Ok(Decision::now((approval, after)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "approval.decide",
            kind: "approval",
            id: self.id.to_string(),
        }
    }
}
