//! Charging: a payment is made and confirmed, its operation goes to a provider, and the outcome comes back.
//!
//! | command | commit |
//! |---|---|
//! | [`CreatePayment`], [`ConfirmPayment`] | the intent, and the provider's idempotency key |
//! | [`RecordOutcome`] | what the provider said, and the postings |
//! | [`AnswerNow`] | an answer to a request that has waited long enough |
//! | [`LeaseDue`] | operations of a worker that has died, for another one |

mod answer_now;
pub(crate) mod codes;
mod confirm;
mod create;
mod http;
mod lease;
mod outcome;
pub mod show;

pub use answer_now::AnswerNow;
pub use confirm::ConfirmPayment;
pub use create::CreatePayment;
pub use http::routes;
pub use lease::LeaseDue;
pub use outcome::RecordOutcome;

pub(crate) use outcome::believe;

use engine::{Book, Reply};

use crate::{Payment, Shelf};

/// Makes the reply that tells of a payment as it stands.
pub type ShowPayment = fn(&Payment) -> Reply;

/// Has the operation that a command has just submitted for this payment told after the commit.
fn tell_of_submitted(book: &mut Book, payment: &Payment) {
    let submitted = book.shelf::<Shelf>().submitted().into_iter();
    let latest = submitted
        .filter(|operation| operation.payment == payment.id)
        .max_by_key(|operation| operation.attempt);
    if let Some(operation) = latest {
        book.tell_after_commit(operation);
    }
}
