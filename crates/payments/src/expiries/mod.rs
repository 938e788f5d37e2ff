//! Expiries: what is left of an authorization is voided when its time is over, before the payer's bank lets it lapse.
//!
//! The time is a fact of the payment (`capture_before`), set by the provider's policy when it was confirmed.

use std::convert::Infallible;
use std::sync::Arc;

use engine::errand::{DueErrand, Errand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Engine, Request, Tenant, set};

use crate::cancellations::void;
use crate::{
    Operation, OperationKind, OperationState, PaymentId, PaymentState, Providers, Refusal, Shelf,
    begun,
};

/// Kind of the errand of an authorization that ends.
const EXPIRY: &str = "authorization_expiry";
/// Pause after which an authorization with an operation in flight is looked at again.
const LOOK_AGAIN_SECONDS: i64 = 60;
/// Pause after which a provider that has refused to void is asked again.
const ASK_AGAIN_SECONDS: i64 = 3_600;

/// Adds the errand that ends an authorization, if this operation has just made one.
pub(crate) fn plan(book: &mut Book, operation: &Operation) {
    let is_new =
        operation.kind == OperationKind::Authorize && operation.state == OperationState::Succeeded;
    let payment = book.shelf::<Shelf>().payment(&operation.payment());
    let due_at = payment.and_then(|payment| payment.capture_before);
    if let Some(due_at) = due_at.filter(|_| is_new) {
        let errand = Errand {
            due_at,
            epoch: 0,
            place: String::new(),
        };
        let errands = book.shelf_mut::<Errands>().0;
        errands.add((EXPIRY, operation.subject), errand);
    }
}

/// Voids what is left of authorizations whose time is over.
#[derive(Debug, Clone)]
pub struct ExpireAuthorizations {
    /// The payments.
    pub payments: Vec<PaymentId>,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Command for ExpireAuthorizations {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.payments.extend(&self.payments);
        }
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.payments.iter().map(|id| (EXPIRY, id.bytes())));
        }
    }

    fn weight(&self) -> usize {
        self.payments.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let now = book.now();
        for id in &self.payments {
            let name = (EXPIRY, id.bytes());
            let errand = book.shelf::<Errands>().get(name);
            if errand.is_none_or(|errand| errand.due_at > now) {
                continue;
            }
            let (shelf, ids) = book.shelf_mut::<Shelf>();
            let payment = shelf.payment(id).cloned();
            let waits = payment.filter(|payment| payment.state == PaymentState::RequiresCapture);
            let Some(payment) = waits else {
                book.shelf_mut::<Errands>().0.end(name);
                continue;
            };
            match void(shelf, &payment, String::new(), ids, now) {
                Ok((_, operation)) => {
                    let (text, of_operation) = (id.to_string(), operation.id.to_string());
                    let delta = [set("operation", &of_operation)];
                    book.record(&AuditEvent::done(
                        "payment.expired",
                        ("payment", &text),
                        &delta,
                    ));
                    begun::send(book, &operation, &self.providers);
                    // If the provider refuses, it is asked again, under another key.
                    let next_try = now.plus_seconds(ASK_AGAIN_SECONDS);
                    book.shelf_mut::<Errands>().0.postpone(name, next_try);
                }
                Err(Refusal::InFlight) => {
                    let next_try = now.plus_seconds(LOOK_AGAIN_SECONDS);
                    book.shelf_mut::<Errands>().0.postpone(name, next_try);
                }
                Err(_nothing_left) => book.shelf_mut::<Errands>().0.end(name),
            }
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "payment.expire",
            kind: "payment",
            id: String::new(),
        }
    }
}

/// The work of authorizations that end.
pub struct AuthorizationExpiries {
    /// The lane.
    pub engine: Engine,
    /// The providers.
    pub providers: Arc<Providers>,
}

impl Work for AuthorizationExpiries {
    fn kind(&self) -> &'static str {
        EXPIRY
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let payments = due.iter().map(|due| due.subject);
        let command = ExpireAuthorizations {
            payments: payments.map(PaymentId::from_bytes).collect(),
            providers: Arc::clone(&self.providers),
        };
        let request = Request::of_system(tenant, "sweeper", command);
        Box::pin(async move { self.engine.submit(request).await.map(drop) })
    }
}
