//! Increments: a further amount is authorized on the same charge, before anything of it was given up.

mod http;

use std::sync::Arc;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use money::Amount;
use store::{Ids, Timestamp};

use crate::customers::{self, Movement};
use crate::payment::{OnCharge, submit_on_charge};
use crate::{
    Begun, Operation, OperationKind, Payment, PaymentId, PaymentState, Providers, Refusal, Shelf,
    begun, refusal,
};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Authorizes a further amount.
#[derive(Debug, Clone)]
pub struct IncrementPayment {
    /// The payment.
    pub id: PaymentId,
    /// The further amount.
    pub amount: Amount,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for IncrementPayment {
    type Done = Begun;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.payments.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let (shelf, ids) = book.shelf_mut::<Shelf>();
        let before = shelf.payment(&self.id).ok_or(Refusal::NotFound)?.clone();
        let begun = increment(shelf, &before, self, ids, now)?;
        customers::may(book, before.customer, Movement::Payment)?;
        let (id, amount) = (self.id.to_string(), self.amount.get().to_string());
        let operation_id = begun.1.id.to_string();
        let delta = [set("increment", &amount), set("operation", &operation_id)];
        book.record(&AuditEvent::done(
            "payment.increment_submitted",
            ("payment", id.as_str()),
            &delta,
        ));
        Ok(begun::decision(book, begun, &self.providers, id))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.increment",
            kind: "payment",
            id: self.id.to_string(),
        }
    }
}

fn increment(
    shelf: &mut Shelf,
    payment: &Payment,
    asked: &IncrementPayment,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(Payment, Operation), Refusal> {
    if payment.state != PaymentState::RequiresCapture {
        return Err(Refusal::wrong_state(refusal::INCREMENTED, payment));
    }
    // Some providers are told the new sum, so that two increments at once would each undo the other.
    if payment.incrementing > 0 {
        return Err(Refusal::InFlight);
    }
    let incrementing = payment.incrementing.checked_add(asked.amount.get());
    let incrementing = incrementing.filter(|all| payment.authorized.checked_add(*all).is_some());
    let incrementing = incrementing.ok_or(Refusal::Overflow)?;
    // After this point nothing may fail.
    let mut payment = payment.clone();
    payment.incrementing = incrementing;
    let new = OnCharge {
        kind: OperationKind::Increment,
        amount: asked.amount,
        reserved: 0,
        terms: None,
        reason: None,
        idempotency_key: asked.key.clone(),
    };
    Ok(submit_on_charge(shelf, payment, new, ids, now))
}
