//! The command that confirms a payment: its next operation goes to a provider.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Keep, changed};

use crate::{ConfirmError, Payment, PaymentId, PaymentMethod, Providers, Shelf};

/// Submits a payment's next operation.
#[derive(Debug, Clone)]
pub struct ConfirmPayment {
    /// The payment.
    pub id: PaymentId,
    /// The new payment method, if the request names one.
    pub payment_method: Option<PaymentMethod>,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers. One of them gets the operation.
    pub providers: Arc<Providers>,
}

impl Command for ConfirmPayment {
    type Done = Payment;
    type Refusal = ConfirmError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.payments.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Payment>, ConfirmError> {
        let now = book.now();
        let (shelf, ids) = book.shelf_mut::<Shelf>();
        let before = shelf
            .payment(&self.id)
            .map_or("", |payment| payment.state.name());
        let method = self.payment_method.clone();
        let payment = crate::confirm(shelf, self.id, method, &self.key, &self.providers, ids, now)?;
        let text = self.id.to_string();
        let delta = [changed("status", before, payment.state.name())];
        book.record(&AuditEvent::done(
            "payment.confirmed",
            ("payment", &text),
            &delta,
        ));
        super::tell_of_submitted(book, &payment, &self.providers);
        Ok(Decision {
            done: payment,
            keep: Keep::Later(text),
        })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.confirm",
            kind: "payment",
            id: self.id.to_string(),
        }
    }
}
