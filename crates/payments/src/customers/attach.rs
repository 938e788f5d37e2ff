//! The command that attaches a payment method to a customer.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};

use super::{CustomerError, CustomerId, CustomerShelf, SavedMethod, SavedMethodId};
use crate::{PaymentMethod, Providers};

/// Attaches a provider's token to a customer. Nothing is asked of the provider: a token that it does not know is
/// declined when a payment is made with it.
#[derive(Debug, Clone)]
pub struct AttachMethod {
    /// The customer.
    pub customer: CustomerId,
    /// The provider that the token belongs to; `None` if it is whichever provider a payment goes to.
    pub provider: Option<String>,
    /// The provider's token.
    pub token: PaymentMethod,
    /// The providers of the settings.
    pub providers: Arc<Providers>,
}

impl Command for AttachMethod {
    type Done = SavedMethod;
    type Refusal = CustomerError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<CustomerShelf>() {
            wanted.customers.push(self.customer);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<SavedMethod>, CustomerError> {
        let now = book.now();
        let id = SavedMethodId::from_bytes(book.next_id());
        let shelf = book.shelf_mut::<CustomerShelf>().0;
        let customer = shelf.customer(&self.customer);
        customer.ok_or(CustomerError::NoCustomer)?;
        // A bank is not asked for money.
        let takes_payments =
            |name: &String| (self.providers.named(name)).is_some_and(|one| one.bank.is_none());
        if !self.provider.as_ref().is_none_or(takes_payments) {
            return Err(CustomerError::UnknownProvider);
        }
        let method = SavedMethod {
            id,
            customer: self.customer,
            provider: self.provider.clone(),
            token: self.token.clone().into(),
            created_at: now,
            detached_at: None,
        };
        shelf.attach(method.clone());
        let (text, customer) = (id.to_string(), self.customer.to_string());
        let mut delta = vec![set("customer", &customer)];
        let provider = method.provider.iter();
        delta.extend(provider.map(|name| set("provider", name)));
        book.record(&AuditEvent::done(
            "payment_method.attached",
            ("payment_method", &text),
            &delta,
        ));
        Ok(Decision::now(method))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment_method.attach",
            kind: "customer",
            id: self.customer.to_string(),
        }
    }
}
