//! The command that makes a payment.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, digest, set};
use ledger::Metadata;

use crate::customers::{self, CustomerShelf, Movement, SavedMethodId};
use crate::terms::TermsShelf;
use crate::{Begun, NewPayment, Providers, Refusal, Shelf, begun};

/// Makes a payment, and with `confirm` its first operation.
#[derive(Debug, Clone)]
pub struct CreatePayment {
    /// The requested payment.
    pub new: NewPayment,
    /// The saved payment method of the customer, in place of a payment method.
    pub saved: Option<SavedMethodId>,
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
        if let (Some(needs), Some(name)) = (asks.of::<Shelf>(), &self.new.external_id) {
            needs.external_ids.push(name.to_string());
        }
        if let Some(wanted) = asks.of::<CustomerShelf>() {
            wanted.moves_for(self.new.customer);
            wanted.methods.extend(self.saved);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let mut new = self.new.clone();
        let customers = book.shelf::<CustomerShelf>();
        if let Some(id) = &new.customer {
            customers.customer(id).ok_or(Refusal::NoCustomer)?;
        }
        if let Some(id) = &self.saved {
            new.payment_method = Some(customers.chosen(id, new.customer)?);
        }
        let (shelf, terms, ids) = book.shelves_mut::<Shelf, TermsShelf>();
        let (payment, operation) =
            crate::create(shelf, new, &self.key, (&self.providers, terms), ids, now)?;
        customers::may(book, payment.customer, Movement::Payment)?;
        let id = payment.id.to_string();
        let amount = payment.money.amount.get().to_string();
        let customer = payment.customer.map(|id| id.to_string());
        let metadata = payment.metadata.as_ref();
        let metadata = metadata.map(|metadata| digest(Some(Metadata::as_json(metadata))));
        let mut delta = vec![
            set("amount", &amount),
            set("currency", payment.money.currency.code()),
            set("status", payment.state.name()),
        ];
        delta.extend(customer.iter().map(|id| set("customer", id)));
        let external_id = payment.external_id.iter();
        delta.extend(external_id.map(|name| set("external_id", name)));
        delta.extend(metadata.iter().map(|digest| set("metadata", digest)));
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
