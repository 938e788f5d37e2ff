//! What happens to late money by itself, as the terms of its operation say.

use std::convert::Infallible;
use std::sync::Arc;

use engine::errand::{DueErrand, Errand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, Request, Tenant};

use super::give_back::give_back;
use crate::terms::{LateMoney, TermsShelf};
use crate::{Operation, OperationId, Providers, Refusal, Shelf, begun};

/// Kind of the errand of an operation whose money has arrived late.
const LATE_MONEY: &str = "late_money";
/// Pause after which money that could not be given back is tried again.
const NEXT_TRY_SECONDS: i64 = 60;

/// Adds the errand that follows the terms, if late money of an operation has just arrived.
pub(crate) fn plan(book: &mut Book, operation: &Operation) {
    // Without terms, a person decides.
    if operation.undecided() == 0 || operation.terms.is_none() {
        return;
    }
    let errand = Errand {
        due_at: book.now(),
        epoch: 0,
        place: String::new(),
    };
    let errands = book.shelf_mut::<Errands>().0;
    errands.add((LATE_MONEY, operation.id.bytes()), errand);
}

/// Gives late money back to the payers, if the terms say so.
#[derive(Debug, Clone)]
pub struct FollowTerms {
    /// The operations.
    pub operations: Vec<OperationId>,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for FollowTerms {
    /// The operations whose money could not be given back, and why.
    type Done = Vec<(OperationId, Refusal)>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.extend(&self.operations);
        }
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all = true;
        }
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.operations.iter().map(|id| (LATE_MONEY, id.bytes())));
        }
    }

    fn weight(&self) -> usize {
        self.operations.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Infallible> {
        let now = book.now();
        let mut refused = Vec::new();
        for id in &self.operations {
            let name = (LATE_MONEY, id.bytes());
            let errand = book.shelf::<Errands>().get(name);
            if errand.is_none_or(|errand| errand.due_at > now) {
                continue;
            }
            let late = book.shelf::<Shelf>().operation(id);
            let late = late.filter(|late| late.undecided() > 0);
            let rule = late.map(|late| book.shelf::<TermsShelf>().late_money(late.terms));
            let done = match rule {
                Some(LateMoney::Refund) => give_back(book, *id, None, "").map(Some),
                Some(LateMoney::Hold) | None => Ok(None),
            };
            match done {
                Ok(made) => {
                    book.shelf_mut::<Errands>().0.end(name);
                    if let Some((_, refund)) = made {
                        begun::send(book, &refund, &self.providers);
                    }
                }
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
            action: "operation.follow_terms",
            kind: "operation",
            id: String::new(),
        }
    }
}

/// The work of money that has arrived late.
pub struct LateMoneyWork {
    /// The lane.
    pub engine: Engine,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Work for LateMoneyWork {
    fn kind(&self) -> &'static str {
        LATE_MONEY
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let operations = due.iter().map(|due| due.subject);
        let command = FollowTerms {
            operations: operations.map(OperationId::from_bytes).collect(),
            providers: Arc::clone(&self.providers),
        };
        let request = Request::of_system(tenant, "sweeper", command);
        Box::pin(async move {
            let refused = self.engine.submit(request).await?.done();
            for (operation, refusal) in refused.unwrap_or_default() {
                tracing::error!(%operation, %refusal, "late money cannot be given back");
            }
            Ok(())
        })
    }
}
