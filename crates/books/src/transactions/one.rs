//! The command that makes one step of the books.

use engine::{Asks, Attempt, Book, Command, Decision, Keep};
use ledger::{Exchange, RecordedTransaction};

use super::action::Action;
use super::{ask_for, reference, step};
use crate::Refusal;
use crate::shelf::Books;

/// Makes one step of the books.
#[derive(Debug, Clone)]
pub struct Transact(pub Action);

/// The result of a step.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// The transaction of the step.
    pub posted: RecordedTransaction,
    /// The terms, if the step is an exchange.
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
            // The reply also has the terms, which are in another table.
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
