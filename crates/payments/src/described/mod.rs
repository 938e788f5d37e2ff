//! The metadata of a payment is set later. Nothing else of the payment changes but its version. The audit record has
//! the digests of the old and the new metadata.

mod http;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, digest, set};
use ledger::Metadata;

use crate::{Payment, PaymentId, Refusal, Shelf};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

const METADATA_SET: &str = "payment.metadata_set";

/// Replaces the metadata of a payment.
#[derive(Debug, Clone)]
pub struct DescribePayment {
    /// The payment.
    pub id: PaymentId,
    /// The new metadata.
    pub metadata: Option<Metadata>,
}

impl Command for DescribePayment {
    type Done = Payment;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.payments.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Payment>, Refusal> {
        let (now, metadata) = (book.now(), self.metadata.clone());
        let shelf = book.shelf_mut::<Shelf>().0;
        let described = shelf.describe_payment(self.id, metadata, now);
        let (payment, before) = described.ok_or(Refusal::NotFound)?;
        let before = digest(before.as_ref().map(Metadata::as_json));
        let after = digest(self.metadata.as_ref().map(Metadata::as_json));
        let (text, version) = (self.id.to_string(), payment.version.to_string());
        let delta = [
            changed("metadata", &before, &after),
            set("version", &version),
        ];
        book.record(&AuditEvent::done(METADATA_SET, ("payment", &text), &delta));
        Ok(Decision::now(payment))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: METADATA_SET,
            kind: "payment",
            id: self.id.to_string(),
        }
    }
}
