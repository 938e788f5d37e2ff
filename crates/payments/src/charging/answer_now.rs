//! The command that answers a request that has waited long enough, with the present state of its payment.

use std::convert::Infallible;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Key, Reply};

use super::ShowPayment;
use crate::{PaymentId, Shelf};

/// Answers the request that made or confirmed a payment, if it has no answer yet.
#[derive(Debug, Clone)]
pub struct AnswerNow {
    /// Idempotency key of the request.
    pub key: Key,
    /// The payment of the request.
    pub payment: PaymentId,
    /// Makes the reply.
    pub show: ShowPayment,
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
            needs.payments.push(self.payment);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Option<Reply>>, Infallible> {
        if let Some(reply) = book.reply_to(&self.key) {
            return Ok(Decision::now(Some(reply.clone())));
        }
        let Some(payment) = book.shelf::<Shelf>().payment(&self.payment) else {
            return Ok(Decision::now(None));
        };
        let reply = (self.show)(payment);
        book.answer(self.key.as_str(), reply.clone());
        let id = self.payment.to_string();
        book.record(&AuditEvent::done(
            "payment.answered_early",
            ("payment", &id),
            &[],
        ));
        Ok(Decision::now(Some(reply)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.answer_early",
            kind: "payment",
            id: self.payment.to_string(),
        }
    }
}
