//! Charging: a payment is made and confirmed, its operation goes to a provider, and the outcome comes back.
//!
//! | command | commit |
//! |---|---|
//! | [`CreatePayment`], [`ConfirmPayment`] | the intent, and the provider's idempotency key |
//! | [`RecordOutcome`] | the provider's report on the outcome, and the postings |
//! | [`AnswerNow`] | an answer to a request that has waited long enough |
//! | [`Lease`] | operations whose lease has run out, for another one |
//!
//! Between the commits, [`ProviderWork`] has the providers called.

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
pub use work::ProviderWork;

pub(crate) use outcome::believe;

use edge::Capability;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};
