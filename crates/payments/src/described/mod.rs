//! The metadata of a payment, a refund or a payout is set later. Nothing else of it changes but its version, if it has
//! one. The audit record has the digests of the old and the new metadata.

mod finding;
pub(crate) mod http;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, digest, set};
use ledger::Metadata;

pub(crate) use finding::{Wanted, found, has_all, texts_wanted};

use crate::payouts::{Payout, PayoutId};
use crate::refunds::RefundId;
use crate::{Operation, OperationId, Payment, PaymentId, Refusal, Shelf};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// A thing whose metadata can be replaced, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DescribedId {
    /// A payment.
    Payment(PaymentId),
    /// A refund.
    Refund(RefundId),
    /// A payout.
    Payout(PayoutId),
}

/// A thing after its metadata was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DescribedThing {
    /// A payment.
    Payment(Payment),
    /// A refund.
    Refund(Operation),
    /// A payout.
    Payout(Payout),
}

/// Replaces metadata.
#[derive(Debug, Clone)]
pub struct Describe {
    /// Whose metadata.
    pub id: DescribedId,
    /// The new metadata.
    pub metadata: Option<Metadata>,
}

impl DescribedId {
    /// The bytes of the id.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        match self {
            Self::Payment(id) => id.bytes(),
            Self::Refund(id) => id.bytes(),
            Self::Payout(id) => id.bytes(),
        }
    }

    /// The kind of thing in the audit log, and the name of the change.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Payment(_) => ("payment", "payment.metadata_set"),
            Self::Refund(_) => ("refund", "refund.metadata_set"),
            Self::Payout(_) => ("payout", "payout.metadata_set"),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Payment(id) => id.to_string(),
            Self::Refund(id) => id.to_string(),
            Self::Payout(id) => id.to_string(),
        }
    }
}

impl DescribedThing {
    /// The version; refunds have none.
    const fn version(&self) -> Option<i64> {
        match self {
            Self::Payment(payment) => Some(payment.version),
            Self::Refund(_) => None,
            Self::Payout(payout) => Some(payout.version),
        }
    }
}

impl Command for Describe {
    type Done = DescribedThing;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            match self.id {
                DescribedId::Payment(id) => needs.payments.push(id),
                DescribedId::Refund(id) => {
                    needs.operations.push(OperationId::from_bytes(id.bytes()));
                }
                DescribedId::Payout(id) => needs.payouts.push(id),
            }
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<DescribedThing>, Refusal> {
        let (now, metadata) = (book.now(), self.metadata.clone());
        let shelf = book.shelf_mut::<Shelf>().0;
        let described = shelf.describe(self.id, metadata, now);
        let (thing, before) = described.ok_or(Refusal::NotFound)?;
        let before = digest(before.as_ref().map(Metadata::as_json));
        let after = digest(self.metadata.as_ref().map(Metadata::as_json));
        let version = thing.version().map(|version| version.to_string());
        let mut delta = vec![changed("metadata", &before, &after)];
        delta.extend(version.iter().map(|version| set("version", version)));
        let ((kind, action), id) = (self.id.names(), self.id.text());
        book.record(&AuditEvent::done(action, (kind, &id), &delta));
        Ok(Decision::now(thing))
    }

    fn attempt(&self) -> Attempt {
        let (kind, action) = self.id.names();
        Attempt {
            action,
            kind,
            id: self.id.text(),
        }
    }
}
