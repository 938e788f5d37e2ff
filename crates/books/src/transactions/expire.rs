//! Releasing what pending transactions still hold once their time is over.

use std::convert::Infallible;

use engine::{Asks, Attempt, Book, Command, Decided};
use ledger::{NewRelease, Step, TransactionId};

use super::action::Details;
use super::step;
use crate::shelf::Books;

/// Releases what these still hold, if their time is over. Those that have ended meanwhile are left as they are.
#[derive(Debug, Clone)]
pub struct Expire {
    /// Pending transactions.
    pub pending: Vec<TransactionId>,
}

impl Command for Expire {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.transactions.extend(&self.pending);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decided<()>, Infallible> {
        for pending in &self.pending {
            let kind = step::kind_of(Step::Expiry);
            let release = NewRelease {
                heading: step::heading(book, &Details::default(), kind),
                pending: *pending,
                conditions: Vec::new(),
            };
            if let Ok(posted) = ledger::expire(book.shelf_mut::<Books>().0, release) {
                step::record(book, &posted);
            }
        }
        Ok(Decided::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "transaction.expire",
            kind: "transaction",
            id: String::new(),
        }
    }
}
