//! The command that detaches a payment method from its customer.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};

use super::{CustomerError, CustomerShelf, SavedMethod, SavedMethodId};

/// Detaches a payment method, for ever. If it is detached already, nothing changes.
#[derive(Debug, Clone)]
pub struct DetachMethod {
    /// The payment method.
    pub id: SavedMethodId,
}

impl Command for DetachMethod {
    type Done = SavedMethod;
    type Refusal = CustomerError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<CustomerShelf>() {
            wanted.methods.push(self.id);
            wanted.changes = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<SavedMethod>, CustomerError> {
        let now = book.now();
        let shelf = book.shelf_mut::<CustomerShelf>().0;
        let method = shelf.method(&self.id).ok_or(CustomerError::NoMethod)?;
        let mut method = method.clone();
        if method.detached_at.is_some() {
            return Ok(Decision::now(method));
        }
        shelf.detach(&self.id, now);
        method.detached_at = Some(now);
        let (text, customer) = (self.id.to_string(), method.customer.to_string());
        book.record(&AuditEvent::done(
            "payment_method.detached",
            ("payment_method", &text),
            &[set("customer", &customer)],
        ));
        Ok(Decision::now(method))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment_method.detach",
            kind: "payment_method",
            id: self.id.to_string(),
        }
    }
}
