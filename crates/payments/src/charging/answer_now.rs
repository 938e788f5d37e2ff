//! The command that answers a request that has waited long enough, with the present state of its operation.

use std::convert::Infallible;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Key, Reply};

use crate::{OperationId, Shelf, replies};

/// Answers the request that has submitted an operation, if it has no answer yet.
#[derive(Debug, Clone)]
pub struct AnswerNow {
    /// Idempotency key of the request.
    pub key: Key,
    /// The operation of the request.
    pub operation: Option<OperationId>,
}

impl Command for AnswerNow {
    /// The reply to the request.
    type Done = Option<Reply>;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(keys) = asks.of::<idempotency::Shelf>() {
            keys.waiting.push(self.key.clone());
        }
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.extend(self.operation);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Option<Reply>>, Infallible> {
        if let Some(reply) = book.reply_to(&self.key) {
            return Ok(Decision::now(Some(reply.clone())));
        }
        let shelf = book.shelf::<Shelf>();
        let operation = self.operation.and_then(|id| shelf.operation(&id));
        let known = operation.and_then(|operation| {
            let reply = replies::reply_to(operation, book)?;
            Some((reply, replies::subject(operation)))
        });
        let Some((reply, (kind, id))) = known else {
            return Ok(Decision::now(None));
        };
        book.answer(self.key.as_str(), &id, reply.clone());
        let action = match kind {
            replies::Subject::Payment => "payment.answered_early",
            replies::Subject::Refund => "refund.answered_early",
            replies::Subject::Payout => "payout.answered_early",
            replies::Subject::Dispute => "dispute.answered_early",
        };
        book.record(&AuditEvent::done(action, (kind.name(), &id), &[]));
        Ok(Decision::now(Some(reply)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.answer_early",
            kind: "operation",
            id: self.operation.map_or_else(String::new, |id| id.to_string()),
        }
    }
}
