//! The command that suspends or reinstates a customer.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, set};

use super::{Customer, CustomerError, CustomerId, CustomerShelf, Standing};

/// Gives a customer another standing.
#[derive(Debug, Clone)]
pub struct ChangeStanding {
    /// The customer.
    pub id: CustomerId,
    /// The new standing.
    pub standing: Standing,
    /// The reason.
    pub reason: String,
}

impl ChangeStanding {
    const fn name(&self) -> &'static str {
        match self.standing {
            Standing::Active => "customer.reinstated",
            Standing::Suspended => "customer.suspended",
        }
    }
}

impl Command for ChangeStanding {
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
        let before = customer.standing;
        if before == self.standing {
            return Err(CustomerError::HasThisStanding(before));
        }
        customer.standing = self.standing;
        let customer = shelf.change(customer, now);
        let (text, version) = (self.id.to_string(), customer.version.to_string());
        let delta = [
            changed("standing", before.name(), self.standing.name()),
            set("version", &version),
        ];
        book.record(&AuditEvent {
            reason: Some(&self.reason),
            ..AuditEvent::done(self.name(), ("customer", &text), &delta)
        });
        Ok(Decision::now(customer))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: match self.standing {
                Standing::Active => "customer.reinstate",
                Standing::Suspended => "customer.suspend",
            },
            kind: "customer",
            id: self.id.to_string(),
        }
    }
}
