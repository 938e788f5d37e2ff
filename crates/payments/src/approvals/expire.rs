//! The command that ends approvals that nobody has decided on in time, and the work that submits it.

use std::convert::Infallible;

use engine::errand::{DueErrand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, Request, Tenant};

use super::{ApprovalEvent, ApprovalId, ApprovalShelf, ApprovalState, EXPIRY, end};

/// Ends approvals whose time is over.
#[derive(Debug, Clone)]
pub struct ExpireApprovals {
    /// The approvals.
    pub approvals: Vec<ApprovalId>,
}

impl Command for ExpireApprovals {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(approvals) = asks.of::<ApprovalShelf>() {
            approvals.extend(&self.approvals);
        }
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.approvals.iter().map(|id| (EXPIRY, id.bytes())));
        }
    }

    fn weight(&self) -> usize {
        self.approvals.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let now = book.now();
        for id in &self.approvals {
            let name = (EXPIRY, id.bytes());
            let errand = book.shelf::<Errands>().get(name);
            if errand.is_none_or(|errand| errand.due_at > now) {
                continue;
            }
            book.shelf_mut::<Errands>().0.end(name);
            let approval = book.shelf::<ApprovalShelf>().approval(id).cloned();
            let waits = approval.filter(|approval| approval.state == ApprovalState::Proposed);
            if let Some(approval) = waits {
                let (action, subject) = (approval.action, approval.subject);
                end(book, approval, ApprovalEvent::Expired, None, None);
                action.dropped(book, subject);
            }
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "approval.expire",
            kind: "approval",
            id: String::new(),
        }
    }
}

/// The work of approvals whose time is over.
pub struct ApprovalExpiries(pub Engine);

impl Work for ApprovalExpiries {
    fn kind(&self) -> &'static str {
        EXPIRY
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let approvals = due.iter().map(|due| due.subject);
        let approvals = approvals.map(ApprovalId::from_bytes).collect();
        let request = Request::of_system(tenant, "sweeper", ExpireApprovals { approvals });
        Box::pin(async move { self.0.submit(request).await.map(drop) })
    }
}
