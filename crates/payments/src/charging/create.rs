//! The command that makes a payment.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Keep, set};

use crate::{ConfirmError, NewPayment, Payment, Provider, Shelf};

/// Makes a payment, and with `confirm` its first operation.
#[derive(Debug, Clone)]
pub struct CreatePayment {
    /// The requested payment.
    pub new: NewPayment,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The provider that gets the operation.
    pub provider: Provider,
}

impl Command for CreatePayment {
    type Done = Payment;
    type Refusal = ConfirmError;

    fn asks(&self, _asks: &mut Asks<'_>) {}

    fn decide(&self, book: &mut Book) -> Result<Decision<Payment>, ConfirmError> {
        let now = book.now();
        let (shelf, ids) = book.shelf_mut::<Shelf>();
        let payment = crate::create(shelf, self.new.clone(), &self.key, &self.provider, ids, now)?;
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
            super::tell_of_submitted(book, &payment, self.provider.lease_millis);
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
