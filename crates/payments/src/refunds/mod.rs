//! Refunds: captured money goes back to the payer.
//!
//! A payment can be refunded several times, in parts. The commit that makes a refund counts it: what is left to refund
//! is `captured` less `refunded`, refunds without an outcome count, and the database refuses more. So racing refunds
//! never exceed the capture, and a refund that is too much is refused before the provider is called.
//!
//! The merchant's money pays for it: first the money of this payment that is not available yet, then available money.
//! If both are short, the refund waits, and is sent once there is enough.
//!
//! A refund is an operation of its payment, and has its id. A refund that comes back after it succeeded stays as it
//! is; the return is an operation of its own.

mod funding;
mod http;
pub(crate) mod key;
pub(crate) mod outcome;
pub(crate) mod read;
pub mod show;

use std::sync::Arc;

pub use funding::{FundRefunds, Refunding};
pub use key::RefundId;

use key::INSUFFICIENT_FUNDS;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, digest, set};
use ledger::Metadata;
use money::Amount;
use store::{Ids, Timestamp};

use crate::payment::{NewOperation, add};
use crate::{
    Begun, Operation, OperationKind, Payment, PaymentId, Providers, Refusal, Shelf, begun, refusal,
};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Refunds a payment, or a part of it.
#[derive(Debug, Clone)]
pub struct CreateRefund {
    /// The payment.
    pub payment: PaymentId,
    /// The amount; all that is left if it is absent.
    pub amount: Option<Amount>,
    /// The merchant's reason.
    pub reason: Option<String>,
    /// The merchant's own words.
    pub description: Option<String>,
    /// The merchant's metadata.
    pub metadata: Option<Metadata>,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for CreateRefund {
    type Done = Begun;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.pending_of.push(self.payment);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let (shelf, ids) = book.shelf_mut::<Shelf>();
        let (payment, operation) = make(shelf, self, ids, now)?;
        let id = RefundId::of(operation.id).to_string();
        let (amount, of_payment) = (
            operation.money.amount.get().to_string(),
            self.payment.to_string(),
        );
        let mut delta = vec![
            set("amount", &amount),
            set("currency", operation.money.currency.code()),
            set("payment", &of_payment),
        ];
        let metadata = self.metadata.as_ref();
        let metadata = metadata.map(|metadata| digest(Some(metadata.as_json())));
        delta.extend(metadata.iter().map(|digest| set("metadata", digest)));
        match funding::fund(book, &operation) {
            Ok((operation, transaction)) => {
                delta.push(set("transaction", &transaction));
                book.record(&AuditEvent::done("refund.created", ("refund", &id), &delta));
                let begun = (payment, operation);
                Ok(begun::decision(book, begun, &self.providers, id))
            }
            // The merchant has not as much. The refund waits, and counts.
            Err(ledger::Refusal::InsufficientFunds { .. }) => {
                delta.push(set("waits_for", INSUFFICIENT_FUNDS));
                book.record(&AuditEvent::done("refund.created", ("refund", &id), &delta));
                funding::wait(book, operation.id);
                Ok(Decision::now(Begun {
                    payment,
                    operation: Some(operation),
                }))
            }
            Err(refusal) => Err(Refusal::Ledger(refusal)),
        }
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "refund.create",
            kind: "payment",
            id: self.payment.to_string(),
        }
    }
}

/// Makes a refund that is not funded yet, and counts it.
fn make(
    shelf: &mut Shelf,
    asked: &CreateRefund,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(Payment, Operation), Refusal> {
    let payment = shelf.payment(&asked.payment).ok_or(Refusal::NotFound)?;
    if payment.captured == 0 {
        return Err(Refusal::wrong_state(refusal::REFUNDED, payment));
    }
    let left = payment.refundable();
    let amount = asked.amount.or(Amount::new(left).ok());
    let amount = amount.filter(|amount| amount.get() <= left);
    let too_much = || Refusal::TooMuch {
        asked: asked.amount.map_or(left, Amount::get),
        left,
    };
    let amount = amount.ok_or_else(too_much)?;
    // After this point nothing may fail.
    let mut payment = payment.clone();
    payment.refunded = payment.refunded.saturating_add(amount.get());
    let new = NewOperation {
        kind: OperationKind::Refund,
        amount,
        reserved: 0,
        provider: payment.provider.clone().unwrap_or_default(),
        charge_ref: payment.charge_ref.clone(),
        terms: None,
        payment_method: payment.payment_method.clone().unwrap_or_default(),
        reason: asked.reason.clone(),
        idempotency_key: asked.key.clone(),
    };
    let mut operation = add(shelf, &mut payment, new, ids, now);
    operation.description.clone_from(&asked.description);
    operation.metadata.clone_from(&asked.metadata);
    shelf.change_operation(&mut operation);
    shelf.change_payment(&mut payment, now);
    Ok((payment, operation))
}
