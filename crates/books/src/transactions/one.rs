//! One step of the books.

use engine::{Asks, Attempt, Book, Command, Decision, Keep};
use ledger::{Exchange, RecordedTransaction};

use super::action::Action;
use super::{ask_for, reference, step};
use crate::Refusal;
use crate::shelf::Books;

/// Makes one step of the books.
#[derive(Debug, Clone)]
pub struct Transact(pub Action);

/// A step that was made.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// Its transaction.
    pub posted: RecordedTransaction,
    /// The terms, if it exchanged currencies.
    pub exchange: Option<Exchange>,
}

impl Command for Transact {
    type Done = StepResult;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            ask_for(needs, &self.0);
        }
    }

    fn weight(&self) -> usize {
        self.0.weight()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<StepResult>, Refusal> {
        let posted = step::decide(book, &self.0)?;
        step::record(book, &posted);
        let exchange = book.shelf::<Books>().exchange(&posted.id).cloned();
        let keep = match &exchange {
            // Its terms are told too, and stand in another table.
            Some(_) => Keep::Reply,
            None => Keep::Reference(reference::to(posted.id)),
        };
        let done = StepResult { posted, exchange };
        Ok(Decision { done, keep })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: self.0.name(),
            kind: "transaction",
            id: self.0.about().map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}
