//! Cancellations: a payment is given up. Before it went to a provider, this is done at once. Later, the provider is
//! asked to void what is left of the authorization; what was captured before stays captured.

mod http;

use std::sync::Arc;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, set};
use money::Amount;
use store::{Ids, Timestamp};

use crate::payment::{OnCharge, submit_on_charge};
use crate::state::PaymentEvent;
use crate::{
    Begun, Operation, OperationKind, Payment, PaymentId, PaymentState, Providers, Refusal, Shelf,
    authorizations, begun, refusal,
};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Cancels a payment.
#[derive(Debug, Clone)]
pub struct CancelPayment {
    /// The payment.
    pub id: PaymentId,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for CancelPayment {
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
        let (payment, operation) = match before.state {
            PaymentState::RequiresPaymentMethod | PaymentState::RequiresConfirmation => {
                let mut payment = before.clone();
                shelf.step_payment(&mut payment, PaymentEvent::Canceled, now);
                shelf.change_payment(&mut payment, now);
                (payment, None)
            }
            PaymentState::RequiresCapture => {
                let key = self.key.clone();
                let (payment, operation) = void(shelf, &before, key, ids, now)?;
                (payment, Some(operation))
            }
            PaymentState::RequiresAction
            | PaymentState::Processing
            | PaymentState::Succeeded
            | PaymentState::Canceled => {
                return Err(Refusal::wrong_state(refusal::CANCELED, &before));
            }
        };
        let id = self.id.to_string();
        let [was, is] = [&before, &payment].map(|payment| payment.capturable.to_string());
        let delta = [
            changed("status", before.state.name(), payment.state.name()),
            changed("capturable", &was, &is),
        ];
        let subject = ("payment", id.as_str());
        let Some(operation) = operation else {
            book.record(&AuditEvent::done("payment.canceled", subject, &delta));
            return Ok(Decision::now(Begun {
                payment,
                operation: None,
            }));
        };
        let operation_id = operation.id.to_string();
        let [status, capturable] = delta;
        let delta = [status, capturable, set("operation", &operation_id)];
        book.record(&AuditEvent::done("payment.void_submitted", subject, &delta));
        let begun = (payment, operation);
        Ok(begun::decision(book, begun, &self.providers, id))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.cancel",
            kind: "payment",
            id: self.id.to_string(),
        }
    }
}

/// Submits the voiding of all that is left of an authorization.
pub(crate) fn void(
    shelf: &mut Shelf,
    payment: &Payment,
    idempotency_key: String,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(Payment, Operation), Refusal> {
    authorizations::check_at_rest(payment)?;
    let left = Amount::new(payment.capturable);
    let left = left.map_err(|_nothing| Refusal::wrong_state(refusal::CANCELED, payment))?;
    // After this point nothing may fail.
    let mut payment = payment.clone();
    payment.capturable = 0;
    let new = OnCharge {
        kind: OperationKind::Void,
        amount: left,
        reserved: left.get(),
        terms: None,
        reason: None,
        idempotency_key,
    };
    Ok(submit_on_charge(shelf, payment, new, ids, now))
}
