//! The command that makes a payment.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Keep, set};

use crate::{ConfirmError, NewPayment, Payment, Providers, Shelf};

/// Makes a payment, and with `confirm` its first operation.
#[derive(Debug, Clone)]
pub struct CreatePayment {
    /// The requested payment.
    pub new: NewPayment,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers. One of them gets the operation.
    pub providers: Arc<Providers>,
}

impl Command for CreatePayment {
    type Done = Payment;
    type Refusal = ConfirmError;

    fn asks(&self, _asks: &mut Asks<'_>) {}

    fn decide(&self, book: &mut Book) -> Result<Decision<Payment>, ConfirmError> {
        let now = book.now();
        let (shelf, ids) = book.shelf_mut::<Shelf>();
        let payment = crate::create(
            shelf,
            self.new.clone(),
            &self.key,
            &self.providers,
            ids,
            now,
        )?;
        let id = payment.id.to_string();
        let amount = payment.money.amount.get().to_string();
        let delta = [
            set("amount", &amount),
            set("currency", payment.money.currency.code()),
            set("status", payment.state.name()),
        ];
        book.record(&AuditEvent::done(
            "payment.created",
            ("payment", &id),
            &delta,
        ));
        if self.new.confirm {
            super::tell_of_submitted(book, &payment, &self.providers);
            let keep = Keep::Later(id);
            return Ok(Decision {
                done: payment,
                keep,
            });
        }
        Ok(Decision::now(payment))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.create",
            kind: "payment",
            id: String::new(),
        }
    }
}
