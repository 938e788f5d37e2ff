//! The command that makes many steps in one commit, one after another.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Keep};
use ledger::RecordedTransaction;

use super::action::Action;
use super::{ask_for, reference, step};
use crate::Refusal;
use crate::shelf::Books;

/// Makes many steps. Each step sees the effects of those before it.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// The steps, in order.
    pub actions: Vec<Action>,
    /// True if either all steps are made or none; false if each step is made or refused by itself.
    pub is_atomic: bool,
}

/// The outcomes of a bulk, one for each step, in order.
#[derive(Debug, Clone)]
pub struct Results(pub Vec<Result<RecordedTransaction, Refusal>>);

impl Command for Bulk {
    type Done = Results;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            for action in &self.actions {
                ask_for(needs, action);
            }
        }
    }

    fn weight(&self) -> usize {
        self.actions.iter().map(Action::weight).sum()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Refusal> {
        let mut results = Vec::with_capacity(self.actions.len());
        for (index, action) in self.actions.iter().enumerate() {
            match book.try_part(|book| step::decide(book, action)) {
                Err(refusal) if self.is_atomic => {
                    let refusal = Box::new(refusal);
                    return Err(Refusal::At { index, refusal });
                }
                result => results.push(result),
            }
        }
        for (action, result) in self.actions.iter().zip(&results) {
            match result {
                Ok(posted) => step::record(book, posted),
                Err(refusal) => record_refusal(book, action, refusal),
            }
        }
        let all: Result<Vec<_>, _> = results.iter().map(Result::as_ref).collect();
        let keep = match all {
            Ok(all) => Keep::Reference(reference::to_bulk(all.iter().map(|posted| posted.id))),
            Err(_refused) => {
                book.count_refusal();
                Keep::Reply
            }
        };
        Ok(Decision {
            done: Results(results),
            keep,
        })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "transaction.bulk",
            kind: "bulk",
            id: String::new(),
        }
    }
}

/// Records the refusal of one step of a bulk whose steps are made or refused each by itself.
fn record_refusal(book: &mut Book, action: &Action, refusal: &Refusal) {
    let about = action.about().map(|id| id.to_string()).unwrap_or_default();
    book.record(&AuditEvent {
        action: action.name(),
        subject: ("transaction", &about),
        outcome: "refused",
        reason: Some(refusal.code()),
        delta: &[],
        cause: None,
    });
}
