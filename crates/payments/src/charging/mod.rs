//! Charging: a payment is made and confirmed, its operation goes to a provider, and the outcome comes back.
//!
//! | command | commit |
//! |---|---|
//! | [`CreatePayment`], [`ConfirmPayment`] | the intent, and the provider's idempotency key |
//! | [`RecordOutcome`] | the provider's report on the outcome, and the postings |
//! | [`AnswerNow`] | an answer to a request that has waited long enough |
//! | [`Lease`] | operations whose lease has run out, for another one |
//!
//! Between the commits, [`Charges`] has the providers called.

mod answer_now;
pub(crate) mod codes;
mod confirm;
mod create;
mod http;
mod lease;
mod outcome;
pub mod show;
mod work;

pub use answer_now::AnswerNow;
pub use confirm::ConfirmPayment;
pub use create::CreatePayment;
pub use lease::Lease;
pub use outcome::RecordOutcome;
pub use work::Charges;

pub(crate) use outcome::believe;

use edge::Capability;
use engine::errand::{Errand, Errands};
use engine::{Book, Reply};

use crate::{Operation, Payment, Providers, Shelf};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Epoch of the lease with which an operation begins.
const FIRST_EPOCH: i32 = 1;

/// An operation, and the lease under which its outcome may be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedOperation {
    /// The operation.
    pub operation: Operation,
    /// Epoch of the lease.
    pub epoch: i32,
}

/// Makes the reply with the present state of a payment.
pub type ShowPayment = fn(&Payment) -> Reply;

/// Adds the errand of the operation that a command has just submitted for this payment, already leased, and
/// sends the operation to the worker after the commit.
fn tell_of_submitted(book: &mut Book, payment: &Payment, providers: &Providers) {
    let submitted = book.shelf::<Shelf>().submitted().into_iter();
    let latest = submitted
        .filter(|operation| operation.payment == payment.id)
        .max_by_key(|operation| operation.attempt);
    if let Some(operation) = latest {
        let provider = providers.named(&operation.provider);
        let lease_millis = provider.map_or(0, |provider| provider.lease_millis);
        let errand = Errand {
            due_at: book.now().plus_millis(lease_millis),
            epoch: FIRST_EPOCH,
            place: operation.provider.clone(),
        };
        book.shelf_mut::<Errands>()
            .0
            .add(operation.errand(), errand);
        book.tell_after_commit(LeasedOperation {
            operation,
            epoch: FIRST_EPOCH,
        });
    }
}
