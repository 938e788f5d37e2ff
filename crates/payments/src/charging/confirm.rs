//! The command that confirms a payment: its next operation goes to a provider.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed};

use crate::terms::TermsShelf;
use crate::{Begun, PaymentId, PaymentMethod, Providers, Refusal, Shelf, begun};

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
    type Done = Begun;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.payments.push(self.id);
        }
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let (shelf, terms, ids) = book.shelves_mut::<Shelf, TermsShelf>();
        let before = shelf
            .payment(&self.id)
            .map_or("", |payment| payment.state.name());
        let method = self.payment_method.clone();
        let known = (&*self.providers, &*terms);
        let begun = crate::confirm(shelf, self.id, method, &self.key, known, ids, now)?;
        let text = self.id.to_string();
        let delta = [changed("status", before, begun.0.state.name())];
        book.record(&AuditEvent::done(
            "payment.confirmed",
            ("payment", &text),
            &delta,
        ));
        Ok(begun::decision(book, begun, &self.providers, text))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.confirm",
            kind: "payment",
            id: self.id.to_string(),
        }
    }
}
