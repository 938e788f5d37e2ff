//! Captures: authorized money is taken, as a whole or in parts.
//!
//! A capture is the last one unless it says otherwise. The last one releases what it does not take. The commit that
//! submits a capture takes its amount from `capturable`, so two captures can never use the same money; if the capture
//! fails, the amount is given back.

mod http;

use std::sync::Arc;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, set};
use money::{Amount, Money};
use store::{Ids, Timestamp};

use crate::payment::{OnCharge, submit_on_charge};
use crate::terms::TermsShelf;
use crate::{
    Begun, Operation, OperationKind, Payment, PaymentId, PaymentState, Providers, Refusal, Shelf,
    authorizations, begun, refusal,
};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Captures a payment, or a part of it.
#[derive(Debug, Clone)]
pub struct CapturePayment {
    /// The payment.
    pub id: PaymentId,
    /// The amount; all that is left if it is absent.
    pub amount: Option<Amount>,
    /// True if nothing more will be captured.
    pub is_final: bool,
    /// Idempotency key of the request; empty if it has none.
    pub key: String,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for CapturePayment {
    type Done = Begun;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.payments.push(self.id);
        }
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Begun>, Refusal> {
        let now = book.now();
        let (shelf, terms, ids) = book.shelves_mut::<Shelf, TermsShelf>();
        let before = shelf.payment(&self.id).ok_or(Refusal::NotFound)?.clone();
        let begun = capture((shelf, terms), &before, self, ids, now)?;
        let (payment, operation) = &begun;
        let (id, amount) = (
            self.id.to_string(),
            operation.money.amount.get().to_string(),
        );
        let operation_id = operation.id.to_string();
        let [was, is] = [&before, payment].map(|payment| payment.capturable.to_string());
        let delta = [
            changed("status", before.state.name(), payment.state.name()),
            changed("capturable", &was, &is),
            set("capture", &amount),
            set("operation", &operation_id),
        ];
        let subject = ("payment", id.as_str());
        book.record(&AuditEvent::done(
            "payment.capture_submitted",
            subject,
            &delta,
        ));
        Ok(begun::decision(book, begun, &self.providers, id))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.capture",
            kind: "payment",
            id: self.id.to_string(),
        }
    }
}

fn capture(
    (shelf, terms): (&mut Shelf, &TermsShelf),
    payment: &Payment,
    asked: &CapturePayment,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<(Payment, Operation), Refusal> {
    if payment.state != PaymentState::RequiresCapture {
        return Err(Refusal::wrong_state(refusal::CAPTURED, payment));
    }
    let left = payment.capturable;
    let amount = asked.amount.or(Amount::new(left).ok());
    let amount = amount.filter(|amount| amount.get() <= left);
    let too_much = || Refusal::TooMuch {
        asked: asked.amount.map_or(left, Amount::get),
        left,
    };
    let amount = amount.ok_or_else(too_much)?;
    let reserved = if asked.is_final {
        authorizations::check_at_rest(payment)?;
        left
    } else {
        amount.get()
    };
    // After this point nothing may fail.
    let method = payment.payment_method.clone().unwrap_or_default();
    let currency = payment.money.currency;
    let money = Money { amount, currency };
    let mut payment = payment.clone();
    payment.capturable = left.saturating_sub(reserved);
    let new = OnCharge {
        kind: OperationKind::Capture,
        amount,
        reserved,
        terms: Some(terms.of(money, &method)),
        reason: None,
        idempotency_key: asked.key.clone(),
    };
    Ok(submit_on_charge(shelf, payment, new, ids, now))
}
