//! The command that makes a payment.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};

use crate::terms::TermsShelf;
use crate::{Begun, NewPayment, Providers, Refusal, Shelf, begun};

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
    type Done = Begun;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all |= self.new.confirm;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let (shelf, terms, ids) = book.shelves_mut::<Shelf, TermsShelf>();
        let (payment, operation) = crate::create(
            shelf,
            self.new.clone(),
            &self.key,
            (&self.providers, terms),
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
        Ok(match operation {
            Some(operation) => begun::decision(book, (payment, operation), &self.providers, id),
            None => Decision::now(Begun {
                payment,
                operation: None,
            }),
        })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.create",
            kind: "payment",
            id: String::new(),
        }
    }
}
