//! The command that changes the description and the metadata of a customer.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, digest, set};
use ledger::Metadata;

use super::{Customer, CustomerError, CustomerId, CustomerShelf};
use crate::Description;

/// Changes a customer. What is `None` stays as it is; the inner `None` removes.
#[derive(Debug, Clone)]
pub struct ChangeCustomer {
    /// The customer.
    pub id: CustomerId,
    /// The new description.
    pub description: Option<Option<Description>>,
    /// The new metadata.
    pub metadata: Option<Option<Metadata>>,
}

impl Command for ChangeCustomer {
    type Done = Customer;
    type Refusal = CustomerError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<CustomerShelf>() {
            wanted.customers.push(self.id);
            wanted.changes = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Customer>, CustomerError> {
        let now = book.now();
        let shelf = book.shelf_mut::<CustomerShelf>().0;
        let customer = shelf.customer(&self.id).ok_or(CustomerError::NoCustomer)?;
        let mut customer = customer.clone();
        let digest_of =
            |metadata: &Option<Metadata>| digest(metadata.as_ref().map(Metadata::as_json));
        let before = digest_of(&customer.metadata);
        if let Some(description) = self.description.clone() {
            customer.description = description.map(String::from);
        }
        if let Some(metadata) = self.metadata.clone() {
            customer.metadata = metadata;
        }
        let customer = shelf.change(customer, now);
        let after = digest_of(&customer.metadata);
        let (text, version) = (self.id.to_string(), customer.version.to_string());
        let mut delta = vec![set("version", &version)];
        delta.extend((before != after).then(|| changed("metadata", &before, &after)));
        book.record(&AuditEvent::done(
            "customer.changed",
            ("customer", &text),
            &delta,
        ));
        Ok(Decision::now(customer))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "customer.change",
            kind: "customer",
            id: self.id.to_string(),
        }
    }
}
