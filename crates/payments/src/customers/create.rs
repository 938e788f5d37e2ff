//! The command that makes a customer.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, digest, set};
use ledger::Metadata;

use super::{Customer, CustomerError, CustomerId, CustomerShelf, Standing};
use crate::{Description, ExternalId};

/// Makes a customer.
#[derive(Debug, Clone)]
pub struct CreateCustomer {
    /// The merchant's own name for the customer.
    pub external_id: Option<ExternalId>,
    /// A description for people.
    pub description: Option<Description>,
    /// The metadata that the merchant keeps with it.
    pub metadata: Option<Metadata>,
}

impl Command for CreateCustomer {
    type Done = Customer;
    type Refusal = CustomerError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let (Some(wanted), Some(name)) = (asks.of::<CustomerShelf>(), &self.external_id) {
            wanted.external_ids.push(name.to_string());
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Customer>, CustomerError> {
        let now = book.now();
        let id = CustomerId::from_bytes(book.next_id());
        let external_id = self.external_id.clone().map(String::from);
        let shelf = book.shelf_mut::<CustomerShelf>().0;
        if let Some(by) = external_id.as_ref().and_then(|name| shelf.named(name)) {
            return Err(CustomerError::ExternalIdTaken { by });
        }
        let customer = Customer {
            id,
            external_id,
            description: self.description.clone().map(String::from),
            metadata: self.metadata.clone(),
            standing: Standing::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        shelf.add(customer.clone());
        let text = id.to_string();
        let metadata = digest(self.metadata.as_ref().map(Metadata::as_json));
        let mut delta = vec![set("metadata", &metadata)];
        let external_id = customer.external_id.iter();
        delta.extend(external_id.map(|name| set("external_id", name)));
        book.record(&AuditEvent::done(
            "customer.created",
            ("customer", &text),
            &delta,
        ));
        Ok(Decision::now(customer))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "customer.create",
            kind: "customer",
            id: String::new(),
        }
    }
}
