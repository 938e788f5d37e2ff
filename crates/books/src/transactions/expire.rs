//! The command that expires pending transactions.

use std::convert::Infallible;

use engine::errand::{DueErrand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, Request, Tenant};
use ledger::{NewRelease, Refusal, Step, TransactionId};

use super::action::Details;
use super::step;
use crate::shelf::Books;

/// Pause after which an expiry that was refused is tried again.
const NEXT_TRY_SECONDS: i64 = 60;

/// Releases what pending transactions still hold, if their time is over. Transactions that have ended meanwhile
/// stay as they are.
#[derive(Debug, Clone)]
pub struct Expire {
    /// The pending transactions.
    pub pending: Vec<TransactionId>,
}

impl Command for Expire {
    /// The transactions that could not expire, and why.
    type Done = Vec<(TransactionId, Refusal)>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.transactions.extend(&self.pending);
        }
        if let Some(errands) = asks.of::<Errands>() {
            let names = self.pending.iter().map(|id| (step::EXPIRY, id.bytes()));
            errands.extend(names);
        }
    }

    fn weight(&self) -> usize {
        self.pending.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Infallible> {
        let mut refused = Vec::new();
        for pending in &self.pending {
            let name = (step::EXPIRY, pending.bytes());
            let kind = step::kind_of(Step::Expiry);
            let release = NewRelease {
                heading: step::heading(book, &Details::default(), kind),
                pending: *pending,
                conditions: Vec::new(),
            };
            match ledger::expire(book.shelf_mut::<Books>().0, release) {
                Ok(posted) => {
                    step::record(book, &posted);
                    book.shelf_mut::<Errands>().0.end(name);
                }
                // The time of the transaction is not over. Its errand stays, and is due again later.
                Err(Refusal::NotExpired) => {}
                // The transaction has ended in another way, or does not exist.
                Err(
                    Refusal::Ended { .. }
                    | Refusal::NotPending { .. }
                    | Refusal::TransactionNotFound { .. },
                ) => book.shelf_mut::<Errands>().0.end(name),
                // The money stays held until a later try succeeds.
                Err(refusal) => {
                    refused.push((*pending, refusal));
                    let next_try = book.now().plus_seconds(NEXT_TRY_SECONDS);
                    book.shelf_mut::<Errands>().0.postpone(name, next_try);
                }
            }
        }
        Ok(Decision::now(refused))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "transaction.expire",
            kind: "transaction",
            id: String::new(),
        }
    }
}

/// The work of expiry: it releases what a pending transaction still holds once its time is over.
pub struct Expiries(pub Engine);

impl Work for Expiries {
    fn kind(&self) -> &'static str {
        step::EXPIRY
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let pending = due.iter().map(|due| due.subject);
        let pending = pending.map(TransactionId::from_bytes).collect();
        let request = Request::of_system(tenant, "sweeper", Expire { pending });
        Box::pin(async move {
            let refused = self.0.submit(request).await?.done().unwrap_or_default();
            for (transaction, refusal) in refused {
                tracing::error!(%transaction, %refusal, "a pending transaction cannot expire");
            }
            Ok(())
        })
    }
}
