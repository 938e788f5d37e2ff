//! Payments: the demands of merchants, and the requests to providers that carry them out.
//!
//! A **payment** has **operations**, each one request to a provider. Money is moved in three phases: commit the
//! intent and the provider's idempotency key ([`create`], [`confirm`]); call the provider, outside any commit;
//! commit its fact ([`record_outcome`]). A fact may come in a reply, in the answer to an inquiry, or in a
//! webhook, in any order and any number of times: the first final fact counts, the same fact again changes
//! nothing, and a fact that differs from it in any field is refused.
//!
//! The rules are pure functions over a [`Shelf`], which has the payments that one batch holds in memory. This
//! crate never calls a provider, never knows a server, and never writes SQL on other crates' tables.
//!
//! Invariants: refunded ≤ captured ≤ authorized ≤ amount (P1); every edge in the history is legal and final
//! states are never left (P2); one operation has one transaction in the books (P3, by the transaction's
//! external id).

mod charge;
pub mod charging;
pub mod check;
mod invariants;
mod json;
pub mod notices;
mod operation;
mod outcome;
mod payment;
mod postings;
pub mod providers;
mod read;
mod recorded;
mod schema;
mod shapes;
mod shelf;
pub mod state;
pub mod tables;

pub use charge::{Charge, ProviderText};
pub use invariants::FAMILY;
pub use json::JsonError;
pub use operation::{CHARGE, Operation, OperationId};
pub use outcome::{Fact, FactEffect, OutcomeError, record_outcome};
pub use payment::{
    ConfirmError, Customer, NewPayment, Payment, PaymentId, PaymentMethod, confirm, create,
};
pub use providers::{NoProvider, Provider, Providers};
pub use read::{known_provider_keys, payment, payments};
pub use shelf::{Shelf, Transition};
pub use state::{OperationState, PaymentState};

use std::sync::Arc;

use edge::State;

/// The fields of replies whose integers are amounts in minor units.
pub const AMOUNTS: &[&str] = &["amount", "amount_captured", "amount_refunded"];

/// Adds to the state the parts that the handlers of payments need: the providers that get the payments, and the
/// providers that may send webhooks.
#[must_use]
pub fn bring(state: State, providers: Arc<Providers>, receivers: notices::Receivers) -> State {
    state.with(providers).with(receivers)
}
