//! The command that confirms a payment: its next operation goes to a provider.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed};

use crate::customers::{self, CustomerShelf, Movement, SavedMethodId};
use crate::terms::TermsShelf;
use crate::{Begun, ChosenMethod, PaymentId, PaymentMethod, PaymentState, Providers, Refusal};
use crate::{Shelf, begun};

/// Submits a payment's next operation.
#[derive(Debug, Clone)]
pub struct ConfirmPayment {
    /// The payment.
    pub id: PaymentId,
    /// The new payment method, if the request names one.
    pub payment_method: Option<PaymentMethod>,
    /// The saved payment method of the customer, in place of a payment method.
    pub saved: Option<SavedMethodId>,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers. One of them gets the operation.
    pub providers: Arc<Providers>,
}

impl ConfirmPayment {
    /// The payment method that the request names, or the saved one that the payment was made with. A customer may have
    /// detached that one since.
    fn method(&self, book: &Book) -> Result<Option<ChosenMethod>, Refusal> {
        let payment = book.shelf::<Shelf>().payment(&self.id);
        let payment = payment.ok_or(Refusal::NotFound)?;
        if let Some(token) = &self.payment_method {
            return Ok(Some(token.clone().into()));
        }
        let is_first = payment.state == PaymentState::RequiresConfirmation;
        let saved = self.saved.or(payment.saved_method.filter(|_| is_first));
        let customers = book.shelf::<CustomerShelf>();
        let chosen = saved.map(|id| customers.chosen(&id, payment.customer));
        chosen.transpose()
    }
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
        if let Some(wanted) = asks.of::<CustomerShelf>() {
            wanted.methods.extend(self.saved);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let method = self.method(book)?;
        let (shelf, terms, ids) = book.shelves_mut::<Shelf, TermsShelf>();
        let before = shelf
            .payment(&self.id)
            .map_or("", |payment| payment.state.name());
        let known = (&*self.providers, &*terms);
        let begun = crate::confirm(shelf, self.id, method, &self.key, known, ids, now)?;
        customers::may(book, begun.0.customer, Movement::Payment)?;
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
